"""Completion by what was seen on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.suggester import Suggester

from rtui.core.clean import clean


class Seen(Suggester):
    """Completes a channel by those that messages came on, also since the composer was set up."""

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        """The first name that goes on as typed. One that a terminal would obey is left to be copied."""
        fitting = (name for name in self._names() if len(name) > len(value) and name.startswith(value))
        return next((name for name in fitting if clean(name) == name), None)
