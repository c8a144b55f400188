"""What is gone from the screen leaves the memory too."""

from __future__ import annotations

import gc
from weakref import WeakSet

from textual._styles_cache import StylesCache

from rtui.capture.journal import Journal
from rtui.workbench.screens.help import Help
from tests.workbench.conftest import running, until


async def test_the_painted_lines_of_a_dialog_go_with_it(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(bench.screen, Help), "the help")
        lines = WeakSet[StylesCache](widget._styles_cache for widget in bench.screen.query("*"))
        assert lines
        await pilot.press("escape")
        await until(pilot, lambda: gc.collect() >= 0 and not lines, "gone")
