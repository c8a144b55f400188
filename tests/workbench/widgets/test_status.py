from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from rtui.capture.channels import Channels
from rtui.core.event import Closed, Offer
from rtui.core.fault import Fault
from rtui.core.lifecycle import State
from rtui.protocols.base import Verb, Words
from rtui.workbench.widgets import status
from rtui.workbench.widgets.glyph import ASCII, UNICODE
from rtui.workbench.widgets.status import ConnectionHeader, StatusLine, fitted, header_pieces, named, status_pieces
from tests.workbench.widgets.fake import HOSTILE, Host, row


def counted(*names: str) -> Channels:
    channels = Channels("/")
    channels.tap([row(seq, channel=name) for seq, name in enumerate(names, 1)])
    return channels


def connection(**changed: Any) -> Any:
    values = {
        "state": State.OPEN,
        "age": 83.0,
        "retry_in": None,
        "attempt": 0,
        "fault": None,
        "closed": None,
        "stalled": "",
        "url": "ws://127.0.0.1:1/echo",
        "details": {},
        "rtt": 400_000,
        "adapter": SimpleNamespace(title="WebSocket", verbs=frozenset({Verb.SEND}), playback=None),
        "meter": SimpleNamespace(rate=1200.0, history=lambda: [1, 5, 3]),
        "link": SimpleNamespace(options=SimpleNamespace(insecure=False)),
        "faults": frozenset(),
        "channels": counted("message"),
        "offered": (),
        "waiting": 0,
    }
    return SimpleNamespace(**{**values, **changed})


def test_an_open_connection_in_a_line() -> None:
    texts = [text for _, text in header_pieces(connection(), UNICODE)]
    assert texts == ["● open 00:01:23", "ws://127.0.0.1:1/echo", "1.2k/s ▂█▅", "rtt 0.4 ms", "WebSocket"]


def test_an_address_gives_way_first_then_what_matters_least() -> None:
    url = "ws://127.0.0.1:18080/ticker?rate=5&seed=1"
    details = {"protocol": "13 (RFC 6455)", "compression": "permessage-deflate"}
    pieces = header_pieces(connection(url=url, details=details), UNICODE)

    def shown(cells: int) -> list[str]:
        return [text for _, text in fitted(pieces, cells)]

    whole = [text for _, text in pieces]
    assert shown(140) == whole
    shorter = shown(115)
    assert [shorter[0], *shorter[2:]] == [whole[0], *whole[2:]]
    assert len(shorter[1]) == len(url) - (len(" · ".join(whole)) - 115)
    at_80 = shown(79)
    assert [at_80[0], *at_80[2:]] == [whole[0], *whole[2:4]]
    assert at_80[1].endswith("/ticker?rate=5&seed=1")
    assert len(" · ".join(at_80)) == 79
    at_40 = shown(40)
    assert at_40[0] == whole[0]
    assert at_40[1].startswith("ws://")
    assert len(" · ".join(at_40)) == 40
    assert shown(16)[0] == whole[0]


@pytest.mark.parametrize("name", ["", "pump (2)"])
def test_a_figure_is_shown_whole_or_not_at_all(name: str) -> None:
    details = {"protocol": "13 (RFC 6455)", "tls": "TLS 1.3", "compression": "permessage-deflate"}
    one = connection(url="mqtt://127.0.0.1:18830/plant/porto/pump-2/telemetry", details=details)
    pieces = named(header_pieces(one, UNICODE), name)
    figures = {text for tone, text in pieces if tone != "address"}
    for cells in range(26, 160):
        shown = fitted(pieces, cells)
        assert {text for tone, text in shown if tone != "address"} <= figures | {"1.2k/s"}
        assert len(" · ".join(text for _, text in shown)) <= cells
    for cells in (59, 79):
        texts = [text for _, text in fitted(pieces, cells)]
        assert "1.2k/s ▂█▅" in texts
        assert "● open 00:01:23" in texts


def test_beside_another_tab_the_name_comes_first_and_the_address_when_there_is_room() -> None:
    pieces = named(header_pieces(connection(), UNICODE), "pump (2)")
    texts = [text for _, text in pieces]
    assert texts == ["pump (2)", "● open 00:01:23", "1.2k/s ▂█▅", "ws://127.0.0.1:1/echo", "rtt 0.4 ms", "WebSocket"]
    assert [text for _, text in fitted(pieces, 45)] == texts[:3]


def test_a_sentence_is_cut_where_it_still_says_something() -> None:
    fault = Fault(kind="refused", side="network", title="Connection refused by the peer", hint="Start the server.")
    pieces = header_pieces(connection(state=State.WAITING, attempt=2, retry_in=3.2, fault=fault), UNICODE)
    assert [text for _, text in fitted(pieces, 50)][1:] == ["Connection refused …"]
    assert [text for _, text in fitted(pieces, 36)][1:] == []


async def test_at_60_columns_the_rate_is_still_there() -> None:
    header = ConnectionHeader()
    async with Host(header).run_test(size=(60, 20)) as pilot:
        header.tick(connection(url="mqtt://127.0.0.1:18830/plant/porto/pump-2/telemetry"))
        await pilot.pause()
        text = header.render_line(0).text
        assert "1.2k/s" in text
        assert "telemetry" in text


