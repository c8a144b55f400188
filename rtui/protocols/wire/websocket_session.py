"""One open WebSocket: reads into the link, obeys its commands, keeps it alive, says goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from typing import Final

from websockets.exceptions import ConcurrencyError, ConnectionClosed, InvalidState
from websockets.frames import CloseCode

from rtui.core.command import Break, Cancel, Command, HalfClose, Hangup, Poke, Send, Subscribe, Unsubscribe
from rtui.core.event import Closed, Event, Measured, Notice, Opened, Received, Sent, Stalled
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.protocols.base import Link
from rtui.protocols.grouping import grouping
from rtui.protocols.pairing import Pairing
from rtui.protocols.websocket import Options, Outgoing
from rtui.protocols.wire.inbox import Inbox
from rtui.protocols.wire.reach_fault import closing, fault, usage
from rtui.protocols.wire.sabotage import NextSend, dropped, told
from rtui.protocols.wire.websocket import BatchConnection, MakeEvents
from rtui.protocols.wire.websocket_dial import dial
from rtui.protocols.wire.websocket_end import ending

GOODBYE_TIME: Final = 0.5
"""Seconds for the closing handshake when the user cancels: a second is allowed for everything."""
BINARY_META: Final = {"type": "binary"}
MAX_CONTROL: Final = 125
MAX_REASON: Final = 123
SENDABLE_CODES: Final = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
"""RFC 6455 §7.4.1 and IANA; 1004, 1005, 1006 and 1015 must not be sent. 3000-4999 are free."""
PATIENCE: Final = 0.5
"""Seconds that a ping, a hang-up or a fault waits for the sends before it: a peer that does not read may hold those."""
STALL_STEP: Final = 1.0
"""Seconds between two looks at a pong that is late."""


async def converse(link: Link) -> Closed | None:
    """The whole of one attempt; see `Adapter.run`."""
    options: Options = link.options
    pairing = Pairing(time.monotonic)
    inbox = Inbox()
    connection, details = await dial(link.url, options, inbox, event_maker(options.group_key, pairing))
    session = Session(link, connection, pairing)
    try:
        link.emit([Opened(details=details), *_warnings(options, connection)])
        return await session.run()
    finally:
        await session.leave()


def event_maker(group_key: str, pairing: Pairing) -> MakeEvents:
    """Turns payloads into events: the channel by `group_key`, replies by `pairing`."""
    group = grouping(group_key)

    def make(payloads: list[bytes], text: bool) -> list[Event]:
        if not text:
            answered = pairing.answered if pairing.outstanding else _nothing
            return [Received("", each, Kind.MESSAGE, BINARY_META, answered(each)) for each in payloads]
        if pairing.outstanding:
            return [
                Received(group(each) if group else "", each, Kind.MESSAGE, None, pairing.answered(each))
                for each in payloads
            ]
        if group is None:
            return [Received("", each) for each in payloads]
        return [Received(group(each), each) for each in payloads]

    return make


def _nothing(_: bytes) -> None:
    return None


def _warnings(options: Options, connection: BatchConnection) -> list[Event]:
    if options.subprotocols and connection.subprotocol is None:
        offered = ", ".join(options.subprotocols)
        return [Notice(text=f"the server accepted none of the subprotocols offered: {offered}", level="warning")]
    return []


class Session:
    """What runs while the connection is open."""

    def __init__(self, link: Link, connection: BatchConnection, pairing: Pairing) -> None:
        self._link = link
        self._options: Options = link.options
        self._connection = connection
        self._pairing = pairing
        self._verdict: Closed | None = None
        self._next_send = NextSend()
        self._outbox: asyncio.Queue[Send] = asyncio.Queue()

    async def run(self) -> Closed:
        """Read to the end, with the commands and the keep-alive beside it."""
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._obey(), name="websocket commands"),
                group.create_task(self._send_all(), name="websocket sends"),
                group.create_task(self._keep_alive(), name="websocket keep-alive"),
            ]
            while events := await self._connection.inbox.take():
                await self._link.pour(events)
            for helper in helpers:
                helper.cancel()
        await self._connection.wait_closed()
        return self._verdict or ending(self._connection)

    async def leave(self) -> None:
        """Say goodbye if nobody did, then make sure that no socket stays."""
        connection = self._connection
        try:
            if not connection.transport.is_closing():
                async with asyncio.timeout(GOODBYE_TIME):
                    await connection.close(CloseCode.GOING_AWAY)
        except (TimeoutError, OSError, ConnectionClosed):
            pass
        finally:
            connection.transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_TIME):
                await connection.wait_closed()

    # Commands

    async def _obey(self) -> None:
        async for command in self._link.commands:
            if isinstance(command, Send):
                self._outbox.put_nowait(command)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._outbox.join()
            await self._try(command)

    async def _send_all(self) -> None:
        while True:
            command = await self._outbox.get()
            try:
                await self._try(command)
            finally:
                self._outbox.task_done()

    async def _try(self, command: Command) -> None:
        try:
            await self._do(command)
        except (ConnectionClosed, InvalidState):
            self._refuse(command, closing())

    async def _do(self, command: Command) -> None:
        match command:
            case Send():
                await self._send(command)
            case Poke():
                self._poke(command)
            case Hangup():
                await self._hang_up(command)
            case Break():
                self._break(command)
            case Subscribe() | Unsubscribe():
                hint = "Send what this server expects as a message"
                self._refuse(command, usage("WebSocket has no subscriptions", "RFC 6455 knows only messages", hint))
            case HalfClose() | Cancel():
                self._refuse(command, usage("WebSocket has no calls", "RFC 6455 knows only messages"))

    async def _send(self, command: Send) -> None:
        payload, meta = await self._next_send.spoil(command.payload)
        outgoing = command.outgoing or Outgoing()
        text = outgoing.type == "text" or (outgoing.type == "auto" and _is_text(payload))
        self._pairing.sent(command.id, payload)
        frames = self._connection.write_message(payload, text, outgoing.fragment)
        meta |= ({} if text else {"type": "binary"}) | ({"fragments": frames} if frames > 1 else {})
        # Before any wait: the answer may be read while the transport drains.
        self._link.emit([Sent(command.id, command.channel, payload, Kind.MESSAGE, meta or None)])
        with contextlib.suppress(OSError):  # a broken line is told by its end, after what came before
            await self._connection.drain()

    def _poke(self, command: Poke) -> None:
        if len(command.payload) > MAX_CONTROL:
            cause = f"{len(command.payload)} bytes; RFC 6455 §5.5 allows {MAX_CONTROL}"
            self._refuse(command, usage("The ping is too long", cause))
            return
        payload = command.payload or secrets.token_bytes(4)
        try:
            pong = self._connection.start_ping(payload)
        except ConcurrencyError:
            self._refuse(command, usage("This ping is under way", "a ping with this payload is not answered yet"))
            return
        self._link.emit([Sent(command.id, "", payload, Kind.PING, {"type": "ping"})])
        pong.add_done_callback(lambda done: self._ponged(done, payload, command.id))

    def _ponged(self, pong: asyncio.Future[float], payload: bytes, command: int) -> None:
        if pong.cancelled() or pong.exception() is not None:
            return
        rtt = pong.result()
        meta = {"type": "pong", "rtt_ms": round(rtt * 1000, 3)}
        answer = Received("", payload, Kind.PING, meta, command)
        self._connection.inbox.put([answer, Measured(int(rtt * 1e9))], 0)

    async def _hang_up(self, command: Hangup) -> None:
        code = 1000 if command.code is None else command.code
        if code not in SENDABLE_CODES and not 3000 <= code < 5000:  # noqa: PLR2004 - RFC 6455 §7.4.2
            cause = f"{code} must not be sent (RFC 6455 §7.4)"
            self._refuse(command, usage("Illegal close code", cause, "1000-1003, 1007-1014 or 3000-4999"))
        elif len(command.reason.encode(errors="surrogatepass")) > MAX_REASON or not _encodable(command.reason):
            cause = f"RFC 6455 §5.5: at most {MAX_REASON} bytes of UTF-8"
            self._refuse(command, usage("The close reason cannot be sent", cause))
        else:
            await self._connection.close(code, command.reason)

    def _refuse(self, command: Command, why: Fault) -> None:
        self._link.emit([Notice(text=why.sentence(), level="error", command=command.id, fault=why)])

    # Misbehaviour on purpose

    def _break(self, command: Break) -> None:
        match command.what:
            case "drop":
                self._verdict = dropped(code=1006)
                self._connection.reset()
            case "stop-reading":
                self._connection.deafen(command.on)
            case "stop-pongs":
                self._connection.auto_pong = not command.on
            case "delay-next" | "corrupt-next":
                self._next_send.arm(command)
            case _:
                why = usage(f"WebSocket cannot do {command.what}", "there are no acknowledgements to hold")
                self._refuse(command, why)
                return
        self._link.emit([told(command)])

    # Keep-alive

    async def _keep_alive(self) -> None:
        interval = self._options.ping_interval
        while interval:
            await asyncio.sleep(interval)
            try:
                await self._probe()
            except (ConnectionClosed, InvalidState):
                return

    async def _probe(self) -> None:
        """One automatic ping, watched: late pongs are told before the connection is given up."""
        began = time.monotonic()
        payload = secrets.token_bytes(4)
        pong = self._connection.start_ping(payload)
        if self._options.log_pings:
            self._link.emit([Sent(0, "", payload, Kind.PING, {"type": "ping", "automatic": True})])
        while True:
            try:
                async with asyncio.timeout(STALL_STEP):
                    rtt = await asyncio.shield(pong)
            except TimeoutError:
                if self._gave_up(time.monotonic() - began):
                    return
            else:
                self._link.emit([Measured(int(rtt * 1e9))])
                return

    def _gave_up(self, waited: float) -> bool:
        if not self._connection.listening:
            # It is us who do not listen.
            return False
        timeout = self._options.ping_timeout
        # A peer that still talks is not dead: its pong may queue behind a flood.
        quiet = min(waited, self._connection.loop.time() - self._connection.heard_at)
        if timeout and quiet >= timeout:
            cause = f"no pong for {quiet:.0f} s"
            why = fault("lost", "network", "The server stopped answering", cause, "It hangs, or the line is dead")
            self._verdict = Closed(by="us", clean=False, code=1006, reason=cause, fault=why)
            self._connection.reset()
            return True
        self._link.emit([Stalled(f"no pong for {waited:.0f} s")])
        return False


def _is_text(payload: bytes) -> bool:
    if payload.isascii():
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
