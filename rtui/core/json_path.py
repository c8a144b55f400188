"""A place in a JSON document, written as the filter language writes it; pure functions.

    .a.b[0]   .[-1]   .a."b c"   .a["b c"]   .

A key of letters, digits and most signs stands as it is; any other is a JSON string, after a dot or in brackets.
A negative position counts from the end. "." alone is the whole document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgspec

Step: TypeAlias = str | int
"""A key of an object, or a position in an array."""
Steps: TypeAlias = tuple[Step, ...]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_KEY: Final = re.compile(r'[^\s.\[\]()"<>=!~]+')
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_INDEX: Final = re.compile(r"-?\d{1,9}", re.ASCII)
_MARK: Final = b"\xef\xbb\xbf"

_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_whole: Final = msgspec.json.Decoder(msgspec.Raw).decode
_WRONG: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadPath(ValueError):
    """What is wrong with a path, where, and what would be right."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(f"{message} (at character {position + 1})" + (f"; {hint}" if hint else ""))
        self.message = message
        self.position = position
        """Index of the character in the text."""
        self.hint = hint


def read(text: str) -> Steps:
    """The steps that `text` means.

    Raises:
        BadPath: it is no path, or something follows it.
    """
    if text == ".":
        return ()
    if not text.startswith("."):
        raise BadPath("a path begins with a dot", 0, "such as .items or .data[0].id")
    steps, end = scan(text)
    if end < len(text):
        raise BadPath("not part of a JSON path", end, 'quote unusual keys: ."a key"')
    return steps


def scan(text: str, at: int = 0) -> tuple[Steps, int]:
    """The path that begins with the dot at `at`, at least one step of it, and where it ends.

    Raises:
        BadPath: a step is missing or wrong.
    """
    steps: list[Step] = []
    while text.startswith((".", "["), at):
        dotted = text[at] == "."
        at += dotted
        if text.startswith("[", at):
            step, at = _in_brackets(text, at + 1)
        else:
            step, at = _key(text, at)
        steps.append(step)
    return tuple(steps), at


def _key(text: str, at: int) -> tuple[Step, int]:
    if text.startswith('"', at):
        return _string(text, at)
    found = _KEY.match(text, at)
    if found is None:
        raise BadPath("a key is missing after the dot", at, "such as .v")
    return found[0], found.end()


def _in_brackets(text: str, at: int) -> tuple[Step, int]:
    step: Step
    if text.startswith('"', at):
        step, end = _string(text, at)
    elif found := _INDEX.match(text, at):
        step, end = int(found[0]), found.end()
    else:
        raise BadPath("not a position", at - 1, "such as [0], or [-1] for the last")
    if not text.startswith("]", end):
        raise BadPath("the bracket is not closed", end)
    return step, end + 1


def _string(text: str, at: int) -> tuple[str, int]:
    found = _STRING.match(text, at)
    if found is None:
        raise BadPath("the quote is not closed", at)
    try:
        return str(json.loads(found[0], strict=False)), found.end()
    except ValueError:
        raise BadPath("not a JSON string", at, 'write a backslash twice: "a\\\\b"') from None


def write(steps: Iterable[Step]) -> str:
    """The text that `read` takes for `steps`."""
    path = "".join(map(_written, steps))
    return path if path.startswith(".") else "." + path


def _written(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _NAME.fullmatch(step) else f"[{json.dumps(step)}]"


def pick(value: Any, steps: Iterable[Step], default: Any = None) -> Any:
    """What stands at `steps` in a decoded document; `default` if there is no such place."""
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                return default
        elif not isinstance(value, list) or not -len(value) <= step < len(value):
            return default
        value = value[step]
    return value


def cut(payload: bytes, steps: Iterable[Step]) -> bytes | None:
    """The bytes that stand at `steps`, digits and spaces as they came; None if there is no such place, or no JSON."""
    try:
        part = _whole(payload.removeprefix(_MARK))
        for step in steps:
            part = _object(part)[step] if isinstance(step, str) else _array(part)[step]
    except (*_WRONG, LookupError):
        return None
    return bytes(part).strip()


def items(payload: bytes, steps: Iterable[Step]) -> list[bytes] | None:
    """The bytes of each item of the array at `steps`; None if there is no array."""
    array = cut(payload, steps)
    try:
        return None if array is None else [bytes(item) for item in _array(array)]
    except _WRONG:
        return None


def is_json(payload: bytes) -> bool:
    """Whether `payload` is one JSON document (RFC 8259; a byte order mark may stand before it)."""
    return cut(payload, ()) is not None


def put(payload: bytes, steps: Steps, part: bytes) -> bytes:
    """`payload` with the JSON `part` at `steps`; all other values stay as they came.

    Objects that are missing on the way are made.

    Raises:
        ValueError: `payload` is no JSON, or there is no such place in it.
    """
    try:
        return _replaced(_whole(payload.removeprefix(_MARK)), steps, _whole(part))
    except (*_WRONG, LookupError):
        raise ValueError(f"there is no place {write(steps)} in it") from None


def _replaced(document: bytes | msgspec.Raw, steps: Steps, part: msgspec.Raw) -> bytes:
    if not steps:
        return bytes(part)
    step, rest = steps[0], steps[1:]
    parts: dict[str, msgspec.Raw] | list[msgspec.Raw]
    if isinstance(step, str):
        parts = members = _object(document)
        members[step] = msgspec.Raw(_replaced(members.get(step, b"{}"), rest, part))
    else:
        parts = places = _array(document)
        places[step] = msgspec.Raw(_replaced(places[step], rest, part))
    return msgspec.json.encode(parts)
