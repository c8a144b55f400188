"""What a poll asks for, and what becomes of the answers."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from rtui.core.command import Break, Hangup, Poke, Send
from rtui.core.event import Acknowledged, Measured, Notice, Opened, Progressed, Received, Sent, Stalled
from rtui.core.fault import Failure
from rtui.core.record import Kind
from rtui.protocols.polling import LongPolling, Polling
from rtui.protocols.wire import poll_schedule
from tests.conformance.recorder import Recorder, Run
from tests.protocols.http2_peer import Stream, serving2
from tests.protocols.http_peer import Client, Peer, Script, repeating, serving, whole
from tests.waiting import PATIENCE

TICK = 0.03
"""Seconds between the polls of a test."""
DATE = "Sat, 21 Nov 2026 07:00:00 GMT"


def polling(peer: Peer, path: str = "/", memory: dict[str, Any] | None = None, **options: Any) -> Run:
    made = Polling.Options(**{"proxy": "", "every": TICK, **options})
    return Run(Polling(), Recorder(peer.url("poll+http", path), made, memory))


def longpoll(peer: Peer, path: str = "/", memory: dict[str, Any] | None = None, **options: Any) -> Run:
    made = LongPolling.Options(**{"proxy": "", **options})
    return Run(LongPolling(), Recorder(peer.url("longpoll+http", path), made, memory))


def notices(run: Run) -> list[str]:
    """But for `skips`: a busy machine is late."""
    return [notice.text for notice in run.notices() if " skipped: " not in notice.text]


def skips(run: Run) -> list[str]:
    return [notice.text for notice in run.notices() if " skipped: " in notice.text]


def channels(run: Run) -> list[str]:
    return [event.channel for event in run.link.received]


def counting(*, slow: float = 0.0, **answer: Any) -> Script:
    """Each request gets the number of its turn."""

    async def script(client: Client) -> None:
        while True:
            await client.asked()
            client.answer(b'{"n":%d}' % len(client.peer.requests), **answer)

    return script


# Rows


async def test_each_answer_is_a_message_with_status_time_and_size() -> None:
    body = b'{"a": 1.50, "text": "caf\xe9"}'
    answer = whole(
        gzip.compress(body), "Content-Type: application/json", "Content-Encoding: gzip", "Set-Cookie: sid=s3"
    )
    async with serving(repeating(answer)) as peer, polling(peer, "/news?x=1&token=secret&y") as run:
        await run.until(lambda: len(run.link.received) >= 3)
        first = run.link.received[0]
        assert (first.channel, first.payload, first.kind) == ("/news?x=1&y 200", body, Kind.MESSAGE)
        assert first.meta
        assert first.meta["status"] == 200
        assert first.meta["content_type"] == "application/json"
        assert first.meta["bytes"] == len(gzip.compress(body))
        assert first.meta["latency_ms"] > 0
        assert first.meta["headers"]["Set-Cookie"] == "sid=•••"
        assert "held_ms" not in first.meta
        assert len(run.link.of(Measured)) >= 3
        told = [one.details for one in run.link.of(Progressed)]
        assert told[0]["last_byte"] <= told[1]["next_poll"]
        assert run.link.details["protocol"] == "polling over HTTP/1.1"
        assert peer.connections == 1, "the connection is kept between requests"


async def test_over_http_2_one_connection_serves_every_request() -> None:
    async def script(stream: Stream) -> None:
        stream.head(200, "text/plain", ("etag", '"1"'))
        await stream.send(b"%d" % stream.number, last=True)

    async with serving2(script) as peer, polling(peer, "/h2", http="2") as run:
        await run.until(lambda: len(run.link.received) >= 3)
        assert run.link.payloads[:3] == [b"1", b"3", b"5"]
        assert peer.connections == 1
        assert peer.requests[1].headers["if-none-match"] == '"1"'
        assert run.link.details["protocol"] == "polling over HTTP/2"


async def test_what_is_asked_for_is_what_the_options_say(tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text('{"q":1}')
    options: dict[str, Any] = {
        "query": {"b": "2 3"},
        "headers": {"X-A": "1"},
        "cookies": {"sid": "s"},
        "token": "t0ken",
    }
    async with serving(counting()) as peer, polling(peer, "/?a=1", data=f"@{file}", **options) as run:
        await run.until(lambda: run.link.received)
        file.write_text('{"q":2}')
        await run.until(lambda: peer.requests[-1].body == b'{"q":2}')
        asked = peer.requests[0]
        assert (asked.method, asked.target, asked.body) == ("POST", "/?a=1&b=2%203", b'{"q":1}')
        assert asked.headers["x-a"] == "1"
        assert asked.headers["cookie"] == "sid=s"
        assert asked.headers["content-type"] == "application/json"
        assert asked.headers["authorization"] == "Bearer t0ken"
        assert channels(run)[0] == "/?a=1&b=2%203 200"


async def test_validators_go_back_and_304_is_a_row() -> None:
    answers = (whole(b"one", 'ETag: W/"1"', f"Last-Modified: {DATE}"), whole(status=304, reason="Not Modified"))
    async with serving(repeating(*answers)) as peer, polling(peer, "/a") as run:
        await run.until(lambda: len(run.link.received) >= 3)
        assert channels(run)[:3] == ["/a 200", "/a 304", "/a 304"]
        assert run.link.payloads[:3] == [b"one", b"", b""]
        assert "if-none-match" not in peer.requests[0].headers
        for asked in peer.requests[1:3]:
            assert asked.headers["if-none-match"] == 'W/"1"'
            assert asked.headers["if-modified-since"] == DATE


async def test_only_changes_leaves_out_what_is_the_same_even_after_a_reconnect() -> None:
    memory: dict[str, Any] = {}
    answers = (whole(b"one"), whole(b"one"), whole(status=304), whole(b"two"))
    async with serving(repeating(*answers)) as peer:
        async with polling(peer, memory=memory, only_changes=True) as run:
            await run.until(lambda: len(peer.requests) >= 6 and len(run.link.of(Measured)) >= 6)
            assert run.link.payloads == [b"one", b"two"]
        async with polling(peer, memory=memory, only_changes=True) as run:
            await run.until(lambda: len(run.link.of(Measured)) >= 2)
            assert run.link.payloads == []


async def test_an_answer_that_became_empty_is_a_change() -> None:
    async with serving(repeating(whole(b"one"), whole(status=204))) as peer, polling(peer, only_changes=True) as run:
        await run.until(lambda: len(run.link.received) == 2)
        assert channels(run) == ["/ 200", "/ 204"]


# Items


async def test_items_are_messages_and_only_new_ones_are_shown() -> None:
    memory: dict[str, Any] = {}
    answers = (whole(b'{"d":[{"id":1.0},{"id":2}]}'), whole(b'{"d":[{"id":2},{"id":"x"}]}'))
    options = {"items": ".d", "item_key": ".id"}
    async with serving(repeating(*answers)) as peer:
        async with polling(peer, "/items", memory, **options) as run:
            await run.until(lambda: len(peer.requests) > 3)
            assert run.link.payloads == [b'{"id":1.0}', b'{"id":2}', b'{"id":"x"}']
            assert set(channels(run)) == {"/items 200"}
            metas = [event.meta or {} for event in run.link.received]
            assert [(meta["item"], meta["key"], meta["status"]) for meta in metas] == [
                (0, "1.0", 200), (1, "2", 200), (1, '"x"', 200),
            ]  # fmt: skip
        async with polling(peer, "/items", memory, **options) as run:
            await run.until(lambda: len(run.link.of(Measured)) >= 2)
            assert run.link.payloads == []


async def test_a_path_that_finds_nothing_shows_the_whole_answer_and_says_so_once() -> None:
    answers = (whole(b'{"x":1}'), whole(b'{"x":2}'), whole(b'{"d":[3]}'), whole(b"<html>"))
    async with serving(repeating(*answers)) as peer, polling(peer, items=".d") as run:
        await run.until(lambda: len(run.link.received) >= 5)
        assert run.link.payloads[:5] == [b'{"x":1}', b'{"x":2}', b"3", b"<html>", b"<html>"]
        assert notices(run) == [
            "no list at .d; it is shown whole",
            "the answer is not JSON: no list at .d; it is shown whole",
        ]


async def test_items_without_the_key_are_told_once() -> None:
    async with serving(repeating(whole(b'[{"id":1},{}]'))) as peer, polling(peer, items=".", item_key=".id") as run:
        await run.until(lambda: len(run.link.received) >= 4)
        assert run.link.payloads[:4] == [b'{"id":1}', b"{}", b"{}", b"{}"]
        assert notices(run) == ["1 item without .id"]


@pytest.mark.parametrize(
    "wrong", [{"items": "d"}, {"item_key": "["}, {"cursor": "next"}, {"cursor": ".n", "cursor_to": "q"}]
)
async def test_an_option_that_cannot_be_used_is_told_before_anything_is_asked(wrong: dict[str, Any]) -> None:
    async with serving(counting()) as peer, polling(peer, **{"items": ".", **wrong}) as run:
        error = await run.error()
        assert isinstance(error, Failure)
        assert error.fault.kind == "usage"
        assert not peer.requests


# The cursor


async def test_the_cursor_of_an_answer_goes_into_the_next_request() -> None:
    async def script(client: Client) -> None:
        while True:
            await client.asked()
            client.answer(json.dumps({"next": f"é {len(client.peer.requests)}"}).encode())

    memory: dict[str, Any] = {}
    options = {"cursor": ".next", "cursor_to": "query:after"}
    async with serving(script) as peer:
        async with polling(peer, "/q?a=1", memory, **options) as run:
            await run.until(lambda: len(run.link.received) >= 2)
            assert [asked.target for asked in peer.requests[:2]] == ["/q?a=1", "/q?a=1&after=%C3%A9%201"]
            assert set(channels(run)) == {"/q?a=1 200"}
        asked = len(peer.requests)
        async with polling(peer, "/q?a=1", memory, **options) as run:
            await run.until(lambda: run.link.received)
            assert peer.requests[asked].target == f"/q?a=1&after=%C3%A9%20{asked}"


async def test_a_cursor_in_header_and_body() -> None:
    for place in ("header:X-After", "body:.page.after"):
        async with serving(counting()) as peer:
            async with polling(peer, cursor=".n", cursor_to=place, data='{"size": 1.50}', method="put") as run:
                await run.until(lambda: len(run.link.received) >= 2)
            first, second = peer.requests[:2]
            assert (first.method, first.body) == ("PUT", b'{"size": 1.50}')
            if place.startswith("header"):
                assert second.headers["x-after"] == "1"
            else:
                assert second.body == b'{"size":1.50,"page":{"after":1}}'


async def test_a_cursor_that_vanishes_is_kept_and_told_once() -> None:
    answers = (whole(b'{"n":1}'), whole(b'{"n":null}'), whole(b"oops"), whole(b"{}"), whole(b'{"n":2}'))
    async with serving(repeating(*answers)) as peer, polling(peer, cursor=".n", cursor_to="query:c") as run:
        await run.until(lambda: len(peer.requests) >= 7)
        assert [asked.target for asked in peer.requests[:7]] == ["/", *["/?c=1"] * 4, *["/?c=2"] * 2]
        assert notices(run) == ["no cursor at .n; the last one is kept"]


# Asked for by hand


async def test_poll_now_asks_at_once_and_is_answered() -> None:
    async with serving(counting()) as peer, polling(peer, "/a", every=3600.0) as run:
        await run.until(lambda: run.link.received)
        run.ask(Poke(id=7))
        await run.until(lambda: len(run.link.received) == 2)
        (sent,) = run.link.of(Sent)
        assert (sent.command, sent.channel, sent.kind) == (7, "/a", Kind.PING)
        assert [event.replies_to for event in run.link.received] == [None, 7]


async def test_poll_now_is_told_that_nothing_changed() -> None:
    async with serving(repeating(whole(b"same"))) as peer, polling(peer, "/a", every=3600.0, only_changes=True) as run:
        await run.until(lambda: run.link.received)
        run.ask(Poke(id=7))
        await run.until(lambda: run.link.of(Acknowledged))
        assert run.link.of(Acknowledged) == [Acknowledged(7, "/a 200", b"", {"status": 200, "unchanged": True})]


async def test_there_are_never_two_requests_at_once() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        await client.gone()

    async with serving(script) as peer, polling(peer) as run:
        await run.until(lambda: peer.requests)
        run.ask(Poke(id=7))
        await run.until(run.notices)
        (notice,) = run.notices()
        assert (notice.command, notice.fault and notice.fault.kind) == (7, "usage")
        assert len(peer.requests) == 1


async def test_what_polling_lacks_is_refused_and_the_polls_go_on() -> None:
    async with serving(counting()) as peer, polling(peer) as run:
        await run.opened()
        run.ask(Send(id=1, payload=b"x"))
        run.ask(Break(id=2, what="hold-acks"))
        await run.until(lambda: [notice.command for notice in run.notices() if notice.command] == [1, 2])
        assert {notice.fault.kind for notice in run.notices() if notice.fault} == {"usage"}
        before = len(run.link.received)
        await run.until(lambda: len(run.link.received) > before)


async def test_hang_up_ends_it_clean_and_drop_does_not() -> None:
    async with serving(counting()) as peer:
        async with polling(peer, every=3600.0) as run:
            await run.opened()
            run.ask(Hangup(id=1, reason="enough"))
            closed = await run.closed()
            assert (closed.by, closed.clean, closed.reason, closed.fault) == ("us", True, "enough", None)
        async with polling(peer, every=3600.0) as run:
            await run.opened()
            run.ask(Break(id=1, what="drop"))
            closed = await run.closed()
            assert (closed.by, closed.clean) == ("us", False)
            assert closed.fault
            assert closed.fault.kind == "lost"
        await peer.quiet()


async def test_who_stops_reading_gets_no_answer_until_he_reads_again() -> None:
    async with serving(counting()) as peer, polling(peer) as run:
        await run.until(lambda: run.link.received)
        run.ask(Break(id=1, what="stop-reading"))
        await run.until(lambda: run.link.of(Stalled))
        before = len(run.link.received)
        run.ask(Break(id=2, what="stop-reading", on=False))
        await run.until(lambda: len(run.link.received) > before)
        assert run.link.of(Stalled)[0].text.startswith("no answer for ")


# Long polling


def holding(*answers: bytes) -> Script:
    """Gives its answers one by one, at once; then it holds every request."""

    async def script(client: Client) -> None:
        while True:
            await client.asked()
            if len(client.peer.requests) > len(answers):
                await client.gone()
                return
            client.write(answers[len(client.peer.requests) - 1])

    return script


async def test_the_next_request_comes_at_once_with_the_cursor() -> None:
    answers = [whole(b'{"c":%d,"d":[{"v":%d}]}' % (n, n)) for n in range(1, 6)]
    options: dict[str, Any] = {"items": ".d", "cursor": ".c", "cursor_to": "query:since"}
    began = time.monotonic()
    async with serving(holding(*answers)) as peer, longpoll(peer, "/queue", **options) as run:
        await run.until(lambda: len(peer.requests) == 6)
        assert time.monotonic() - began < 10.0
        assert run.link.payloads == [b'{"v":%d}' % n for n in range(1, 6)]
        assert [asked.target for asked in peer.requests] == ["/queue", *[f"/queue?since={n}" for n in range(1, 6)]]
        assert set(channels(run)) == {"/queue 200"}
        assert all("held_ms" in (event.meta or {}) for event in run.link.received)
        assert not run.notices()
        assert run.link.details["protocol"] == "long polling over HTTP/1.1"
        told = run.link.of(Progressed)
        assert told, "when it answered last stands above the log"
        assert not any("first_byte_ms" in one.details for one in told), "of the answer before, it would mislead"


async def test_a_server_that_holds_is_open_before_it_answers() -> None:
    async with serving(holding()) as peer, longpoll(peer) as run:
        await run.opened()
        assert not run.link.received
        assert run.link.details["remote"] == f"127.0.0.1:{peer.port}"
        assert set(run.link.details["timings"]) >= {"dns", "tcp"}
        assert not run.link.of(Stalled), "to be held is what was asked for"


@pytest.fixture
def never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer comes at once, though the machine may hold it up."""
    monkeypatch.setattr(poll_schedule, "QUICK", PATIENCE)


