"""What is typed as a payload, and the bytes that it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from rtui.core import json_path
from rtui.core.clean import clean, clean_block
from rtui.core.notation import Miswritten, Notation, unwrite
from rtui.payloads.json import JsonTree
from rtui.settings.session_model import PACKED
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.payload_ink import TEMPLATE

if TYPE_CHECKING:
    from rtui.protobuf.codec import Codec

FORMATS: Final = ("text", "json", "hex", "base64", *PACKED, "file")
EDITABLE: Final = 256 * 1024
LONGEST_LINE: Final = 32 * 1024
"""Characters that the editor takes, in all and in one line: with more of them a key would take longer than 0.1 s."""

Protobuf: TypeAlias = Callable[[bytes], bytes]
"""From JSON to the message that it means; raises ValueError."""

_TITLES: Final = {"json": "JSON", "msgpack": "MessagePack", "cbor": "CBOR", "protobuf": "protobuf"}
CONTAINERS: Final = frozenset(bytes([first]) for first in (*range(0x80, 0xC0), 0xD9, *range(0xDC, 0xE0)))
"""What maps and arrays of MessagePack and CBOR begin with, and CBOR that says what it is (RFC 8949, 3.4.6)."""
_BESIDES: Final = {
    "msgpack": """JSON, and h'01 ff' for bytes, ext(5, h'01'), timestamp("2026-11-21T18:00:00Z"), {1: 2}""",
    "cbor": """JSON, and h'01 ff' for bytes, 37(h'01') for tags, undefined, simple(9), {1: 2}""",
}
"""What can be written that JSON has no words for."""
_BYTE: Final = re.compile(r"\(byte (\d+)\)")


class Refused(ValueError):
    """The payload is not what its format says."""


class Misplaced(Refused):
    """It goes wrong at one character."""

    def __init__(self, text: str, place: int) -> None:
        super().__init__(text)
        self.place = place
        """Characters before it; all of them if something is missing at the end."""


def encode(text: str, kind: str, protobuf: Protobuf | None = None) -> bytes:
    """The bytes that `text` stands for.

    Raises:
        Refused: if it is not what `kind` says, with the place.
    """
    match kind:
        case "json":
            _check_json(text)
            return _utf8(text)
        case "msgpack" | "cbor" | "protobuf":
            return _packed(text, kind, protobuf)
        case "hex" | "base64":
            return _unwritten(text, kind)
        case "file":
            return _read(text.strip())
        case _:
            return _utf8(text)


def editable(payload: bytes, codec: Codec | None = None) -> tuple[str, str]:
    """A payload as text for the editor, and the format that gives back exactly its bytes.

    `codec` is that of its message type, if one is known.
    """
    if len(payload) > EDITABLE:
        raise Refused(f"{figure.size(len(payload))}B is too large to edit: save it and send it as a file")
    if codec is not None and (meant := _restorable(payload, lambda: codec.decode(payload)[0], codec.encode)):
        return meant, "protobuf"
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return _unpacked(payload) or (payload.hex(" "), "hex")
    # The editor knows one kind of line end, and control characters cannot be seen in it.
    return (text, "text") if clean_block(text) == text and "\r" not in text else (payload.hex(" "), "hex")


def _unpacked(payload: bytes) -> tuple[str, str] | None:
    """A map or an array in a binary format; anything else that could be one is more often just bytes."""
    if payload[:1] not in CONTAINERS:
        return None
    from rtui.encoding.packed import PACKINGS, noted

    return next(((text, packing) for packing in PACKINGS if (text := noted(payload, packing)) is not None), None)


def _restorable(payload: bytes, read: Callable[[], bytes | None], write: Callable[[bytes], bytes]) -> str:
    """The JSON that a payload means, laid out; "" unless it gives back the same bytes."""
    text = read()
    try:
        if text is not None and write(text) == payload:
            return msgspec.json.format(text, indent=2).decode()
    except (ValueError, RecursionError):
        pass
    return ""


def describe(
    text: str, kind: str, protobuf: Protobuf | None = None, taken_as: Callable[[bytes], str] | None = None
) -> str:
    """A few words on what would be sent; "" if that is nothing.

    `taken_as` says what bytes are for the peer, where it does not get them as they are.

    Raises:
        Refused: if it is not what `kind` says.
    """
    if kind == "file":
        return "the file's bytes are sent"
    if not text.strip() and kind != "protobuf":  # a message with nothing set
        return _BESIDES.get(kind, "") or (glance(text) if kind == "text" else "")
    payload = encode(text, kind, protobuf)
    taken = taken_as(payload) if taken_as is not None else ""
    unfilled = "{{ … }} goes as it stands: it is filled in only in saved messages" if TEMPLATE.search(text) else ""
    return " · ".join(filter(None, (_checked(text, payload, kind), taken, unfilled)))


def _checked(text: str, payload: bytes, kind: str) -> str:
    if kind == "text":
        return glance(text)
    size = f"{figure.size(len(payload))}B"
    if kind not in PACKED:
        return f"valid {_TITLES.get(kind, kind)} · {size}"
    return f"{'valid JSON' if kind == 'protobuf' else 'valid'} · {size} of {_TITLES[kind]}"


def glance(text: str) -> str:
    """What text looks like: JSON that is nearly right deserves a word, anything else is as good as it is."""
    size = f"{figure.size(len(text.encode('utf-8', 'replace')))}B"
    if not _like_json(text):
        return size if text else ""
    try:
        _check_json(text)
    except Refused as error:
        return f"{size} · {error}"
    return f"{size} · valid JSON"


def fits_editor(text: str) -> bool:
    """Whether the editor can lay `text` out and still answer keys."""
    return len(text) <= EDITABLE and (len(text) <= LONGEST_LINE or max(map(len, text.split("\n"))) <= LONGEST_LINE)


def looks(text: str, kind: str) -> str:
    """The format that text of a `kind` is coloured as."""
    return "json" if kind in PACKED or (kind == "text" and _like_json(text)) else kind


def wrong_place(text: str, kind: str, protobuf: Protobuf | None = None) -> int | None:
    """Where it goes wrong for its format, or for what it looks like: see `Misplaced.place`; None if it does not."""
    if not text.strip() or looks(text, kind) in {"text", "file"}:
        return None
    try:
        encode(text, kind if kind in PACKED else looks(text, kind), protobuf)
    except Misplaced as error:
        return error.place
    except Refused:
        pass
    return None


def _like_json(text: str) -> bool:
    return text.lstrip()[:1] in {"{", "["}


def _check_json(text: str) -> None:
    if not text.strip():
        raise Refused("nothing is written: that is no JSON, an empty message is sent as text")
    try:
        msgspec.json.decode(_utf8(text), type=msgspec.Raw)
        msgspec.json.decode(_utf8(text))
    except RecursionError:
        return  # deeper than can be checked; the peer may take it
    except msgspec.DecodeError as error:
        raise _misplaced(text, str(error)) from None


def _packed(text: str, kind: str, protobuf: Protobuf | None) -> bytes:
    """Text in a binary format. What does not fit is pointed at, where its path leads to it."""
    from rtui.encoding.diagnostic import Misspelt
    from rtui.encoding.packed import pack, untyped
    from rtui.protobuf.unfit import Unfit, Unusable

    if kind != "protobuf" and not text.strip():
        raise Refused(f"nothing is written: that is no {_TITLES[kind]}, an empty message is sent as text")
    try:
        if kind != "protobuf":
            return pack(_utf8(text), "cbor" if kind == "cbor" else "msgpack")
        if text.strip():
            _check_json(text)
        return (protobuf or untyped)(_utf8(text))
    except Misspelt as error:
        raise Misplaced(str(error), error.place) from None
    except Unfit as error:
        place = _place(text, error.path)
        raise Refused(str(error)) if place is None else Misplaced(str(error), place) from None
    except Unusable as error:
        raise Refused(str(error)) from None


def _place(text: str, path: str) -> int | None:
    """Characters before the value at a path, other than the whole."""
    try:
        steps = json_path.read(path)
        at = JsonTree(_utf8(text)).place(steps) if steps else None
    except (ValueError, RecursionError):
        return None
    return len(_utf8(text)[:at].decode()) if at is not None else None


def _misplaced(text: str, message: str) -> Misplaced:
    """A parser's message with line and column instead of a byte."""
    found = _BYTE.search(message)
    reason = _BYTE.sub("", message).replace("JSON is malformed:", "").strip()
    if found is None:
        return Misplaced(f"not JSON: {reason} at the end", len(text))
    before = text.encode("utf-8", "replace")[: int(found[1])].decode("utf-8", "ignore")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return Misplaced(f"not JSON: {reason} at line {line}, column {column}", len(before))


def _unwritten(text: str, notation: Notation) -> bytes:
    try:
        return unwrite(text, notation)
    except Miswritten as error:
        raise Misplaced(str(error), error.place) from None


def _read(name: str) -> bytes:
    try:
        return Path(name).expanduser().read_bytes()
    except (OSError, RuntimeError) as error:
        raise Refused(f"cannot read {clean(name)}: {getattr(error, 'strerror', None) or error}") from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"character {error.start + 1} cannot be sent as UTF-8") from None
