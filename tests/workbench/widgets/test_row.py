"""One record as one line."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.clean import cell_width, clean
from rtui.core.record import Kind
from rtui.protocols.wire.websocket_session import BINARY_META
from rtui.workbench.widgets.ellipsis import elided
from rtui.workbench.widgets.need import Need
from rtui.workbench.widgets.row import LEAST_BODY, MAX_CHANNEL, TIGHT, Context, badges, layout, pieces
from tests.workbench.widgets.fake import row

TOPIC = "factory/site-1/building-02/line-1/machine-00012/pressure"
CONTEXT = Context(columns=layout(80, channel=60, source=0))


def line(*, kind: int = Kind.MESSAGE, channel: str = "", payload: bytes = b"21.5") -> str:
    return "".join(text for _, text in pieces(row(1, payload, kind=kind, channel=channel), CONTEXT))


def test_a_long_topic_keeps_its_end_where_topics_differ() -> None:
    shown = line(channel=TOPIC)
    assert "factory/…hine-00012/pressure 21.5" in shown
    assert len(shown) == 80


def test_what_is_about_the_connection_takes_the_room_of_the_channel() -> None:
    sentence = b"connection lost: the broker cut it without a goodbye, again"
    assert sentence.decode() in line(kind=Kind.CLOSE, payload=sentence)
    assert "…" in line(kind=Kind.MESSAGE, payload=sentence)
    assert "subscribed" in line(kind=Kind.SUBSCRIBE, channel="a/#", payload=b"subscribed")
    assert "a/#" in line(kind=Kind.SUBSCRIBE, channel="a/#", payload=b"subscribed")


def test_an_answer_tells_status_size_and_latency_where_the_channel_does_not() -> None:
    def shown(meta: str, payload: bytes = b"[]", *, named: bool = True, channel: str = "/news 200") -> list[str]:
        answer = msgspec.structs.replace(row(1, payload, channel=channel), meta=meta)
        return badges(answer, named=named)

    assert shown('{"status":200,"latency_ms":12.4}') == ["12 ms", "2B"]
    assert shown('{"status":200,"latency_ms":12.4}', named=False) == ["200", "12 ms", "2B"]
    assert shown('{"status":304,"latency_ms":0.4}', b"", channel="/news 304") == ["0.4 ms"]
    assert shown('{"status":200,"held_ms":3100,"item":4}') == ["held 3.1 s"]
    assert shown('{"status":200}', b"x" * 2048) == ["2.0kB"]
    assert shown('{"id":"41"}', channel="message") == ["#41"]
    assert shown('{"id":"\\u001b[31m0123456789abcdef"}', channel="message") == ["#␛[31m012345…"]
    assert shown('{"status":["x"],"latency_ms":"y","held_ms":[],"id":7}', b"", channel="a") == []


def test_a_binary_message_says_so_also_where_it_is_shown_as_what_it_means() -> None:
    """Of JSON in a binary frame, or of MessagePack, the row looks like that of a text."""
    meta = json.dumps(BINARY_META)
    assert badges(msgspec.structs.replace(row(1, b'{"a":1}'), meta=meta)) == ["bin"]
    assert badges(msgspec.structs.replace(row(1, b"\xff"), meta='{"type":"text","invalid":"not UTF-8"}')) == [
        "not UTF-8"
    ]


def test_an_answer_that_nothing_changed_says_so() -> None:
    answer = msgspec.structs.replace(row(1, b"", channel="/news 304"), meta='{"status":304}')
    assert "(not modified)" in "".join(text for _, text in pieces(answer, CONTEXT))
    assert "(empty)" in line(payload=b"")


def test_what_asks_for_an_acknowledgement_says_so() -> None:
    def shown(meta: str, kind: Kind = Kind.MESSAGE) -> list[str]:
        return badges(msgspec.structs.replace(row(1, b"[]", kind=kind), meta=meta))

    assert shown('{"ack":0}') == ["ack?"]
    assert shown('{"ack":true}') == []
    assert shown('{"ack":0}', Kind.ACK) == []


def test_how_a_call_ended_is_said_in_words() -> None:
    def end(meta: str, payload: bytes = b"") -> str:
        record = msgspec.structs.replace(row(1, payload, kind=Kind.ACK, channel="a.B/C"), meta=meta, latency=4_200_000)
        return "".join(text for _, text in pieces(record, CONTEXT))

    assert "OK" in end('{"status":"OK","code":0}')
    assert "4.2 ms" in end('{"status":"OK","code":0}')
    assert "OK · all \u241b[1mdone" in end('{"status":"OK","message":"all \\u001b[1mdone"}')
    assert "OK" not in end('{"status":"OK"}', b"[1]")
    assert end("not JSON").split() == end('{"qos":1}').split()
    answer = msgspec.structs.replace(row(1, b"{}", channel="a.B/C"), meta='{"status":"OK","code":0}')
    assert badges(answer) == ["OK"]


def test_a_wide_row_shows_a_long_topic_in_full() -> None:
    topic = "factory/site-1/building-02/line-1/machine-12"
    wide = Context(columns=layout(200, channel=60, source=0))
    assert topic in "".join(text for _, text in pieces(row(1, channel=topic), wide))
    assert topic not in line(channel=topic)


@pytest.mark.parametrize("width", [60, 80, 112, 140, 250])
@pytest.mark.parametrize("source", [0, 9])
def test_names_take_the_room_that_payloads_leave_and_never_all_of_it(width: int, source: int) -> None:
    def channel(wanted: int, body: int) -> int:
        return layout(width, channel=wanted, source=source, body=body).channel

    if width - source < TIGHT:
        assert channel(8, 400) == 0
        return
    assert channel(8, 400) == 8
    long = channel(90, 400)
    room = layout(width, channel=0, source=source).body
    assert room // 5 <= long <= room // 2
    assert channel(90, 16) == min(90, max(long, room - 1 - LEAST_BODY))
    for body in range(0, 300, 7):
        columns = layout(width, channel=90, source=source, body=body)
        assert columns.body >= LEAST_BODY
        assert long <= columns.channel <= channel(90, 0)


def test_a_column_grows_with_what_is_seen_in_steps_and_never_shrinks() -> None:
    need, widths = Need(), []
    for length in (4, 14, 13, 15, 16, 9, 30, 29, 31, 32):
        need.see([row(1, channel="x" * length)])
        widths.append(need.channel)
    assert widths == [4, 16, 16, 16, 16, 16, 32, 32, 32, 32]
    need.see([row(1, b"x" * 10_000, channel="x" * 10_000)])
    assert need.channel == MAX_CHANNEL


@given(st.text(st.sampled_from("ab/é工\u0301"), max_size=60), st.integers(0, 70))
def test_a_name_that_is_cut_fits_and_keeps_both_ends(name: str, cells: int) -> None:
    name = clean(name)
    shown = elided(name, cells)
    assert cell_width(shown) <= cells
    if cell_width(name) <= cells:
        assert shown == name
    elif cells >= 8:
        head, tail = shown.split("…")
        assert name.startswith(head)
        assert name.endswith(tail)


def test_whole_levels_are_kept_where_they_nearly_fit() -> None:
    assert elided(TOPIC, 34) == "factory/…/machine-00012/pressure"
    assert elided(TOPIC, 24) == "factory/…-00012/pressure"
    assert elided("rtui.demo.v1.Chat/Talk", 14) == "rtui…Chat/Talk"


def test_in_60_columns_a_row_still_says_where_it_came_from() -> None:
    def shown(width: int, source: int = 0) -> list[str]:
        context = Context(columns=layout(width, channel=13, source=source), source="broker"[:source])
        return "".join(text for _, text in pieces(row(1, b"21.5", channel="plant/r1/temp"), context)).split()[1:]

    assert shown(59) == ["←", "plant/r1/temp", "21.5"]
    assert shown(59, source=8) == ["broker", "←", "21.5"]
    assert shown(40) == ["←", "21.5"]
