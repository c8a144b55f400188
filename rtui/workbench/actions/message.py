"""Actions on messages: send, copy, send again, export."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rtui.capture.export import ndjson_lines
from rtui.core.clean import clean
from rtui.core.record import Direction, Kind, Record
from rtui.core.words import counted
from rtui.protocols.base import Verb
from rtui.settings.option import declared
from rtui.workbench.action import Book
from rtui.workbench.actions.connection import can_send, explain_silence, plays
from rtui.workbench.actions.view import has_sheet

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk


ANSWER: Final = "answer"
"""The key of the option that makes a message the acknowledgement of one received."""
ATTACHMENTS: Final = "attachments"
"""The key of the option that holds bytes beside the payload, and of the meta that tells them (base64)."""


def can_resend(desk: Desk) -> bool:
    """Whether there is a row and a way to send it."""
    return can_send(desk) and desk.has_row


def can_answer(desk: Desk) -> bool:
    """Whether there is a row, and a protocol in which the user acknowledges messages."""
    return can_resend(desk) and _takes(desk, ANSWER)


def asked(row: Record) -> int | None:
    """The number under which the peer wants to have a received message acknowledged; None if it does not."""
    if row.kind != Kind.MESSAGE or row.direction != Direction.IN or not row.meta:
        return None
    number = msgspec.json.decode(row.meta).get("ack")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _is_asked(desk: Desk) -> bool:
    """Whether the row under the cursor waits for our acknowledgement, or did."""
    seq = desk.log_view.cursor_seq if can_answer(desk) else None
    row = desk.bench.catalog.record(seq) if seq is not None else None
    return row is not None and asked(row) is not None


def carried(desk: Desk, row: Record) -> dict[str, Any]:
    """Options that send the bytes again which came beside the row's payload, in protocols that have such."""
    if not _takes(desk, ATTACHMENTS):
        return {}
    kept = msgspec.json.decode(row.meta).get(ATTACHMENTS, []) if row.meta else []
    return {ATTACHMENTS: [f"base64:{each}" for each in kept]}


def _channel_for(desk: Desk, row: Record) -> str:
    """Where a row goes again: a received one to its channel only where that is no mere label of what was received."""
    addressed = row.direction == Direction.OUT or Verb.SUBSCRIBE in desk.sure.adapter.verbs
    return row.channel if addressed else ""


def _takes(desk: Desk, option: str) -> bool:
    return any(one.key == option for one in declared(desk.sure.adapter.Outgoing))


BOOK = Book("Message")
_action = BOOK.action


def has_row(desk: Desk) -> bool:
    """Whether the log has a row for actions to be about."""
    return desk.has_row


def _may_ask_to_resend(desk: Desk) -> bool:
    """Whether a row can be sent again, or is played and says why it cannot."""
    return can_resend(desk) or (plays(desk) and desk.has_row)


def _has_connection(desk: Desk) -> bool:
    """A message can be written before the connection is open; a protocol that has none says so."""
    return desk.connection is not None


@_action("compose", "s", "Send", footer=can_send, when=_has_connection, menu=("tabs",))
def compose(desk: Desk) -> None:
    """Write a message."""
    if desk.sends:
        desk.show_pane("composer")
    else:
        explain_silence(desk)


@_action("copy", "y", "Copy", when=has_row, menu=("log",))
def copy_payload(desk: Desk) -> None:
    """Copy the payload of the selected rows, as received."""
    rows = desk.selected_records()
    desk.copy("\n".join(row.payload.decode("utf-8", "replace") for row in rows), _named(len(rows), "payload"))


@_action("copy-row", "Y", "Copy as NDJSON", when=has_row, menu=("log",))
def copy_rows(desk: Desk) -> None:
    """Copy the selected rows as `rtui tail` prints them."""
    rows = desk.selected_records()
    lines = ndjson_lines(rows, desk.bench.catalog.links)
    desk.copy(lines.decode("utf-8", "replace"), _named(len(rows), "row"))


