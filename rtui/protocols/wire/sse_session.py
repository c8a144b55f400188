"""One event stream: asked for, judged, read into the link, watched, and what its end means for the next attempt."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

import msgspec

from rtui.core.command import Break, Cancel, Command, HalfClose, Hangup, Poke, Send, Subscribe, Unsubscribe
from rtui.core.event import Closed, Event, Notice, Opened, Progressed, Received, Stalled
from rtui.core.fault import Failure, Fault
from rtui.core.record import Kind
from rtui.protocols.base import Link
from rtui.protocols.sse import Options
from rtui.protocols.wire import web_request
from rtui.protocols.wire.lean_httpx import httpx
from rtui.protocols.wire.reach_fault import Unopened, fault, usage
from rtui.protocols.wire.sabotage import dropped, told
from rtui.protocols.wire.sse_decoder import Decoder
from rtui.protocols.wire.sse_numbering import Numbering
from rtui.protocols.wire.web import Exchange, Web
from rtui.protocols.wire.web_fault import refused

MEDIA_TYPE: Final = "text/event-stream"
DONE: Final = b"[DONE]"
"""The last event of the streams of AI servers: what they were asked for is told."""
STEP: Final = 1.0
"""Seconds between two looks at how the stream is doing."""


async def converse(link: Link) -> Closed | None:
    """The whole of one attempt; see `Adapter.run`."""
    options: Options = link.options
    last_id = str(link.memory.get("last_event_id", options.last_event_id))
    repeatable = web_request.method(options.method, options.data.encode(errors="surrogateescape") or None) == "GET"
    web = Web(options, link.url, greeting="HTTP request")
    try:
        async with asked(web, last_id) as answer:
            if answer.status == HTTPStatus.NO_CONTENT:
                reason = "No Content: the server wants no more connects"
                return Closed(by="them", clean=True, code=answer.status, reason=reason)
            await check(answer)
            return await Session(link, web, answer, last_id, repeatable).run()
    except Failure as error:
        error.fault = _coming_back(error.fault, link.memory, sent=web.trip.at == "handshake", repeatable=repeatable)
        raise
    finally:
        await web.close()


@contextlib.asynccontextmanager
async def asked(web: Web, last_id: str) -> AsyncIterator[Exchange]:
    """The answer to the request, which httpx-sse makes. Only our decoder reads it.

    Raises:
        Failure: there is none; see `Web.open`.
    """
    from httpx_sse import aconnect_sse  # after ours, which is lean

    # Surrounding blanks are no part of a header's value (RFC 9110 §5.5).
    headers = {"Last-Event-ID": trimmed} if (trimmed := last_id.strip(" \t")) else {}
    client = cast("httpx.AsyncClient", _Client(web))
    async with aconnect_sse(client, "", web.url, headers=headers) as source:
        yield source.response.extensions["exchange"]


class _Client:
    """What httpx-sse uses of a client, done by ours."""

    def __init__(self, web: Web) -> None:
        self._web = web

    @contextlib.asynccontextmanager
    async def stream(self, _method: str, _url: str, *, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """Method and URL are the web's."""
        answer = await self._web.open(headers=headers)
        try:
            yield httpx.Response(answer.status, extensions={"exchange": answer})
        finally:
            await answer.close()


async def check(answer: Exchange) -> None:
    """Status and media type as WHATWG HTML §9.2.2 wants them, whatever the parameters of the type.

    Raises:
        Unopened: this is no event stream.
    """
    if (answer.status, answer.media_type) == (HTTPStatus.OK, MEDIA_TYPE):
        return
    why = refused(answer, await answer.beginning(), "streaming")
    if answer.status == HTTPStatus.OK:
        cause = f"{answer.trip.peer.place} answered with {answer.media_type or 'no Content-Type'}, not {MEDIA_TYPE}"
        hint = 'Check the path; AI servers want "stream": true in the body; for plain answers use poll+http://'
        why = msgspec.structs.replace(why, title="Not an event stream", cause=cause, hint=hint)
    raise Unopened(why)


def _coming_back(why: Fault, memory: Mapping[str, Any], *, sent: bool, repeatable: bool) -> Fault:
    """A fault with the server's wish for the next attempt, and whether there may be one.

    RFC 9110 §9.2.2: a request that is not idempotent, and may have been done, is not repeated automatically.
    """
    wait = why.retry_after if why.retry_after is not None else memory.get("retry")
    undone = why.kind in {"busy", "auth"}
    return msgspec.structs.replace(why, retry_after=wait, final=sent and not repeatable and not undone)


