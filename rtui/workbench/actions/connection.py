"""Actions on connections: open, close, ping, misbehave on purpose."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast, get_args

from rtui.core.command import LASTING, Sabotage
from rtui.core.lifecycle import State
from rtui.protocols import registry
from rtui.protocols.base import Verb, Words
from rtui.settings.option import declared
from rtui.settings.quantity import parse_duration
from rtui.settings.session import load_session, session_from_url
from rtui.workbench.action import Book
from rtui.workbench.actions.session import declares_for, edit_session

if TYPE_CHECKING:
    from rtui.protocols.playback import Playback
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Connection")
_action = BOOK.action

FAULTS: Final = {
    "drop": "Cut the TCP connection without a goodbye",
    "stop-reading": "Stop to read, so that the peer's buffers fill",
    "stop-pongs": "Stop to answer pings",
    "hold-acks": "Hold acknowledgements back",
    "delay-next": "Send the next message late",
    "corrupt-next": "Spoil a byte of the next message",
}
CLOSE_CODES: Final = (range(1000, 1004), range(1007, 1015), range(3000, 5000))
"""What an endpoint may send (RFC 6455, 7.4)."""
DATA: Final = "data"
"""The key of the option that is the body of a request."""
LONGEST_REASON: Final = 123
"""Bytes of a close frame's reason (RFC 6455, 5.5: 125 with the code)."""


def live(desk: Desk) -> bool:
    """Whether the tab's connection is not over."""
    connection = desk.connection
    return connection is not None and connection.state not in {State.CLOSED, State.IDLE}


def is_open(desk: Desk) -> bool:
    """Whether the tab's connection stands."""
    return desk.connection is not None and desk.connection.state is State.OPEN


def can_send(desk: Desk) -> bool:
    """Whether messages can be sent."""
    return is_open(desk) and desk.sends


def plays(desk: Desk) -> bool:
    """Whether the tab plays a recording, or did: nobody is there to ask anything."""
    return desk.connection is not None and desk.connection.adapter.playback is not None


def playback_of(desk: Desk) -> Playback | None:
    """What the tab plays; in the timeline, what is played in all the tabs together, if that is one."""
    if desk.connection is not None:
        return desk.connection.adapter.playback
    sheet = desk.sheets.current
    if sheet is None or not sheet.is_timeline:
        return None
    tabs = (each.connection.adapter.playback for each in desk.sheets if each.connection is not None)
    found = {id(one): one for one in tabs if one is not None}
    return next(iter(found.values())) if len(found) == 1 else None


def explain_silence(desk: Desk) -> None:
    """Say that the protocol sends no messages, and what can be done instead."""
    adapter, key = desk.sure.adapter, desk.bench.key_of
    if adapter.playback is not None:
        desk.say(
            f"This is a replay: nobody is there to send to. {key('app.resend')} sends a row to another connection that "
            "is open, `rtui replay FILE --to TARGET` all that was sent."
        )
        return
    parts = [f"{adapter.title} only receives."]
    if any(one.key == DATA for one in declared(adapter.Options)):
        parts.append(f"To ask for something else, {key('app.edit')} edits its request: method, data, headers.")
    if _can(desk, Verb.PING):
        parts.append(f"{key('app.ping')}: {adapter.words.ping}.")
    desk.say(" ".join(parts))


def _ping_word(desk: Desk) -> str:
    return desk.sure.adapter.words.ping.capitalize()


def _has_own_ping(desk: Desk) -> bool:
    """Whether a ping is more here than a look at how far the peer is."""
    return desk.sure.adapter.words.ping != Words(channel="", channels="").ping


@_action("connect", "c", "Connect…", footer=True, when=lambda desk: desk.live_capture, menu=("sessions", "bottom"))
async def connect(desk: Desk) -> None:
    """Connect to a URL, a session by its name, or what a command line says (curl, websocat, mosquitto_sub …)."""
    from rtui.workbench.screens.address import URLS, ask_until_taken, target_trouble

    detail = f"{URLS}\nor a session's name, or a command: curl, mosquitto_sub …"
    hint, take = "ws://localhost:8080/path", partial(_connect, desk)
    await ask_until_taken(desk, take, "connect", hint=hint, detail=detail, check=target_trouble)


