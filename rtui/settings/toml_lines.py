"""On which line each key of a TOML document stands: the one thing that no TOML library tells.

The document has been accepted by tomllib before, so the scanner trusts its syntax (TOML 1.0) and only walks it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value is: ("messages", 0, "payload")."""

DEEPEST: Final = 100
"""Keys nested deeper get no line of their own, only that of their table."""

_BLANK: Final = re.compile(r"[ \t]*")
_GAP: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_ITEM_GAP: Final = re.compile(r"(?:[ \t\n,]|#[^\n]*)*")
_STRING: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\])*"' r"|'[^']*'",
    re.DOTALL,
)
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}\n#]*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every key, table and array item of `text`, whose line ends are plain newlines."""
    scan = _Scan(text)
    scan.document()
    return scan.lines


class _Scan:
    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._ends = [found.start() for found in re.finditer("\n", text)]
        self._items: dict[KeyPath, int] = {}
        """How many tables each array of tables has so far."""

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip(_GAP) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _header(self) -> KeyPath:
        brackets = 2 if self._text.startswith("[[", self._at) else 1
        start = self._at
        self._at += brackets
        *parents, name = self._key()
        self._at += brackets
        path: KeyPath = ()
        for part in parents:
            path = self._enter((*path, part))
        path = (*path, name)
        if brackets == 1:
            path = self._enter(path)
        else:
            self._note(path, start)
            self._items[path] = self._items.get(path, 0) + 1
            path = self._enter(path)
        self._note(path, start)
        return path

    def _enter(self, path: KeyPath) -> KeyPath:
        """The table that `path` names: of an array of tables, its last."""
        count = self._items.get(path, 0)
        return (*path, count - 1) if count else path

    def _note(self, path: KeyPath, start: int) -> None:
        if len(path) <= DEEPEST:
            self.lines.setdefault(path, bisect_right(self._ends, start - 1) + 1)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_BLANK)
            parts.append(self._key_part())
            self._skip(_BLANK)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _key_part(self) -> str:
        start = self._at
        if self._text[start] not in "\"'":
            return self._text[start : self._skip(_BARE_KEY)]
        import tomllib

        raw = self._text[start : self._skip(_STRING)]
        return str(tomllib.loads(f"key = {raw}")["key"])

    def _pair(self, table: KeyPath) -> None:
        start, path = self._at, table
        for part in self._key():
            path = (*path, part)
            self._note(path, start)
        self._at += 1  # the equals sign
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        opening = self._text[self._at]
        if opening in "\"'":
            self._skip(_STRING)
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._text[self._skip(_ITEM_GAP)] != "]":
            self._note((*path, index), self._at)
            self._value((*path, index))
            index += 1
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._text[self._skip(_ITEM_GAP)] != "}":
            self._pair(path)
        self._at += 1
