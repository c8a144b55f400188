"""One attempt: connects, learns the schema, obeys commands, reads all calls in the order of their coming."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from itertools import count, groupby
from typing import Any, TypeAlias

import msgspec
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from rtui.core.command import Break, Cancel, Command, HalfClose, Hangup, Poke, Send, Subscribe, Unsubscribe
from rtui.core.event import (
    Closed,
    Event,
    Notice,
    Offer,
    Offered,
    Opened,
    Progressed,
    Sent,
    Subscribed,
    Unsubscribed,
)
from rtui.core.fault import Failure, Fault
from rtui.core.record import Kind
from rtui.core.words import counted
from rtui.protobuf.unfit import Unfit
from rtui.protocols.base import Link
from rtui.protocols.grpc import Options, Outgoing, Subscription, method_of
from rtui.protocols.wire.grpc_base import Base, peer_of
from rtui.protocols.wire.grpc_call import Call
from rtui.protocols.wire.grpc_channel import Channel
from rtui.protocols.wire.grpc_dial import dial
from rtui.protocols.wire.grpc_fault import ended, explain_ending
from rtui.protocols.wire.grpc_learn import Learnt, learn
from rtui.protocols.wire.grpc_pulse import PING_SIZE, Pulse
from rtui.protocols.wire.grpc_schema import Method
from rtui.protocols.wire.grpc_status import Ending, Fields
from rtui.protocols.wire.grpc_talk import Request, Talk
from rtui.protocols.wire.reach_fault import fault, usage
from rtui.protocols.wire.sabotage import NextSend, dropped, told

Item: TypeAlias = "tuple[Call, bytes | Ending]"


async def converse(link: Link) -> Closed | None:
    """The whole of one attempt; see `Adapter.run`."""
    options: Options = link.options
    peer = peer_of(link.url)
    base = Base(link.url, options, peer)
    channel = await dial(peer, options)
    try:
        learnt = await learn(channel, options, base.headers("", deadline=options.timeout))
        return await Session(link, channel, base, learnt).run()
    finally:
        await channel.close()


class Session:
    """What runs while the connection is open."""

    def __init__(self, link: Link, channel: Channel, base: Base, learnt: Learnt) -> None:
        self._link = link
        self._options: Options = link.options
        self._channel = channel
        self._base = base
        self._learnt = learnt
        self._home = method_of(link.url)
        self._talks: dict[Call, Talk] = {}
        """Those that run, the newest last."""
        self._counted = {"calls": 0, "writable": 0}
        """What was told of them last."""
        self._numbers = count(1)
        self._inbox: list[Item] = []
        self._news = asyncio.Event()
        self._next_send = NextSend()
        self._pulse = Pulse(link, channel)
        self._verdict: Closed | None = None
        self._group: asyncio.TaskGroup
        self._writers: dict[Call, asyncio.Task[None]] = {}
        self._going_told = False

    async def run(self) -> Closed | None:
        """Until the end.

        Raises:
            Failure: the connection was lost.
        """
        self._link.emit(self._greeting())
        self._channel.on_change = self._news.set
        self._news.set()  # it may have changed before
        async with asyncio.TaskGroup() as self._group:
            helpers = [self._group.create_task(self._obey(), name="grpc commands")]
            if self._options.keep_alive:
                helpers.append(self._group.create_task(self._keep_alive(), name="grpc keep-alive"))
            await self._read()
            for task in (*helpers, *self._writers.values()):
                task.cancel()
        if self._verdict is None:
            raise Failure(ended(self._channel))
        return self._verdict

    def _greeting(self) -> list[Event]:
        trip, learnt = self._channel.trip, self._learnt
        remote = self._channel.h2.remote_settings
        details: dict[str, Any] = {
            "protocol": "gRPC over HTTP/2",
            **trip.tls,
            **learnt.details,
            "max_streams": remote.get(SettingCodes.MAX_CONCURRENT_STREAMS),
            "window": remote.initial_window_size,
            "proxy": trip.proxy,
            "local": trip.local,
            "remote": trip.remote,
            "timings": trip.timings,
        }
        kept = {key: value for key, value in details.items() if value not in ("", None)}
        return [Opened(details=kept), Offered(tuple(map(_offer, learnt.methods))), *learnt.notices]

    # Reading

    def _sink(self, call: Call, item: bytes | Ending) -> None:
        self._inbox.append((call, item))
        self._news.set()

    async def _read(self) -> None:
        while self._verdict is None:
            await self._news.wait()
            self._news.clear()
            inbox, self._inbox = self._inbox, []
            for call, run in groupby(inbox, key=lambda item: item[0]):
                await self._take(call, [item for _, item in run])
            self._look_around()
            if self._channel.gone.done() and not self._inbox:
                return

    async def _take(self, call: Call, items: list[bytes | Ending]) -> None:
        pieces = [item for item in items if isinstance(item, bytes)]
        if pieces and (talk := self._talks.get(call)) is not None:
            for rows in talk.take(pieces):
                await self._link.pour(rows)
        call.read(sum(map(len, pieces)))
        # A look again: it may have been dropped meanwhile.
        if isinstance(ending := items[-1], Ending) and (talk := self._talks.get(call)) is not None:
            self._end(talk, ending)

    def _end(self, talk: Talk, ending: Ending) -> None:
        self._forget(talk)
        ending = talk.unreadable or ending
        why = None if ending.ok else explain_ending(ending, self._channel.trip)
        self._link.emit(talk.end(ending, why))
        self._tell_calls()

    def _tell_calls(self) -> None:
        """How many calls run, and how many of them take more messages."""
        running = {"calls": len(self._talks), "writable": sum(talk.writable for talk in self._talks.values())}
        if running != self._counted:
            self._counted = running
            self._link.emit([Progressed(running)])

    def _forget(self, talk: Talk) -> None:
        del self._talks[talk.call]
        self._writers.pop(talk.call).cancel()
        talk.stop()

    def _look_around(self) -> None:
        """Whether the peer wants to go, and nothing keeps it."""
        going = self._channel.going
        if going is None or self._verdict is not None:
            return
        if not self._going_told and self._talks:
            self._going_told = True
            running = counted(len(self._talks), "call")
            text = f"the server is going away: {running} may end, new ones must wait for a reconnect"
            self._link.emit([Notice(text=text, level="warning")])
        if not self._talks:
            why = ended(self._channel)
            self._verdict = Closed(by="them", clean=going.code == 0, code=going.code, reason=going.debug, fault=why)

    # Commands

    async def _obey(self) -> None:
        async for command in self._link.commands:
            try:
                self._do(command)
            except Failure as error:
                self._refuse(command, error.fault)
            except Unfit as error:
                self._refuse(command, usage("The request does not fit its type", str(error)))
            self._tell_calls()

    def _do(self, command: Command) -> None:
        match command:
            case Send():
                self._send(command)
            case Subscribe():
                self._subscribe(command)
            case Unsubscribe():
                self._unsubscribe(command)
            case HalfClose():
                self._half_close(command)
            case Cancel():
                self._cancel(command)
            case Poke():
                self._poke(command)
            case Hangup():
                self._finish(Closed(by="us", clean=True, reason=command.reason))
            case Break():
                self._break(command)

    def _send(self, command: Send) -> None:
        outgoing: Outgoing = command.outgoing or Outgoing()
        method = self._method(command.channel or self._home)
        payload = command.payload if command.payload.strip() else b"{}"
        message = method.request.encode(payload)
        talk = None if outgoing.new_call else self._open_talk(method)
        if talk is None:
            talk = self._begin(command.id, method, outgoing.metadata, outgoing.deadline, outgoing.compression)
        last = outgoing.end or not method.many_requests
        gzip = outgoing.compression != "identity"
        talk.put(Request(command=command.id, payload=_one_line(payload), message=message, gzip=gzip, last=last))

    def _begin(
        self, command: int, method: Method, metadata: dict[str, str], deadline: float, compression: str = ""
    ) -> Talk:
        if not self._channel.usable:
            hint = "It is opened again when the last call has ended; or reconnect now"
            raise Failure(fault("closed", "them", "Not sent", "the server is going away and takes no more calls", hint))
        seconds = deadline or self._options.deadline
        headers = self._base.headers(method.channel, metadata, deadline=seconds, encoding=compression)
        call = Call(self._channel, self._sink)
        talk = Talk(
            next(self._numbers),
            command,
            method,
            call,
            emit=self._link.emit,
            next_send=self._next_send,
            limit=self._options.max_message,
            defaults=self._options.emit_defaults,
        )
        self._talks[call] = talk
        talk.expire_after(seconds)
        self._writers[call] = self._group.create_task(self._write(talk, headers), name=f"grpc call {talk.number}")
        return talk

    async def _write(self, talk: Talk, headers: Fields) -> None:
        try:
            await talk.write(headers)
        except (OSError, ProtocolError):
            return  # what cannot be sent any more is told by the end of the call

    def _open_talk(self, method: Method) -> Talk | None:
        """The newest call of the method that takes more messages."""
        return next((talk for talk in self._newest(method.channel) if talk.writable), None)

    def _newest(self, channel: str) -> Iterator[Talk]:
        """Running calls, the newest first; all if `channel` is empty."""
        channel = channel.removeprefix("/")
        running = (talk for talk in reversed(self._talks.values()) if talk.call.ending is None)
        return (talk for talk in running if not channel or talk.method.channel == channel)

    def _subscribe(self, command: Subscribe) -> None:
        wanted: Subscription = command.subscription or Subscription()
        method = self._method(command.channel)
        if not method.many_replies:
            self._refuse_subscription(command, method)
            return
        message = method.request.encode(wanted.data.encode(errors="surrogateescape"))
        self._drop_subscription(method.channel)
        talk = self._begin(command.id, method, wanted.metadata, wanted.deadline)
        talk.subscribed = True
        payload = wanted.data.strip().encode(errors="surrogateescape") or b"{}"
        last = not method.many_requests
        talk.put(Request(command=command.id, payload=_one_line(payload), message=message, last=last))
        self._link.emit([Subscribed(command.channel, command.id, talk.meta)])

    def _refuse_subscription(self, command: Subscribe, method: Method) -> None:
        hint = "Send a request to call it"
        if command.channel == self._home:
            self._link.emit([Notice(text=f"{method.signature} is {method.kind}: {hint.lower()}", command=command.id)])
            return
        self._refuse(command, usage("Not a stream of the server", f"{method.channel} is {method.kind}", hint))

    def _unsubscribe(self, command: Unsubscribe) -> None:
        self._drop_subscription(command.channel)
        self._link.emit([Unsubscribed(command.channel, command.id)])

    def _drop_subscription(self, channel: str) -> None:
        """Without a row for the end: who asked for it knows."""
        for talk in [talk for talk in self._newest(channel) if talk.subscribed]:
            self._forget(talk)
            talk.call.cancel()

    def _half_close(self, command: HalfClose) -> None:
        talk = next((talk for talk in self._newest(command.channel) if talk.writable), None)
        if talk is None:
            self._refuse(
                command, usage("No open call", "there is none that we may still send on", "Send a message first")
            )
            return
        talk.put(Request(command=command.id, last=True))

    def _cancel(self, command: Cancel) -> None:
        talk = next(self._newest(command.channel), None)
        if talk is None:
            self._refuse(command, usage("No running call", "there is nothing to cancel"))
            return
        meta = {**talk.meta, "type": "cancel"}
        self._link.emit([Sent(command.id, talk.method.channel, b"cancel", Kind.NOTICE, meta, talk.command)])
        talk.call.cancel()

    def _method(self, channel: str) -> Method:
        if not channel:
            raise Failure(usage("No method", "there is none in the URL either", "Give one: package.Service/Method"))
        return self._learnt.method(channel)

    # Pings

    def _poke(self, command: Poke) -> None:
        if len(command.payload) > PING_SIZE:
            cause = f"{len(command.payload)} bytes; RFC 9113 §6.7 has eight"
            self._refuse(command, usage("The ping is too long", cause))
            return
        data = command.payload.ljust(PING_SIZE, b"\0") if command.payload else os.urandom(PING_SIZE)
        self._link.emit([Sent(command.id, "", data, Kind.PING, {"type": "ping"})])
        self._group.create_task(self._pulse.answer(command.id, data), name="grpc ping")

    async def _keep_alive(self) -> None:
        why = await self._pulse.keep(self._options.keep_alive, self._options.keep_alive_timeout)
        if why is not None:
            self._finish(Closed(by="network", clean=False, fault=why))
            self._channel.cut()

    # The end, and misbehaviour on purpose

    def _finish(self, verdict: Closed) -> None:
        self._verdict = self._verdict or verdict
        self._news.set()

    def _break(self, command: Break) -> None:
        match command.what:
            case "drop":
                self._finish(dropped())
                self._channel.cut()
            case "stop-reading":
                self._channel.hold(command.on)
            case "delay-next" | "corrupt-next":
                self._next_send.arm(command)
            case _:
                cause = "HTTP/2 answers pings by itself, and calls are acknowledged by their status alone"
                self._refuse(command, usage(f"gRPC cannot do {command.what}", cause))
                return
        self._link.emit([told(command)])

    def _refuse(self, command: Command, why: Fault) -> None:
        channel = command.channel if isinstance(command, Send | Subscribe) else ""
        self._link.emit([Notice(text=why.sentence(), level="error", command=command.id, channel=channel, fault=why)])


def _offer(method: Method) -> Offer:
    return Offer(
        channel=method.channel,
        kind=method.kind,
        template=method.template,
        signature=method.signature,
        description="\n".join(filter(None, [method.description, *method.choices])),
    )


def _one_line(payload: bytes) -> bytes:
    """A request as the log has it: one row, whatever the editor's line breaks were."""
    try:
        return msgspec.json.format(payload, indent=-1) if b"\n" in payload else payload
    except msgspec.DecodeError:
        return payload
