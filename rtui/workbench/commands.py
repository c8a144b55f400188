"""The command palette: every action that can be done now, from the one table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from rtui.workbench.action import Action
from rtui.workbench.bindings import ACTIONS

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk


class ActionProvider(Provider):
    """Offers `ACTIONS`; those whose `when` fails are left out."""

    async def discover(self) -> Hits:
        """Everything, before a letter is typed."""
        for action, title in self._offered():
            yield DiscoveryHit(Content(title), partial(self._desk.perform, action.id), title, action.help)

    async def search(self, query: str) -> Hits:
        """What fits the letters."""
        matcher = self.matcher(query)
        for action, title in self._offered():
            if score := matcher.match(f"{title} {action.help}"):
                yield Hit(score, matcher.highlight(title), partial(self._desk.perform, action.id), help=action.help)

    @property
    def _desk(self) -> Desk:
        return cast("Desk", self.screen)

    def _offered(self) -> Iterator[tuple[Action, str]]:
        for action in ACTIONS.values():
            if action.id != "app.palette" and action.when(self._desk):
                key = self._desk.bench.key_of(action.id)
                shown = f"  ({key})" if key else ""
                yield action, f"{action.group}: {action.name(self._desk).rstrip('…')}{shown}"
