from __future__ import annotations

import pytest

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.settings.config import Config
from rtui.workbench.app import Workbench
from tests.workbench.conftest import running, until
from tests.workbench.glass import in_full

SIZES = pytest.mark.parametrize("size", [(80, 24), (140, 40)])


def strange(bench: Workbench) -> list[str]:
    """Lines with anything but ASCII."""
    return [line for line in in_full(bench) if not line.isascii()]


@SIZES
async def test_every_cell_is_ascii(journal: Journal, server: demo.Server, size: tuple[int, int]) -> None:
    urls = (f"{server.url}/echo", f"{server.url}/silent")
    async with running(journal, *urls, size=size, config=Config(ascii=True)) as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        bench.desk.sure.send(b'{"a": [1, 2, {"b": "' + b"x" * 300 + b'"}]}\n\t')
        await until(pilot, lambda: bench.desk.log_view.total >= 3, "rows")
        assert not strange(bench)
        bench.desk.start_tour()
        await pilot.pause()
        assert not strange(bench), "the tour"
        for key in ("escape", "f5", "f7", "f7", "f2", "f3", "f6", "T"):
            await pilot.press(key)
            assert not strange(bench), key
        for key in ("question_mark", "ctrl+n", "ctrl+f", "f9", "B"):
            await pilot.press("f4", key)
            await pilot.pause()
            assert not strange(bench), key
            await pilot.press("escape")
            await pilot.pause()
        bench.notify("… — done · “so”")
        await pilot.pause()
        assert not strange(bench), "a notification"


async def test_without_it_signs_are_drawn(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        await pilot.pause()
        assert strange(bench)
