from __future__ import annotations

from textual.app import App
from textual.widgets import Button, OptionList

from rtui.workbench.screens.dialog import Choice, Choose, Confirm
from tests.waiting import eventually


async def test_a_list_that_is_narrowed_to_nothing_says_so_and_chooses_nothing() -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        answers: list[str | None] = []
        await app.push_screen(Choose("fruit", [Choice("a", "apple"), Choice("b", "pear")]), answers.append)
        await pilot.press("x")
        fruit = app.screen.query_one(OptionList)
        assert str(fruit.get_option_at_index(0).prompt) == "nothing matches"
        await pilot.press("enter")
        assert not answers
        await pilot.press("backspace", "p", "e", "enter")
        assert answers == ["b"]


async def test_the_button_that_enter_is_for_has_signs_around_it() -> None:
    app: App[None] = App()
    async with app.run_test(size=(60, 20)) as pilot:
        app.push_screen(Confirm("clear retained", "4 messages", yes="Clear"))
        await eventually(lambda: isinstance(app.focused, Button))
        assert [button for button in said(app) if "›" in button] == ["›Cancel (n)‹"]
        await pilot.press("tab")
        await eventually(lambda: [button for button in said(app) if "›" in button] == ["›Clear (y)‹"])


def said(app: App[None]) -> list[str]:
    return [str(button.render()) for button in app.screen.query(Button)]
