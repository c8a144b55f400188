"""Base64 and what it holds, shown by the best of the other views."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from rtui.core.words import counted
from rtui.payloads.arguments import ArgumentsDocument, Part, RowDocument
from rtui.payloads.base import NOTHING, Unreadable, View

SHORTEST: Final = 16
"""Characters; shorter ones are words."""
_ALPHABET: Final = re.compile(rb"[A-Za-z0-9+/_\-\s]+={0,2}\s*")
_GLANCE: Final = 1024


class Base64View(View):
    """Base64 or base64url, with or without padding (RFC 4648, 4 and 5), in lines or not."""

    name: ClassVar[str] = "base64"
    title = "base64"

    def __init__(self, inside: Sequence[View]) -> None:
        """`inside` are the views for what it holds; one of them can show everything."""
        self._inside = tuple(inside)

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:  # noqa: ARG002 - no type tells it
        """Below raw text: any long word could be base64."""
        return 0.3 if len(data) >= SHORTEST and _ALPHABET.fullmatch(data[:_GLANCE]) else 0.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> ArgumentsDocument:  # noqa: ARG002
        """The size of what it holds, and that."""
        held = _decoded(data)
        best = sorted(self._inside, key=lambda view: -view.claim(held, NOTHING))
        for view in best:
            try:
                document = view.open(held)
            except Unreadable:
                continue  # a claim is made from a glance
            said = RowDocument(f"{counted(len(held), 'byte')}, {view.title}", held)
            return ArgumentsDocument([Part("base64", said, None), Part("", document, None)])
        raise Unreadable("no view for what it holds")


def _decoded(data: bytes) -> bytes:
    text = b"".join(data.split()).rstrip(b"=")
    try:
        held = base64.b64decode(text.translate(_STANDARD) + b"=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise Unreadable(f"not base64: {error}") from None
    if not held:
        raise Unreadable("not base64: nothing is in it")
    return held


_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
