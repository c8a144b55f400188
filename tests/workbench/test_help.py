"""Help: made from the keys that work where the user is, in words of ours, readable in any width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from rtui.workbench.bindings import ACTIONS
from rtui.workbench.screens.help import KeyRows, Sections, sections
from tests.workbench.conftest import running

ROWS = [("pgup", "Page up", "One page back"), ("t", "Time", "Absolute, relative to the first row, since the row above")]


def told(bench: Workbench) -> Sections:
    return sections(bench, bench.desk.active_bindings.values(), ACTIONS)


@pytest.mark.parametrize("where", [("f2",), ("f3",), ("f4",), ("f5",), ("f6",), ("f6", "shift+tab"), ("f4", "slash")])
async def test_every_key_has_a_name_and_an_explanation(
    journal: Journal, server: demo.Server, where: tuple[str, ...]
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await pilot.press(*where)
        rows = [row for _, rows in told(bench) for row in rows]
        assert len(rows) > 3
        assert [row for row in rows if not all(row)] == []
        foreign = [
            title for _, title, _ in rows if "ursor" in title or "croll" in title or (title.istitle() and " " in title)
        ]
        assert foreign == []


async def test_keys_of_one_pane_stand_under_its_name(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        names = []
        for key in ("f2", "f3", "f4", "f5", "f6"):
            await pilot.press(key)
            names.append(told(bench)[0][0])
        assert names == ["Sessions", "Channel tree", "Message log", "Message pane", "Composer"]
        assert [heading for heading, _ in told(bench)][-1] == "Text of the message"


def drawn(width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(KeyRows(ROWS))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_a_narrow_help_leaves_the_explanations_all_of_the_line() -> None:
    assert drawn(54) == [
        "pgup  Page up · One page back",
        "t     Time · Absolute, relative to the first row,",
        "      since the row above",
    ]


def test_a_wide_help_has_a_column_for_them() -> None:
    first, second, _ = drawn(92)
    assert first.index("One page") == second.index("Absolute") == 40
