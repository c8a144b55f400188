"""Keys one at a time: each goes to where the one before it has led.

Textual hands a key to the widget that has the focus when the key arrives. Keys that come in one piece, as a slow line
brings them, would all go to the first one's: a letter meant for a dialog would be an action behind it. So a key waits
until the one before it went up from its widget to the app, which carries out what it is bound to, and until a dialog
that this opens stands.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import App

if TYPE_CHECKING:
    from textual.dom import DOMNode

PATIENCE: Final = 0.5
"""Seconds that a key may hold up the next one: its widget may be gone, a dialog may have to ask the peer first."""
POLL: Final = 0.01
"""Seconds between two looks at whether a dialog stands."""
PASSES: Final = 2
"""Times that the way up is gone again behind the key: what it is bound to may tell a widget, which tells the desk,
which has the app move the focus."""


class Patient(App[int]):
    """An app whose keys have their turns."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Event] = deque()
        self._turn = 0
        self._busy = False
        """Whether a key is on its way."""
        self._opening: dict[object, tuple[float, int]] = {}
        """What will open a dialog → how long it is waited for, and how many screens there were before."""

    async def on_event(self, event: events.Event) -> None:
        """Hand a key, or what is pasted, to where it belongs when it is its turn."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._busy:
            self._typed.append(event)
        else:
            self._busy = True
            await self._hand_on(event)

    def opens(self, token: object) -> None:
        """A dialog will come; keys are for it. `token`: what to tell `opened` if it does not."""
        self._opening[token] = (asyncio.get_running_loop().time() + PATIENCE, len(self.screen_stack))

    def opened(self, token: object) -> None:
        """No dialog is to be waited for any more."""
        self._opening.pop(token, None)

    async def _hand_on(self, event: events.Event) -> None:
        """Give `event` to the focus; the next turn begins when it has been carried out."""
        target = self.focused or self.screen
        await super().on_event(event)
        self._turn += 1
        self._climb(target, target, self._turn, PASSES)
        asyncio.get_running_loop().call_later(PATIENCE, self._end, self._turn)

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

    def _settle(self, turn: int) -> None:
        if turn == self._turn and self._busy and not self._stands():
            asyncio.get_running_loop().call_later(POLL, self._settle, turn)
        else:
            self._end(turn)

    def _stands(self) -> bool:
        """Whether the screen can be typed into, and no other one is about to come."""
        now, screens = asyncio.get_running_loop().time(), len(self.screen_stack)
        self._opening = {key: one for key, one in self._opening.items() if one[0] > now and one[1] == screens}
        return not self._opening and self.screen.is_mounted

    def _end(self, turn: int) -> None:
        """The next one's turn."""
        if turn != self._turn:
            return
        if self._typed:
            self._turn += 1  # whatever else would end this turn comes too late
            self.call_later(self._hand_on, self._typed.popleft())
        else:
            self._busy = False
