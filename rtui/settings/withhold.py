"""Keeping secrets out of session files: each that was typed in becomes `{{ env.NAME }}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from rtui.settings.option import declared, has_template
from rtui.settings.secrets import SHORTEST, is_secret_header, secret_parameters, url_password
from rtui.settings.session_model import Declares

_OWN: Final = {"subscriptions": "channel", "messages": "name"}
"""Arrays of tables with options of the protocol, and what tells their tables apart."""


def withhold(
    data: dict[str, Any], stored: Mapping[str, Any], declares: Declares | None, stem: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """`data` with `{{ env.NAME }}` for each secret that the file does not hold yet, and what the names stand for."""
    found = _Withheld(stem)
    return found.table(data, stored, declares), found.names


def secrets_of(data: dict[str, Any], declares: Declares | None, stem: str) -> dict[str, str]:
    """The secrets that `withhold` would take out of a new file, by the same names: for a `.env` that the user wants."""
    found = _Withheld(stem)
    found.table(data, {}, declares)
    return found.values


class _Withheld:
    """What was taken out of one session."""

    def __init__(self, stem: str) -> None:
        self.names: dict[str, str] = {}
        """Environment variable → what it stands for."""
        self._stem = stem
        self.values: dict[str, str] = {}
        """Environment variable → secret."""

    def table(self, data: dict[str, Any], stored: Mapping[str, Any], declares: Declares | None) -> Any:
        """All tables of a session."""
        data = deepcopy(data)
        self.options(
            data.get("options", {}), stored.get("options", {}), declares.Options if declares else None, "options"
        )
        for key, identity in _OWN.items():
            before = {one[identity]: one for one in stored.get(key, ())}
            for one in data.get(key, ()):
                known = before.get(one[identity], {})
                if key == "messages":
                    shape = getattr(declares, "Outgoing", None)
                    self.options(one.get("options", {}), known.get("options", {}), shape, f"{one[identity]}.options")
                else:
                    self.options(one, known, getattr(declares, "Subscription", None), f"subscription {one[identity]}")
        self.url(data["session"], stored.get("session", {}))
        return self.spread(data, stored)

    def options(
        self, table: dict[str, Any], stored: Mapping[str, Any], shape: type[msgspec.Struct] | None, place: str
    ) -> None:
        """Take out options declared as secret, and pairs named like credentials."""
        secret = {one.key for one in declared(shape) if one.secret} if shape is not None else set[str]()
        for key, value in table.items():
            if isinstance(value, dict):
                before = stored.get(key)
                for name in value:
                    if key in secret or is_secret_header(name):
                        known = before.get(name) if isinstance(before, Mapping) else None
                        value[name] = self._hidden(value[name], known, name, f"{place}.{key}.{name}")
            elif key in secret:
                table[key] = self._hidden(value, stored.get(key), key, f"{place}.{key}")

    def url(self, head: dict[str, Any], stored: Mapping[str, Any]) -> None:
        """Take out the password of the URL and query values that are named like credentials."""
        url = head["url"]
        if url == stored.get("url"):
            return
        if password := url_password(url):
            shown = self._hidden(password, None, "password", "the password in the URL")
            head["url"] = url = url.replace(f":{password}@", f":{shown}@", 1)
        for name, value in secret_parameters(url):
            shown = self._hidden(value, None, unquote(name), f"{unquote(name)} in the URL")
            head["url"] = url = url.replace(f"{name}={value}", f"{name}={shown}", 1)

    def spread(self, data: Any, stored: Any) -> Any:
        """`data` without the same secrets in other places: the payload of a message, a variable."""
        if isinstance(data, dict):
            before = stored if isinstance(stored, Mapping) else {}
            return {key: self.spread(value, before.get(key)) for key, value in data.items()}
        if isinstance(data, list):
            known = stored if isinstance(stored, list) else []
            return [one if one in known else self.spread(one, None) for one in data]
        if isinstance(data, str) and data != stored:
            for name, value in self.values.items():
                data = data.replace(value, template_of(name)) if len(value) >= SHORTEST else data
        return data

    def _hidden(self, value: Any, known: Any, key: str, label: str) -> Any:
        if not isinstance(value, str) or not value or has_template(value) or value == known:
            return value
        name = base = variable_of(self._stem, key)
        number = 1
        while self.values.get(name, value) != value:  # it stands for another secret already
            number += 1
            name = f"{base}_{number}"
        self.values[name] = value
        self.names.setdefault(name, label)
        return template_of(name)


def template_of(name: str) -> str:
    """What reads an environment variable."""
    return f"{{{{ env.{name} }}}}"


def variable_of(stem: str, key: str) -> str:
    """An environment variable's name: PLANT_TOKEN."""
    name = re.sub(r"\W+", "_", f"{stem}_{key}", flags=re.ASCII).strip("_").upper()
    return f"RTUI_{name}" if name[:1].isdigit() else name
