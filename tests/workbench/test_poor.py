"""Poor terminals: without colour, and very small for a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtui.capture.reader import Reader
from tests.workbench.conftest import running, until
from tests.workbench.glass import in_full
from tests.workbench.test_snapshot import write_capture


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    write_capture(tmp_path / "old.rtui")
    return Reader(tmp_path / "old.rtui")


async def test_no_color_is_shades_of_grey(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(None, reader=reader) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        styles = [segment.style for strip in bench.screen._compositor.render_strips() for segment in strip]
        colours = {one.get_truecolor() for style in styles if style for one in (style.color, style.bgcolor) if one}
        assert len(colours) > 2
        assert [colour.hex for colour in colours if not colour.red == colour.green == colour.blue] == []


async def test_20_by_5_and_back_is_as_before(reader: Reader) -> None:
    async with running(None, reader=reader) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        await pilot.pause()
        before = in_full(bench)
        await pilot.resize_terminal(20, 5)
        await until(pilot, lambda: [len(line) for line in in_full(bench)] == [20] * 5, "small")
        for key in ("question_mark", "escape"):
            await pilot.press(key)
            await pilot.pause()
            assert len(in_full(bench)) == 5, key
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: in_full(bench) == before, "as before")