@_action("resend", "R", "Send again", when=_may_ask_to_resend, menu=("log",))
def resend(desk: Desk) -> None:
    """Send the row's payload again, unchanged, to its channel if it has one; from a replay, to another connection."""
    if plays(desk):
        from rtui.workbench.replaying import send_elsewhere

        desk.start(send_elsewhere(desk), "send again…")
        return
    for row in desk.selected_records():
        if row.kind == Kind.MESSAGE:
            desk.send(row.payload, _channel_for(desk, row), carried(desk, row))


@_action("edit-resend", "ctrl+r", "Edit and send", when=can_resend, menu=("log",))
def edit_and_resend(desk: Desk) -> None:
    """Put the row into the composer."""
    row = desk.selected_records()[-1]
    desk.load_composer(row.payload, row.channel, carried(desk, row))


@_action("answer", "K", "Answer", when=can_answer, footer=_is_asked, menu=("log",))
def answer(desk: Desk) -> None:
    """Write the acknowledgement that the row asks for."""
    row = desk.selected_records()[-1]
    number = asked(row)
    if number is None:
        desk.say("this message asks for no acknowledgement", severity="warning")
        return
    desk.show_pane("composer")
    if desk.composer is not None:
        desk.composer.aim(row.channel, {ANSWER: number})
        desk.composer.tell(f"answers {number} of {row.channel}: write its arguments, ctrl+s sends them")


@_action("export", "X", "Export…", when=has_sheet, menu=("log", "tabs"))
async def export(desk: Desk) -> None:
    """Write the rows that the filter lets through to a file, as NDJSON."""
    from rtui.workbench.screens.dialog import Confirm, Prompt
    from rtui.workbench.screens.progress import Progress

    name = f"{_file_name(desk)}.ndjson"
    detail = "One line per message. The filter of the log decides which."
    answer = await desk.ask(Prompt("export to", value=name, detail=detail, check=_path_trouble))
    if not answer:
        return
    path = _expanded(answer)
    if await desk.look(path.exists) and not await desk.ask(Confirm("export", f"{path} exists.", yes="Overwrite")):
        return
    written = await desk.ask(Progress(f"export to {path.name}", _export(desk, path)))
    desk.say(f"{counted(written, 'row')} in {path}" if written is not None else f"cancelled; {path} was not written")


@_action("replay-history", "H", "History…", when=can_send, menu=("composer",))
async def history(desk: Desk) -> None:
    """Put an earlier payload into the composer."""
    from rtui.workbench.screens.dialog import Choice, Choose

    name = desk.sheets.current.name if desk.sheets.current is not None else ""
    payloads = desk.bench.state.history.get(name, [])
    if not payloads:
        desk.say("nothing was sent in this session yet")
        return
    choices = [Choice(str(place), clean(text)[:100]) for place, text in reversed(list(enumerate(payloads)))]
    picked = await desk.ask(Choose("sent before", choices))
    if picked is not None:
        desk.show_pane("composer")
        desk.sure_picture.composer.put_back(payloads[int(picked)])


def _export(desk: Desk, path: Path) -> Iterator[tuple[int, int]]:
    sheet = desk.sheets.current
    link = None if sheet is None or sheet.is_timeline else sheet.key
    return desk.bench.catalog.export(path, link, sheet.filter if sheet is not None else None)


def _named(count: int, what: str) -> str:
    return what if count == 1 else f"{count} {what}s"


def _file_name(desk: Desk) -> str:
    sheet = desk.sheets.current
    name = sheet.name if sheet is not None else "rtui"
    return "".join(char if char.isalnum() or char in "-." else "-" for char in name).strip("-.") or "rtui"


def _path_trouble(text: str) -> str:
    if not text:
        return "a file name is missing"
    path = _expanded(text)
    if path.is_dir():
        return "that is a folder"
    return "" if path.parent.is_dir() else f"there is no folder {path.parent}"


def _expanded(text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises where there is no home
