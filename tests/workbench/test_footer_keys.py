"""The line of keys says what makes sense now, and nothing else."""

from __future__ import annotations

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from rtui.workbench.widgets.footer import KeyLine
from tests.workbench.conftest import running, until

OF_ROWS = {"Open", "Freeze", "Time", "Mark"}


def footer(bench: Workbench) -> set[str]:
    return {hint.title for hint in bench.desk.query_one(KeyLine).hints}


async def test_without_a_connection_no_keys_of_rows_are_offered(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        await until(pilot, lambda: "Connect…" in footer(bench), "drawn")
        assert not footer(bench) & {*OF_ROWS, "Follow"}


async def test_rows_bring_their_keys_and_looking_back_brings_follow(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: footer(bench) >= OF_ROWS, "the first row came")
        assert "Follow" not in footer(bench)
        await pilot.press("up")
        await until(pilot, lambda: "Follow" in footer(bench), "looking back")
        await pilot.press("end")
        await until(pilot, lambda: "Follow" not in footer(bench), "following again")
        await pilot.press("z")
        await until(pilot, lambda: "Follow" in footer(bench), "the picture is held")
