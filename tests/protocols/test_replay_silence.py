"""Long silences of a recording: shortened where that is wanted, and never without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtui.core.event import Notice, Retold
from tests.conformance.recorder import Run
from tests.protocols.recording import BEGIN, SECOND, numbered, record, row
from tests.protocols.test_replay import BOTH, payloads, playback, playing, told

HOUR = 3600 * SECOND


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return tmp_path / "quiet.rtui"


def shortened(run: Run) -> list[str]:
    return [one.text for one in run.notices()]


async def test_no_silence_lasts_longer_and_each_is_told_before_what_follows(capture: Path) -> None:
    record(capture, [row(1, 0, b"a"), row(1, 0.001, b"b"), row(1, 754, b"c"), row(1, 757.5, b"d")])
    async with playing(capture, max_silence="10ms") as run:
        await run.closed()
    story = [one for one in run.link.events if isinstance(one, Retold | Notice)]
    assert [one.text if isinstance(one, Notice) else one.rows[-1].payload for one in story][-4:] == [
        "a silence of 12:33 was shortened",
        b"c",
        "a silence of 3.5 s was shortened",
        b"d",
    ]


async def test_it_is_a_silence_only_if_nobody_speaks(capture: Path) -> None:
    rows = [row(1 + n % 2, n * 0.02, b"%d" % n) for n in range(10)]
    record(capture, rows, BOTH)
    async with (
        playing(capture, "plant", max_silence="30ms") as one,
        playing(capture, "chat", max_silence="30ms") as other,
    ):
        await one.closed()
        await other.closed()
    assert [*shortened(one), *shortened(other)] == []


async def test_the_one_that_lasts_is_ended_when_it_is_wanted(capture: Path) -> None:
    record(capture, numbered(2, 3600))
    async with playing(capture) as run:
        await run.until(lambda: told(run))
        await run.until(lambda: playback(run).silence > 3000)
        playback(run).shorten(0.01)
        await run.closed()
    assert payloads(run) == [b"0", b"1"]
    assert shortened(run) == ["a silence of 1:00:00 was shortened"]


async def test_it_is_played_in_full_again(capture: Path) -> None:
    record(capture, numbered(3, 3600))
    async with playing(capture, speed="0.001", max_silence="1s") as run:
        await run.until(lambda: told(run))
        await run.until(lambda: 0 < playback(run).silence <= 1000)
        playback(run).shorten(0)
        assert playback(run).silence > 3000
        playback(run).hasten(1)
        playback(run).shorten(0.01)
        await run.closed()
    assert len(shortened(run)) == 2


async def test_it_counts_from_where_one_goes(capture: Path) -> None:
    record(capture, numbered(2, 3600))
    async with playing(capture, speed="0.001", max_silence="1s") as run:
        await run.until(lambda: told(run))
        playback(run).seek(BEGIN + HOUR // 2)
        await run.until(lambda: playback(run).position >= BEGIN + HOUR // 2)
        playback(run).hasten(100)
        await run.closed()
    assert shortened(run) == ["a silence of 30:00 was shortened"]


async def test_who_stands_steps_or_hurries_shortens_nothing(capture: Path) -> None:
    record(capture, numbered(3, 3600))
    async with playing(capture, speed="0.001", max_silence="1s") as run:
        await run.until(lambda: told(run))
        playback(run).pause(on=True)
        assert playback(run).silence == 0
        playback(run).step()
        await run.until(lambda: len(told(run)) == 2)
        playback(run).hasten(float("inf"))
        playback(run).pause(on=False)
        await run.closed()
    assert payloads(run) == [b"0", b"1", b"2"]
    assert shortened(run) == []


async def test_each_round_of_a_loop_is_shortened(capture: Path) -> None:
    record(capture, numbered(2, 3600))
    async with playing(capture, max_silence="5ms", loop="1") as run:
        await run.until(lambda: len(shortened(run)) >= 3)
        playback(run).repeat(on=False)
        await run.closed()
    assert set(shortened(run)) == {"a silence of 1:00:00 was shortened"}
