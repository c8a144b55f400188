"""Which channel a JSON message belongs to, by one of its keys: at the cost of a scan, not of a parse."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from rtui.core.fault import Failure, Fault

Group: TypeAlias = Callable[[bytes], str]

AUTO_KEYS: Final = ("type", "event", "method", "topic", "channel", "action", "op")
MAX_NAME: Final = 200
"""Characters of a channel's name; a longer value is no name."""
BLANKS: Final = b" \t\r\n"


def grouping(key: str) -> Group | None:
    """The function that finds a payload's channel: `auto`, a path like `.a.b` or a bare key; None for no grouping.

    Raises:
        Failure: if `key` is not a path.
    """
    if not key:
        return None
    if key == "auto":
        return _finder([[name] for name in AUTO_KEYS])
    path = key.lstrip(".").split(".")
    if not all(re.fullmatch(r"[^\[\]\"\s]+", part) for part in path):
        cause = f"{key!r} is not a path"
        hint = "Use auto, a path such as .type or .data.kind, or nothing"
        raise Failure(Fault(kind="usage", side="us", title="group_key cannot be used", cause=cause, hint=hint))
    return _finder([path])


def _finder(paths: list[list[str]]) -> Group:
    shape = _shape(paths)
    decode = msgspec.json.Decoder(shape).decode
    nothing = shape()

    def find(payload: bytes) -> str:
        # Straight-line code: this runs for every message, and its overhead was three times the decoder's work.
        if payload[:1] != b"{" and not payload.lstrip(BLANKS).startswith(b"{"):
            return ""
        try:
            head: Any = decode(payload)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return ""
        if (value := head.f0) is None:
            if head == nothing:
                return ""
            value = next(each for each in msgspec.structs.astuple(head) if each is not None)
        return value if type(value) is str and len(value) <= MAX_NAME else _name(value)

    return find


def _shape(paths: list[list[str]]) -> type[msgspec.Struct]:
    """A struct with one field per first key; a longer path (there is only one then) nests."""
    inner: Any = _shape([paths[0][1:]]) | None if len(paths[0]) > 1 else Any
    fields = [(f"f{index}", inner, None) for index in range(len(paths))]
    rename = {f"f{index}": path[0] for index, path in enumerate(paths)}
    return msgspec.defstruct("Head", fields, rename=rename, gc=False)


def _name(value: Any) -> str:
    """What is no plain string: the end of a path, a number, or nothing that could be a name."""
    if isinstance(value, msgspec.Struct):
        return _name(value.f0)  # type: ignore[attr-defined]
    if isinstance(value, str):
        return value if len(value) <= MAX_NAME else ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**MAX_NAME else ""
    return ""
