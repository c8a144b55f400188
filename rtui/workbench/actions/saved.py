"""Actions on the saved messages of a session: send one, keep one, repeat one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from rtui.core.clean import clean, clip
from rtui.settings.option import has_template
from rtui.settings.quantity import format_duration
from rtui.settings.session import SavedMessage
from rtui.workbench.action import Book
from rtui.workbench.actions.connection import can_send
from rtui.workbench.repeat import Repeat, parse_rhythm
from rtui.workbench.several import Letter, send_all

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection
    from rtui.settings.session_model import PayloadFormat
    from rtui.workbench.draft import Draft
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.screens.dialog import Choice

BOOK = Book("Saved message")
_action = BOOK.action

DIGITS: Final = range(1, 10)
TYPED: Final = " "
"""The choice of what stands in the composer. No saved message is called so."""
TOGETHER: Final = "  "
"""The same, to the connections that a message was sent to together."""
NAME_CELLS: Final = 30
"""Of a message's name, in a menu."""
SHORTEST: Final = 0.01
"""Seconds between two sends of a rhythm."""


def has_draft(desk: Desk) -> bool:
    """Whether something stands in the composer of an open connection."""
    return can_send(desk) and desk.composer is not None and bool(desk.composer.draft.payload)


@_action("send-saved", "M", "Send saved…", when=can_send, menu=("composer",))
async def send_saved(desk: Desk) -> None:
    """Send one of the session's saved messages."""
    from rtui.workbench.screens.dialog import Choose

    messages = desk.sure.session.messages
    if not messages:
        desk.say(f"this session has no saved messages; {desk.bench.key_of('app.keep-message')} keeps what you wrote")
        return
    picked = await desk.ask(Choose("send", _choices(desk)))
    if picked is not None:
        _send(desk, next(one for one in messages if one.name == picked))


def _declare_digit(number: int) -> None:
    @_action(
        f"send-saved-{number}",
        str(number),
        f"Send saved {number}",
        when=partial(_has, number=number),
        called=lambda desk: f"Send {clip(clean(desk.sure.session.messages[number - 1].name), NAME_CELLS)}",
        menu=("composer",),
    )
    def send(desk: Desk) -> None:
        """Send the saved message of this number."""
        _send(desk, desk.sure.session.messages[number - 1])


def _has(desk: Desk, number: int) -> bool:
    return can_send(desk) and len(desk.sure.session.messages) >= number


for _number in DIGITS:
    _declare_digit(_number)


@_action("keep-message", "alt+k", "Keep message…", when=has_draft, menu=("composer",))
async def keep(desk: Desk) -> None:
    """Keep what stands in the composer as a saved message of the session."""
    from rtui.workbench.screens.dialog import Prompt

    connection, sheet = desk.sure, desk.sheets.current
    assert desk.composer is not None  # noqa: S101 - `when` has seen it
    assert sheet is not None  # noqa: S101
    draft = desk.composer.draft
    name = await desk.ask(Prompt("keep message as", hint="a name", check=_name_trouble, detail=_warning(draft)))
    if not name:
        return
    message = saved(draft, name, desk.composer.outgoing())
    connection.session = _with(connection.session, message)
    if sheet.session is not None:
        sheet.session = _with(sheet.session, message)
        sheet.unsaved = True
    place = [one.name for one in connection.session.messages].index(name) + 1
    digit = f"{place} sends it; " if place in DIGITS else ""
    desk.say(f"kept as {name}: {digit}{desk.bench.key_of('app.save')} saves the session")
    desk.refresh_bindings()


@_action("repeat", "a", "Repeat…", when=can_send, menu=("composer",))
async def repeat(desk: Desk) -> None:
    """Send a message again and again, or stop doing so."""
    from rtui.workbench.screens.dialog import Choice, Choose, Prompt

    connection = desk.sure
    if desk.repeats.of(connection) is not None:
        desk.repeats.stop(connection)
        return
    choices = _choices(desk)
    if has_draft(desk):
        choices.insert(0, Choice(TYPED, "what stands in the composer"))
        if len(together := _together(desk)) > 1:
            choices.insert(1, Choice(TOGETHER, f"the same to {len(together)}", ", ".join(one.name for one in together)))
    if not choices:
        desk.say("nothing to repeat yet: write a message first")
        return
    picked = await desk.ask(Choose("repeat", choices))
    if picked is None:
        return
    message = next((one for one in connection.session.messages if one.name == picked), None)
    usual = format_duration(message.every) if message is not None and message.every else "1s"
    every = await desk.ask(
        Prompt("repeat every", value=usual, check=_every_trouble, detail="1s 20% varies between 0.8 and 1.2 seconds")
    )
    if every:
        if picked == TOGETHER:
            rhythm = _rhythm_together(desk, *parse_rhythm(every))
        else:
            rhythm = _rhythm(desk, message, *parse_rhythm(every))
        await desk.repeats.run(connection, rhythm)


