"""Asks what to search for, in the language of the filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.widgets import Label

from rtui.capture.completion import Seen
from rtui.capture.query import FilterError, compile_filter
from rtui.workbench.screens.dialog import Prompt
from rtui.workbench.widgets.expression import Expression
from rtui.workbench.widgets.filterbar import pointed


class Search(Prompt):
    """A prompt that completes and recalls as the filter does."""

    ways = "enter accepts · tab completes · up recalls · esc cancels"

    def __init__(self, history: Sequence[str], seen: Callable[[], Seen]) -> None:
        super().__init__("search", detail="In the language of the filter.", check=trouble)
        self._expression = Expression(history=history)
        self._expression.seen = seen

    def ask(self) -> ComposeResult:
        """The input and what is wrong with it."""
        yield self._expression
        yield Label("", markup=False, classes="trouble")


def trouble(text: str) -> str:
    """What is wrong with an expression, behind a mark under its place; empty if nothing is."""
    try:
        compile_filter(text)
    except FilterError as error:
        return f" {pointed(text, error)}"  # the input is indented by a cell
    return ""