def test_trouble_comes_first() -> None:
    fault = Fault(kind="refused", side="network", title="Connection refused", hint="Start the server.")
    waiting = connection(state=State.WAITING, attempt=2, retry_in=3.2, fault=fault)
    texts = [text for _, text in header_pieces(waiting, ASCII)]
    assert texts[:3] == ["@ waiting, attempt 3 in 3 s", "Connection refused", "Start the server."]
    insecure = connection(link=SimpleNamespace(options=SimpleNamespace(insecure=True)), stalled="no pong for 12 s")
    assert [style for style, _ in header_pieces(insecure, ASCII)][1:3] == ["error", "error"]


def test_messages_that_the_peer_does_not_read_are_counted() -> None:
    words = SimpleNamespace(peer="server")
    adapter = SimpleNamespace(title="WebSocket", verbs=frozenset({Verb.SEND}), words=words, playback=None)
    assert header_pieces(connection(waiting=1200, adapter=adapter), UNICODE)[1] == (
        "error",
        "1,200 messages unsent: the server does not read",
    )


def test_an_end_that_was_meant_is_no_error() -> None:
    done = connection(state=State.CLOSED, closed=Closed(by="them", clean=True, reason="[DONE]"))
    assert header_pieces(done, UNICODE)[:2] == [("dim", "○ closed"), ("text", "[DONE]")]
    lost = connection(state=State.CLOSED, fault=Fault(kind="lost", side="network", title="Connection lost"))
    assert header_pieces(lost, UNICODE)[0] == ("error", "✖ closed")


def test_ages_of_a_stream_come_last_and_what_has_not_come_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic_ns()
    monkeypatch.setattr(status, "time", SimpleNamespace(monotonic_ns=lambda: now))
    stream = {"first_byte_ms": 12.4, "first_event_ms": 352.0, "last_byte": now - 7_200_000_000}
    texts = [text for _, text in header_pieces(connection(rtt=None, details={"stream": stream}), UNICODE)]
    assert texts[-4:-1] == ["first byte after 12 ms", "first event after 352 ms", "last byte 7s ago"]
    polled = connection(details={"stream": {"first_byte_ms": 12.4, "last_byte": now}})
    assert [text for _, text in header_pieces(polled, UNICODE)][-2] == "last byte now"
    waiting = connection(details={"stream": {"last_byte": now - 10**9, "next_poll": now + 27_100_000_000}})
    assert [text for _, text in header_pieces(waiting, UNICODE)][1] == "next poll in 27 s"
    often = connection(details={"stream": {"last_byte": now, "next_poll": now + 2_000_000_000}})
    assert not any("next poll" in text for _, text in header_pieces(often, UNICODE))
    silent = connection(adapter=SimpleNamespace(title="SSE", verbs=frozenset(), playback=None), channels=counted())
    assert [text for _, text in header_pieces(silent, UNICODE)][1] == "nothing came yet"


def test_a_full_disk_is_said() -> None:
    journal = SimpleNamespace(stored=1234, backlog=7, lagging=True, trouble="disk is full: 12 messages not stored")
    texts = [text for _, text in status_pieces(journal)]
    assert texts[0] == "disk is full: 12 messages not stored"
    assert "7" in texts[1]
    assert texts[-1] == "1,234 rows recorded"


async def test_lines_are_clean_and_fit() -> None:
    header = ConnectionHeader()
    hostile = connection(url=HOSTILE, stalled=HOSTILE, details={"protocol": HOSTILE})
    async with Host(header).run_test(size=(60, 20)) as pilot:
        header.tick(hostile)
        await pilot.pause()
        strip = header.render_line(0)
        assert strip.text.isprintable()
        assert strip.cell_length == 60


async def test_the_status_line_reports_its_journal() -> None:
    line = StatusLine()
    async with Host(line).run_test(size=(60, 20)) as pilot:
        line.tick(SimpleNamespace(stored=5, backlog=0, lagging=False, trouble=""))
        await pilot.pause()
        assert "5 rows recorded" in line.render_line(0).text


def test_what_is_offered_is_counted_until_it_is_used_and_open_calls_while_they_last() -> None:
    words = Words(channel="method", channels="methods", separator="/")
    adapter = SimpleNamespace(title="gRPC", verbs=frozenset({Verb.SEND}), words=words, playback=None)
    offered = tuple(Offer(channel=f"a.B/{name}", kind="unary") for name in "CD")
    fresh = connection(adapter=adapter, offered=offered, channels=counted())
    assert header_pieces(fresh, UNICODE)[1] == ("notice", "2 methods, none used yet")
    used = {"adapter": adapter, "offered": offered}
    calling = connection(**used, details={"stream": {"calls": 2, "writable": 1}})
    assert header_pieces(calling, UNICODE)[1] == ("in", "2 calls open")
    assert header_pieces(connection(**used), UNICODE)[1][1].startswith("ws://")
