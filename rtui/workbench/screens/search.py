"""Asks what to search for, in the language of the filter, and for other lines that are completed as typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.widgets import Label

from rtui.capture.completion import Seen
from rtui.capture.query import FilterError, compile_filter
from rtui.workbench.screens.dialog import Check, Prompt
from rtui.workbench.widgets.expression import Expression
from rtui.workbench.widgets.filterbar import pointed


class Completing(Prompt):
    """A prompt that completes as the filter does."""

    ways = "enter accepts · tab completes · esc cancels"

    def __init__(self, title: str, expression: Expression, *, detail: str, check: Check) -> None:
        super().__init__(title, detail=detail, check=check)
        self._expression = expression

    def ask(self) -> ComposeResult:
        """The input and what is wrong with it."""
        yield self._expression
        yield Label("", markup=False, classes="trouble")


class Search(Completing):
    """It also recalls what was asked before."""

    ways = "enter accepts · tab completes · up recalls · esc cancels"

    def __init__(self, history: Sequence[str], seen: Callable[[], Seen]) -> None:
        expression = Expression(history=history)
        expression.seen = seen
        super().__init__("search", expression, detail="In the language of the filter.", check=trouble)


def trouble(text: str) -> str:
    """What is wrong with an expression, behind a mark under its place; empty if nothing is."""
    try:
        compile_filter(text)
    except FilterError as error:
        return f" {pointed(text, error)}"  # the input is indented by a cell
    return ""
