from __future__ import annotations

import random

import pytest
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from rtui.workbench.patchwork import Patchwork
from rtui.workbench.widgets.status import StatusLine
from tests.workbench.conftest import running, until


def painted(bench: Workbench, regions: list[Region], way: type[Compositor]) -> str:
    """What is written to the terminal when these regions have changed."""
    compositor = bench.desk._compositor
    compositor._dirty_regions = set(regions)
    update = way.render_partial_update(compositor)
    assert isinstance(update, ChopsUpdate)
    return update.render_segments(bench.console)


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_it_writes_what_textual_would_write(journal: Journal, server: demo.Server, size: tuple[int, int]) -> None:
    choice = random.Random(7)
    async with running(journal, f"{server.url}/ticker?rate=0", size=size) as (bench, pilot):
        await until(pilot, lambda: bench.desk.sure.state is State.OPEN, "open")
        bench.pump.stop()
        widgets = [region.intersection(clip) for region, clip in bench.desk._compositor.visible_widgets.values()]
        for count in range(1, 60):
            drawn = [
                Region(x, y, choice.randint(1, size[0] - x), choice.randint(1, size[1] - y))
                for x, y in ((choice.randrange(size[0]), choice.randrange(size[1])) for _ in range(count % 5))
            ]
            regions = drawn + choice.sample(widgets, min(len(widgets), 1 + count % 3))
            assert painted(bench, regions, Patchwork) == painted(bench, regions, Compositor)


async def test_a_line_that_has_not_changed_is_not_asked_for(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Widget, Region]] = []
    async with running(journal, f"{server.url}/ticker?rate=0") as (bench, pilot):
        await until(pilot, lambda: bench.desk.sure.state is State.OPEN, "open")
        bench.pump.stop()
        status, log = bench.desk.query_one(StatusLine), bench.desk.log_view
        render = Widget.render_lines

        def noted(widget: Widget, crop: Region) -> list[Strip]:
            asked.append((widget, crop))
            return render(widget, crop)

        monkeypatch.setattr(Widget, "render_lines", noted)
        row = Region(log.region.x, log.region.y + 3, log.region.width, 1)
        painted(bench, [status.region, row], Patchwork)
        by_widget = dict(asked)
        assert by_widget[log] == Region(0, 3, log.region.width, 1)
        assert by_widget[status].height == 1
        assert not any(widget.region.bottom <= row.y for widget in by_widget)
