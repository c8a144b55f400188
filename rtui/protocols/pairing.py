"""Which command a message answers, for protocols whose messages carry no such mark of their own.

Three ways, the surest first: the id of JSON-RPC 2.0, the id of graphql-transport-ws, and an echo: the same bytes as
something sent lately. Costs nothing while nothing is outstanding.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

ECHO_LIFE: Final = 30.0
"""Seconds that a sent payload waits for its echo."""
MAX_OUTSTANDING: Final = 1024


class Envelope(msgspec.Struct, gc=False):
    """What JSON-RPC and graphql-transport-ws have on the outside."""

    id: str | int | float | None = None
    type: Any = None
    method: Any = None


_envelope: Final = msgspec.json.Decoder(Envelope)


def _opened(payload: bytes) -> Envelope | None:
    if b'"id"' not in payload:
        return None
    try:
        return _envelope.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return None


class Pairing:
    """What was sent and may be answered. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: OrderedDict[Any, int] = OrderedDict()
        self._echoes: dict[bytes, deque[int]] = {}
        self._sent: deque[tuple[float, bytes, int]] = deque()

    def sent(self, command: int, payload: bytes) -> None:
        """Remember one sent message."""
        if (envelope := _opened(payload)) is not None and envelope.id is not None:
            self._calls[envelope.id] = command
            if len(self._calls) > MAX_OUTSTANDING:
                self._calls.popitem(last=False)
        self._echoes.setdefault(payload, deque()).append(command)
        self._sent.append((self._clock() + ECHO_LIFE, payload, command))
        self._expire()

    @property
    def outstanding(self) -> bool:
        """Whether any message may be an answer."""
        if self._sent and self._sent[0][0] < self._clock():
            self._expire()
        return bool(self._calls or self._echoes)

    def answered(self, payload: bytes) -> int | None:
        """The command that `payload` answers, or None."""
        if self._echoes and (commands := self._echoes.get(payload)):
            command = commands.popleft()
            if not commands:
                del self._echoes[payload]
            return command
        if self._calls and (envelope := _opened(payload)) is not None and envelope.method is None:
            return self._call(envelope)
        return None

    def _call(self, envelope: Envelope) -> int | None:
        if envelope.id is None or (command := self._calls.get(envelope.id)) is None:
            return None
        # A subscription of graphql-transport-ws answers many times, until it says that it is over.
        if envelope.type != "next":
            del self._calls[envelope.id]
        return command

    def _expire(self) -> None:
        now = self._clock()
        while self._sent and (self._sent[0][0] < now or len(self._sent) > MAX_OUTSTANDING):
            _, payload, command = self._sent.popleft()
            commands = self._echoes.get(payload)
            if commands and commands[0] == command:
                commands.popleft()
                if not commands:
                    del self._echoes[payload]
