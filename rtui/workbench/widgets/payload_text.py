"""What is typed as a payload, and the bytes that it stands for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from rtui.core.clean import clean, clean_block
from rtui.core.notation import Miswritten, Notation, unwrite
from rtui.workbench.widgets import figure

FORMATS: Final = ("text", "json", "hex", "base64", "file")
EDITABLE: Final = 256 * 1024
LONGEST_LINE: Final = 32 * 1024
"""Characters that the editor takes, in all and in one line: with more of them a key would take longer than 0.1 s."""

_BYTE: Final = re.compile(r"\(byte (\d+)\)")


class Refused(ValueError):
    """The payload is not what its format says."""


class Misplaced(Refused):
    """It goes wrong at one character."""

    def __init__(self, text: str, place: int) -> None:
        super().__init__(text)
        self.place = place
        """Characters before it; all of them if something is missing at the end."""


def encode(text: str, kind: str) -> bytes:
    """The bytes that `text` stands for.

    Raises:
        Refused: if it is not what `kind` says, with the place.
    """
    match kind:
        case "json":
            _check_json(text)
            return _utf8(text)
        case "hex" | "base64":
            return _unwritten(text, kind)
        case "file":
            return _read(text.strip())
        case _:
            return _utf8(text)


def editable(payload: bytes) -> tuple[str, str]:
    """A payload as text for the editor, and the format that gives back exactly its bytes."""
    if len(payload) > EDITABLE:
        raise Refused(f"{figure.size(len(payload))}B is too large to edit: save it and send it as a file")
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex(" "), "hex"
    # The editor knows one kind of line end, and control characters cannot be seen in it.
    return (text, "text") if clean_block(text) == text and "\r" not in text else (payload.hex(" "), "hex")


def describe(text: str, kind: str) -> str:
    """A few words on what would be sent; "" if that is nothing.

    Raises:
        Refused: if it is not what `kind` says.
    """
    if kind == "file":
        return "the file's bytes are sent"
    if kind == "text":
        return glance(text)
    return f"valid {kind} · {figure.size(len(encode(text, kind)))}B" if text.strip() else ""


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
    return "json" if kind == "text" and _like_json(text) else kind


def wrong_place(text: str, kind: str) -> int | None:
    """Where it goes wrong for its format, or for what it looks like: see `Misplaced.place`; None if it does not."""
    if not text.strip() or looks(text, kind) in {"text", "file"}:
        return None
    try:
        encode(text, looks(text, kind))
    except Misplaced as error:
        return error.place
    except Refused:
        pass
    return None


def _like_json(text: str) -> bool:
    return text.lstrip()[:1] in {"{", "["}


def _check_json(text: str) -> None:
    try:
        msgspec.json.decode(_utf8(text), type=msgspec.Raw)
        msgspec.json.decode(_utf8(text))
    except RecursionError:
        return  # deeper than can be checked; the peer may take it
    except msgspec.DecodeError as error:
        raise _misplaced(text, str(error)) from None


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
