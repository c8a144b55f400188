from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks.line import BUFFER, PACKET, Lane, bytes_per_second, seconds
from tests.benchmarks.process import environment
from tests.benchmarks.terminal import Terminal


def test_what_is_sent_arrives_late_and_as_fast_as_the_line_is() -> None:
    lane = Lane(0.05, 10 * PACKET)
    lane.put(b"x" * 3 * PACKET, 1.0)
    assert lane.take(1.149) == b""
    assert lane.patience(1.149) == pytest.approx(0.001)
    assert [len(lane.take(at)) for at in (1.151, 1.251, 1.351)] == [PACKET] * 3
    assert lane.empty


def test_only_what_has_not_passed_the_bottleneck_is_waiting() -> None:
    lane = Lane(1.0, 1000.0)
    lane.put(b"x" * BUFFER, 0.0)
    assert lane.waiting(0.0) == pytest.approx(BUFFER)
    assert lane.waiting(10.0) == pytest.approx(BUFFER - 10_000)
    assert lane.waiting(100.0) == 0


def test_amounts_are_read_as_tc_reads_them() -> None:
    assert (seconds("50ms"), seconds("2s")) == (0.05, 2.0)
    assert (bytes_per_second("1mbit"), bytes_per_second("56kbit")) == (125_000, 7_000)


def test_a_program_behind_it_hears_and_is_heard_and_knows(tmp_path: Path) -> None:
    script = 'printf "%s " "$SSH_CONNECTION"; stty size; read -r said; echo "heard $said"'
    command = (sys.executable, "-m", "tests.benchmarks.line", "--delay", "20ms", "--", "sh", "-c", script)
    with Terminal(command, environment(tmp_path), (80, 24)) as terminal:
        terminal.until(lambda: terminal.shows(b"192.0.2.1 50022 192.0.2.2 22 24 80"))
        took = terminal.answer(b"hello\n", b"heard hello", 20.0)
        assert took is not None
        assert took >= 0.04
