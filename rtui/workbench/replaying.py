"""A tab that plays a recording: its line on the desk, and what steers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rtui.core.lifecycle import State
from rtui.core.record import Kind
from rtui.core.words import counted
from rtui.protocols.wire.replay_session import SEEK
from rtui.workbench.actions.connection import playback_of
from rtui.workbench.panes.replay_bar import ReplayBar

if TYPE_CHECKING:
    from pathlib import Path

    from rtui.protocols.playback import Playback
    from rtui.settings.session import Session
    from rtui.workbench.screens.desk import Desk

BAR: Final = "replay"


def tick(desk: Desk) -> None:
    """Show how far the tab's recording is; it has no line where none is played."""
    playback = playback_of(desk)
    bar = next(iter(desk.query(f"#{BAR}").results(ReplayBar)), None)
    if bar is not None:
        bar.display = playback is not None
    elif playback is not None and (header := next(iter(desk.query("#header")), None)) is not None:
        bar = ReplayBar(ascii_only=desk.bench.config.ascii, id=BAR)
        desk.mount(bar, after=header)
    if bar is not None and playback is not None:
        bar.show(playback)


def toggle(desk: Desk) -> None:
    """Stop, go on, or begin again after the end."""
    playback = playback_of(desk)
    if playback is None:
        return
    if playback.over:
        again(desk, playback)
    else:
        playback.pause(on=not playback.paused)
        tick(desk)


def go(desk: Desk, position: int) -> None:
    """Go on from a place, also after the end."""
    playback = playback_of(desk)
    if playback is None:
        return
    if playback.over:
        again(desk, playback, position)
    else:
        playback.seek(position)


def go_to_share(desk: Desk, share: float) -> None:
    """Go on from a part of the whole, 0 to 1."""
    playback = playback_of(desk)
    if playback is not None:
        go(desk, playback.begin + int(share * (playback.end - playback.begin)))


def again(desk: Desk, playback: Playback, position: int | None = None) -> None:
    """Play once more, in all tabs that played it together, also in one whose check of the file goes on."""
    for sheet in desk.sheets:
        connection = sheet.connection
        if connection is None or connection.adapter.playback is not playback:
            continue
        if connection.state in {State.OPEN, State.CLOSED}:
            if position is not None:
                connection.link.memory[SEEK] = position
            connection.reconnect()


async def send_elsewhere(desk: Desk) -> None:
    """Send the selected messages to a connection that is open, which is asked for."""
    from rtui.runtime import again
    from rtui.workbench.actions.connection import explain_silence
    from rtui.workbench.actions.saved import connections_of
    from rtui.workbench.screens.dialog import Choice, Choose
    from rtui.workbench.several import Letter, able, deliver, verdict

    protocol = desk.sure.protocol
    rows = [row for row in desk.selected_records() if row.kind == Kind.MESSAGE]
    receivers = {
        str(one.id): one for one in sorted(able(connections_of(desk)), key=lambda one: one.protocol != protocol)
    }
    if not rows or not receivers:
        explain_silence(desk)
        return
    channel = rows[-1].channel
    about = Letter(payload=b"", channel=channel, outgoing=None, protocol=protocol)
    choices = [Choice(key, one.name, about.about(one)) for key, one in receivers.items()]
    picked = await desk.ask(Choose("send to", choices, detail=f"{counted(len(rows), 'message')} of the recording"))
    if picked is None:
        return
    one, troubles = receivers[picked], dict[str, str]()
    for row in rows:
        outgoing = again.outgoing(one.adapter, row) if one.protocol == protocol else None
        letter = Letter(payload=row.payload, channel=row.channel, outgoing=outgoing, protocol=protocol)
        troubles |= await deliver(letter, [one])
    desk.say(f"{one.name}: {verdict(1, troubles)}", severity="warning" if troubles else "information")


def sessions_for(path: Path, links: set[int], settings: dict[str, str] | None = None) -> list[Session]:
    """One session for each of the connections of a capture; none named are all.

    Raises:
        Failure: it cannot be read.
    """
    from rtui.capture.salvage import Salvage
    from rtui.protocols.wire.replay_address import titles, written
    from rtui.settings.session import session_from_url

    reader = Salvage(path)
    try:
        known = titles(reader.links())
    finally:
        reader.close()
    names = [name for name, link in known.items() if not links or link.id in links]
    return [session_from_url(written(path, name, settings)) for name in names]
