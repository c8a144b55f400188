"""JSON text as Socket.IO carries it: sliced, never converted, so that `1.50`, `1e999` and 30 digits stay."""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec

from rtui.payloads.base import Unreadable
from rtui.payloads.json import JsonTree

_PLACEHOLDER: Final = re.compile(
    r'\{\s*(?:"_placeholder"\s*:\s*true\s*,\s*"num"\s*:\s*([0-9]{1,9})'
    r'|"num"\s*:\s*([0-9]{1,9})\s*,\s*"_placeholder"\s*:\s*true)\s*\}',
    re.ASCII,
)
_SPACE: Final = " \t\r\n"
_KINDS: Final = {'"': "a text", "{": "an object", "[": "an array", "t": "true", "f": "false", "n": "null"}

_check = msgspec.json.Decoder(msgspec.Raw).decode
_slice = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Malformed(ValueError):
    """What the peer sent is no Socket.IO packet; the text says what is wrong with it."""


def check(text: str) -> None:
    r"""See that `text` is one JSON value.

    A quick look first. What that one refuses but servers do send is read again by the tolerant reader of the message
    pane: `NaN`, `Infinity`, a lone `\ud800`, nesting deeper than Python's stack.

    Raises:
        Malformed: if it is none.
    """
    try:
        _check(text)
    except (ValueError, RecursionError):
        _tree(text.encode("utf-8", "surrogatepass"))


def arguments(text: str) -> list[str]:
    """The elements of a JSON array, each as it stands in `text`.

    Raises:
        Malformed: if it is no array.
    """
    try:
        return [bytes(item).decode() for item in _slice(text)]
    except (ValueError, RecursionError):
        data = text.encode("utf-8", "surrogatepass")
    if not data.lstrip(_SPACE.encode()).startswith(b"["):
        raise Malformed(f"not a JSON array: {text[:40]!r}")
    spans = _tree(data).items()
    return [data[start:end].decode("utf-8", "surrogatepass") for start, end in spans]


def placeholders(text: str) -> list[int]:
    """The numbers of the attachments that `text` asks for, in its order.

    No string can hold the pattern: its quotes would be escaped there.
    """
    if "_placeholder" not in text:
        return []
    return [int(first or second) for first, second in _PLACEHOLDER.findall(text)]


def placeholder(number: int) -> str:
    """What stands in JSON for the attachment `number`."""
    return f'{{"_placeholder":true,"num":{number}}}'


def outgoing(payload: bytes, attachments: tuple[bytes, ...] = ()) -> tuple[str, tuple[bytes, ...]]:
    """What a user typed as the JSON array of arguments, and the attachments that go with it.

    An array holds the arguments, other JSON is one argument, text that is not JSON is one string, bytes that are not
    UTF-8 are one attachment, and nothing is no argument. Attachments that no placeholder names follow as arguments.

    Raises:
        Malformed: if a placeholder names an attachment that is not there, beside others that are.
    """
    try:
        text = payload.decode().strip(_SPACE)
    except UnicodeDecodeError:
        attachments = (payload, *attachments)
        text = f"[{placeholder(0)}]"
    array = _array(text)
    return (array, ()) if not attachments else (_attached(array, len(attachments)), attachments)


def taken_as(payload: bytes) -> str:
    """How `outgoing` takes a payload, in a few words."""
    text, bytes_beside = outgoing(payload)
    found = arguments(text)
    if bytes_beside:
        return "1 argument: bytes"
    if len(found) != 1:
        return f"{len(found)} arguments" if found else "no arguments"
    return f"1 argument: {_KINDS.get(found[0].lstrip(_SPACE)[:1], 'a number')}"


def _array(text: str) -> str:
    if not text:
        return "[]"
    if not _is_strict(text):
        return f"[{json.dumps(text, ensure_ascii=False)}]"
    return text if text.startswith("[") else f"[{text}]"


def _attached(array: str, count: int) -> str:
    named = placeholders(array)
    if named and max(named) >= count:
        raise Malformed(f"placeholder {max(named)} has no attachment: there are {count}, numbered from 0")
    further = [placeholder(number) for number in range(count) if number not in named]
    return f"[{','.join([*arguments(array), *further])}]" if further else array


def _is_strict(text: str) -> bool:
    """Whether every peer can read it: `NaN`, which we accept, is not for sending."""
    try:
        _check(text)
    except RecursionError:
        return _is_tree(text)
    except ValueError:
        return "\\u" in text and _is_standard(text)
    return True


def _is_standard(text: str) -> bool:
    r"""The second opinion, for lone surrogates (`"\ud800"`), which are JSON."""
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _is_tree(text: str) -> bool:
    try:
        _tree(text.encode("utf-8", "surrogatepass"))
    except Malformed:
        return False
    return True


def _tree(data: bytes) -> JsonTree:
    try:
        tree = JsonTree(data)
    except Unreadable as error:
        raise Malformed(str(error)) from None
    if tree.unread:
        raise Malformed("unusual JSON with more values than are read")
    return tree
