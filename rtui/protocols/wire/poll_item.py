"""One answer cut into many messages: the items of a list, new ones only where they have a key. No I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from rtui.core import json_path
from rtui.protocols.polling import Options
from rtui.protocols.wire.poll_cursor import path_option

KEYS: Final = 100_000
"""Keys that are remembered; the one not met for longest is forgotten first."""
KEY_SHOWN: Final = 200
"""Bytes of a key that a row shows."""
_DIGEST: Final = 16


class Item(NamedTuple):
    """One message of an answer."""

    place: int
    """Its position in the list."""
    payload: bytes
    """The bytes of the answer, digits as they came."""
    key: str
    """The JSON text at `item_key`, cut to what a row shows; empty without one."""


class Items:
    """Cuts answers. The keys are kept in the link's memory: a reconnect shows nothing twice."""

    def __init__(self, options: Options, memory: dict[str, Any]) -> None:
        """Raises `Failure` if the options cannot be used."""
        self.path = options.items
        self.key_path = options.item_key
        self._steps = path_option("items", options.items) or ()
        self._key = path_option("item_key", options.item_key)
        self._seen: OrderedDict[bytes, None] = memory.setdefault("items", OrderedDict())
        self.keyless = 0
        """Items of the last answer without a key, though one was asked for."""

    def cut(self, body: bytes) -> list[bytes] | None:
        """All items of an answer; None if there is no list at the path."""
        return json_path.items(body, self._steps)

    def fresh(self, found: list[bytes]) -> Iterator[Item]:
        """Those of `found` that were not seen before; an item without a key is always new."""
        self.keyless = 0
        for index, payload in enumerate(found):
            key = None if self._key is None else json_path.cut(payload, self._key)
            if key is None:
                self.keyless += self._key is not None
                yield Item(index, payload, "")
            elif self._is_new(key):
                yield Item(index, payload, key[:KEY_SHOWN].decode(errors="replace"))

    def _is_new(self, key: bytes) -> bool:
        mark = key if len(key) <= _DIGEST else blake2b(key, digest_size=_DIGEST).digest()
        new = mark not in self._seen
        self._seen[mark] = None
        self._seen.move_to_end(mark)
        if len(self._seen) > KEYS:
            self._seen.popitem(last=False)
        return new
