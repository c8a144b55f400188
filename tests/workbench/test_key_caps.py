"""The keys pressed, shown to those who watch."""

from __future__ import annotations

import pytest

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.panes import key_caps
from rtui.workbench.widgets.filterbar import FilterBar
from tests.workbench.conftest import running, until


async def test_keys_are_shown_with_what_they_do_and_go_after_a_while(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.has_row, "something to look at")
        bench.pump.stop()  # time stands still
        await pilot.press("asterisk", "t", "t")
        caps = bench.desk.presenter.caps
        assert caps is not None
        assert [(cap.key, cap.title, cap.times) for cap in caps.caps] == [("t", "Time", 2)]
        assert caps.display
        monkeypatch.setattr(key_caps, "SHOWN", 0.05)
        bench.pump.start()
        await until(pilot, lambda: not caps.caps, "gone by themselves")
        assert not caps.display
        await pilot.press("asterisk", "t")
        await until(pilot, lambda: not bench.desk.query("KeyCaps"), "put away")


@pytest.mark.parametrize("keys", ["slash", "ctrl+f"])
async def test_what_is_typed_into_a_field_is_not_shown(journal: Journal, server: demo.Server, keys: str) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.has_row, "something to look for")
        bench.pump.stop()
        await pilot.press("asterisk", keys)
        await pilot.press(*"hunter22", "backspace", "left", "right")
        await pilot.pause()
        caps = bench.desk.presenter.caps
        assert caps is not None
        assert [cap.title for cap in caps.caps] in (["Filter"], ["Search"])
        assert keys != "slash" or bench.desk.query_one(FilterBar).input.value == "hunter2"
