"""Keys one at a time: each goes to where the one before it has led.

Textual hands a key to the widget that has the focus when the key arrives. Keys that come in one piece, as a slow line
brings them, would all go to the first one's: a letter meant for a dialog would be an action behind it. So a key waits
until the one before it, or the click, went up from its widget to the app, which carries out what it is bound to; until
the work that this began is no longer on its way (`Errand`); and until the screen that it put up stands.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from textual import events
from textual.app import App
from textual.errors import NoWidget

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.screen import Screen

PATIENCE: Final = 0.5
"""Seconds that a key may hold up the next one: its widget may be gone, a dialog may have to ask the peer first."""
OPENING: Final = 5.0
"""Seconds after the first event for which keys wait for the start of the program."""
POLL: Final = 0.01
"""Seconds between two looks at whether the next one can be handed on."""
LAPS: Final = 10
"""Pieces of `PATIENCE`, each of which the loop has to come round for."""
PASSES: Final = 2
"""Times that the way up is gone again behind the key: what it is bound to may tell a widget, which tells the desk,
which has the app move the focus."""


class Patience:
    """How long something is waited for: it is lost piece by piece, and none while the loop does not come round."""

    def __init__(self) -> None:
        self.lost = False
        self._lose(LAPS)

    def _lose(self, laps: int) -> None:
        if laps:
            asyncio.get_running_loop().call_later(PATIENCE / LAPS, self._lose, laps - 1)
        else:
            self.lost = True


class Errand:
    """Work that the user began, stepped here to see what it waits for.

    It is on its way until it first waits for something, and again from each answer to a dialog of its own until it
    waits for something else. If it `asks`, waiting for anything before its first dialog is on its way too, for as long
    as keys have patience. So a dialog gets what is typed for it, and a long task holds up nobody.
    """

    def __init__(self, work: Awaitable[None], app: App[Any], *, asks: bool = False) -> None:
        self._work = work
        self._app = app
        self._patience = Patience() if asks else None
        self._waits = False
        self._dialog: Screen[Any] | None = None
        """The dialog of its own that it waits for."""

    @property
    def on_its_way(self) -> bool:
        """Whether it may be about to put up what the next key is for."""
        if not self._waits:
            return True
        if self._dialog is not None:
            return self._dialog not in self._app.screen_stack
        return self._patience is not None and not self._patience.lost

    def __await__(self) -> Generator[Any, Any, None]:
        """See `object.__await__`."""
        steps = self._work.__await__()
        step = partial(next, steps)
        while True:
            try:
                awaited = self._stepped(step)
            except StopIteration:
                return
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001 - it is the work's, cancellation too
                step = partial(steps.throw, error)
            else:
                step = partial(next, steps)

    def _stepped(self, step: partial[Any]) -> object:
        """What the work waits for after a step."""
        self._waits, self._dialog = False, None
        screens = len(self._app.screen_stack)
        awaited = step()
        self._waits = awaited is not None  # it may only give way to others
        if len(self._app.screen_stack) > screens:
            self._dialog, self._patience = self._app.screen, None
        return awaited


class Patient(App[int]):
    """An app whose keys have their turns."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Event] = deque()
        self._turn = 0
        self._busy = False
        """Whether a key or a click is on its way."""
        self._errands: set[Errand] = set()
        self._looks: set[Patience] = set()
        """For looks at the disk that decide what comes next."""
        self._opens_until = 0.0
        """The start is waited for until then; 0 before the first event."""

    async def on_event(self, event: events.Event) -> None:
        """Hand a key, what is pasted, or a button of the mouse to where it belongs when it is its turn."""
        self._opens_until = self._opens_until or _now() + OPENING
        ours = isinstance(event, events.Key | events.Paste | events.MouseDown | events.MouseUp)
        drags = isinstance(event, events.MouseMove) and bool(self._typed)
        if not (ours or drags) or event.is_forwarded:
            await super().on_event(event)
        elif self._busy:
            self._typed.append(event)
        elif isinstance(event, events.MouseDown):
            await super().on_event(event)  # what it does, it does when the button is let go
        elif not self.is_open and _now() < self._opens_until:
            self._busy = True
            self._typed.append(event)
            self._settle(self._turn)
        else:
            self._busy = True
            await self._hand_on(event)

    @property
    def is_open(self) -> bool:
        """Whether everything is there that keys are for. What is typed before waits, for a while."""
        return True

    def simulate_key(self, key: str) -> None:
        """A key that a click stands for comes before all that was typed after the click."""
        if self._busy:
            self._typed.appendleft(events.Key(key, None))
        else:
            super().simulate_key(key)

    def follow(self, errand: Errand) -> None:
        """Keys wait while `errand` is on its way."""
        self._errands.add(errand)

    def forget(self, errand: Errand) -> None:
        """It has ended."""
        self._errands.discard(errand)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Keys wait, as long as they have patience, for what is looked at."""
        patience = Patience()
        self._looks.add(patience)
        try:
            yield
        finally:
            self._looks.discard(patience)

    async def _hand_on(self, event: events.Event) -> None:
        """Give `event` to where it belongs; the next turn begins when it has been carried out."""
        target = self._target(event)
        await super().on_event(event)
        self._turn += 1
        self._climb(target, target, self._turn, PASSES)
        self._lose_patience(self._turn, LAPS)

    def _target(self, event: events.Event) -> DOMNode:
        if isinstance(event, events.MouseEvent):
            try:
                return self.get_widget_at(event.x, event.y)[0]
            except NoWidget:
                return self.screen
        return self.focused or self.screen

    def _climb(self, node: DOMNode | None, target: DOMNode, turn: int, passes: int) -> None:
        """Queue behind the event at each of the places that it passes on its way up, and last at the app."""
        while node is not None and node is not self:
            if node.call_later(self._climb, node.parent, target, turn, passes):
                return
            node = node.parent  # it is closing, and takes nothing more
        if passes:
            self.call_later(self._climb, target, target, turn, passes - 1)
        else:
            self.call_later(self._settle, turn)

    def _lose_patience(self, turn: int, laps: int) -> None:
        """The way up may have been cut off: then go by what is known."""
        if turn != self._turn or not self._busy:
            return
        if laps:
            asyncio.get_running_loop().call_later(PATIENCE / LAPS, self._lose_patience, turn, laps - 1)
        else:
            self._settle(turn)

    def _settle(self, turn: int) -> None:
        if turn != self._turn or not self._busy or not self.screen_stack:  # without a screen it has been left
            return
        if self._stands():
            self._end()
        else:
            asyncio.get_running_loop().call_later(POLL, self._settle, turn)

    def _stands(self) -> bool:
        """Whether the screen can be typed into, and no other one is about to come."""
        looking = any(not patience.lost for patience in self._looks)
        opening = not self.is_open and _now() < self._opens_until
        return not (looking or opening) and self.screen.is_mounted and not any(one.on_its_way for one in self._errands)

    def _end(self) -> None:
        """The next one's turn."""
        if self._typed:
            self._turn += 1  # whatever else would end this turn comes too late
            self.call_later(self._hand_on, self._typed.popleft())
        else:
            self._busy = False


def _now() -> float:
    return asyncio.get_running_loop().time()
