"""What going from pane to pane costs."""

from __future__ import annotations

from typing import Any

import pytest
from textual._compositor import Compositor
from textual.pilot import Pilot
from textual.screen import Screen

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from tests.workbench.conftest import running, until

KEYS = {"f3": "tree", "f4": "log", "f5": "message", "f6": "composer"}


async def go_round(bench: Workbench, pilot: Pilot[Any]) -> None:
    for key, pane in KEYS.items():
        await pilot.press(key)
        await until(pilot, lambda pane=pane: bench.desk.focused_pane == pane, pane)  # type: ignore[misc]
    await pilot.pause()


def note(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, done: list[str]) -> None:
    """Have each call of a method stand in `done`."""
    real = getattr(owner, name)

    def called(self: Any, *given: Any, **more: Any) -> Any:
        done.append(name)
        return real(self, *given, **more)

    monkeypatch.setattr(owner, name, called)


async def test_the_whole_screen_is_neither_laid_out_nor_painted(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    note(monkeypatch, Screen, "_refresh_layout", done)
    note(monkeypatch, Compositor, "render_full_update", done)
    async with running(journal, f"{server.url}/silent") as (bench, pilot):
        await until(pilot, lambda: bench.desk.has_row, "open")
        assert set(done) == {"_refresh_layout", "render_full_update"}
        await go_round(bench, pilot)
        done.clear()
        await go_round(bench, pilot)
        assert done == []
