"""Actions for showing a protocol to others: presenter mode, its steps, the keys pressed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rtui.core.fault import Failure
from rtui.settings.files import SettingsError
from rtui.settings.session_list import list_sessions
from rtui.workbench.action import Book
from rtui.workbench.actions.session import loaded

if TYPE_CHECKING:
    from rtui.settings.session import Session
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Present")
_action = BOOK.action


def presenting(desk: Desk) -> bool:
    """Whether presenter mode is on."""
    return desk.presenter.on


def has_steps(desk: Desk) -> bool:
    """Whether there is something to present in this tab."""
    return desk.presenter.presentation is not None


@_action("present", "P", "Present", when=lambda desk: desk.sheets.current is not None, menu=("tabs",))
async def present(desk: Desk) -> None:
    """Show the session's steps to others: large rows, captions, one step at a time; from the caption, back again."""
    band = desk.presenter.band
    if band is None:
        if await _has_found_steps(desk):
            desk.presenter.begin()
    elif band.has_focus:
        desk.presenter.leave()
    else:
        band.focus()


async def _has_found_steps(desk: Desk) -> bool:
    """Go to a tab whose session has steps, or let the user choose such a session; False if he would not.

    Where there is none at all, the caption says how to make one.
    """
    if desk.session is not None and desk.session.steps:
        return True
    tab = next((sheet for sheet in desk.sheets if sheet.session is not None and sheet.session.steps), None)
    if tab is not None:
        desk.go_to(tab)
        return True
    from rtui.workbench.screens.dialog import Choice, Choose

    found = await desk.look(_sessions_with_steps) if desk.live_capture else {}
    if not found:
        return True
    choices = [Choice(name, name, one.description) for name, one in found.items()]
    picked = await desk.ask(Choose("present", choices, detail="No tab has steps; these sessions have."))
    return picked is not None and desk.bench.connect(found[picked]) is not None


def _sessions_with_steps() -> dict[str, Session]:
    """The sessions that can be presented, by their names in the list; files that are broken are not."""
    found = {}
    for entry in list_sessions():
        with suppress(SettingsError, Failure):
            session = loaded(entry)
            if session.steps:
                found[entry.name] = session
    return found


@_action("present-next", "full_stop", "Next step", when=has_steps, footer=True, menu=("caption",))
def go_on(desk: Desk) -> None:
    """Carry out the next step of the presentation, or try again the one that failed."""
    desk.presenter.go_on()


@_action("present-back", "", "Caption before", when=has_steps, menu=("caption",))
def look_back(desk: Desk) -> None:
    """Show the caption before; nothing is undone."""
    desk.presenter.look_back()


@_action("present-skip", "", "Skip the step", when=has_steps, menu=("caption",))
def skip(desk: Desk) -> None:
    """Leave out the step that failed or is waited for, or else the next."""
    desk.presenter.skip()


@_action("present-clock", "", "By the clock", when=has_steps, menu=("caption",))
def toggle_clock(desk: Desk) -> None:
    """Go on by the clock, or by key again."""
    desk.presenter.toggle_clock()


@_action("present-black", "", "Black screen", when=presenting, menu=("caption",))
def black(desk: Desk) -> None:
    """Show nothing until the next key."""
    from rtui.workbench.screens.black import Black

    desk.bench.push_screen(Black())


@_action("present-leave", "", "Leave the presentation", when=presenting, menu=("caption",))
def leave(desk: Desk) -> None:
    """Everything as it was before."""
    desk.presenter.leave()


@_action("show-keys", "asterisk", "Show keys pressed", menu=("bottom", "caption"))
def show_keys(desk: Desk) -> None:
    """Show in a corner which keys are pressed and what they do, or no longer; what is typed is not shown."""
    desk.presenter.show_keys(desk.presenter.caps is None)
