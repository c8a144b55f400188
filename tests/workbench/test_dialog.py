from __future__ import annotations

from textual.app import App
from textual.widgets import OptionList

from rtui.workbench.screens.dialog import Choice, Choose


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
