"""Message types in a descriptor set: read when they are first needed, for that may take a second."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtui.protobuf.codec import Codec
    from rtui.protobuf.descriptor_set import MessageTypes


class TypeFile:
    """A descriptor set in a file, read once. Every thread may ask."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._types: MessageTypes | None = None
        self._wrong = ""
        """Why it cannot be used, once that is known."""
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether it was read, so that asking costs nothing."""
        return self._types is not None

    def types(self) -> MessageTypes:
        """What is in it.

        Raises:
            Unusable: if it cannot be read, or is no descriptor set.
        """
        from rtui.protobuf.descriptor_set import MessageTypes, Unusable, read

        with self._lock:
            if self._types is None and not self._wrong:
                try:
                    self._types = MessageTypes(read(self.path))
                except Unusable as error:
                    self._wrong = f"{self.path.name} {error}"
            if self._types is None:
                raise Unusable(self._wrong)
            return self._types

    def codec(self, message: str, *, full: bool = False) -> Codec:
        """JSON both ways for the messages of a type; `full` as in `MessageTypes.codec`.

        Raises:
            Unusable: as `types`; or there is no such type, or it cannot be built.
        """
        from rtui.protobuf.descriptor_set import Unusable
        from rtui.protobuf.unfit import nearest

        types = self.types()
        if message not in types.names and not message.startswith("google.protobuf."):
            raise Unusable(f"{self.path.name} has no message {message!r}; {nearest(message, types.names)}")
        try:
            return types.codec(message, full=full)
        except Unusable as error:
            raise Unusable(f"{message}: {error}") from None


def type_file(path: Path) -> TypeFile:
    """The descriptor set at `path`, read anew only when it was written since."""
    try:
        found = path.stat()
    except OSError:
        return _known(path, ())
    # The time alone does not tell: of what is written within one tick of the clock, it may be that of the first piece.
    return _known(path, (found.st_mtime_ns, found.st_size, found.st_ino))


@lru_cache(maxsize=32)
def _known(path: Path, _written: tuple[int, ...]) -> TypeFile:
    return TypeFile(path)
