"""Actions on recordings that are played."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtui.core.clean import clean
from rtui.core.lifecycle import State
from rtui.workbench.action import Book
from rtui.workbench.actions.connection import playback_of

if TYPE_CHECKING:
    from rtui.protocols.playback import Playback
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Replay")
SHORT: Final = 2.0
"""Seconds of then that a silence lasts at most, where silences are shortened."""
_action = BOOK.action


def plays(desk: Desk) -> bool:
    """Whether there is something to be steered."""
    return playback_of(desk) is not None


def runs(desk: Desk) -> bool:
    """Whether it has not ended."""
    playback = playback_of(desk)
    stands = desk.connection is None or desk.connection.state is State.OPEN
    return playback is not None and not playback.over and stands


def may_play(desk: Desk) -> bool:
    """Whether a capture can be chosen, or one is open."""
    return desk.live_capture or desk.bench.catalog.last > 0


def _pause_word(desk: Desk) -> str:
    playback = _playback(desk)
    return "Play again" if playback.over else "Go on" if playback.paused else "Pause"


def _silence_word(desk: Desk) -> str:
    return "Full silences" if _playback(desk).max_silence else "Shorten silences"


def _replay_word(desk: Desk) -> str:
    return "Replay a capture…" if desk.live_capture else "Replay this capture"


@_action("replay-pause", "ctrl+t", "Pause", when=plays, footer=True, called=_pause_word, menu=("tabs", "log"))
def pause(desk: Desk) -> None:
    """Stop the replay, let it go on, or play it again after its end; all tabs of its capture together."""
    from rtui.workbench.replaying import toggle

    toggle(desk)
    desk.refresh_bindings()


@_action("replay-step", "exclamation_mark", "Step", when=runs, footer=True, menu=("tabs",))
def step(desk: Desk) -> None:
    """Stop the replay behind the next message."""
    _playback(desk).step()
    desk.refresh_bindings()


@_action("replay-faster", "plus", "Faster", when=runs, menu=("tabs",))
def faster(desk: Desk) -> None:
    """Play faster, up to as fast as it goes."""
    _hasten(desk, 1)


@_action("replay-slower", "minus", "Slower", when=runs, menu=("tabs",))
def slower(desk: Desk) -> None:
    """Play slower."""
    _hasten(desk, -1)


@_action("replay-go", "at", "Go to…", when=plays, footer=True, menu=("tabs",))
async def go_to(desk: Desk) -> None:
    """Go on from another place of the recording; what lies between is not told."""
    from rtui.protocols.wire.replay_place import PLACE_HINT, clock, elapsed, parse_place
    from rtui.workbench.replaying import go
    from rtui.workbench.screens.dialog import Prompt

    playback = _playback(desk)
    begin, end = playback.begin, playback.end

    def trouble(text: str) -> str:
        try:
            parse_place(text, begin, end)
        except ValueError as error:
            return str(error)
        return ""

    at = f"+{elapsed(playback.position - begin)}"
    detail = f"{PLACE_HINT}.\nRecorded from {clock(begin)} to {clock(end)}, {elapsed(end - begin)} long."
    answer = await desk.ask(Prompt("go to", value=at, detail=detail, check=trouble))
    if answer:
        go(desk, parse_place(answer, begin, end))


@_action("replay-start", "0", "From the start", when=plays, menu=("tabs",))
def restart(desk: Desk) -> None:
    """Play from the beginning."""
    from rtui.workbench.replaying import go

    go(desk, _playback(desk).begin)


@_action("replay-loop", "alt+l", "Loop", when=runs, menu=("tabs",))
def loop(desk: Desk) -> None:
    """Begin again at the end of the recording, or no more."""
    playback = _playback(desk)
    playback.repeat(on=not playback.loop)
    desk.say("begins again at the end" if playback.loop else "ends at the end")


@_action("replay-silence", "alt+j", "Shorten silences", when=runs, called=_silence_word, menu=("tabs",))
def silences(desk: Desk) -> None:
    """Let no silence of the replay last longer than two seconds, the present one neither; again plays them in full."""
    playback = _playback(desk)
    playback.shorten(0.0 if playback.max_silence else SHORT)
    desk.say("silences are played in full" if not playback.max_silence else "silences are shortened, each is told")
    desk.refresh_bindings()


@_action("replay", "alt+r", "Replay a capture…", when=may_play, called=_replay_word, menu=("sessions", "bottom"))
async def replay(desk: Desk) -> None:
    """Play what was recorded as if it came live: the capture that is open, or one of the list."""
    if desk.live_capture:
        await _choose(desk)
    else:
        await _play_this(desk)


async def _choose(desk: Desk) -> None:
    from rtui.settings.paths import captures_folder
    from rtui.workbench.captures import listed
    from rtui.workbench.screens.dialog import Choose, Prompt

    choices = await desk.look(partial(listed, captures_folder()))
    if choices:
        detail = "A capture anywhere else: rtui replay FILE, or connect to replay:FILE#CONNECTION"
        picked = await desk.ask(Choose("replay", choices, detail=detail))
    else:
        picked = await desk.ask(Prompt("replay", hint="capture.rtui", detail="A capture file", check=_file_trouble))
    if picked:
        await _play(desk, _file(picked))


async def _play(desk: Desk, path: Path) -> None:
    from rtui.workbench.replaying import sessions_for

    sessions = await desk.look(partial(sessions_for, path, set()))
    if not sessions:
        desk.say(f"nothing is recorded in {clean(path.name)}", severity="warning")
    for session in sessions:
        desk.bench.connect(session, show=session is sessions[0])
    desk.show_pane("log")


async def _play_this(desk: Desk) -> None:
    """The workbench ends, and begins again with the replay: what is read cannot be recorded into."""
    from rtui.workbench.replaying import sessions_for

    sheet, catalog = desk.sheets.current, desk.bench.catalog
    links = set() if sheet is None or sheet.is_timeline else {sheet.key}
    settings = await _where(desk)
    if settings is not None:
        sessions = await desk.look(partial(sessions_for, catalog.reader.path, links, settings))
        desk.bench.sequel = sessions
        await desk.bench.action_quit()


async def _where(desk: Desk) -> dict[str, str] | None:
    """From the beginning; from the row under the cursor, if that is wanted. None to give up."""
    from rtui.capture.export import timestamp
    from rtui.workbench.screens.dialog import Choice, Choose

    row = None if desk.log_view.follow else desk.bench.catalog.record(desk.log_view.cursor_seq)
    if row is None:
        return {}
    choices = [Choice("row", "from the row under the cursor"), Choice("start", "from the beginning")]
    picked = await desk.ask(Choose("replay", choices))
    if picked is None:
        return None
    return {"from": timestamp(row.time)} if picked == "row" else {}


def _hasten(desk: Desk, step: int) -> None:
    from rtui.protocols.wire.replay_place import next_speed
    from rtui.workbench.replaying import tick

    playback = _playback(desk)
    playback.hasten(next_speed(playback.speed, step))
    tick(desk)


def _playback(desk: Desk) -> Playback:
    """What is played, where `when` has seen that there is something."""
    playback = playback_of(desk)
    assert playback is not None  # noqa: S101
    return playback


def _file_trouble(text: str) -> str:
    return "" if _file(text).is_file() else "there is no such file"


def _file(text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises where there is no home
