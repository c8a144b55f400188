from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from rtui.workbench.look import VARIABLES
from rtui.workbench.widgets.footer import KeyLine
from tests.workbench.widgets.fake import screen_text


class Keys(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "one", "One"),
        Binding("f3", "two", "Two"),
        Binding("f4", "three", "Three", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.allowed = True

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def compose(self) -> ComposeResult:
        yield Input()
        yield KeyLine(ascii_only=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.allowed if action == "two" else True

    def action_one(self) -> None:
        self.done.append("one")


async def test_shows_what_can_be_done_and_a_click_does_it() -> None:
    app = Keys()
    async with app.run_test(size=(40, 10)) as pilot:
        line = app.query_one(KeyLine)
        assert "f2 One" in screen_text(line)[0]
        assert "Three" not in screen_text(line)[0]
        assert screen_text(line)[0].isascii()
        await pilot.click(KeyLine, offset=(screen_text(line)[0].index("One"), 0))
        assert app.done == ["one"]
        app.allowed = False
        app.screen.refresh_bindings()
        await pilot.pause()
        assert "Two" not in screen_text(line)[0]


async def test_looks_once_however_often_the_bindings_change_and_keys_typed_cost_nothing() -> None:
    app = Keys()
    async with app.run_test(size=(40, 10)) as pilot:
        line = app.query_one(KeyLine)
        await pilot.pause()
        before = line.looks
        for _ in range(5):
            app.screen.refresh_bindings()
        await pilot.pause()
        assert line.looks == before + 1
        await pilot.press("a", "b", "c")
        assert line.looks == before + 1


async def test_what_does_not_fit_whole_is_left_out() -> None:
    app = Keys()
    async with app.run_test(size=(11, 10)):
        assert screen_text(app.query_one(KeyLine))[0].split() == ["f2", "One"]
