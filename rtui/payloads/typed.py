"""Protocol Buffers whose type is known: shown as the JSON that the message means.

The types come from a descriptor set in a file. It is read, and protobuf imported, when the first payload is opened:
`TypeFile.ready` tells whether that is still to come, for it may take a second.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from rtui.core.clean import clean
from rtui.payloads.arguments import ArgumentsDocument, Part, RowDocument
from rtui.payloads.base import NOTHING, Document, Unreadable, View
from rtui.payloads.json import JsonTree

if TYPE_CHECKING:
    from rtui.protobuf.descriptor_set import MessageTypes


class TypeFile:
    """A descriptor set in a file, read once. Every thread may ask."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._types: MessageTypes | None = None
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether it was read, so that asking costs nothing."""
        return self._types is not None

    def types(self) -> MessageTypes:
        """What is in it.

        Raises:
            Unreadable: if it cannot be read, or is no descriptor set.
        """
        from rtui.protobuf.descriptor_set import MessageTypes, Unusable, read

        with self._lock:
            if self._types is None:
                try:
                    self._types = MessageTypes(read(self.path))
                except Unusable as error:
                    raise Unreadable(f"{self.path.name} {error}") from None
            return self._types


class MessageTree(JsonTree):
    """The JSON of a message. Paths are those of its fields; filters see the bytes, and cannot compare them."""

    def literal(self, row: int) -> str | None:  # noqa: ARG002
        """See `Document`: none."""
        return None


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
        tree = MessageTree(text)
        if not unknown:
            return tree
        said = RowDocument("fields that the type does not know, by number:", data)
        others = Part("", MessageTree(msgspec.json.encode(unknown)), None)
        return ArgumentsDocument([Part("", tree, ""), Part("", said, None), others])

    def json(self, data: bytes) -> bytes:
        """The JSON that the message means.

        Raises:
            Unreadable: if it is not of this type, or the type is not known.
        """
        return self._decoded(data)[0]

    def _decoded(self, data: bytes) -> tuple[bytes, dict[str, Any]]:
        from rtui.protobuf.descriptor_set import Unusable

        try:
            codec = self.file.types().codec(self.message)
        except Unusable as error:
            raise Unreadable(f"{self.message}: {error}") from None
        text, lost = codec.decode(data)
        if lost is not None and "undecodable" in lost:
            raise Unreadable(str(lost["undecodable"]))
        return text, dict((lost or {}).get("unknown") or {})
