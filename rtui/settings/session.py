"""Session files: read here with every mistake named, written by `session_save`, found by `session_list`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from rtui.core.fault import Failure
from rtui.settings.files import Located, Problem, SettingsError, load_toml
from rtui.settings.option import (
    OptionErrors,
    build,
    check,
    declared,
    flatten,
    has_template,
    nearest,
    schema,
    unknown_key,
)
from rtui.settings.session_list import SessionEntry, find_session, list_sessions
from rtui.settings.session_model import (
    STEP_VERBS,
    Declares,
    Head,
    ProtobufTypes,
    Reconnect,
    SavedMessage,
    Session,
    SessionSubscription,
    Step,
    View,
    to_data,
)
from rtui.settings.session_save import save_session
from rtui.settings.session_view import view_schema, wrong_payloads, wrong_types
from rtui.settings.toml_lines import KeyPath

__all__ = [
    "Declares",
    "DeclaresFor",
    "SavedMessage",
    "Session",
    "SessionEntry",
    "SessionSubscription",
    "View",
    "connect_options",
    "find_session",
    "list_sessions",
    "load_session",
    "parse_session",
    "save_session",
    "session_from_url",
    "session_schema",
]

DeclaresFor: TypeAlias = Callable[[str, str], Declares | None]
"""(url, protocol) → the adapter class; None if it cannot be told yet; raises `Failure` if there is none."""

T = TypeVar("T", bound=msgspec.Struct)

TABLES: Final = ("session", "options", "reconnect", "subscriptions", "messages", "variables", "view", "steps")
RESERVED_NAMES: Final = frozenset({"env", "uuid", "now", "counter"})
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def load_session(path: Path, declares_for: DeclaresFor) -> Session:
    """Read the session at `path`.

    Raises:
        SettingsError: with every problem of the file at once.
    """
    return parse_session(load_toml(path), declares_for)


def parse_session(source: Located, declares_for: DeclaresFor) -> Session:
    """The session that a TOML document describes.

    Raises:
        SettingsError: with every problem of the document at once.
    """
    reader = _Reader(source, declares_for)
    session = reader.session()
    if reader.problems:
        raise SettingsError(sorted(reader.problems, key=lambda problem: problem.line))
    return msgspec.structs.replace(session, stored=to_data(session))


def session_from_url(url: str, options: Mapping[str, Any] | None = None, protocol: str = "") -> Session:
    """An unsaved session for a URL that was typed."""
    return Session(name=_name_of(url), url=url, protocol=protocol, options=dict(options or {}))


def connect_options(session: Session, options: type[T]) -> T:
    """The protocol's `Options` of a session, files located beside the session file.

    Raises:
        OptionErrors: every unknown key and wrong value at once.
    """
    return build(options, session.options, base=session.base)


def session_schema(protocols: Mapping[str, Declares]) -> dict[str, Any]:
    """JSON schema of session files, for editors."""
    definitions = {name: schema(one.Options) for name, one in protocols.items()}
    anything = {"type": "object"}
    tables: dict[str, Any] = {
        "session": schema(Head) | {"required": ["url"]},
        "options": {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in definitions]} if definitions else anything,
        "reconnect": schema(Reconnect),
        "subscriptions": _list_of(schema(SessionSubscription) | {"additionalProperties": True}, "channel"),
        "messages": _list_of(schema(SavedMessage), "name"),
        "variables": {"type": "object", "additionalProperties": {"type": "string"}},
        "view": view_schema(),
        "steps": _list_of(schema(Step)),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rtui session",
        "type": "object",
        "properties": tables,
        "required": ["session"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _list_of(items: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "array", "items": items | {"required": list(required)}}


def _name_of(url: str) -> str:
    """A short name without credentials: host and path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "unnamed"
    if parts.scheme == "replay":
        return unquote(parts.fragment.partition("?")[0]) or Path(unquote(parts.path)).stem or "unnamed"
    return f"{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}" or "unnamed"


def _text_in(table: object, key: str) -> str:
    value = table.get(key) if isinstance(table, Mapping) else None
    return value if isinstance(value, str) else ""


