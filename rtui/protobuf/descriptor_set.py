"""Descriptor sets: compiled .proto files, as `protoc --include_imports --descriptor_set_out=FILE` writes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

from rtui.protobuf.codec import Codec
from rtui.protobuf.message import UNREADABLE
from rtui.protobuf.pool import Types
from rtui.protobuf.unfit import Unusable

__all__ = ["MessageTypes", "Unusable", "message_names", "read"]

LARGEST: Final = 32 * 1024**2
"""Bytes of all descriptors together; a message with ten fields has 250."""
HINT: Final = "make one with: protoc --include_imports --descriptor_set_out=FILE …"


def read(path: Path) -> FileDescriptorSet:
    """The descriptor set at `path`.

    Raises:
        Unusable: if it cannot be read, is too large, or is something else.
    """
    try:
        if not path.is_file():  # a pipe would wait for ever
            raise Unusable("no such file" if not path.exists() else "is not a file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise Unusable(f"cannot be read: {(error.strerror or type(error).__name__).lower()}") from None
    if len(data) > LARGEST:
        raise Unusable(f"is larger than {LARGEST // 1024**2} MiB")
    return _parsed(data)


def _parsed(data: bytes) -> FileDescriptorSet:
    try:
        found = FileDescriptorSet.FromString(data)
    except UNREADABLE:
        found = FileDescriptorSet()
    # Much that is no descriptor set can be read as one: all of it is then unknown fields.
    if not any(file.name or file.message_type for file in found.file):
        raise Unusable(f"is no descriptor set; {HINT}")
    return found


def message_names(found: FileDescriptorSet) -> list[str]:
    """The full names of all messages, in order; entries of maps are none."""
    return sorted({name for file in found.file for name in _names(file.package, list(file.message_type))})


def _names(package: str, messages: list[DescriptorProto]) -> Iterator[str]:
    waiting = [(package, message) for message in messages]
    while waiting:
        scope, message = waiting.pop()
        name = f"{scope}.{message.name}".removeprefix(".")
        if not message.options.map_entry:
            yield name
        waiting += [(name, inner) for inner in message.nested_type]


class MessageTypes:
    """The message types of one descriptor set. Every thread may ask: each has codecs of its own."""

    def __init__(self, found: FileDescriptorSet) -> None:
        """`found` is taken apart: it must not be used afterwards."""
        self.names: Final = tuple(message_names(found))
        self._types = Types(found.file)
        self._lock = threading.Lock()
        self._here = threading.local()

    def codec(self, name: str, *, full: bool = False) -> Codec:
        """JSON both ways for the messages of a type, whole numbers as numbers.

        `full`: what is not set and can only be told by its zero is in the JSON too, so that it can be compared.

        Raises:
            Unusable: if there is no such type, or it cannot be built.
        """
        codecs: dict[tuple[str, bool], Codec] = self._here.__dict__.setdefault("codecs", {})
        if (name, full) not in codecs:
            try:
                with self._lock:
                    codecs[name, full] = Codec(self._types.message(name), emit_defaults=full, numbers=True)
            except LookupError as error:
                raise Unusable(str(error.args[0])) from None
        return codecs[name, full]