class Session:
    """What runs while the stream is open."""

    def __init__(self, link: Link, web: Web, answer: Exchange, last_id: str, repeatable: bool) -> None:
        options: Options = link.options
        self._link = link
        self._web = web
        self._answer = answer
        self._options = options
        self._repeatable = repeatable
        self._last_id = last_id
        self._decoder = Decoder(
            last_id=last_id, max_line=options.max_line, max_size=options.max_size, verbose=options.log_comments
        )
        self._numbering: Numbering = link.memory.setdefault("numbering", Numbering())
        link.memory.setdefault("retry", options.reconnection_time)
        self._began = self._heard = time.monotonic_ns()
        self._ages: dict[str, Any] = {}
        self._verdict: Closed | None = None
        self._done = False
        self._deaf = False

    async def run(self) -> Closed:
        """Read to the end, with the commands and the watch beside it.

        Raises:
            Failure: it was not the end that HTTP promised, or a limit was passed.
        """
        self._link.emit([Opened(details=self._details())])
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._obey(), name="sse commands"),
                group.create_task(self._watch(), name="sse watch"),
            ]
            error = await self._read()
            for helper in helpers:
                helper.cancel()
        if self._verdict is not None:
            return self._verdict
        self._tell_unfinished()
        if error is not None:
            raise error
        return self._ending()

    def _details(self) -> dict[str, Any]:
        answer = self._answer
        more = {"compression": answer.header("content-encoding"), "last_event_id": self._last_id}
        return {
            **answer.details(),
            "protocol": f"SSE over {answer.version}",
            **{key: value for key, value in more.items() if value},
        }

    # Reading

    async def _read(self) -> Failure | None:
        """Until nothing more comes; why it ended badly, as a value: a task group would wrap what is raised."""
        try:
            async with contextlib.aclosing(self._answer.pieces()) as pieces:
                async for piece in pieces:
                    await self._take(piece)
        except Failure as error:
            return error
        return None

    async def _take(self, piece: bytes) -> None:
        decoder, memory = self._decoder, self._link.memory
        self._heard = time.monotonic_ns()
        events = decoder.feed(piece)
        if decoder.retry is not None:
            memory["retry"] = decoder.retry / 1000
        if len(self._ages) < 2:  # noqa: PLR2004 - first byte, first event
            self._time_first(events)
        memory["last_event_id"] = decoder.last_id
        if events:
            self._done = _is_done(events, self._done)
            await self._link.pour(self._numbering.marked(events))
        if decoder.fault is not None:
            raise Failure(decoder.fault)

    def _time_first(self, events: Sequence[Event]) -> None:
        waited = round(self._answer.first_byte_ms + (self._heard - self._began) / 1e6, 3)
        self._ages.setdefault("first_byte_ms", waited)
        if any(isinstance(event, Received) and event.kind is Kind.MESSAGE for event in events):
            self._ages["first_event_ms"] = waited
            self._tell_ages()

    # The end

    def _tell_unfinished(self) -> None:
        if self._decoder.fault is None and (dropped_bytes := self._decoder.unfinished):
            text = f"the stream ended inside an event: {dropped_bytes:,} bytes of it are dropped (WHATWG HTML §9.2.6)"
            self._link.emit([Notice(text=text, level="warning")])

    def _ending(self) -> Closed:
        """The stream ended in peace."""
        if self._done or not self._repeatable:
            reason = DONE.decode() if self._done else "the stream is complete"
            return Closed(by="them", clean=True, reason=reason)
        wait = self._link.memory["retry"]
        cause = "" if self._decoder.retry is None else f"the server asks to connect again after {wait:g} s"
        why = msgspec.structs.replace(fault("closed", "them", "The stream ended", cause), retry_after=wait)
        return Closed(by="them", clean=True, fault=why)

    # How it is doing

    async def _watch(self) -> None:
        patience, told_at, late = self._options.stall_after, self._heard, False
        while True:
            await asyncio.sleep(min(STEP, patience or STEP))
            if self._heard != told_at:
                told_at = self._heard
                self._tell_ages()
                if late:
                    late = False
                    self._link.emit([Stalled("")])
            quiet = (time.monotonic_ns() - self._heard) / 1e9
            if patience and quiet >= patience and not self._deaf:
                late = True
                self._link.emit([Stalled(f"nothing for {quiet:.0f} s")])

    def _tell_ages(self) -> None:
        self._link.emit([Progressed({**self._ages, "last_byte": self._heard})])

    # Commands

    async def _obey(self) -> None:
        async for command in self._link.commands:
            match command:
                case Hangup():
                    self._verdict = Closed(by="us", clean=True)
                    await self._web.close()
                case Break():
                    self._break(command)
                case Send() | Poke():
                    self._refuse(command, "Event streams only come", "there is no way to the server in them")
                case Subscribe() | Unsubscribe():
                    self._refuse(command, "SSE has no subscriptions", "the URL says what comes")
                case HalfClose() | Cancel():
                    self._refuse(command, "SSE has no calls", "the stream is all there is: close the connection")

    def _break(self, command: Break) -> None:
        match command.what:
            case "drop":
                self._verdict = dropped()
                self._web.cut()
            case "stop-reading":
                self._deaf = command.on
                self._web.hold(command.on)
            case _:
                self._refuse(command, f"SSE cannot do {command.what}", "nothing is sent in an event stream")
                return
        self._link.emit([told(command)])

    def _refuse(self, command: Command, title: str, cause: str) -> None:
        why = usage(title, cause)
        self._link.emit([Notice(text=why.sentence(), level="error", command=command.id, fault=why)])


def _is_done(events: Sequence[Event], before: bool) -> bool:
    """Whether the last message so far says that there is no more to tell."""
    for event in reversed(events):
        if isinstance(event, Received) and event.kind is Kind.MESSAGE:
            return event.payload == DONE
    return before
