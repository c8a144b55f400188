"""Sending what stands in the composer to several connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtui.workbench.action import Book
from rtui.workbench.actions.saved import connections_of, has_draft, letter_of
from rtui.workbench.several import Letter, able, addresses, deliver, verdict

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Message")
_action = BOOK.action


@_action("send-several", "alt+s", "Send to several…", when=has_draft, menu=("composer",))
async def send_to_several(desk: Desk) -> None:
    """Send what stands in the composer over several connections: tick which; the choice is kept while the tab is."""
    from rtui.workbench.screens.checklist import Checklist
    from rtui.workbench.screens.dialog import Choice

    composer, sheet, connection = desk.sure_picture.composer, desk.sheets.current, desk.sure
    wanted = composer.finish()
    if wanted is None or sheet is None:
        return
    draft = composer.draft
    letter = letter_of(desk, wanted.payload, wanted.channel, wanted.outgoing)
    open_ones = able(connections_of(desk))
    choices = [Choice(str(one.id), one.name, letter.about(one)) for one in open_ones]
    ticked = {str(link) for link in sheet.several} or {str(connection.id)}
    picked = await desk.ask(
        Checklist("send to", choices, ticked=ticked, detail=_detail(letter, open_ones), accept="Send")
    )
    if picked is None:
        return
    sheet.several = frozenset(map(int, picked))
    receivers = [one for one in open_ones if one.id in sheet.several]
    desk.bench.state.remember_payload(sheet.name, desk.bench.secrets[connection.id].mask(draft.payload))
    troubles = await deliver(letter, receivers)
    _tell(desk, verdict(len(receivers), troubles), here=desk.sheets.current is sheet, wrong=bool(troubles))


def _detail(letter: Letter, connections: list[Connection]) -> str:
    """What is the same for each, and what is not."""
    notes = []
    if letter.channel and any(map(addresses, connections)):
        notes.append(f"to {letter.channel} wherever the protocol sends to channels")
    if letter.outgoing is not None and any(one.protocol != letter.protocol for one in connections):
        notes.append("options are those of this protocol: the others send as they usually do")
    return "\n".join(notes)


def _tell(desk: Desk, text: str, *, here: bool, wrong: bool) -> None:
    """Below the composer, or as a notification if another tab is shown by now."""
    if here and desk.is_shown("composer"):
        desk.sure_picture.composer.tell(text, wrong=wrong)
    else:
        desk.say(text, severity="warning" if wrong else "information")
