"""Actions for showing a protocol to others: presenter mode, its steps, the keys pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtui.workbench.action import Book

if TYPE_CHECKING:
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
def present(desk: Desk) -> None:
    """Show the session's steps to others: large rows, captions, one step at a time; from the caption, back again."""
    band = desk.presenter.band
    if band is None:
        desk.presenter.begin()
    elif band.has_focus:
        desk.presenter.leave()
    else:
        band.focus()


@_action("present-next", "full_stop", "Next step", when=has_steps, footer=True)
def go_on(desk: Desk) -> None:
    """Carry out the next step of the presentation, or try again the one that failed."""
    desk.presenter.go_on()


@_action("present-back", "", "Caption before", when=has_steps)
def look_back(desk: Desk) -> None:
    """Show the caption before; nothing is undone."""
    desk.presenter.look_back()


@_action("present-skip", "", "Skip the step", when=has_steps)
def skip(desk: Desk) -> None:
    """Leave out the step that failed or is waited for, or else the next."""
    desk.presenter.skip()


@_action("present-clock", "", "By the clock", when=has_steps)
def toggle_clock(desk: Desk) -> None:
    """Go on by the clock, or by key again."""
    desk.presenter.toggle_clock()


@_action("present-black", "", "Black screen", when=presenting)
def black(desk: Desk) -> None:
    """Show nothing until the next key."""
    from rtui.workbench.screens.black import Black

    desk.bench.push_screen(Black())


@_action("present-leave", "", "Leave the presentation", when=presenting)
def leave(desk: Desk) -> None:
    """Everything as it was before."""
    desk.presenter.leave()


@_action("show-keys", "asterisk", "Show keys pressed")
def show_keys(desk: Desk) -> None:
    """Show in a corner which keys are pressed and what they do, or no longer; what is typed is not shown."""
    desk.presenter.show_keys(desk.presenter.caps is None)
