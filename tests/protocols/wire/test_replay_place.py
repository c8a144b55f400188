from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.fault import Failure
from rtui.protocols.wire.replay_address import SETTINGS, parse, written
from rtui.protocols.wire.replay_place import SPEEDS, elapsed, next_speed, parse_place, parse_speed, speed_word

SECOND = 1_000_000_000
NOON = int(datetime(2026, 11, 20, 12, 0, 0).astimezone().timestamp()) * SECOND
LATE = int(datetime(2026, 11, 20, 23, 50, 0).astimezone().timestamp()) * SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("+10s", 10),
        ("+1:40", 100),
        ("+1:00:00.5", 3600.5),
        ("-10s", 1790),
        ("0%", 0),
        ("50%", 900),
        ("100%", 1800),
        ("12:10", 600),
        ("12:00:01.25", 1.25),
        ("11:59", -60),
        ("2026-11-20T12:05", 300),
        (" +10 ", 10),
    ],
)
def test_a_place_is_read(text: str, seconds: float) -> None:
    assert parse_place(text, NOON, NOON + 1800 * SECOND) == NOON + int(seconds * SECOND)


def test_a_clock_goes_past_midnight() -> None:
    assert parse_place("00:05", LATE, LATE + 3600 * SECOND) == LATE + 15 * 60 * SECOND
    assert parse_place("23:55", LATE, LATE + 3600 * SECOND) == LATE + 5 * 60 * SECOND


@pytest.mark.parametrize(
    "text", ["", "soon", "101%", "-1%", "%", "nan%", "+", "+soon", "24:00", "12:60", "1e999", "+-1"]
)
def test_what_is_no_place_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|no such time"):
        parse_place(text, NOON, NOON + SECOND)


@pytest.mark.parametrize("speed", SPEEDS)
def test_speeds_are_read_back(speed: float) -> None:
    assert parse_speed(speed_word(speed)) == speed


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "fast", "", "0.0001"])
def test_what_is_no_speed(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_speed(text)


def test_faster_and_slower_have_ends() -> None:
    assert next_speed(1.0, 1) == 2.0
    assert next_speed(1.5, -1) == 1.0
    assert next_speed(math.inf, 1) == math.inf
    assert next_speed(SPEEDS[0], -1) == SPEEDS[0]


def test_lengths_are_written_short() -> None:
    assert [elapsed(one * SECOND) for one in (0, 12, 100, 3600, 36_000)] == [
        "00:00",
        "00:12",
        "01:40",
        "1:00:00",
        "10:00:00",
    ]


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(text, st.text(), st.dictionaries(st.sampled_from(SETTINGS), st.text(), max_size=3))
def test_addresses_are_read_back(path: str, connection: str, settings: dict[str, str]) -> None:
    named = Path("/captures") / path.lstrip("/")
    if any(0xD800 <= ord(char) < 0xE000 for part in (connection, *settings.values()) for char in part):
        return
    address = parse(written(named, connection, settings))
    assert (address.path, address.connection, address.settings) == (named, connection, settings)


@pytest.mark.parametrize("url", ["replay:a b.rtui#my plant?speed=2", "replay:a%20b.rtui?speed=2#my%20plant"])
def test_the_query_stands_before_or_behind_the_connection(url: str) -> None:
    address = parse(url)
    assert (address.path, address.connection, address.settings) == (Path("a b.rtui"), "my plant", {"speed": "2"})


def test_a_plus_is_a_plus() -> None:
    assert parse("replay:a.rtui?from=+10s").settings == {"from": "+10s"}


@pytest.mark.parametrize("url", ["replay:", "replay:#plant", "replay:?speed=2"])
def test_a_file_is_needed(url: str) -> None:
    with pytest.raises(Failure, match="no file"):
        parse(url)
