"""Calls of gRPC that fail: each ends in one clear sentence, and the connection goes on."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from rtui.core.command import Cancel, Send
from rtui.core.event import Acknowledged, Opened, Received
from rtui.protocols.grpc import Outgoing
from tests.protocols.grpc_attempt import against, asked, failed
from tests.protocols.grpc_peer import Served, framed, note
from tests.waiting import PATIENCE, eventually

# Calls that fail


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (5, "NOT_FOUND", "usage"),
        (7, "PERMISSION_DENIED", "auth"),
        (14, "UNAVAILABLE", "busy"),
        (99, "CODE_99", "protocol"),
    ],
)
async def test_a_status_is_told_in_words(code: int, status: str, kind: str) -> None:
    async def fail(call: Served) -> None:
        call.head(("x-initial", "yes"))
        call.end(code, "no%20such%20%C4%8D", ("x-trailer", "end"))

    notice = await asked(fail)
    assert notice.fault
    assert notice.fault.kind == kind
    assert f"{status}: no such č" in notice.text
    meta = notice.meta or {}
    assert (meta["status"], meta["code"], meta["message"]) == (status, code, "no such č")
    assert (meta["metadata"], meta["trailers"]) == ({"x-initial": "yes"}, {"x-trailer": "end"})


async def test_trailers_only() -> None:
    async def fail(call: Served) -> None:
        call.refuse(12, "unknown method", ("x-why", "none"))

    notice = await asked(fail)
    assert "UNIMPLEMENTED: unknown method" in notice.text
    assert (notice.meta or {})["trailers"] == {"x-why": "none"}


@pytest.mark.parametrize("status", ["", "x", "-1"])
async def test_an_end_without_a_status(status: str) -> None:
    async def fail(call: Served) -> None:
        call.head()
        if status:
            call.end(status)
        else:
            call.finish()

    notice = await asked(fail)
    assert (notice.meta or {})["status"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("code", "name", "status"),
    [
        (0, "NO_ERROR", "INTERNAL"),
        (2, "INTERNAL_ERROR", "INTERNAL"),
        (7, "REFUSED_STREAM", "UNAVAILABLE"),
        (8, "CANCEL", "CANCELLED"),
        (11, "ENHANCE_YOUR_CALM", "RESOURCE_EXHAUSTED"),
        (12, "INADEQUATE_SECURITY", "PERMISSION_DENIED"),
        (200, "0xc8", "UNKNOWN"),
    ],
)
async def test_a_reset_stream(code: int, name: str, status: str) -> None:
    async def reset(call: Served) -> None:
        call.head()
        call.reset(code)

    notice = await asked(reset, "Down")
    assert name in notice.text
    assert ((notice.meta or {})["status"], (notice.meta or {})["reset"]) == (status, name)


async def test_a_web_page_in_the_place_of_one_answer() -> None:
    async def page(call: Served) -> None:
        call.head(status=502, media_type="text/html")
        call.raw(b"bad gateway", end_stream=True)

    notice = await asked(page)
    assert notice.fault
    assert "HTTP 502" in notice.fault.cause
    assert (notice.meta or {})["status"] == "UNAVAILABLE"


async def test_a_deadline_is_told_to_the_server_and_kept_without_it() -> None:
    async def hang(call: Served) -> None:
        await call.cancelled()

    async with against(hang) as (run, peer):
        run.ask(Send(id=1, channel="t.Calls/Unary", payload=b"{}", outgoing=Outgoing(deadline=0.1)))
        notice = await failed(run)
        await eventually(lambda: peer.calls[0].reset_with == 8)
        assert peer.calls[0].headers["grpc-timeout"] == "100m"
    assert notice.fault
    assert (notice.fault.kind, notice.fault.side) == ("timeout", "us")
    assert (notice.meta or {})["status"] == "DEADLINE_EXCEEDED"


async def test_a_call_is_cancelled_in_the_middle() -> None:
    async def count(call: Served) -> None:
        call.head()
        call.say(note(number=1))
        await call.cancelled()

    async with against(count) as (run, peer):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        await run.until(lambda: run.link.received)
        run.ask(Cancel(id=2, channel="t.Calls/Down"))
        notice = await failed(run)
        await eventually(lambda: peer.calls[0].reset_with == 8)
        assert notice.fault
        assert (notice.fault.side, (notice.meta or {})["status"]) == ("us", "CANCELLED")
        run.ask(Cancel(id=3))
        assert (await failed(run, 3)).text == "No running call: there is nothing to cancel"


async def test_a_call_that_ends_while_we_still_send() -> None:
    async def enough(call: Served) -> None:
        await call.asked()
        call.head()
        call.say(note("enough"))
        call.end()

    async with against(enough) as (run, peer):
        run.ask(Send(id=1, channel="t.Calls/Up", payload=b"{}"))
        await run.until(lambda: run.link.received)
        assert run.link.received[0].settles
        await eventually(lambda: peer.calls[0].reset_with == 0)


async def test_one_reply_is_not_two_and_not_none() -> None:
    async def twice(call: Served) -> None:
        call.head()
        call.say(note("1"))
        call.say(note("2"))
        call.end()

    async def never(call: Served) -> None:
        call.head()
        call.end()

    assert "2 replies" in (await asked(twice)).text
    assert "without a reply" in (await asked(never)).text


# Messages


async def test_a_message_over_the_limit() -> None:
    async def large(call: Served) -> None:
        call.head()
        call.say(note("fits"))
        call.say(note("x" * 2000))
        await call.cancelled()

    async with against(large, max_message=1000) as (run, peer):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        notice = await failed(run)
        assert run.link.payloads == [b'{"text":"fits"}']
        await eventually(lambda: peer.calls[0].reset_with == 8)
    assert notice.fault
    assert (notice.fault.kind, notice.fault.hint) == ("limit", "Raise max_message to accept it")


async def test_a_compressed_message_that_grows_over_the_limit() -> None:
    async def bomb(call: Served) -> None:
        call.head(("grpc-encoding", "gzip"))
        call.say(gzip.compress(bytes(10_000_000)), 1)
        await call.cancelled()

    notice = await asked(bomb, "Down", max_message=1_000_000)
    assert notice.fault
    assert notice.fault.kind == "limit"
    assert "after decompression" in notice.fault.cause


@pytest.mark.parametrize(
    ("encoding", "flag", "body", "words"),
    [
        ("snappy", 1, b"x", "snappy"),
        ("", 1, b"x", "nothing that the server names"),
        ("gzip", 1, b"no gzip", "cannot be decompressed"),
        ("gzip", 1, gzip.compress(b"abc", mtime=0)[:-9], "ends too early"),
        ("gzip", 7, b"", "the flag 7"),
    ],
)
async def test_broken_compression(encoding: str, flag: int, body: bytes, words: str) -> None:
    async def squeeze(call: Served) -> None:
        call.head(*([("grpc-encoding", encoding)] if encoding else []))
        call.say(body, flag)
        await call.cancelled()

    notice = await asked(squeeze, "Down")
    assert notice.fault
    assert notice.fault.kind == "protocol"
    assert words in notice.text


async def test_a_message_that_is_none_of_its_type_is_shown_as_bytes() -> None:
    async def babble(call: Served) -> None:
        call.head()
        call.say(b"\xff\xff\xff")
        call.say(note("and on"))
        call.end()

    async with against(babble) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        await run.until(lambda: run.link.of(Acknowledged))
        assert len(run.link.received) == 2
        assert run.link.payloads[1] == b'{"text":"and on"}'


async def test_a_stream_that_ends_inside_a_message() -> None:
    async def cut(call: Served) -> None:
        call.head()
        call.raw(framed(note("half"))[:-2])
        call.end()

    async with against(cut) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        notice = await failed(run)
    assert notice.fault
    assert "inside a message" in notice.text


async def test_nothing_is_left_behind_by_calls_that_run() -> None:
    async def hang(call: Served) -> None:
        await call.cancelled()

    async with against(hang) as (run, peer):
        for number in range(1, 6):
            run.ask(Send(id=number, channel="t.Calls/Down", payload=b"{}", outgoing=Outgoing(deadline=60)))
        await eventually(lambda: len(peer.calls) == 5)
        run.task.cancel()
        await asyncio.wait([run.task], timeout=PATIENCE)
        assert run.task.cancelled()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("grpc")]
        await peer.web.quiet()
    assert run.link.of(Opened)
    assert not run.link.of(Received)
