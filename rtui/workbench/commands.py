"""The command palette: every action that can be done now, from the one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from rtui.workbench.bindings import ACTIONS
from rtui.workbench.screens.menu import own_entries

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

FAR: Final = 100.0
"""More than any score of Textual's for letters that are found somewhere."""


class Offer(NamedTuple):
    """One row of the palette."""

    name: str
    title: str
    """The name with its subject and its key."""
    help: str
    run: Callable[[], object]


class ActionProvider(Provider):
    """Offers `ACTIONS`, those whose `when` fails left out, and what only the pane with the focus can do."""

    async def discover(self) -> Hits:
        """Everything, before a letter is typed."""
        for one in self._offered():
            yield DiscoveryHit(Content(one.title), one.run, one.title, one.help)

    async def search(self, query: str) -> Hits:
        """What fits the letters."""
        matcher = self.matcher(query)
        for one in self._offered():
            if score := matcher.match(f"{one.title} {one.help}"):
                score += FAR * nearness(query, one.name, one.title)
                yield Hit(score, matcher.highlight(one.title), one.run, help=one.help)

    def _offered(self) -> Iterator[Offer]:
        desk = cast("Desk", self.screen)
        for action in ACTIONS.values():
            if action.id != "app.palette" and action.when(desk):
                run = partial(desk.perform, action.id)
                yield _offer(action.group, action.name(desk), desk.bench.key_of(action.id), action.help, run)
        for entry in own_entries(desk):
            yield _offer(entry.subject, entry.title, entry.key, entry.help, entry.run)


def _offer(subject: str, name: str, key: str, about: str, run: Callable[[], object]) -> Offer:
    name = name.rstrip("…")
    return Offer(name, f"{subject}: {name}{f'  ({key})' if key else ''}", about, run)


def nearness(query: str, name: str, title: str) -> float:
    """How plainly `query` names an action: 3 as its name, from 2 at its beginning, from 1 elsewhere in its title, or 0.

    Textual's own score cannot tell a word of the name from letters that are strewn over the explanation.
    """
    wanted, name, title = query.strip().casefold(), name.casefold(), title.casefold()
    if not wanted or wanted not in title:
        return 0.0
    begins = name.startswith(wanted) or title.startswith(wanted)
    return begins + 1 + min(1.0, len(wanted) / len(name))
