from __future__ import annotations

from textual.app import App, ComposeResult

from rtui.workbench.widgets.safe import Tick


class Form(App[None]):
    def compose(self) -> ComposeResult:
        yield Tick("", compact=True)


async def test_a_tick_without_a_label_shows_its_state_by_a_sign() -> None:
    app = Form()
    async with app.run_test(size=(20, 3)) as pilot:
        tick = app.query_one(Tick)
        tick.styles.width = "auto"
        await pilot.pause()
        assert tick.render_line(0).text.rstrip() == "[ ]"
        await pilot.click(Tick)
        assert tick.render_line(0).text.rstrip() == "[x]"
