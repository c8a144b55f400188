from __future__ import annotations

from typing import Any

import pytest

from rtui.core.lifecycle import State
from rtui.workbench.repeat import Repeat, Repeats, parse_rhythm, spell_rhythm


@pytest.mark.parametrize(
    ("text", "every", "jitter"),
    [("1s", 1.0, 0.0), ("20ms 50%", 0.02, 0.5), ("1s ±20%", 1.0, 0.2), (" 2s  100 % ", 2.0, 1.0), ("1s 0%", 1.0, 0.0)],
)
def test_a_rhythm_is_read_and_spelled(text: str, every: float, jitter: float) -> None:
    assert parse_rhythm(text) == (every, jitter)
    assert parse_rhythm(spell_rhythm(every, jitter)) == (every, jitter)


@pytest.mark.parametrize("text", ["", "soon", "1s 20", "1s 101%", "1s -5%", "1s %", "1s ²%"])
def test_a_wrong_rhythm_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_rhythm(text)


def test_a_wait_stays_within_its_jitter() -> None:
    repeat = Repeat("x", 2.0, list, 0.25)
    assert [repeat.wait(iter([chance]).__next__) for chance in (0.0, 0.5, 1.0)] == [1.5, 2.0, 2.5]
    assert all(1.5 <= repeat.wait() <= 2.5 for _ in range(100))
    assert len({repeat.wait() for _ in range(100)}) > 1
    assert Repeat("x", 2.0, list).wait() == 2.0


async def test_beats_are_left_out_while_the_peer_does_not_read() -> None:
    sent: list[int] = []
    asked = iter([True, False, False, True])

    class Slow:
        id = 1
        state = State.OPEN

        @property
        def has_room(self) -> bool:
            room = next(asked, None)
            if room is None:
                self.state = State.CLOSED
            return bool(room)

    peer: Any = Slow()
    await Repeats(list).run(peer, Repeat("x", 0.001, lambda: sent.append(1)))
    assert len(sent) == 2
