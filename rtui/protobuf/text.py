"""JSON text as Python values, with no key twice in an object.

msgspec reads five times as fast as the standard library, but takes the last of two equal keys in silence. A text
without backslashes has two quotes for each key and each string that is written; if what was read accounts for all of
them, no key stood twice. Anything else is read again by the standard library, which can also say where a text is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from rtui.protobuf.unfit import Unfit, shown


def parsed(text: bytes) -> Any:
    """The value of one JSON text.

    Raises:
        Unfit: it is not JSON, or a key stands twice.
        RecursionError: it is nested too deeply.
    """
    try:
        value = _read(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _parsed_with_care(text)
    plain = b"\\" not in text and text.count(b'"') == 2 * _quoted(value)
    return value if plain else _parsed_with_care(text)


def _quoted(value: Any) -> int:
    """How many keys and strings are in it."""
    parts: Iterable[Any]
    if value.__class__ is dict:
        count, parts = len(value), value.values()
    elif value.__class__ is list:
        count, parts = 0, value
    else:
        return int(value.__class__ is str)
    for part in parts:
        kind = part.__class__
        if kind is str:
            count += 1
        elif kind is dict or kind is list:
            count += _quoted(part)
    return count


def _parsed_with_care(text: bytes) -> Any:
    try:
        return _decode(text.decode("utf-8-sig"))
    except Unfit:
        raise
    except UnicodeDecodeError as error:
        raise Unfit(f"not JSON: byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Unfit(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError:  # Python's own limit
        raise Unfit("a number has too many digits") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unfit(f"the key {shown(twice)} stands twice in one object")
    return members


def _unquoted(name: str) -> None:
    raise Unfit(f'{name} must stand in quotes: "{name}"')


_read: Final = msgspec.json.Decoder().decode
_decode: Final = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_unquoted).decode
