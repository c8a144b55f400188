from __future__ import annotations

from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key

from rtui.workbench.widgets.safe import SafeArea, SafeInput, Tick


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


class Text(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f7,alt+h", "zoom")]
    zoomed = False

    def compose(self) -> ComposeResult:
        yield SafeArea("some text")
        yield SafeInput("some text")

    def action_zoom(self) -> None:
        self.zoomed = True


async def test_the_keys_of_the_workbench_work_in_a_text() -> None:
    app = Text()
    async with app.run_test() as pilot:
        await pilot.press("f7")
        assert app.zoomed
        assert app.query_one(SafeArea).selected_text == ""


@pytest.mark.parametrize("field", [SafeArea, SafeInput])
async def test_a_letter_with_alt_is_a_key_also_where_the_terminal_sends_its_character(
    field: type[SafeArea | SafeInput],
) -> None:
    app = Text()
    async with app.run_test() as pilot:
        app.query_one(field).focus()
        await pilot.pause()
        app.post_message(Key("alt+h", "h"))  # what Textual makes of ESC h; `press` would leave the character out
        await pilot.pause()
        assert app.zoomed
        assert app.query_one(SafeArea).text == app.query_one(SafeInput).value == "some text"
