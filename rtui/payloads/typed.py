"""Protocol Buffers whose type is known: shown as the JSON that the message means.

The types come from a descriptor set in a file. It is read, and protobuf imported, when the first payload is opened:
`TypeFile.ready` tells whether that is still to come, for it may take a second. Whole numbers of 64 bits are shown as
numbers, not as the texts that ProtoJSON makes of them: filters and charts can then compare them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from rtui.core.clean import clean
from rtui.encoding.type_file import TypeFile
from rtui.payloads.arguments import ArgumentsDocument, Part, RowDocument
from rtui.payloads.base import NOTHING, Document, Unreadable, View
from rtui.payloads.json import JsonTree


class TypedView(View):
    """Protocol Buffers of one message type."""

    name: ClassVar[str] = "protobuf"

    def __init__(self, file: TypeFile, message: str) -> None:
        """`message` is the full name of the type."""
        self.file = file
        self.message = message
        self.title = f"protobuf {clean(message)}"

    @property
    def ready(self) -> bool:
        """See `View`."""
        return self.file.ready

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:  # noqa: ARG002 - a person said so
        """Certain, even of an empty payload: it is a message with nothing set."""
        return 1.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> Document:  # noqa: ARG002
        """The fields; below them those that the type does not know."""
        text, unknown = self._decoded(data)
        tree = JsonTree(text)
        if not unknown:
            return tree
        said = RowDocument("fields that the type does not know, by number:", data)
        others = Part("", JsonTree(msgspec.json.encode(unknown)), None)
        return ArgumentsDocument([Part("", tree, ""), Part("", said, None), others])

    def json(self, data: bytes, *, full: bool = False) -> bytes:
        """The JSON that the message means; `full`: with what is not set and has no other way to say so but its zero.

        Raises:
            Unreadable: if it is not of this type, or the type is not known.
        """
        return self._decoded(data, full=full)[0]

    def _decoded(self, data: bytes, *, full: bool = False) -> tuple[bytes, dict[str, Any]]:
        from rtui.protobuf.descriptor_set import Unusable

        try:
            codec = self.file.codec(self.message, full=full)
        except Unusable as error:
            raise Unreadable(str(error)) from None
        text, lost = codec.decode(data)
        if lost is not None and "undecodable" in lost:
            raise Unreadable(str(lost["undecodable"]))
        return text, dict((lost or {}).get("unknown") or {})
