"""How a value of each kind of option is read, whether it came from TOML, a flag or a form.

One function per kind: it takes anything and returns the value, or raises `ValueError` with a message that goes on
from the key: "must be …". Text is accepted for every kind, because that is all that a command line has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from rtui.settings.colour import parse_colour
from rtui.settings.quantity import DURATION_HINT, LARGEST_SIZE, SIZE_HINT, clip, parse_duration, parse_size

PAIR: Final = re.compile(r"(?P<name>[^:=]*[^:=\s][^:=]*)(?::|=(?=[^=]))(?P<text>.*)", re.DOTALL)

_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})


def describe(value: object) -> str:
    """What was found, for "must be …, not …"."""
    if isinstance(value, str):
        return repr(clip(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**20 else "so large a number"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, (list, tuple)) else f"a {type(value).__name__}"


def _wrong(expected: str, value: object) -> ValueError:
    return ValueError(f"must be {expected}, not {describe(value)}")


def read_text(value: object) -> str:
    """Text as it stands."""
    if isinstance(value, str):
        return value
    raise _wrong("text", value)


def read_integer(value: object) -> int:
    """A whole number."""
    if isinstance(value, str):
        try:
            return int(value.strip())
        except ValueError:
            raise _wrong("a whole number", value) from None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _wrong("a whole number", value)


def read_number(value: object) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _wrong("a number", value)
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise _wrong("a number", value) from None
    if not math.isfinite(number):
        raise _wrong("a finite number", value)
    return number


def read_flag(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _TRUE | _FALSE:
        return value.strip().lower() in _TRUE
    raise _wrong("true or false", value)


def read_duration(value: object) -> float:
    """Seconds."""
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(DURATION_HINT, value)
    number = read_number(value)
    if number < 0:
        raise _wrong("a duration of 0 or more", value)
    return number


def read_size(value: object) -> int:
    """Bytes."""
    if isinstance(value, str):
        return parse_size(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_SIZE:
        raise _wrong(SIZE_HINT, value)
    return value


def read_pairs(value: object) -> dict[str, str]:
    """Names and texts: a table, JSON text, one `K: V`, or a list of these."""
    if isinstance(value, str):
        value = _json_object(value) if value.lstrip().startswith("{") else [value]
    if isinstance(value, (list, tuple)):
        return dict(_pair(item) for item in value)
    if not isinstance(value, Mapping):
        raise _wrong("a table of names and texts", value)
    return {str(key): _text_of(str(key), item) for key, item in value.items()}


def _text_of(name: str, item: object) -> str:
    if isinstance(item, str):
        return item
    raise ValueError(f"{clip(name)!r} must be text, not {describe(item)}")


def _pair(item: object) -> tuple[str, str]:
    """`Name: value`, or `name=value` as cookies and queries are written."""
    found = PAIR.fullmatch(item) if isinstance(item, str) else None
    if found is None:
        # The text may be a whole credential that lacks its name: never echo it, nor take its padding for a `=`.
        raise ValueError("must be written 'Name: value' or 'name=value'")
    return found["name"].strip(), found["text"].strip()


def _json_object(text: str) -> Mapping[str, Any]:
    value = _json(text)
    if not isinstance(value, dict):
        raise _wrong("a JSON object", value)
    return value


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ValueError(f"must be valid JSON: {error}") from None


def read_list(value: object) -> list[str]:
    """Texts: a list, a JSON list, or names separated by commas."""
    if isinstance(value, str):
        is_json = value.lstrip().startswith("[")
        value = _json(value) if is_json else [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, (list, tuple)):
        raise _wrong("a list of texts", value)
    for item in value:
        if not isinstance(item, str):
            raise _wrong("a list of texts", item)
    return list(value)


def read_json(value: object) -> Any:
    """Any value. Text that is JSON is taken as JSON, text that only begins like an object or a list is refused."""
    if not isinstance(value, str):
        return value
    try:
        return _json(value)
    except ValueError:
        if value.lstrip().startswith(("{", "[")):
            raise
        return value


def read_colour(value: object) -> str:
    """As `settings.colour.parse_colour` gives it; empty for none."""
    if isinstance(value, str):
        return parse_colour(value) if value.strip() else ""
    raise _wrong("a colour such as #5fd7ff or ansi_cyan", value)


READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "text": read_text,
    "integer": read_integer,
    "number": read_number,
    "flag": read_flag,
    "duration": read_duration,
    "size": read_size,
    "pairs": read_pairs,
    "list": read_list,
    "json": read_json,
    "file": read_text,
    "files": read_list,
    "body": read_text,
    "colour": read_colour,
}

SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"type": "string"},
    "integer": {"type": ["integer", "string"]},
    "number": {"type": ["number", "string"]},
    "flag": {"type": ["boolean", "string"]},
    "duration": {"type": ["number", "string"]},
    "size": {"type": ["integer", "string"]},
    "pairs": {"type": "object", "additionalProperties": {"type": "string"}},
    "list": {"type": "array", "items": {"type": "string"}},
    "json": {},
    "file": {"type": "string"},
    "files": {"type": "array", "items": {"type": "string"}},
    "body": {"type": "string"},
    "colour": {"type": "string"},
}
"""JSON schema of each kind. Numbers may be text, because text may be a unit ("2s") or a template ("{{ n }}")."""