def saved(draft: Draft, name: str, outgoing: dict[str, Any]) -> SavedMessage:
    """What stands in the composer, as it is written to a session file."""
    if draft.format == "file":
        return SavedMessage(name=name, channel=draft.channel, file=draft.payload.strip(), options=outgoing)
    return SavedMessage(
        name=name,
        channel=draft.channel,
        payload=draft.payload,
        format=cast("PayloadFormat", draft.format),
        type=draft.type if draft.format == "protobuf" else "",
        options=outgoing,
    )


def _rhythm(desk: Desk, message: SavedMessage | None, every: float, jitter: float) -> Repeat:
    connection = desk.sure
    if message is not None:
        return Repeat(message.name, every, partial(connection.send_saved, message), jitter)
    assert desk.composer is not None  # noqa: S101 - it was offered because something stands in it
    composer = desk.composer
    outgoing = desk.built(composer.outgoing())
    send = partial(connection.send, composer.payload(), composer.draft.channel, outgoing)
    return Repeat("a message", every, send, jitter)


def connections_of(desk: Desk) -> list[Connection]:
    """The connections of all tabs, the current one first."""
    tabs = [sheet.connection for sheet in desk.sheets if sheet.connection is not None]
    return sorted(tabs, key=lambda one: one is not desk.connection)


def letter_of(desk: Desk, payload: bytes, channel: str, outgoing: dict[str, Any]) -> Letter:
    """What was written for the tab's connection, to be sent to others too."""
    protocol = desk.sure.protocol
    return Letter(payload=payload, channel=channel, outgoing=desk.built(outgoing), protocol=protocol)


def _together(desk: Desk) -> list[Connection]:
    sheet = desk.sheets.current
    return [one for one in connections_of(desk) if sheet is not None and one.id in sheet.several]


def _rhythm_together(desk: Desk, every: float, jitter: float) -> Repeat:
    composer, receivers = desk.sure_picture.composer, _together(desk)
    letter = letter_of(desk, composer.payload(), composer.draft.channel, composer.outgoing())
    return Repeat(f"a message to {len(receivers)}", every, partial(send_all, letter, receivers), jitter)


def _send(desk: Desk, message: SavedMessage) -> None:
    desk.sure.send_saved(message)
    desk.log_view.action_follow()


def _choices(desk: Desk) -> list[Choice]:
    from rtui.workbench.screens.dialog import Choice

    return [
        Choice(one.name, f"{place} {one.name}" if place in DIGITS else one.name, _preview(one))
        for place, one in enumerate(desk.sure.session.messages, 1)
    ]


def _preview(message: SavedMessage) -> str:
    source = f"@{message.file}" if message.file else message.payload
    marks = "[sent on connect] " if message.on_connect else ""
    return clean(f"{marks}{message.channel} {source}".strip())[:60]


def _with(session: Any, message: SavedMessage) -> Any:
    """`session` with `message`, in the place of one of the same name."""
    names = [one.name for one in session.messages]
    messages = list(session.messages)
    if message.name in names:
        messages[names.index(message.name)] = message
    else:
        messages.append(message)
    return msgspec.structs.replace(session, messages=tuple(messages))


def _warning(draft: Draft) -> str:
    if has_template(draft.payload):
        return "It holds {{ … }}, which is filled in at each send of a saved message."
    return ""


def _name_trouble(text: str) -> str:
    return "" if text else "a name is missing"


def _every_trouble(text: str) -> str:
    try:
        return "" if parse_rhythm(text)[0] >= SHORTEST else "10ms is the shortest"
    except ValueError as error:
        return str(error)
