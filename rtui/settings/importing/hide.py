"""Secrets that stand where no option says so: in bodies, payloads, variables and addresses of what was imported.

`withhold` takes out what is declared as secret. What is left are passwords in a JSON body, tokens in a form, a variable
called `api_key`, a name alone before the @ of a URL. Each becomes `{{ env.NAME }}` before the session is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from rtui.settings.importing.brace import literal
from rtui.settings.option import declared, has_template
from rtui.settings.secrets import is_secret_header
from rtui.settings.session_model import Declares, SavedMessage, Session
from rtui.settings.withhold import template_of, variable_of

_NAME: Final = (
    r"(?:[\w.-]*[-_.])?(?:api[-_]?key|token|secret|password|passwd|pwd|signature|jwt|credential)s?"
    r"|[a-z]*(?:token|password|secret|apikey)"
)
_IN_JSON: Final = re.compile(rf'("(?P<name>{_NAME})"\s*:\s*")(?P<value>(?:\\.|[^"\\])+)(?=")', re.IGNORECASE)
_IN_FORM: Final = re.compile(rf"((?:^|&)(?P<name>{_NAME})=)(?P<value>[^&\s]+)", re.IGNORECASE)
_WHOLE: Final = re.compile(_NAME, re.IGNORECASE)
_USER_ALONE: Final = re.compile(r"://(?P<value>[^/?#@:{}]+)(?=@)")


class Hidden(msgspec.Struct, frozen=True, kw_only=True):
    """A session without such secrets."""

    session: Session
    names: dict[str, str]
    """Environment variable → what it stands for."""
    values: dict[str, str]
    """Environment variable → secret."""


def hide(session: Session, stem: str, declares: Declares | None) -> Hidden:
    """Take the secrets out; `stem` begins the names of the environment variables."""
    hider = _Hider(stem)
    options = hider.options(session.options, declares)
    if isinstance(data := options.get("data"), str):
        options["data"] = hider.text(data, "options.data")
    url = _USER_ALONE.sub(lambda found: f"://{hider.put('user', found['value'], 'the user in the URL')}", session.url)
    changed = msgspec.structs.replace(
        session,
        url=url,
        options=options,
        messages=tuple(hider.message(one) for one in session.messages),
        variables={name: hider.variable(name, value) for name, value in session.variables.items()},
    )
    return Hidden(session=changed, names=hider.names, values=hider.values)


class _Hider:
    def __init__(self, stem: str) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self._stem = stem

    def put(self, key: str, value: str, label: str) -> str:
        """A name for the secret, as the template that reads it. `withhold` makes no name with `payload` in it."""
        base = name = variable_of(self._stem, f"payload_{key}")
        number = 1
        while self.values.get(name, value) != value:
            number += 1
            name = f"{base}_{number}"
        self.values[name] = value
        self.names.setdefault(name, label)
        return template_of(name)

    def text(self, text: str, place: str) -> str:
        """A body or a payload."""
        replace: Callable[[re.Match[str]], str] = lambda found: self._found(found, place)  # noqa: E731 - both use it
        return _IN_FORM.sub(replace, _IN_JSON.sub(replace, text))

    def message(self, one: SavedMessage) -> SavedMessage:
        """A saved message; what is not written as text is left alone."""
        if one.format not in {"text", "json"}:
            return one
        return msgspec.structs.replace(one, payload=self.text(one.payload, f"the message {one.name}"))

    def variable(self, name: str, value: str) -> str:
        """A variable that is called like a secret."""
        plain = value and not has_template(value) and _WHOLE.fullmatch(name)
        return self.put(name, value, f"variables.{name}") if plain else value

    def options(self, options: Mapping[str, Any], declares: Declares | None) -> dict[str, Any]:
        """Secrets with braces in them: `withhold` would take each for a template that reads one from elsewhere."""
        secret = {one.key for one in declared(declares.Options) if one.secret} if declares else set[str]()
        return {key: self._option(key, value, secret) for key, value in options.items()}

    def _option(self, key: str, value: Any, secret: set[str]) -> Any:
        if isinstance(value, dict):
            return {
                name: self._braced(name, item) if key in secret or is_secret_header(name) else item
                for name, item in value.items()
            }
        return self._braced(key, value) if key in secret else value

    def _braced(self, key: str, value: Any) -> Any:
        plain = value.replace("{{ '{' }}", "{") if isinstance(value, str) else value
        braces = plain != value and literal(plain) == value
        return self.put(key, plain, f"options.{key}") if braces else value

    def _found(self, found: re.Match[str], place: str) -> str:
        if has_template(found["value"]):
            return found[0]
        return found[1] + self.put(found["name"], found["value"], f"{found['name']} in {place}")
