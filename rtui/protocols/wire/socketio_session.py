"""One open Socket.IO connection: obeys the link's commands and tells it what comes."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from rtui.core.command import Break, Cancel, Command, HalfClose, Hangup, Poke, Send, Subscribe, Unsubscribe
from rtui.core.event import Closed, Event, Notice, Opened, Received, Sent
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.protocols.base import Link
from rtui.protocols.socketio import Options, Outgoing, Subscription, namespace
from rtui.protocols.wire import socketio_packet as wire
from rtui.protocols.wire.reach_fault import Unopened, closing, usage
from rtui.protocols.wire.sabotage import NextSend, dropped, told
from rtui.protocols.wire.socketio_ack import Acks, Answers
from rtui.protocols.wire.socketio_attachment import attachments_meta, read_attachments
from rtui.protocols.wire.socketio_engine import Line, OldServerError, endpoint
from rtui.protocols.wire.socketio_fault import (
    ending,
    explain_opening,
    left_namespaces,
    malformed,
    no_ack,
    silent_namespace,
    too_old,
)
from rtui.protocols.wire.socketio_packet import Packet, Type
from rtui.protocols.wire.socketio_space import OLD, Spaces
from rtui.protocols.wire.socketio_watch import Watch
from rtui.protocols.wire.trip import Trip

BATCH: Final = 256
"""Events between two looks at whether the capture keeps up."""
DEFAULT_EVENT: Final = "message"
"""What `socket.send` of every client emits."""
ENGINES: Final = {"2": 3, "3": 4, "4": 4}
"""Release of the server → version of Engine.IO."""
PROTOCOLS: Final = {4: "Socket.IO 5 (Engine.IO 4)", 3: "Socket.IO 4 (Engine.IO 3)"}


async def converse(link: Link) -> Closed | None:
    """The whole of one attempt; see `Adapter.run`."""
    options: Options = link.options
    url, peer = endpoint(link.url, options)
    trip = Trip(peer, timeout=options.timeout, greeting="Engine.IO handshake", certified=bool(options.cert))
    session = Session(link, Line(options, url, trip))
    try:
        try:
            async with asyncio.timeout(options.timeout):
                await session.open()
        except Unopened:
            raise
        except Exception as error:
            raise Unopened(await session.explain(error)) from error
        return await session.run()
    finally:
        await session.leave()


class Session:
    """What runs from the first packet to the last."""

    def __init__(self, link: Link, line: Line) -> None:
        self._link = link
        self._line = line
        self._options: Options = link.options
        self._events: list[Event] = []
        self._open = False
        self._flushing: asyncio.Handle | None = None
        self._next_send = NextSend()
        self._assembler = wire.Assembler()
        self._verdict: Closed | None = None
        self._over = asyncio.Event()
        self._spaces = Spaces(link.memory, self._options, self._tell, self._write)
        self._acks = Acks(self._tell)
        self._answers = Answers(self._options.answers, self._tell, self._write)
        line.sink = self._take
        line.on_end = self._ended

    # Opening

    async def open(self) -> None:
        """Connect, and every namespace that the session names.

        Raises:
            Unopened: the server refused all of them.
            Exception: what `explain` explains.
        """
        release = self._options.version
        memory = self._link.memory
        try:
            await self._join(ENGINES.get(release) or memory.get("engine", 4))
        except OldServerError:
            if release != "auto":
                raise Unopened(too_old(release)) from None
            memory["engine"] = 3
            await self._join(3)
        self._announce()

    async def _join(self, engine: int) -> None:
        self._assembler = wire.Assembler()
        self._over.clear()
        self._spaces.begin(engine)
        await self._line.open(engine)
        for name in [] if self._spaces.old else self._wanted():
            self._spaces.ask(name)
        await self._spaces.settled.wait()
        if self._spaces.old:
            raise OldServerError
        if not self._spaces.joined and not self._put_out:
            raise Unopened(self._spaces.refusal or self._how_it_ended())

    @property
    def _put_out(self) -> bool:
        """Whether the server let us in and said goodbye at once."""
        return self._verdict is not None and self._verdict.by == "them"

    def _how_it_ended(self) -> Fault:
        closed = self._verdict or ending(self._line)
        return closed.fault or left_namespaces()

    def _wanted(self) -> list[str]:
        named = [namespace(each) for each in self._options.namespaces]
        return list(dict.fromkeys([self._home, *named]))

    @property
    def _home(self) -> str:
        from rtui.protocols.socketio import SocketIO

        named = (*SocketIO.channels(self._link.url), *map(namespace, self._options.namespaces))
        return named[0] if named else "/"

    def _announce(self) -> None:
        line, spaces = self._line, self._spaces
        found = {"protocol": PROTOCOLS[line.engine], **line.details(), "namespaces": spaces.joined}
        details = {key: value for key, value in found.items() if value}
        held, self._events = self._events, []
        if line.engine == OLD and self._options.auth is not None:
            held.append(Notice(text="auth was not sent: servers 2.x take a query instead", level="warning"))
        self._link.emit([Opened(details=details), *held])
        self._open = True

    async def explain(self, error: BaseException) -> Fault:
        """Why `open` failed."""
        unanswered = self._spaces.unanswered
        if isinstance(error, TimeoutError) and unanswered and self._line.standing:
            return silent_namespace(unanswered, self._options.timeout)
        return await explain_opening(error, self._line)

    # While it stands

    async def run(self) -> Closed:
        """Until the connection ends, with the commands beside it."""
        async with asyncio.TaskGroup() as group:
            watch = Watch(self._line, lambda stalled: self._link.emit([stalled]))
            helpers = [
                group.create_task(self._obey(), name="socketio commands"),
                group.create_task(watch.run(), name="socketio watch"),
            ]
            await self._over.wait()
            for helper in helpers:
                helper.cancel()
        return self._verdict or ending(self._line)

    async def leave(self) -> None:
        """Say goodbye if nobody did; what is still awaited will not come."""
        self._spaces.keep()
        self._acks.give_up(no_ack("the connection ended first"))
        self._flush()
        self._spaces.close()
        await self._line.close()

    def _ended(self) -> None:
        self._spaces.settled.set()
        self._over.set()

    def _end(self, verdict: Closed) -> None:
        self._verdict = self._verdict or verdict
        self._ended()

    # What comes

    async def _take(self, piece: str | bytes) -> None:
        """One message of the transport. Waits, and the peer with us, when the capture is behind."""
        self._line.alive = True
        if self._verdict is not None:
            return
        gave_up = self._assembler.waiting and isinstance(piece, str)
        try:
            packet = self._assembler.feed(piece)
            if packet is not None:
                self._handle(packet)
        except ValueError as error:
            self._on_malformed(malformed(str(error)))
            if gave_up:  # what is wrong is the packet before; this one deserves a look of its own
                await self._take(piece)
                return
        if self._open and len(self._events) >= BATCH:
            events, self._events = self._events, []
            await self._link.pour(events)

    def _on_malformed(self, why: Fault) -> None:
        """A row says it, and the rest goes on: one bad packet of one namespace is no reason to leave the others."""
        if self._spaces.joined:
            self._tell(Notice(text=why.sentence(), level="error", fault=why))
        else:
            self._end(Closed(by="us", clean=False, fault=why))

    def _handle(self, packet: Packet) -> None:
        match packet.type:
            case Type.EVENT | Type.BINARY_EVENT:
                self._on_event(packet)
            case Type.ACK | Type.BINARY_ACK:
                self._acks.answered(packet)
            case Type.CONNECT:
                self._spaces.on_connect(packet)
            case Type.CONNECT_ERROR:
                self._spaces.on_refusal(packet)
            case Type.DISCONNECT:
                self._on_disconnect(packet.namespace)

    def _on_event(self, packet: Packet) -> None:
        told, arguments = wire.event(packet.data)
        channel = wire.name(packet.namespace, told)
        arguments, offset = self._spaces.saw(packet.namespace, packet.id, arguments)
        meta: dict[str, Any] = {} if packet.id is None else {"ack": packet.id}
        if offset:
            meta["offset"] = offset
        if packet.attachments:
            meta |= attachments_meta(packet.attachments)
        payload = arguments.encode("utf-8", "surrogatepass")
        self._tell(Received(channel, payload, Kind.MESSAGE, meta or None))
        if packet.id is not None:
            self._answers.asked(packet.namespace, packet.id, told)

    def _on_disconnect(self, name: str) -> None:
        self._spaces.on_disconnect(name)
        self._acks.give_up(no_ack(f"the server closed the namespace {name}"), name)
        if not self._spaces.joined:
            # No fault: as every client of this protocol, we do not come back to a server that put us out.
            self._end(Closed(by="them", clean=True, reason="it put us out of the last namespace"))

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        if self._open and self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = None
        if self._open:
            events, self._events = self._events, []
            self._link.emit(events)

    # Commands

    async def _obey(self) -> None:
        async for command in self._link.commands:
            if not self._line.standing:
                self._refuse(command.id, closing())
                continue
            try:
                await self._do(command)
            except (ValueError, OSError) as error:
                self._refuse(command.id, usage("Not sent", str(error)))

    async def _do(self, command: Command) -> None:
        match command:
            case Send():
                await self._send(command)
            case Subscribe():
                wanted: Subscription = command.subscription or Subscription()
                self._spaces.ask(namespace(command.channel), command.id, wanted.auth)
            case Unsubscribe():
                self._spaces.part(namespace(command.channel), command.id)
                self._acks.give_up(no_ack("we left the namespace"), namespace(command.channel))
            case Hangup():
                self._hang_up(command)
            case Break():
                self._break(command)
            case Poke():
                self._refuse(command.id, usage("Socket.IO has no ping of ours", "the pings of Engine.IO are automatic"))
            case HalfClose() | Cancel():
                self._refuse(command.id, usage("Socket.IO has no calls", "an acknowledgement ends by itself"))

    async def _send(self, command: Send) -> None:
        outgoing: Outgoing = command.outgoing or Outgoing()
        payload, meta = await self._next_send.spoil(command.payload)
        space, event = wire.place(command.channel or DEFAULT_EVENT, self._home)
        if space not in self._spaces.joined:
            hint = "Subscribe to it first, or write /namespace,event"
            self._refuse(command.id, usage("Not in this namespace", space, hint))
            return
        arguments, attachments = wire.outgoing(payload, read_attachments(outgoing.attachments))
        meta |= attachments_meta(attachments)
        channel = wire.name(space, event)
        if outgoing.answer is not None:
            self._answers.settle(space, outgoing.answer)
            packet = Packet(Type.ACK, space, outgoing.answer, arguments, attachments)
            sent = Sent(command.id, channel, arguments.encode(), Kind.ACK, {"ack": outgoing.answer, **meta})
        else:
            number = self._acks.expect(space, command.id, channel, outgoing.ack_timeout) if outgoing.ack else None
            packet = Packet(Type.EVENT, space, number, wire.named(event, arguments), attachments)
            meta |= {} if number is None else {"ack": number}
            sent = Sent(command.id, channel, arguments.encode(), Kind.MESSAGE, meta or None)
        self._write(packet)
        # Before any wait: the answer may be read while the transport drains.
        self._flush()
        self._link.emit([sent])
        await self._line.room()

    def _write(self, packet: Packet) -> None:
        self._line.send(wire.write(packet))

    def _hang_up(self, command: Hangup) -> None:
        for name in list(self._spaces.joined):
            self._write(Packet(Type.DISCONNECT, name))
        self._end(Closed(by="us", clean=True, reason=command.reason))

    def _refuse(self, command: int, why: Fault) -> None:
        self._tell(Notice(text=why.sentence(), level="error", command=command, fault=why))

    # Misbehaviour on purpose

    def _break(self, command: Break) -> None:
        match command.what:
            case "drop":
                self._line.cut()
                self._end(dropped())
            case "stop-reading":
                self._line.deafen(on=command.on)
            case "stop-pongs":
                self._line.muted = command.on
            case "hold-acks":
                self._answers.hold(on=command.on)
            case "delay-next" | "corrupt-next":
                self._next_send.arm(command)
        self._link.emit([told(command)])
