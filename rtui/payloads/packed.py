"""Reading formats whose values begin with a head that tells type and length (MessagePack, CBOR) into a tree."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypeAlias

from rtui.core.clean import decode
from rtui.core.json_path import Step
from rtui.core.words import counted
from rtui.payloads.base import Style, Unreadable
from rtui.payloads.tree import Full, Item, Tree

SHOWN_BYTES: Final = 64
"""Bytes of a binary value that are shown in its row."""
ENDLESS: Final = -1
"""The size of a container that ends with a break."""
_HALF_MAP: Final = 2


class Head(NamedTuple):
    """What stands at a position."""

    kind: Literal["scalar", "array", "map", "break"]
    end: int
    """Where a scalar ends, or the first item of a container begins."""
    style: Style = "text"
    text: str = ""
    """A scalar for eyes; for a container what to say of it beside its size."""
    size: int = 0
    """Items of an array, pairs of a map; `ENDLESS` until the break."""
    key: str | None = None
    """What a string says, for it may be a key."""


Reader: TypeAlias = Callable[[bytes, int], Head]
"""The head at a position; raises IndexError or struct.error where the data end too early, Unreadable on nonsense."""


class _Open:
    """A container that is being read."""

    __slots__ = ("at", "endless", "is_map", "left", "node")

    def __init__(self, node: int, head: Head) -> None:
        self.node = node
        self.is_map = head.kind == "map"
        self.endless = head.size == ENDLESS
        self.left = head.size
        self.at = 0
        """Position of the next item."""


def read(data: bytes, reader: Reader, format_name: str, tree: Tree) -> Tree:
    """Fill `tree` with the one value that `data` is.

    Raises:
        Unreadable: with the byte at which it is not `format_name`.
    """
    try:
        end = _walk(data, reader, tree)
    except (IndexError, struct.error):
        raise Unreadable(f"not {format_name}: ends in the middle of a value") from None
    if end < len(data):
        raise Unreadable(f"not {format_name}: {counted(len(data) - end, 'byte')} behind the value, at byte {end}")
    return tree


def _walk(data: bytes, reader: Reader, tree: Tree) -> int:
    """Read values until the outermost is complete; where it ends."""
    stack: list[_Open] = []
    at = 0
    while True:
        start, label, step = at, "", None
        top = stack[-1] if stack else None
        if top is not None:
            label, step, at = _place(data, reader, top, at)
        head = reader(data, at)
        if head.kind == "break":
            _end_endless(top, at, start)
            at = head.end
        else:
            try:
                node = tree.add(top.node if top else -1, step, Item(label, head.style, _words(head)), at)
            except Full:
                tree.cut(top.node if top else -1, start)
                return len(data)
            if top is not None:
                top.left -= not top.endless
                top.at += 1
            at = head.end
            if head.kind == "scalar":
                tree.shut(node, at)
            else:
                stack.append(_Open(node, head))
        at = _close(stack, tree, at)
        if not stack:
            return at


def _place(data: bytes, reader: Reader, top: _Open, at: int) -> tuple[str, Step | None, int]:
    """Label and step of the item at `at`, and where its value begins: behind the key, in a map."""
    if not top.is_map:
        return f"{top.at}", top.at, at
    key = reader(data, at)
    if key.kind == "break":
        return "", None, at
    if key.kind == "scalar":
        name = key.key if key.key is not None else key.text
        return key.text, name, key.end
    return f"({key.kind})", f"({key.kind})", _behind(data, reader, at)


def _behind(data: bytes, reader: Reader, at: int) -> int:
    """Where the value at `at` ends: a container as a key is passed over."""
    stack = [1]
    while stack:
        head = reader(data, at)
        at = head.end
        if head.kind == "break":
            if stack[-1] != ENDLESS:
                raise Unreadable(f"a break at byte {at - 1}, where nothing is open")
            stack.pop()
        else:
            stack[-1] -= stack[-1] > 0
            if head.kind != "scalar":
                stack.append(head.size * (_HALF_MAP if head.kind == "map" and head.size > 0 else 1))
        while stack and stack[-1] == 0:
            stack.pop()
    return at


def _end_endless(top: _Open | None, at: int, start: int) -> None:
    if top is None or not top.endless or at != start:
        raise Unreadable(f"a break at byte {at}, where nothing is open")
    top.endless, top.left = False, 0


def _close(stack: list[_Open], tree: Tree, at: int) -> int:
    """Shut what is complete."""
    while stack and not stack[-1].endless and stack[-1].left == 0:
        tree.shut(stack.pop().node, at)
    return at


def _words(head: Head) -> str:
    """What the row of a value says."""
    if head.kind == "scalar":
        return head.text
    size = "" if head.size == ENDLESS else counted(head.size, "item" if head.kind == "array" else "pair")
    brackets = "[]" if head.kind == "array" else "{}"
    return head.text + (f"{brackets[0]} {size} {brackets[1]}" if size else f"{brackets[0]}…{brackets[1]}")


def string(data: bytes, start: int, size: int) -> Head:
    """UTF-8 text of `size` bytes."""
    text = decode(chunk(data, start, size))
    return Head("scalar", start + size, "string", f'"{text}"', key=text)


def binary(data: bytes, start: int, size: int, extension: int | None = None) -> Head:
    """Bytes, the first of them as they can be written too (`rtui.encoding.diagnostic`)."""
    part = chunk(data, start, size)
    more = "…" if size > SHOWN_BYTES else ""
    said = f"h'{part[:SHOWN_BYTES].hex(' ')}{more}'"
    said = said if extension is None else f"ext({extension}, {said})"
    return Head("scalar", start + size, "hex", f"{counted(size, 'byte')} · {said}")


def number(value: float, end: int) -> Head:
    """An integer or a float."""
    return Head("scalar", end, "number", repr(value))


def chunk(data: bytes, start: int, size: int) -> bytes:
    """`size` bytes from `start`.

    Raises:
        IndexError: if there are fewer.
    """
    if start + size > len(data):
        raise IndexError(start)
    return data[start : start + size]
