from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, OptionList

import rtui.workbench
from rtui.workbench.look import VARIABLES
from rtui.workbench.screens.checklist import Checklist
from rtui.workbench.screens.dialog import Choice, Choose, Confirm, Dialog, Prompt
from rtui.workbench.screens.menu import Entry, Menu
from rtui.workbench.screens.progress import Progress
from rtui.workbench.widgets.safe import Tick
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


class Desk(App[None]):
    """A dialog over nothing, in the colours and places of the workbench."""

    CSS_PATH = Path(rtui.workbench.__file__).with_name("workbench.tcss")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES


class Asked(NamedTuple):
    """A dialog, where it begins, and what it is answered with."""

    make: Callable[[], Dialog[Any]]
    first: str
    """Selector of what has the focus."""
    stops: int
    """Places that `tab` goes round."""
    keys: tuple[str, ...]
    answer: object


FRUIT = [Choice("a", "apple"), Choice("b", "pear")]
ENTRIES = [Entry(id=one.id, title=one.label, key="k", run=lambda: None, subject="Fruit") for one in FRUIT]
DIALOGS = {
    "prompt": Asked(lambda: Prompt("name", value="x"), "Input", 1, ("y", "enter"), "xy"),
    "confirm": Asked(lambda: Confirm("sure", "", yes="Yes"), "#no", 2, ("right", "enter"), True),
    "careful": Asked(lambda: Confirm("sure", "", yes="Yes"), "#no", 2, ("enter",), False),
    "choose": Asked(lambda: Choose("fruit", FRUIT), "Input", 1, ("down", "enter"), "b"),
    "checklist": Asked(lambda: Checklist("fruit", FRUIT, accept="Eat"), "Tick", 4, ("down", "space", "enter"), ("b",)),
    "menu": Asked(lambda: Menu("fruit", ENTRIES, None), "OptionList", 1, ("p", "enter"), "b"),
}


@asynccontextmanager
async def asked(name: str, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Pilot[None], list[Any]]]:
    app = Desk()
    async with app.run_test(size=size) as pilot:
        answers: list[Any] = []
        await app.push_screen(DIALOGS[name].make(), answers.append)
        await eventually(lambda: app.focused is not None)
        await pilot.pause()
        yield pilot, answers


@pytest.mark.parametrize("name", DIALOGS)
async def test_it_begins_where_the_answer_is_given_and_tab_goes_round(name: str) -> None:
    async with asked(name) as (pilot, _):
        first = pilot.app.focused
        assert first is not None
        assert first in list(pilot.app.screen.query(DIALOGS[name].first))
        seen: list[Widget | None] = []
        while not seen or pilot.app.focused is not first:
            seen.append(pilot.app.focused)
            await pilot.press("tab")
            assert len(seen) < 9
        assert len(set(seen)) == len(seen) == DIALOGS[name].stops
        await pilot.press("shift+tab")
        assert pilot.app.focused is seen[-1]


@pytest.mark.parametrize("name", DIALOGS)
async def test_enter_answers(name: str) -> None:
    async with asked(name) as (pilot, answers):
        await pilot.press(*DIALOGS[name].keys)
        assert answers == [DIALOGS[name].answer]


@pytest.mark.parametrize("name", DIALOGS)
async def test_escape_leaves_without_an_answer(name: str) -> None:
    async with asked(name) as (pilot, answers):
        await pilot.press("escape")
        assert answers == [None]


@pytest.mark.parametrize("name", DIALOGS)
async def test_the_keys_under_the_box_can_be_clicked(name: str) -> None:
    async with asked(name) as (pilot, answers):
        dialog = pilot.app.screen
        assert isinstance(dialog, Dialog)
        box = dialog.query_one(".dialog").region
        row = "".join(segment.text for segment in dialog._compositor.render_strips()[box.bottom - 1])
        await pilot.click(offset=(row.index(" esc") + 1, box.bottom - 1))
        await eventually(lambda: answers == [None])


async def test_enter_under_the_box_can_be_clicked() -> None:
    async with asked("prompt", (60, 20)) as (pilot, answers):
        box = pilot.app.screen.query_one(".dialog").region
        row = "".join(segment.text for segment in pilot.app.screen._compositor.render_strips()[box.bottom - 1])
        await pilot.click(offset=(row.index("accepts"), box.bottom - 1))
        await eventually(lambda: answers == ["x"])


@pytest.mark.parametrize("name", ["confirm", "checklist"])
async def test_its_buttons_can_be_clicked(name: str) -> None:
    async with asked(name) as (pilot, answers):
        if name == "checklist":
            await pilot.click(pilot.app.screen.query(Tick)[1])
        await pilot.click("#accept" if name == "checklist" else "#yes")
        await eventually(lambda: answers == [DIALOGS[name].answer])


@pytest.mark.parametrize("name", ["choose", "menu"])
async def test_its_rows_can_be_clicked(name: str) -> None:
    async with asked(name) as (pilot, answers):
        await pilot.click(OptionList, offset=(4, 1 if name == "choose" else 2))
        await eventually(lambda: answers == ["b"])


async def test_work_that_ends_below_a_question_leaves_the_question_and_closes_after_it() -> None:
    held = threading.Event()

    def job() -> Iterator[tuple[int, int]]:
        yield 0, 1
        held.wait()
        yield 1, 1

    app: App[None] = App()
    async with app.run_test() as pilot:
        answers: list[int | bool | None] = []
        try:
            await app.push_screen(Progress("export", job()), answers.append)
            await app.push_screen(Confirm("quit", "", yes="Leave", no="Stay"), answers.append)
        finally:
            held.set()
        await app.workers.wait_for_complete()
        assert answers == []
        await pilot.press("n")
        await eventually(lambda: len(app.screen_stack) == 1)
        await pilot.pause()
        assert answers == [False, 1]


@pytest.mark.parametrize("answer", [None, "a"])
async def test_no_row_is_shown_after_the_answer(answer: str | None) -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        shown: list[str | None] = []
        choices = [Choice("a", "apple"), Choice("b", "pear")]
        dialog = Choose("fruit", choices, preview=shown.append)
        await app.push_screen(dialog, lambda picked: shown.append(picked or "as before"))
        await pilot.pause()
        dialog.action_move(1)
        dialog.dismiss(answer)
        await eventually(lambda: not dialog.is_running)
        await pilot.pause()
        assert shown[-1] == (answer or "as before")
