"""JSON and YAML of other tools, read with limits; each value knows where it stands, so that a mistake has a place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rtui.settings.files import Problem, SettingsError, show_key
from rtui.settings.kind import describe
from rtui.settings.toml_lines import KeyPath

DEEPEST: Final = 100
"""Levels within each other; what the tools write has some ten."""
LARGEST_YAML: Final = 16 * 1024**2
"""Characters of YAML: it is read some fifty times slower than JSON."""


class Node:
    """One value of a document. What is missing reads as empty; what is of another type is an error with its place."""

    def __init__(self, value: Any, name: str, path: KeyPath = ()) -> None:
        self.value = value
        self.name = name
        self._path = path

    @property
    def where(self) -> str:
        """`log.entries[4].request.url`."""
        return show_key(self._path)

    def __bool__(self) -> bool:
        return self.value not in (None, "", {}, [])

    def __getitem__(self, key: str) -> Node:
        """The value of a key; empty if there is none.

        Raises:
            SettingsError: if this is no object.
        """
        return Node(self._mapping().get(key), self.name, (*self._path, key))

    def __iter__(self) -> Iterator[Node]:
        """The items of a list.

        Raises:
            SettingsError: if it is none.
        """
        items = [] if self.value is None else self.value
        if not isinstance(items, list):
            raise self.wrong(f"must be a list, not {describe(items)}")
        for index, item in enumerate(items):
            yield Node(item, self.name, (*self._path, index))

    def items(self) -> Iterator[tuple[str, Node]]:
        """The keys and values of an object."""
        for key, item in self._mapping().items():
            yield str(key), Node(item, self.name, (*self._path, str(key)))

    def keys(self) -> list[str]:
        """The keys of an object."""
        return [str(key) for key in self._mapping()]

    def values(self) -> Iterator[Node]:
        """The values of an object."""
        return (item for _, item in self.items())

    def text(self, default: str = "") -> str:
        """A text; a number is one too, as tools write `"port": 1883` and `"port": "1883"`."""
        if self.value is None:
            return default
        if isinstance(self.value, bool) or not isinstance(self.value, (str, int, float)):
            raise self.wrong(f"must be text, not {describe(self.value)}")
        return str(self.value)

    def number(self, default: float = 0) -> float:
        """A number, or a text that is one."""
        if self.value in (None, ""):
            return default
        try:
            return float(self.text())
        except ValueError:
            raise self.wrong(f"must be a number, not {describe(self.value)}") from None

    def whole(self, default: int = 0) -> int:
        """A whole number."""
        number = self.number(default)
        if not number.is_integer():
            raise self.wrong(f"must be a whole number, not {describe(self.value)}")
        return int(number)

    def flag(self, default: bool = False) -> bool:
        """True or false."""
        if self.value is None:
            return default
        if isinstance(self.value, (bool, int)):
            return bool(self.value)
        raise self.wrong(f"must be true or false, not {describe(self.value)}")

    def wrong(self, message: str) -> SettingsError:
        """The error to raise about this value."""
        return SettingsError([Problem(self.name, 0, self.where, message)])

    def _mapping(self) -> Mapping[str, Any]:
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            raise self.wrong(f"must be an object, not {describe(self.value)}")
        return self.value


def is_document(text: str) -> bool:
    """Whether the text is JSON or YAML of a tool, by its beginning."""
    start = text[:4096].lstrip()
    return start.startswith(("{", "[")) or _is_yaml(start)


def _is_yaml(start: str) -> bool:
    return "_type: export" in start or ".insomnia.rest/" in start or start.startswith(("---", "%YAML"))


def read(text: str, name: str) -> Node:
    """The document in `text`, which came from `name`.

    Raises:
        SettingsError: with line and column, if it cannot be read.
    """
    value = _yaml(text, name) if not text.lstrip().startswith(("{", "[")) else _json(text, name)
    return Node(value, name)


def _json(text: str, name: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        message = f"not valid JSON: {error.msg[:1].lower()}{error.msg[1:]} (column {error.colno}, offset {error.pos})"
        raise _refused(name, message, error.lineno) from None
    except RecursionError:
        raise _refused(name, "is nested too deeply") from None
    except ValueError as error:
        raise _refused(name, f"not valid JSON: {error}") from None
    _check_depth(value, name)
    return value


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _check_depth(value: Any, name: str) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise _refused(name, f"has more than {DEEPEST} levels")


def _yaml(text: str, name: str) -> Any:
    """Plain YAML: no tag makes anything, and no alias makes a text grow."""
    import yaml

    if len(text) > LARGEST_YAML:
        raise _refused(name, f"is larger than {LARGEST_YAML // 1024**2} MiB: export it as JSON")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_events(yaml.parse(text, Loader=loader), name)
        return yaml.load(text, Loader=loader)  # noqa: S506 - the safe loader, of C where there is one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 0
        place = f" (column {mark.column + 1}, offset {mark.index})" if mark else ""
        raise _refused(name, f"not valid YAML: {error.problem}{place}", line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _refused(name, f"not valid YAML: {error}") from None


def _check_events(events: Iterator[Any], name: str) -> None:
    import yaml

    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise _refused(name, "an alias (*name) is not read: it could make a small file large", line)
        if depth > DEEPEST:
            raise _refused(name, f"has more than {DEEPEST} levels", line)


def _refused(name: str, message: str, line: int = 0) -> SettingsError:
    return SettingsError([Problem(name, line, "", message)])
