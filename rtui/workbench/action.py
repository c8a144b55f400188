"""One declaration of what a user can do → key binding, footer, palette entry, help row, keymap id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from textual.binding import Binding

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

Run: TypeAlias = "Callable[[Desk], Awaitable[None] | None]"
Test: TypeAlias = "Callable[[Desk], bool]"
Name: TypeAlias = "Callable[[Desk], str]"
_Run = TypeVar("_Run", bound="Run")

UNBOUND: Final = "unbound-"
"""Begins the key of an action that has none by default. No terminal sends it; a keymap can still give it one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """Something the user can do."""

    id: str
    """"app.ping": what keys.toml names. All begin with "app": their keys hold wherever the focus is."""
    group: str
    """A heading in help and palette."""
    keys: str
    """Comma-separated Textual keys that a legacy terminal can send; empty = palette only."""
    title: str
    help: str
    run: Run
    when: Test
    footer: bool | Test
    """Whether the footer shows it while it is enabled."""
    called: Name | None = None
    """What the protocol of the tab calls it, where that is not `title`."""
    menu: tuple[str, ...] = ()
    """The places whose menu offers it (`screens.menu.PLACES`)."""
    own: str = ""
    """The key of a pane ("tree.filter") that does the same: that pane's menu offers it already."""

    def name(self, desk: Desk) -> str:
        """What it is called now. Only while it is enabled."""
        return self.called(desk) if self.called is not None else self.title

    def hint(self, desk: Desk) -> str:
        """What the footer says of it now; empty where it does not show it."""
        shown = self.footer if isinstance(self.footer, bool) else self.footer(desk)
        return self.name(desk) if shown else ""

    def binding(self) -> Binding:
        """The key binding, whose action goes through `Desk.action_do`."""
        keys = self.keys or UNBOUND + self.id
        return Binding(keys, f"do('{self.id}')", self.title, id=self.id, tooltip=self.help, show=bool(self.footer))


class Book:
    """The actions of one subject, in the order they are declared."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.actions: list[Action] = []

    def action(
        self,
        id: str,  # noqa: A002 - the word that keys.toml uses
        keys: str,
        title: str,
        *,
        when: Test = lambda _desk: True,
        footer: bool | Test = False,
        called: Name | None = None,
        menu: tuple[str, ...] = (),
        own: str = "",
    ) -> Callable[[_Run], _Run]:
        """Declare the decorated function as an action. Its docstring is the help that users read."""

        def declare(run: _Run) -> _Run:
            one = Action(
                id=f"app.{id}",
                group=self.group,
                keys=keys,
                title=title,
                help=(run.__doc__ or title).rstrip("."),
                run=run,
                when=when,
                footer=footer,
                called=called,
                menu=menu,
                own=own,
            )
            self.actions.append(one)
            return run

        return declare


def by_id(actions: Iterable[Action]) -> dict[str, Action]:
    """A lookup by id.

    Raises:
        ValueError: if two actions share one.
    """
    table: dict[str, Action] = {}
    for one in actions:
        if one.id in table:
            raise ValueError(f"two actions are called {one.id}")
        table[one.id] = one
    return table
