"""A capture of many messages: as a file, and opened in the workbench."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from tests.benchmarks.blaster import message
from tests.benchmarks.measure import Figure, Scale
from tests.benchmarks.process import RTUI, environment, folder
from tests.benchmarks.terminal import Terminal
from tests.waiting import PATIENCE


def make_capture(path: Path, rows: int, links: int = 1) -> None:
    """Record `rows` messages into `path`, from `links` connections by turns."""
    from rtui.capture.journal import Journal
    from rtui.core.record import Record

    journal = Journal.create(path)
    ids = [journal.add_link(f"large {number}", "websocket", "ws://large") for number in range(links)]
    for start in range(1, rows + 1, 1000):
        journal.append([Record(n, n, ids[n % links], 0, 1, "", message(n)) for n in range(start, start + 1000)])
        while journal.lagging:
            time.sleep(0.001)
    journal.close(60)


def large(scale: Scale) -> list[Figure]:
    """From the start to the rows, from a filter's last letter to the first rows found, and by pages."""
    opened, filtered, paged = [], [], []
    newest = b'"value"'
    with folder() as place:
        make_capture(place / "large.rtui", scale.rows)
        for _ in range(scale.rounds):
            with Terminal((*RTUI, str(place / "large.rtui")), environment(place)) as terminal:
                opened.append(terminal.until(partial(terminal.shows, newest)))
                terminal.settle()
                paged += [_took(terminal, b"\x1b[5~", b"H") for _ in range(5)]
                terminal.answer(b"/", b"filter", PATIENCE)
                terminal.press(b"hall-7")
                filtered.append(_took(terminal, b"\r", b"filter:"))
    figures = (("opened", opened, 2.0), ("page up", paged, 0.05), ("first filtered rows", filtered, 0.3))
    return [
        Figure(
            name=f"large capture, {what}", unit="s", values=tuple(values), budget=budget, sense="at most", n=scale.rows
        )
        for what, values, budget in figures
    ]


def _took(terminal: Terminal, keys: bytes, needle: bytes) -> float:
    terminal.settle()
    took = terminal.answer(keys, needle, PATIENCE)
    assert took is not None, (keys, terminal.drawn[-500:])
    return took