class _Reader:
    """Collects problems instead of stopping at the first."""

    def __init__(self, source: Located, declares_for: DeclaresFor) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._declares_for = declares_for

    def session(self) -> Session:
        for key in self._source.data:
            if key not in TABLES:
                self._report((key,), unknown_key(key, TABLES), TABLES)
        head = self._table("session", Head) or Head(url="")
        if "session" not in self._source.data:
            self._report((), "the table [session] with a url is missing")
        declares = self._declares()
        session = Session(
            name=head.name or self._source.path.stem,
            url=head.url,
            protocol=head.protocol,
            description=head.description,
            tags=head.tags,
            options=self._options(("options",), self._mapping(("options",)), declares.Options if declares else None),
            reconnect=self._table("reconnect", Reconnect) or Reconnect(),
            subscriptions=self._subscriptions(declares),
            messages=self._messages(declares),
            variables=self._variables(),
            view=self._view(),
            steps=self._steps(declares),
            path=self._source.path,
        )
        self._check_payloads(session)
        return session

    def _check_payloads(self, session: Session) -> None:
        """A message of a type that there is not could not be sent."""
        data, types = self._source.data, session.view.protobuf
        if types is None and isinstance(data.get("view"), Mapping) and "protobuf" in data["view"]:
            return  # what is wrong with that table is told
        lists = {name: data[name] for name in ("messages", "steps") if isinstance(data.get(name), list)}
        written = [
            ((name, index), _text_in(table, "format"), _text_in(table, "type"))
            for name, tables in lists.items()
            for index, table in enumerate(tables)
        ]
        for key, message, allowed in wrong_payloads(written, types, session.base):
            self._report(key, message, allowed)

    def _report(self, key: KeyPath, message: str, allowed: tuple[str, ...] = ()) -> None:
        self.problems.append(self._source.problem(key, message, allowed))

    def _declares(self) -> Declares | None:
        """Looked up from the raw table: a wrong key beside the URL must not hide what is wrong with the options."""
        head = self._source.data.get("session")
        url, protocol = (_text_in(head, key) for key in ("url", "protocol"))
        if not url or has_template(protocol) or (url.startswith("{{") and not protocol):
            return None
        try:
            return self._declares_for(_TEMPLATE.sub("x", url), protocol)
        except Failure as failure:
            fault = failure.fault
            hint = f". {fault.hint}" if fault.hint else ""
            self._report(("session", "protocol" if protocol else "url"), fault.sentence() + hint)
            return None

    def _mapping(self, key: KeyPath, default: object = None) -> Mapping[str, Any]:
        value: object = self._source.data.get(str(key[0]), {}) if len(key) == 1 else default
        if isinstance(value, Mapping):
            return value
        self._report(key, "must be a table")
        return {}

    def _table(self, name: str, struct: type[T]) -> T | None:
        return self._built((name,), self._mapping((name,)), struct) if name in self._source.data else None

    def _built(self, key: KeyPath, values: Mapping[str, Any], struct: type[T]) -> T | None:
        try:
            return build(struct, values)
        except OptionErrors as wrong:
            self.problems += self._source.option_problems(key, wrong.errors)
            return None

    def _options(self, key: KeyPath, values: Mapping[str, Any], options: type[msgspec.Struct] | None) -> dict[str, Any]:
        if options is None:
            return dict(values)
        self.problems += self._source.option_problems(key, check(options, values))
        return flatten(options, values)

    def _tables(self, name: str) -> list[tuple[KeyPath, Mapping[str, Any]]]:
        """The tables of an array, each with its place."""
        values = self._source.data.get(name, [])
        if not isinstance(values, list):
            self._report((name,), f"must be an array of tables, written [[{name}]]")
            return []
        return [((name, index), self._mapping((name, index), value)) for index, value in enumerate(values)]

    def _subscriptions(self, declares: Declares | None) -> tuple[SessionSubscription, ...]:
        own = {one.key for one in declared(SessionSubscription)}
        found: dict[str, SessionSubscription] = {}
        for key, table in self._tables("subscriptions"):
            named = {name: value for name, value in table.items() if name in own}
            one = self._built(key, named, SessionSubscription)
            rest = {name: value for name, value in table.items() if name not in own}
            rest = self._checked_rest(key, rest, declares, tuple(own))
            if one and declares is not None and not has_template(one.channel):
                self._check_channel((*key, "channel"), declares.subscription_flaw(one.channel))
            if one and self._first(key, "channel", one.channel, found):
                found[one.channel] = msgspec.structs.replace(one, options=one.options | rest)
        return tuple(found.values())

    def _check_channel(self, key: KeyPath, flaw: str) -> None:
        if flaw:
            self._report(key, flaw)

    def _checked_rest(
        self, key: KeyPath, rest: Mapping[str, Any], declares: Declares | None, own: tuple[str, ...]
    ) -> dict[str, Any]:
        """Keys of a subscription that are not ours are the protocol's, or nobody's."""
        if declares is None:
            return dict(rest)
        theirs = tuple(one.key for one in declared(declares.Subscription))
        for error in check(declares.Subscription, rest):
            unknown = error.message.startswith("unknown key")
            message = unknown_key(error.key, own + theirs) if unknown else error.message
            self._report((*key, *error.key.split(".")), message, own + theirs if unknown else error.allowed)
        return flatten(declares.Subscription, rest)

    def _first(self, key: KeyPath, name: str, value: str, found: Mapping[str, object]) -> bool:
        if value in found:
            self._report((*key, name), f"{value!r} is given twice")
        return value not in found

    def _messages(self, declares: Declares | None) -> tuple[SavedMessage, ...]:
        found: dict[str, SavedMessage] = {}
        for key, table in self._tables("messages"):
            one = self._built(key, table, SavedMessage)
            if one is None or not self._first(key, "name", one.name, found):
                continue
            if one.payload and one.file:
                self._report((*key, "file"), "give either payload or file, not both")
            options = self._message_options((*key, "options"), one.options, declares)
            found[one.name] = msgspec.structs.replace(one, options=options)
        return tuple(found.values())

    def _message_options(self, key: KeyPath, options: object, declares: Declares | None) -> dict[str, Any]:
        return self._options(key, self._mapping(key, options), declares.Outgoing if declares else None)

    def _variables(self) -> dict[str, str]:
        variables: dict[str, str] = {}
        for name, value in self._mapping(("variables",)).items():
            if not isinstance(value, str):
                self._report(("variables", name), "must be text (in quotes)")
            elif not name.isidentifier() or name in RESERVED_NAMES:
                self._report(
                    ("variables", name), "cannot be a variable's name: letters, digits and _ only, not a function"
                )
            else:
                variables[name] = value
        return variables

    def _view(self) -> View:
        values = dict(self._mapping(("view",)))
        types = self._types(values.pop("protobuf")) if "protobuf" in values else None
        return msgspec.structs.replace(self._built(("view",), values, View) or View(), protobuf=types)

    def _types(self, value: object) -> ProtobufTypes | None:
        key = ("view", "protobuf")
        types = self._built(key, self._mapping(key, value), ProtobufTypes)
        for inner, message, allowed in wrong_types(types, self._source.path.parent) if types is not None else ():
            self._report((*key, *inner), message, allowed)
        return types

    def _steps(self, declares: Declares | None) -> tuple[dict[str, Any], ...]:
        return tuple(self._step(key, table, declares) for key, table in self._tables("steps"))

    def _step(self, key: KeyPath, table: Mapping[str, Any], declares: Declares | None) -> dict[str, Any]:
        self._built(key, table, Step)
        verbs = [verb for verb in STEP_VERBS if verb in table]
        if len(verbs) != 1:
            near = next((nearest(name, STEP_VERBS) for name in table if name not in STEP_VERBS), None)
            hint = f"; did you mean {near!r}?" if near and not verbs else ""
            self._report(key, f"a step needs exactly one verb{hint}", STEP_VERBS)
        if "options" in table:
            self._message_options((*key, "options"), table["options"], declares)
        return dict(table)