async def _connect(desk: Desk, target: str) -> bool:
    """Whether `target` says something to connect to."""
    from rtui.settings.importing.command_line import is_command
    from rtui.workbench.screens.address import session_file

    if is_command(target):
        from rtui.workbench.actions.importing import connect_command

        return await connect_command(desk, target)
    if (path := session_file(target)) is None:
        await _connect_url(desk, target)
    elif not desk.go_to_session(path):
        desk.connect(load_session(path, declares_for))
    return True


async def _connect_url(desk: Desk, url: str) -> None:
    """Connect to `url`; what is meant by plain http is asked."""
    from rtui.workbench.screens.address import which_protocol

    protocol = None
    if (question := which_protocol(url)) is not None and (protocol := await desk.ask(question)) is None:
        return
    desk.connect(session_from_url(registry.for_url(url, protocol)[1]))


@_action("new-session", "ctrl+n", "New session…", when=lambda desk: desk.live_capture, menu=("sessions", "bottom"))
async def new_session(desk: Desk) -> None:
    """Fill in a form."""
    await edit_session(desk, None)


@_action("disconnect", "d", "Disconnect", when=live, menu=("tabs",))
def disconnect(desk: Desk) -> None:
    """Close politely and stay closed."""
    desk.sure.close()


def is_away(desk: Desk) -> bool:
    """Whether there was a peer, and nobody is connected to it now."""
    return desk.connection is not None and desk.sure.state in {State.WAITING, State.CLOSED} and not plays(desk)


@_action("reconnect", "r", "Reconnect", when=lambda desk: desk.connection is not None, footer=is_away, menu=("tabs",))
def reconnect(desk: Desk) -> None:
    """Connect again now, without waiting, and as the session says by now."""
    assert desk.sheets.current is not None  # noqa: S101 - `when` has seen it
    desk.bench.reconnect(desk.sheets.current)


@_action(
    "ping",
    "p",
    "Ping",
    when=lambda desk: _can(desk, Verb.PING),
    footer=_has_own_ping,
    called=_ping_word,
    menu=("tabs",),
)
def ping(desk: Desk) -> None:
    """Send a ping and time the answer; where requests are repeated, make the next one now."""
    desk.sure.poke()


@_action("close-with", "C", "Close with…", when=lambda desk: _can(desk, Verb.CLOSE_CODE), menu=("tabs",))
async def close_with(desk: Desk) -> None:
    """Close with a code and a reason."""
    from rtui.workbench.screens.dialog import Prompt

    answer = await desk.ask(
        Prompt(
            "close with", value="1000 ", hint="code and reason", detail="A code, then a reason", check=_close_trouble
        )
    )
    if answer:
        code, _, reason = answer.partition(" ")
        desk.sure.close(int(code), reason.strip())


@_action(
    "break",
    "B",
    "Break…",
    when=lambda desk: _can(desk, Verb.BREAK),
    menu=("tabs",),
)
async def misbehave(desk: Desk) -> None:
    """Misbehave on purpose, to see how the peer takes it."""
    from rtui.workbench.screens.dialog import Choice, Choose, Prompt

    connection = desk.sure
    choices = [Choice(name, name, _fault_hint(name, name in connection.faults)) for name in get_args(Sabotage)]
    picked = await desk.ask(Choose("misbehave", choices, detail="Every fault is marked in the log."))
    if picked is None:
        return
    what = cast("Sabotage", picked)
    seconds = 1.0
    if what == "delay-next":
        answer = await desk.ask(Prompt("delay the next message by", value="1s", check=_duration_trouble))
        if not answer:
            return
        seconds = parse_duration(answer)
    connection.sabotage(what, on=what not in LASTING or what not in connection.faults, seconds=seconds)


def _can(desk: Desk, verb: Verb) -> bool:
    return is_open(desk) and verb in desk.sure.adapter.verbs


def _fault_hint(name: str, on: bool) -> str:
    return f"{FAULTS[name]}{' — on, choose again to turn it off' if on else ''}"


def _close_trouble(text: str) -> str:
    code, _, reason = text.partition(" ")
    if not code.isdecimal() or not any(int(code) in legal for legal in CLOSE_CODES):
        return "the code must be 1000–1003, 1007–1014 or 3000–4999"
    too_long = len(reason.strip().encode()) > LONGEST_REASON
    return f"the reason may have {LONGEST_REASON} bytes" if too_long else ""


def _duration_trouble(text: str) -> str:
    try:
        parse_duration(text)
    except ValueError as error:
        return str(error)
    return ""
