"""Calls of all four kinds, several at once, and what goes with them, against a scripted server."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from h2.settings import SettingCodes

from rtui.core.command import Break, Cancel, HalfClose, Hangup, Poke, Send, Subscribe, Unsubscribe
from rtui.core.event import Acknowledged, Event, Measured, Offered, Received, Sent, Subscribed, Unsubscribed
from rtui.core.record import Kind
from rtui.protocols.grpc import Grpc, Options, Outgoing, Subscription
from tests.conformance.recorder import Recorder, Run
from tests.protocols.grpc_peer import GrpcPeer, Script, Served, framed, grpc_serving, note
from tests.waiting import eventually


async def echo(call: Served) -> None:
    call.head(("x-initial", "in"), ("set-bin", "AAEC"))
    async for message in call.requests():
        call.say(message)
    call.end(0, "", ("x-trailer", "out"))


async def count(call: Served) -> None:
    call.head()
    total = 0
    async for _ in call.requests():
        total += 1
    call.say(note(number=total))
    call.end()


async def tick(call: Served) -> None:
    call.head()
    for number in range(1, 4):
        call.say(note(number=number))
    await call.cancelled()


@asynccontextmanager
async def against(
    script: Script, path: str = "", settings: dict[SettingCodes | int, int] | None = None, **options: Any
) -> AsyncIterator[tuple[Run, GrpcPeer]]:
    async with grpc_serving(script, settings=settings) as peer:
        link = Recorder(peer.url("grpc", path), Options(**{"proxy": "", **options}))
        async with Run(Grpc(), link) as run:
            await run.opened()
            yield run, peer


def send(number: int, method: str, payload: bytes = b"{}", **outgoing: Any) -> Send:
    return Send(id=number, channel=f"t.Calls/{method}", payload=payload, outgoing=Outgoing(**outgoing))


async def test_what_the_server_has_is_told() -> None:
    async with against(echo) as (run, _):
        (offered,) = run.link.of(Offered)
        kinds = {offer.channel: offer.kind for offer in offered.channels}
        assert kinds == {
            "t.Calls/Unary": "unary",
            "t.Calls/Down": "server stream",
            "t.Calls/Up": "client stream",
            "t.Calls/Bidi": "bidi stream",
        }
        assert offered.channels[3].signature == "Bidi(stream Note) → stream Note"
        assert "number" in offered.channels[0].template
        details = run.link.details
        assert (details["schema"], details["services"], details["methods"]) == ("reflection v1", 1, 4)
        assert {"tcp", "handshake"} <= set(details["timings"])


async def test_a_unary_call_is_a_question_and_one_answer_with_its_status() -> None:
    async with against(echo) as (run, peer):
        run.ask(send(1, "Unary", b'{"text":"a"}', metadata={"X-Mine": "yes", "a-bin": "AQ=="}))
        await run.until(lambda: run.link.received)
        (sent,), (reply,) = run.link.of(Sent), run.link.received
        assert (sent.command, sent.channel, sent.payload) == (1, "t.Calls/Unary", b'{"text":"a"}')
        assert (reply.replies_to, reply.settles, reply.payload) == (1, True, b'{"text":"a"}')
        assert reply.meta
        assert (reply.meta["call"], reply.meta["status"], reply.meta["code"]) == (1, "OK", 0)
        assert reply.meta["metadata"]["x-initial"] == "in"
        assert reply.meta["trailers"] == {"x-trailer": "out"}
        headers = peer.calls[0].headers
        assert (headers["x-mine"], headers["a-bin"], headers["te"]) == ("yes", "AQ", "trailers")
        assert headers["user-agent"].startswith("rtui/")
        assert not run.link.of(Acknowledged)


async def test_an_empty_payload_is_an_empty_message() -> None:
    async with against(echo) as (run, _):
        run.ask(send(1, "Unary", b" "))
        await run.until(lambda: run.link.received)
        assert run.link.payloads == [b"{}"]


async def test_the_method_of_the_url_needs_not_be_named() -> None:
    async with against(echo, "/t.Calls/Unary") as (run, peer):
        await run.until(run.notices)
        (notice,) = run.notices()
        assert notice.fault is None
        assert "unary" in notice.text
        run.ask(Send(id=1, payload=b'{"text":"home"}'))
        await run.until(lambda: run.link.received)
        assert [call.path for call in peer.calls] == ["/t.Calls/Unary"]


async def test_a_client_stream_gathers_until_it_is_half_closed() -> None:
    async with against(count) as (run, peer):
        for number in (1, 2, 3):
            run.ask(send(number, "Up"))
        run.ask(HalfClose(id=4, channel="t.Calls/Up"))
        await run.until(lambda: run.link.received)
        assert run.link.payloads == [b'{"number":"3"}']
        assert len(peer.calls) == 1
        sent = run.link.of(Sent)
        assert [(one.command, one.continues) for one in sent] == [(1, 0), (2, 1), (3, 1), (4, 1)]
        assert sent[3].kind == Kind.NOTICE
        assert run.link.received[0].settles


async def test_the_last_message_can_half_close_and_the_next_one_begins_anew() -> None:
    async with against(count) as (run, peer):
        run.ask(send(1, "Up", end=True))
        run.ask(send(2, "Up"))
        run.ask(send(3, "Up", new_call=True, end=True))
        await run.until(lambda: len(run.link.received) == 2)
        assert len(peer.calls) == 3
        assert sorted(reply.replies_to or 0 for reply in run.link.received) == [1, 3]


async def test_a_bidi_stream_is_a_conversation() -> None:
    async with against(echo) as (run, _):
        for number in range(1, 4):
            run.ask(send(number, "Bidi", b'{"number":%d}' % number))
            await run.until(lambda: len(run.link.received) == number)  # noqa: B023 - waited for at once
        run.ask(HalfClose(id=9))
        await run.until(lambda: run.link.of(Acknowledged))
        (end,) = run.link.of(Acknowledged)
        assert end.command == 1
        assert end.meta
        assert (end.meta["status"], end.meta["trailers"]) == ("OK", {"x-trailer": "out"})
        first, second, third = run.link.received
        assert "metadata" in (first.meta or {})
        assert second.meta is third.meta


async def test_calls_run_side_by_side() -> None:
    gate = asyncio.Event()

    async def wait(call: Served) -> None:
        message = await call.asked()
        if call.path.endswith("Down"):
            await gate.wait()
        call.head()
        call.say(message)
        call.end()

    async with against(wait) as (run, _):
        run.ask(send(1, "Down", b'{"text":"slow"}'))
        run.ask(send(2, "Unary", b'{"text":"quick"}'))
        await run.until(lambda: run.link.received)
        gate.set()
        await run.until(lambda: run.link.of(Acknowledged))
        assert run.link.payloads == [b'{"text":"quick"}', b'{"text":"slow"}']
        assert [(reply.meta or {})["call"] for reply in run.link.received] == [2, 1]


async def test_the_newest_call_of_a_method_is_meant() -> None:
    async with against(echo) as (run, peer):
        run.ask(send(1, "Bidi"))
        run.ask(send(2, "Bidi", new_call=True))
        await run.until(lambda: len(run.link.received) == 2)
        run.ask(Cancel(id=3, channel="t.Calls/Bidi"))
        await run.until(run.notices)
        assert run.notices()[0].command == 2
        await eventually(lambda: peer.calls[1].reset_with == 8)
        run.ask(send(4, "Bidi"))
        await run.until(lambda: len(run.link.received) == 3)
        assert run.link.received[2].replies_to == 1


async def test_a_subscription_is_a_stream_that_is_asked_for() -> None:
    async with against(tick) as (run, peer):
        wanted = Subscription(data='{"text":"all"}', metadata={"x-room": "7"}, deadline=60)
        run.ask(Subscribe(id=1, channel="t.Calls/Down", subscription=wanted))
        await run.until(lambda: len(run.link.received) == 3)
        (subscribed,) = run.link.of(Subscribed)
        assert (subscribed.channel, subscribed.command) == ("t.Calls/Down", 1)
        assert run.link.of(Sent)[0].payload == b'{"text":"all"}'
        assert (peer.calls[0].headers["x-room"], peer.calls[0].headers["grpc-timeout"]) == ("7", "60000m")
        run.ask(Unsubscribe(id=2, channel="t.Calls/Down"))
        await run.until(lambda: run.link.of(Unsubscribed))
        await eventually(lambda: peer.calls[0].reset_with == 8)
        assert not run.notices()


async def test_a_new_wish_stands_in_for_the_old_one() -> None:
    async with against(tick) as (run, peer):
        run.ask(Subscribe(id=1, channel="t.Calls/Down"))
        await run.until(lambda: len(run.link.received) == 3)
        run.ask(Subscribe(id=2, channel="t.Calls/Down"))
        await run.until(lambda: len(run.link.received) == 6)
        await eventually(lambda: peer.calls[0].reset_with == 8)
        assert peer.calls[1].reset_with is None


async def test_a_stream_that_the_server_ends_is_over() -> None:
    async with against(echo) as (run, _):
        run.ask(Subscribe(id=1, channel="t.Calls/Down"))
        await run.until(lambda: run.link.of(Unsubscribed))
        assert run.link.of(Acknowledged)[0].command == 1


async def test_a_ping_is_timed() -> None:
    async with against(echo) as (run, _):
        run.ask(Poke(id=1, payload=b"12345678"))
        await run.until(lambda: run.link.of(Measured))
        pong = run.link.received[0]
        assert (pong.kind, pong.payload, pong.replies_to) == (Kind.PING, b"12345678", 1)


async def test_gzip_both_ways() -> None:
    async def squeeze(call: Served) -> None:
        call.head(("grpc-encoding", "gzip"))
        await eventually(lambda: call.ended)
        flag, message = call.body[0], call.body[5:]
        call.say(gzip.compress(gzip.decompress(message) if flag else message), 1)
        call.end(0, "", ("x-flag", str(flag)))

    async with against(squeeze, compression="gzip") as (run, peer):
        run.ask(send(1, "Unary", b'{"text":"squeezed"}'))
        run.ask(send(2, "Unary", b'{"text":"as it is"}', compression="identity"))
        await run.until(lambda: len(run.link.received) == 2)
        assert set(run.link.payloads) == {b'{"text":"squeezed"}', b'{"text":"as it is"}'}
        flags = {reply.replies_to: (reply.meta or {})["trailers"]["x-flag"] for reply in run.link.received}
        assert flags == {1: "1", 2: "0"}
        assert peer.calls[0].headers["grpc-encoding"] == "gzip"
        assert "gzip" in peer.calls[0].headers["grpc-accept-encoding"]


async def test_credentials_authority_and_deadline_of_the_connection() -> None:
    options: dict[str, Any] = {"token": "t0ken", "metadata": {"x-all": "1"}}
    options |= {"authority": "api.example.com", "deadline": 5.0}
    async with against(echo, **options) as (run, peer):
        run.ask(send(1, "Unary", metadata={"x-all": "2"}))
        await run.until(lambda: run.link.received)
        headers = peer.calls[0].headers
        assert (headers["authorization"], headers["x-all"]) == ("Bearer t0ken", "2")
        assert (headers[":authority"], headers["grpc-timeout"]) == ("api.example.com", "5000m")
        assert "t0ken" not in repr(run.link.events)


async def test_large_messages_wait_for_the_windows_of_both() -> None:
    async def pour(call: Served) -> None:
        call.head()
        await call.pour(framed(await call.asked()))
        call.end()

    async with against(pour) as (run, _):
        text = "x" * 3_000_000
        run.ask(send(1, "Bidi", b'{"text":"%s"}' % text.encode(), end=True))
        await run.until(lambda: run.link.of(Acknowledged))
        assert [len(payload) for payload in run.link.payloads] == [len(text) + 11]


class Slow(Recorder):
    """A link that takes nothing until it is told to."""

    def __init__(self, url: str, options: Any) -> None:
        super().__init__(url, options)
        self.gate = asyncio.Event()

    async def pour(self, events: Sequence[Event]) -> None:
        await self.gate.wait()
        await super().pour(events)


async def test_a_flood_waits_while_nobody_reads() -> None:
    """Nothing piles up here: the window shuts, and opens when the messages were taken."""
    poured = 0
    messages = [framed(note("x" * 1000, number)) for number in range(20_000)]

    async def flood(call: Served) -> None:
        nonlocal poured
        call.head()
        for message in messages:
            await call.pour(message)
            poured += len(message)
        call.end()

    async with grpc_serving(flood) as peer:
        link = Slow(peer.url(), Options(proxy=""))
        async with Run(Grpc(), link) as run:
            await run.opened()
            run.ask(send(1, "Down"))
            before = -1
            while before != poured or not poured:
                before = poured
                await asyncio.sleep(0.1)
            assert poured <= 3 * 1024**2
            run.ask(Poke(id=2))
            await run.until(lambda: link.of(Measured))  # others are not kept waiting
            link.gate.set()
            await run.until(lambda: link.of(Acknowledged))
            assert len(link.received) == 1 + len(messages)


async def test_padded_frames_are_counted_too() -> None:
    async def pad(call: Served) -> None:
        call.head()
        for number in range(2000):
            size = 1000 + 5
            while call.h2.local_flow_control_window(call.number) < size + 300:
                call.moved.clear()
                await call.moved.wait()
            call.say(note("x" * 990, number), pad_length=255)
            await call.client.writer.drain()
        call.end()

    async with against(pad) as (run, _):
        for number in (1, 2, 3):  # 3.8 MB each: more than the windows
            run.ask(send(number, "Down"))
        await run.until(lambda: len(run.link.of(Acknowledged)) == 3)
        assert len(run.link.received) == 6000


async def test_calls_wait_for_their_turn_where_the_server_takes_few() -> None:
    running, most = 0, 0

    async def slow(call: Served) -> None:
        nonlocal running, most
        message = await call.asked()
        running += 1
        most = max(most, running)
        await eventually(lambda: most > 1)
        await asyncio.sleep(0.01)
        running -= 1
        call.head()
        call.say(message)
        call.end()

    async with against(slow, settings={SettingCodes.MAX_CONCURRENT_STREAMS: 2}) as (run, _):
        assert run.link.details["max_streams"] == 2
        for number in range(1, 8):
            run.ask(send(number, "Unary", b'{"number":%d}' % number))
        await run.until(lambda: len(run.link.received) == 7)
    assert most == 2


async def test_a_goodbye_ends_the_calls_too() -> None:
    async with against(tick) as (run, peer):
        run.ask(Subscribe(id=1, channel="t.Calls/Down"))
        await run.until(lambda: len(run.link.received) == 3)
        run.ask(Hangup(id=2, reason="enough"))
        closed = await run.closed()
        assert (closed.by, closed.clean, closed.reason) == ("us", True, "enough")
        await peer.web.quiet()


async def test_misbehaviour_on_purpose() -> None:
    async with against(echo) as (run, _):
        run.ask(Break(id=1, what="corrupt-next"))
        run.ask(send(2, "Unary", b'{"text":"abc"}'))
        await run.until(lambda: run.link.received)
        assert run.link.payloads[0] != b'{"text":"abc"}'
        assert (run.link.of(Sent)[0].meta or {})["corrupted"] is True
        run.ask(Break(id=3, what="stop-reading"))
        run.ask(send(4, "Unary"))
        await run.until(lambda: len(run.link.of(Sent)) == 2)
        await asyncio.sleep(0.05)
        assert len(run.link.received) == 1
        run.ask(Break(id=5, what="stop-reading", on=False))
        await run.until(lambda: len(run.link.received) == 2)
        run.ask(Break(id=6, what="drop"))
        assert (await run.closed()).reason == "dropped on purpose"


@pytest.mark.parametrize("cut", [1, 7, 100, 10_000])
async def test_the_same_events_however_the_bytes_are_cut(cut: int) -> None:
    """Frames are taken out before h2: wherever a read ends, the rows are the same."""

    async def pieces(call: Served) -> None:
        await call.asked()
        written: list[bytes] = []
        call.client.write = written.append  # type: ignore[assignment, method-assign]
        call.head()
        call.say(note("one", 1))
        call.say(note("two" * 200), pad_length=3)
        call.h2.send_data(call.number, b"")
        call.raw(framed(note("three"))[:4])
        call.raw(framed(note("three"))[4:])
        call.end()
        data = b"".join(written)
        for start in range(0, len(data), cut):
            await call.client.send(data[start : start + cut])
            await asyncio.sleep(0)

    async with against(pieces) as (run, _):
        run.ask(send(1, "Down"))
        await run.until(lambda: run.link.of(Acknowledged))
        assert run.link.payloads == [
            b'{"text":"one","number":"1"}',
            b'{"text":"%s"}' % (b"two" * 200),
            b'{"text":"three"}',
        ]
        assert isinstance(run.link.received[0], Received)
