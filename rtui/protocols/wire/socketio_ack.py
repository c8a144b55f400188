"""Acknowledgements of one connection: those that the server owes us, and those that it asked for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from rtui.core.event import Acknowledged, Event, Notice, Sent
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.protocols.wire import socketio_packet as wire
from rtui.protocols.wire.reach_fault import fault
from rtui.protocols.wire.socketio_attachment import attachments_meta
from rtui.protocols.wire.socketio_packet import Packet, Type

Tell = Callable[[Event], None]
Write = Callable[[Packet], None]

MOST: Final = 10_000
"""Acknowledgements kept in mind, each way; the oldest are forgotten beyond this."""


class Owed(msgspec.Struct):
    """One that the server owes us."""

    command: int
    channel: str
    timer: asyncio.TimerHandle | None = None
    late: bool = False


class Acks:
    """Joins the server's acknowledgements to the commands that asked for them."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._last: dict[str, int] = {}
        self._owed: OrderedDict[tuple[str, int], Owed] = OrderedDict()

    def expect(self, space: str, command: int, channel: str, timeout: float) -> int:
        """The number to ask under; after `timeout` seconds (0 = never) its absence is told."""
        number = self._last[space] = self._last.get(space, -1) + 1
        owed = self._owed[space, number] = Owed(command, channel)
        if timeout:
            loop = asyncio.get_running_loop()
            owed.timer = loop.call_later(timeout, self._late, owed, number, timeout)
        if len(self._owed) > MOST:
            self._settle(self._owed.popitem(last=False)[1])
        return number

    def answered(self, packet: Packet) -> None:
        """An ACK came."""
        owed = self._owed.pop((packet.namespace, packet.id or 0), None)
        meta = {"ack": packet.id, **attachments_meta(packet.attachments)}
        if owed is None:
            text = f"acknowledgement {packet.id} of {packet.namespace}, which nobody asked for: {packet.data}"
            self._tell(Notice(text=text, level="warning", meta=meta))
            return
        self._settle(owed)
        meta |= {"late": True} if owed.late else {}
        payload = packet.data.encode("utf-8", "surrogatepass")
        self._tell(Acknowledged(owed.command, owed.channel, payload, meta))

    def give_up(self, why: Fault, space: str | None = None) -> None:
        """None of those owed, in one namespace or in all, will come any more."""
        for key in [key for key in self._owed if space in {None, key[0]}]:
            owed = self._owed.pop(key)
            self._settle(owed)
            if not owed.late:
                self._tell(Notice(text=why.sentence(), level="error", command=owed.command, fault=why))

    def _late(self, owed: Owed, number: int, timeout: float) -> None:
        owed.late = True
        cause = f"acknowledgement {number} of {owed.channel} did not come in {timeout:g} s"
        why = fault("timeout", "them", "No acknowledgement", cause, "The server may not acknowledge this event")
        self._tell(Notice(text=why.sentence(), level="error", command=owed.command, fault=why))

    def _settle(self, owed: Owed) -> None:
        if owed.timer is not None:
            owed.timer.cancel()


class Answers:
    """What the server asked to be acknowledged; answered by rule where there is one, else by the user."""

    def __init__(self, rules: Mapping[str, str], tell: Tell, write: Write) -> None:
        """`rules`: channel → the JSON array to answer with."""
        self._rules = {wire.place(channel): arguments for channel, arguments in rules.items()}
        self._tell = tell
        self._write = write
        self._asked: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._held: list[tuple[Packet, str]] | None = None

    def asked(self, space: str, number: int, event: str) -> None:
        """The server wants `event` acknowledged under `number`."""
        rule = self._rules.get((space, event))
        if rule is None:
            self._asked[space, number] = None
            if len(self._asked) > MOST:
                self._asked.popitem(last=False)
            return
        arguments, _ = wire.outgoing(rule.encode())
        answer = Packet(Type.ACK, space, number, arguments), wire.name(space, event)
        if self._held is None:
            self._answer(*answer)
        else:
            self._held.append(answer)

    def settle(self, space: str, number: int) -> None:
        """The user answers.

        Raises:
            ValueError: if there is nothing to answer.
        """
        if (space, number) not in self._asked:
            raise ValueError(f"the server asked {space} for no acknowledgement {number}, or has its answer")
        del self._asked[space, number]

    def hold(self, *, on: bool) -> None:
        """Keep back what the rules answer, or let it go."""
        held, self._held = self._held or [], [] if on else None
        for answer in [] if on else held:
            self._answer(*answer)

    def _answer(self, packet: Packet, channel: str) -> None:
        self._write(packet)
        self._tell(Sent(0, channel, packet.data.encode(), Kind.ACK, {"ack": packet.id, "automatic": True}))
