"""Copying what a connection or a message is as a command line, for a terminal or a bug report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from rtui.core.fault import Failure
from rtui.core.record import Direction, Kind
from rtui.settings.files import SettingsError
from rtui.settings.option import OptionErrors, declared
from rtui.settings.secrets import MASK
from rtui.settings.session_list import session_name
from rtui.workbench.action import Book

if TYPE_CHECKING:
    from rtui.core.record import Record
    from rtui.protocols.copying import Subject
    from rtui.protocols.shell import CommandLine
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Message")
_action = BOOK.action


def can_copy_command(desk: Desk) -> bool:
    """Whether the tab is a connection."""
    return desk.connection is not None and desk.session is not None


@_action("copy-command", "ctrl+y,alt+y", "Copy as command", when=can_copy_command, menu=("log", "composer"))
def copy_command(desk: Desk) -> None:
    """Copy the command line of a usual tool that sends what stands in the composer or the row, or else connects."""
    if lines := _sending(desk) or _listening(desk):
        _copy(desk, lines[0])


@_action("copy-command-of", "", "Copy as command of…", when=can_copy_command, menu=("log", "composer", "tabs"))
async def copy_command_of(desk: Desk) -> None:
    """Choose the tool: websocat, wscat, curl, mosquitto, mqttx, grpcurl, rtui; to send the message, or to connect."""
    from rtui.workbench.screens.dialog import Choice, Choose

    named = [(line, f"send · {line.tool}") for line in _sending(desk)]
    named += [(line, f"connect · {line.tool}") for line in _listening(desk)]
    lines = [line for line, _ in named]
    choices = [Choice(str(place), label, _masked(desk, line.text)) for place, (line, label) in enumerate(named)]
    picked = await desk.ask(Choose("copy as command of", choices))
    if picked is not None:
        _copy(desk, lines[int(picked)])


def _copy(desk: Desk, line: CommandLine) -> None:
    """Send it to the clipboard, and say what is not in it."""
    text = _masked(desk, line.text)
    desk.copy(text, "command")
    remarks = []
    if line.variables:
        remarks.append(f"set before: {', '.join(line.variables)}")
    if text.count(MASK) > line.text.count(MASK):
        remarks.append(f"secrets in it are {MASK}")
    if line.unsaid:
        remarks.append(f"{line.tool} has no words for: {', '.join(line.unsaid)}")
    if remarks:
        desk.say("; ".join(remarks), severity="warning")


def _masked(desk: Desk, text: str) -> str:
    return desk.bench.secrets[desk.sure.id].mask(text)


def _subject(desk: Desk) -> Subject:
    """The connection as its session is written, or, where that cannot be read by itself, as it is connected."""
    from rtui.protocols.copying import Subject, subject
    from rtui.settings.secrets import Secrets
    from rtui.settings.template import Renderer

    session, connection = desk.session, desk.sure
    assert session is not None  # noqa: S101 - `when` has seen it
    assert desk.sheets.current is not None  # noqa: S101 - likewise
    in_file = session.path is not None and session.stored is not None and not desk.sheets.current.unsaved
    target = session_name(session.path) if in_file and session.path is not None else ""
    try:
        return subject(session, target)
    except (Failure, OptionErrors, SettingsError):
        return Subject(
            adapter=type(connection.adapter),
            url=connection.link.url,
            options=connection.link.options,
            subscriptions={},
            session=session,
            renderer=Renderer({}, {}, Secrets()),
        )


def _listening(desk: Desk) -> list[CommandLine]:
    from rtui.protocols.copying import listening

    return listening(_subject(desk))


def _sending(desk: Desk) -> list[CommandLine]:
    """Lines for the message that is meant; none if none is."""
    from rtui.protocols.copying import sending

    said = _typed(desk) if desk.focused_pane == "composer" else _requested(desk)
    return sending(_subject(desk), *said) if said is not None else []


def _typed(desk: Desk) -> tuple[str, bytes, Any]:
    composer = desk.sure_picture.composer
    return composer.draft.channel, composer.payload(), desk.built(composer.outgoing())


def _requested(desk: Desk) -> tuple[str, bytes, Any] | None:
    """The channel of the selected rows and all that was sent in them; of an answer, what it answers."""
    if not desk.has_row:
        return None
    catalog = desk.bench.catalog
    rows = [catalog.record(row.reply_to) if row.direction != Direction.OUT else row for row in desk.selected_records()]
    sent = [row for row in rows if row is not None and row.kind == Kind.MESSAGE and row.direction == Direction.OUT]
    if not sent:
        return None
    kept = {row.seq: row for row in sent if row.channel == sent[-1].channel}
    return sent[-1].channel, b"\n".join(row.payload for row in kept.values()), _sent_with(desk, kept.values())


def _sent_with(desk: Desk, rows: Iterable[Record]) -> Any:
    """How the first of `rows` was sent, as the protocol's `Outgoing`: QoS, metadata; None if nothing is told.

    What is masked in it stays away: the command names secrets by variables.
    """
    told: dict[str, Any] = next((msgspec.json.decode(row.meta) for row in rows if row.meta), {})
    takes = {one.key for one in declared(desk.sure.adapter.Outgoing)}
    given = {key: _unmasked(value) for key, value in told.items() if key in takes}
    try:
        return desk.built(given) if given else None
    except OptionErrors:
        return None  # the row tells more than one sends


def _unmasked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if MASK not in str(item)}
    return value