@pytest.mark.usefixtures("never_held")
async def test_empty_answers_that_come_at_once_slow_it_down_and_are_told_once() -> None:
    async with serving(repeating(whole(status=204))) as peer, longpoll(peer, only_changes=True) as run:
        began = time.monotonic()
        await run.until(lambda: len(peer.requests) >= 4)
        assert time.monotonic() - began > 0.1 + 0.2 + 0.4 - 0.05
        assert notices(run) == ["the server answers at once and with nothing new: it is asked more slowly"]
        assert not run.link.received


@pytest.mark.usefixtures("never_held")
async def test_an_ordinary_page_is_not_hammered() -> None:
    async with serving(repeating(whole(b"always the same"))) as peer, longpoll(peer) as run:
        await run.until(run.notices)
        before = len(peer.requests)
        began = time.monotonic()
        await run.until(lambda: len(peer.requests) >= before + 2)
        assert time.monotonic() - began > 0.2


async def test_a_hold_that_takes_too_long_is_asked_anew() -> None:
    async with serving(holding()) as peer, longpoll(peer, hold=0.2) as run:
        await run.until(lambda: len(peer.requests) >= 3)
        assert run.link.of(Opened)
        assert notices(run)[0] == "no answer for 0.2 s: asked anew"


async def test_a_least_time_between_two_requests() -> None:
    async with serving(counting()) as peer, longpoll(peer, every=0.15) as run:
        began = time.monotonic()
        await run.until(lambda: len(peer.requests) >= 4)
        assert time.monotonic() - began > 0.4
        assert [notice for notice in run.link.events if isinstance(notice, Notice)] == []
        assert isinstance(run.link.events[0], Opened)
        assert isinstance(run.link.events[-1], Received | Progressed)
