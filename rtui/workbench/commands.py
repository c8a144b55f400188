"""The command palette: every action that can be done now, from the one table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from rtui.workbench.action import Action
from rtui.workbench.bindings import ACTIONS

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

FAR: Final = 100.0
"""More than any score of Textual's for letters that are found somewhere."""


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
                score += FAR * nearness(query, action.name(self._desk).rstrip("…"), title)
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


def nearness(query: str, name: str, title: str) -> float:
    """How plainly `query` names an action: 3 as its name, from 2 at its beginning, from 1 elsewhere in its title, or 0.

    Textual's own score cannot tell a word of the name from letters that are strewn over the explanation.
    """
    wanted, name, title = query.strip().casefold(), name.casefold(), title.casefold()
    if not wanted or wanted not in title:
        return 0.0
    begins = name.startswith(wanted) or title.startswith(wanted)
    return begins + 1 + min(1.0, len(wanted) / len(name))
