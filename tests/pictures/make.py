"""The README's pictures, made by the program itself: `python -m tests.pictures.make [NAME ...]`."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from rtui.workbench.app import Workbench

FOLDER: Final = Path(__file__).parent
WIDE: Final = (140, 40)
USUAL: Final = (112, 32)
SMALL: Final = (80, 24)
ROWS: Final = 900
"""Messages recorded before the first picture is taken."""
PATIENCE: Final = 60.0
"""Seconds to wait for what a picture is to show."""


class View(NamedTuple):
    """One picture."""

    title: str
    size: tuple[int, int]
    arrange: Callable[[Workbench, Pilot[Any]], Awaitable[None]]


async def workbench(bench: Workbench, pilot: Pilot[Any]) -> None:
    """The course of one device of the plant, charted."""
    go_to(bench, "plant")
    bench.desk.put_filter("ch:plant/aachen/press-1/#")
    await pilot.press("f5", "v")


async def topics(bench: Workbench, pilot: Pilot[Any]) -> None:
    """The tree of topics, one of them in the log and in the message pane."""
    go_to(bench, "plant")
    await until(pilot, lambda: stands_on(bench, "plant/aachen/press-1/telemetry"), "a topic")
    await pilot.press("f3", "equals_sign", "f5", "p", "f3")


async def chart(bench: Workbench, pilot: Pilot[Any]) -> None:
    """Several numbers of one device over time, each in its own range."""
    go_to(bench, "plant")
    bench.desk.put_filter("ch=plant/aachen/press-1/telemetry")
    await pilot.press("f5", "v", "f7", "v", "down", "space", "down", "down", "space", "v", "o")


async def call(bench: Workbench, pilot: Pilot[Any]) -> None:
    """A method that streams: its request, its answers with their latency, its end."""
    go_to(bench, "calls")
    await until(pilot, lambda: bench.desk.sure_tree.offered, "methods")
    bench.desk.load_composer(b'{"text": "hello", "times": 3, "every": "0.2s"}', "demo.Echo/Repeat")
    await pilot.pause()
    await pilot.press("ctrl+s")
    await until(pilot, lambda: told(bench, "kind:ack"), "its end")
    await pilot.press("f5", "p", "f4", "up", "up")


async def tokens(bench: Workbench, pilot: Pilot[Any]) -> None:
    """The answer of an AI server, joined."""
    go_to(bench, "tokens")
    await pilot.press("f5", "t", "f7")
    await until(pilot, lambda: bench.desk.sure_picture.view.row_count() > 8, "some text")


async def timeline(bench: Workbench, pilot: Pilot[Any]) -> None:
    """All connections in one order."""
    await pilot.press("T", "f5", "p", "f4")


async def split(bench: Workbench, pilot: Pilot[Any]) -> None:
    """Two tabs side by side."""
    go_to(bench, "news")
    go_to(bench, "ticker")
    await pilot.press("f4", "vertical_line", "f5", "p", "f4")


async def present(bench: Workbench, pilot: Pilot[Any]) -> None:
    """The second step of a session, presented."""
    go_to(bench, "echo")
    await pilot.press("P")
    while (done := stepped(bench)) < 2:
        await pilot.press("full_stop")
        await until(pilot, lambda: stepped(bench) > done, "a step")
    bench.desk.panes.aside.add("message")
    bench.desk.set_stage()


async def small(bench: Workbench, pilot: Pilot[Any]) -> None:
    """What stays in the smallest terminal that is still usual."""
    go_to(bench, "ticker")
    await pilot.press("f4")


VIEWS: Final = {
    "workbench": View("rtui demo", WIDE, workbench),
    "topics": View("MQTT: topics, one of them, and its newest message", USUAL, topics),
    "chart": View("The numbers of a message over time", USUAL, chart),
    "call": View("gRPC: a call and its answers", USUAL, call),
    "tokens": View("Tokens of a stream, joined", USUAL, tokens),
    "timeline": View("The timeline of all connections", USUAL, timeline),
    "split": View("Two tabs side by side", USUAL, split),
    "present": View("A session, presented", USUAL, present),
    "small": View("80 columns, 24 rows", SMALL, small),
}


async def make(names: list[str]) -> None:
    """Run the workbench on the demo servers, without a terminal, and keep what it shows."""
    from rtui.capture.journal import Journal
    from rtui.capture.reader import Reader
    from rtui.cli.demo import demo_sessions
    from rtui.demo import lab
    from rtui.settings.config import Config
    from rtui.workbench.app import Workbench

    urls: dict[str, str] = {}
    servers = await lab.serve(announce=lambda ready: urls.update({ready["protocol"]: ready["url"]}))
    journal = Journal.create(None, temporary=True)
    reader = Reader(journal.path)
    try:
        config = Config(animations=False)
        bench = Workbench(reader=reader, journal=journal, targets=demo_sessions(urls), config=config)
        async with bench.run_test(size=WIDE) as pilot:
            await until(pilot, lambda: journal.last >= ROWS, "enough messages")
            for name in names:
                await picture(name, bench, pilot)
            await bench.hub.close_all(1.0)
    finally:
        reader.close()
        journal.close()
        await servers.close()


async def picture(name: str, bench: Workbench, pilot: Pilot[Any]) -> None:
    """Arrange one view from a desk with all its panes, and write it."""
    view = VIEWS[name]
    await pilot.resize_terminal(*view.size)
    bench.desk.presenter.leave()
    if bench.desk.sheets.is_split:
        bench.desk.perform("app.split")
    bench.desk.panes.zoomed = None
    bench.desk.set_stage()
    await view.arrange(bench, pilot)
    await asyncio.sleep(1)  # rates, clocks and the chart are drawn a few times a second
    await pilot.pause()
    (FOLDER / f"{name}.svg").write_text(bench.export_screenshot(title=view.title), encoding="utf-8")


def go_to(bench: Workbench, name: str) -> None:
    """Show a tab."""
    bench.desk.go_to(next(sheet for sheet in bench.desk.sheets if sheet.name == name))


def stands_on(bench: Workbench, channel: str) -> bool:
    """Put the tree's cursor on a channel, if it is there already."""
    tree = bench.desk.sure_tree
    for index in range(tree.row_count()):
        tree.go_to_row(index)
        if tree.selected is not None and tree.selected.full == channel:
            return True
    return False


def stepped(bench: Workbench) -> int:
    """How many steps of the tab's session were carried out."""
    one = bench.desk.presenter.presentation
    return len(one.results) if one is not None else 0


def told(bench: Workbench, expression: str) -> bool:
    """Whether the tab has a row that matches."""
    from rtui.capture.query import compile_filter

    sheet = bench.desk.sheets.current
    return sheet is not None and bench.catalog.reader.count(compile_filter(expression), sheet.key) > 0


async def until(pilot: Pilot[Any], reached: Callable[[], object], what: str) -> None:
    """Wait for what a picture is to show.

    Raises:
        TimeoutError: if it never comes.
    """
    deadline = time.monotonic() + PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await pilot.pause(0.1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"RTUI_CONFIG_HOME": folder, "RTUI_STATE_HOME": folder, "COLORTERM": "truecolor"}
        os.chdir(folder)  # here the samples would be a folder's own sessions, and not those that are open
        asyncio.run(make(sys.argv[1:] or list(VIEWS)))
