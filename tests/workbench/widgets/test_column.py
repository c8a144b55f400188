"""The columns that users choose for the log."""

from __future__ import annotations

import msgspec
import pytest

from rtui.capture.completion import Candidate, Seen
from rtui.core.clean import cell_width
from rtui.core.record import Kind
from rtui.workbench.widgets.column import MAX_BYTES, MAX_COLUMNS, ColumnError, read, value
from rtui.workbench.widgets.column_completion import complete_columns
from rtui.workbench.widgets.row import Context, Look, TimeMode, layout, pieces
from tests.workbench.widgets.fake import HOSTILE, row

TOKEN = b'{"choices":[{"delta":{"content":"Hel\\nlo"}}],"n":1.50}'


def line(text: str, payload: bytes = TOKEN, *, width: int = 80, kind: int = Kind.MESSAGE, meta: str = "") -> str:
    context = Context(columns=layout(width, channel=10, source=0, chosen=read(text)))
    record = msgspec.structs.replace(row(1, payload, kind=kind), meta=meta or None, latency=4_200_000)
    return "".join(part for _, part in pieces(record, context))


def test_the_rows_of_a_token_stream_show_their_token() -> None:
    shown = line("time .choices[0].delta.content")
    assert shown.split() == [shown.split()[0], shown.split()[1], "Hel␊lo"]
    assert "choices" not in shown


def test_values_stand_in_the_order_of_the_columns() -> None:
    shown = line("size,latency meta.id .n channel payload", width=140, meta='{"id":"a7"}')
    assert shown.split()[1:6] == [str(len(TOKEN)), "4.2", "ms", "a7", "1.50"]
    assert shown.split()[6] == "ticks"
    assert shown.rstrip().endswith('"n":1.50}')


@pytest.mark.parametrize("text", ["time .a", "payload", "meta.x channel", ".a .b .c .d .e .f .g .h .i .j", "size time"])
@pytest.mark.parametrize("width", [1, 3, 20, 60, 140])
def test_rows_are_clean_and_exactly_as_wide_as_they_should_be(text: str, width: int) -> None:
    hostile = msgspec.json.encode({"a": HOSTILE})
    for payload in (hostile, b"\xff\x1b[2J", b"", b"[" * 500):
        shown = line(text, payload, width=width, meta=msgspec.json.encode({"x": HOSTILE}).decode())
        assert cell_width(shown) == width
        assert shown.isprintable()


def test_what_is_about_the_connection_says_its_sentence() -> None:
    shown = line("time .a .b", b"connection lost: the peer cut it", kind=Kind.CLOSE)
    assert "connection lost: the peer cut it" in shown
    assert ":" in shown.split("connection")[0]
    assert ":" not in line(".a time", b"gone", kind=Kind.CLOSE)


@pytest.mark.parametrize("kind", [Kind.MESSAGE, Kind.CLOSE])
def test_in_the_timeline_the_connection_stands_before_them(kind: int) -> None:
    columns = layout(80, channel=10, source=9, chosen=read(".n payload"))
    context = Context(columns=columns, source="warehouse")
    shown = "".join(part for _, part in pieces(row(1, TOKEN, kind=kind), context))
    assert shown.startswith(" warehouse ")
    assert cell_width(shown) == 80
    assert "1.50" in shown


@pytest.mark.parametrize(
    ("text", "cursor", "texts"),
    [
        ("si", 2, ["size"]),
        ("time .us", 8, ["time .user.name", "time .user.id"]),
        ("time na payload", 7, ["time .user.name payload"]),
        ("meta", 4, ["meta.qos"]),
        ("time tim", 8, []),
    ],
)
def test_a_column_is_completed_from_names_and_places_seen(text: str, cursor: int, texts: list[str]) -> None:
    seen = Seen(paths=[Candidate(".user.name", '"bob"'), Candidate(".user.id", "7"), Candidate("meta.qos", "1")])
    found = complete_columns(text, cursor, seen)
    made = [text[: found.start] + one.text + text[found.end :] for one in found.candidates]
    assert made == texts
    assert all(read(one) for one in made)


def test_the_time_column_follows_the_mode() -> None:
    chosen = layout(60, channel=0, source=0, chosen=read("time payload"))
    context = Context(columns=chosen, mode=TimeMode.DELTA, since=row(1).time)
    assert "+0.005" in "".join(text for _, text in pieces(row(6, b"x"), context))


def test_muted_rows_and_colours_of_subscriptions_hold() -> None:
    def styles(look: Look) -> set[str]:
        context = Context(columns=layout(60, channel=5, source=0, chosen=read("channel payload")), look=look)
        return {style for style, _ in pieces(row(1, b"x"), context)}

    assert "#5fd7ff" in styles(Look(colour="#5fd7ff"))
    assert styles(Look(muted=True)) == {"dim"}


def test_half_a_character_is_shown_as_it_was_written() -> None:
    assert value(read(".a")[0], row(1, b'{"a":"\\ud800"}'), 20) in {'"\\ud800"', ""}


def test_a_huge_payload_is_not_read_for_a_column() -> None:
    big = b'{"a":1,"b":"' + b"x" * MAX_BYTES + b'"}'
    assert value(read(".a")[0], row(1, big), 20) == ""
    assert value(read(".a")[0], row(1, b'{"a":1}'), 20) == "1"


@pytest.mark.parametrize("text", ["colour", "..", ".a[", "meta", "time " * (MAX_COLUMNS + 1), "\x1b[31m"])
def test_what_is_no_column_is_refused_in_words(text: str) -> None:
    with pytest.raises(ColumnError) as caught:
        read(text)
    assert str(caught.value).isprintable()


def test_a_dot_alone_is_the_whole() -> None:
    assert [column.steps for column in read(". meta.")] == [(), ()]


def test_quoted_keys_may_hold_blanks() -> None:
    assert [column.steps for column in read('."a b" .c["d, e"]')] == [("a b",), ("c", "d, e")]
    assert read("  ") == ()
