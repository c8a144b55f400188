"""Completion by what was seen on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.suggester import Suggester

from rtui.core.clean import clean
from rtui.workbench.widgets.safe import ARROW


class Seen(Suggester):
    """Completes a channel by those that messages came on, also since the composer was set up."""

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        """The first name that goes on as typed; else, after an arrow, the first that holds what was typed.

        One that a terminal would obey is left to be copied.
        """
        names = [name for name in self._names() if name != value and clean(name) == name]
        begins = next((name for name in names if name.startswith(value)), None)
        if begins is not None or value in names:
            return begins
        words = value.casefold().split()
        holds = next((name for name in names if all(word in name.casefold() for word in words)), None)
        return f"{value}{ARROW}{holds}" if holds is not None else None
