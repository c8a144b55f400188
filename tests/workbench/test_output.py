from __future__ import annotations

from rtui.capture.journal import Journal
from rtui.workbench.output import LOCAL, PATIENCE, PERIOD, REMOTE, Pace, allowance, is_remote
from tests.workbench.conftest import running, until


def test_over_ssh_less_is_sent() -> None:
    assert allowance({}) == LOCAL
    assert allowance({"SSH_CONNECTION": "1 2 3 4"}) == REMOTE


def test_whatever_sshd_has_left_tells_of_a_line() -> None:
    assert is_remote({"SSH_TTY": "/dev/pts/1"})
    assert is_remote({"SSH_CLIENT": "1 2 3"})
    assert not is_remote({"SSH_CONNECTION": "", "SSH_AUTH_SOCK": "/tmp/agent"})


def test_what_was_written_is_paid_for_by_time() -> None:
    pace = Pace(1000.0)
    assert pace.allows(1.0)
    pace.written += 100
    assert not pace.allows(1.0)
    assert not pace.allows(1.05)
    assert pace.allows(1.11)


def test_the_largest_picture_delays_by_no_more_than_patience() -> None:
    pace = Pace(1000.0)
    pace.written += 10**9
    assert not pace.allows(5.0)
    assert pace.allows(5.0 + PATIENCE)


def test_a_little_between_slow_frames_holds_nothing_up() -> None:
    pace = Pace(1000.0)
    assert pace.allows(1.0)
    for frame in range(5, 20):
        pace.written += 60  # the clock of the header, every quarter of a second
        assert pace.allows(frame / 4)


def test_rows_that_move_rest_for_a_frame_and_for_no_more() -> None:
    pace = Pace()
    allowed = []
    for frame in range(9):
        pace.written += 1000  # also in a frame of rest: the tree counts
        allowed.append(pace.allows(1 + frame / 30))
    assert allowed == [frame % 2 == 0 for frame in range(9)]
    slow = Pace()
    for frame in range(9):
        slow.written += 1000
        assert slow.allows(1 + frame / 10)


def test_a_steady_flood_stays_within_the_rate() -> None:
    pace = Pace(1000.0)
    for frame in range(300):
        if pace.allows(frame / 30):
            pace.written += 90
    assert 600 <= pace.written / 10 <= 1010


async def test_what_a_key_changes_waits_for_no_frame(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        assert bench.desk._update_timer._interval == PERIOD
        await pilot.press("c")
        await until(pilot, lambda: bench.screen is not bench.desk, "a dialog")
        assert bench.screen._update_timer._interval == PERIOD
