"""One connection of a capture, played: its place at the deck, and the commands, which a recording cannot follow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rtui.capture.query import Filter, FilterError, compile_filter
from rtui.core.command import Hangup
from rtui.core.event import Closed, Notice, Opened
from rtui.core.fault import Failure, Fault
from rtui.core.words import counted
from rtui.protocols.base import Link
from rtui.protocols.replay import Options, Replay
from rtui.protocols.wire.replay_address import chosen, parse
from rtui.protocols.wire.replay_deck import Deck, Plan
from rtui.protocols.wire.replay_place import clock, elapsed, parse_place, parse_speed
from rtui.protocols.wire.replay_reel import Reel, Span
from rtui.settings.quantity import parse_duration

SEEK: Final = "replay_from"
"""The key of a link's memory with the place where the next attempt begins."""
_TRUE: Final = frozenset({"", "1", "true", "yes", "on"})

_decks: dict[tuple[asyncio.AbstractEventLoop, Plan], Deck] = {}
"""Those that play, so that connections of one capture find each other."""


async def converse(adapter: Replay, link: Link) -> Closed:
    """The whole of one attempt; see `Adapter.run`."""
    address = parse(link.url)
    plan = _plan(link.options, address.path.absolute(), address.settings)
    key = (asyncio.get_running_loop(), plan)
    deck = _decks.get(key)
    if deck is None or deck.over:
        deck = _decks[key] = _deck(plan)
    deck.users += 1
    try:
        reel = await deck.ready()
        deck.members[link] = chosen(reel.links, address.connection).id
        await deck.thread()
        adapter.playback = deck
        return await Session(link, deck).run(_details(adapter, deck, reel))
    finally:
        deck.members.pop(link, None)
        deck.users -= 1
        if not deck.users:
            deck.close()
            if _decks.get(key) is deck:
                del _decks[key]


def deck_for(path: Path, settings: Mapping[str, str]) -> Deck:
    """A deck of its own, for those who listen without a link; to be closed by them.

    Raises:
        Failure: a setting is wrong.
    """
    return _deck(_plan(Options(), path.absolute(), settings))


class Session:
    """A connection while it is played."""

    def __init__(self, link: Link, deck: Deck) -> None:
        self._link = link
        self._deck = deck
        self._hung_up = False

    async def run(self, details: dict[str, Any]) -> Closed:
        """Until the end of the recording, or until the user wants no more."""
        deck = self._deck
        if (place := self._link.memory.pop(SEEK, None)) is not None:
            deck.seek(place)
        self._link.emit([Opened(details=details)])
        if details.get("recording"):
            self._warn("the capture is still being recorded: it is played as it is now")
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(deck.play(), name="replay rows")
            check = group.create_task(self._verify(), name="replay check")
            commands = group.create_task(self._obey(playing, check), name="replay commands")
            await asyncio.wait([playing, check])
            commands.cancel()
        if self._hung_up:
            return Closed(by="us", clean=True)
        if not deck.told:
            self._warn("nothing is in this part of the capture that could be played")
        return Closed(by="us", clean=True, reason="end of the capture")

    async def _verify(self) -> None:
        """SQLite steps over damaged places as if nothing had been there."""
        fault = await self._deck.verified()
        if fault is not None:
            text = f"{fault.title}: what can be read of it is played, the rest is lost"
            self._link.emit([Notice(text=text, level="warning", meta={"cause": fault.cause})])

    async def _obey(self, *tasks: asyncio.Task[None]) -> None:
        """A hang-up ends `tasks`: the rows, and the check of the file, which may take longer than they."""
        async for command in self._link.commands:
            if isinstance(command, Hangup):
                self._hung_up = True
                for task in tasks:
                    task.cancel()
            else:
                hint = "rtui replay FILE --to TARGET sends the recorded messages again"
                cause = "nobody is there who would take it"
                why = Fault(kind="usage", side="us", title="A replay only shows", cause=cause, hint=hint)
                self._link.emit([Notice(text=why.sentence(), level="error", command=command.id, fault=why)])

    def _warn(self, text: str) -> None:
        self._link.emit([Notice(text=text, level="warning")])


def _deck(plan: Plan) -> Deck:
    return Deck(plan, _filter(plan.filter), lambda reel, span: _part(plan, reel, span))


def _plan(options: Options, path: Path, settings: Mapping[str, str]) -> Plan:
    """What the options say, with what the URL says over them.

    Raises:
        Failure: the speed or a length is none.
    """
    speed = settings.get("speed", options.speed)
    try:
        rate = parse_speed(speed)
    except ValueError as error:
        raise _wrong("speed", speed, str(error)) from None
    return Plan(
        path=path,
        speed=rate,
        begin=settings.get("from", options.begin),
        until=settings.get("until", options.until),
        loop=settings["loop"].lower() in _TRUE if "loop" in settings else options.loop,
        max_silence=_max_silence(settings["max_silence"]) if "max_silence" in settings else options.max_silence,
        filter=settings.get("filter", options.filter),
    )


def _max_silence(text: str) -> float:
    """Seconds."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise _wrong("max_silence", text, str(error)) from None


def _filter(text: str) -> Filter | None:
    try:
        return compile_filter(text) if text else None
    except FilterError as error:
        raise _wrong("filter", text, f"{error.message}{error.hint and f' ({error.hint})'}") from None


def _part(plan: Plan, reel: Reel, span: Span) -> Span:
    """The rows from one time to another, as far as the plan gives them.

    Raises:
        Failure: there are none between them.
    """
    begin = _place("from", plan.begin, span)
    until = _place("until", plan.until, span)
    where = f"it was recorded from {clock(span.begin)} to {clock(span.end)}, {elapsed(span.end - span.begin)} long"
    if begin is not None and begin > span.end:
        raise _wrong("from", plan.begin, f"lies behind the end: {where}")
    if until is not None and until < (begin or span.begin):
        raise _wrong("until", plan.until, f"lies before the beginning: {where}")
    return reel.cut(span, begin, until)


def _place(name: str, text: str, span: Span) -> int | None:
    try:
        return parse_place(text, span.begin, span.end) if text else None
    except ValueError as error:
        raise _wrong(name, text, str(error)) from None


def _wrong(name: str, given: str, cause: str) -> Failure:
    return Failure(Fault(kind="usage", side="us", title=f"{name} {given!r}", cause=cause))


def _details(adapter: Replay, deck: Deck, reel: Reel) -> dict[str, Any]:
    """What the log says of the beginning."""
    length = elapsed(deck.end - deck.begin)
    details = {
        "protocol": f"{adapter.title}, {deck.path.name}, {length} from {clock(deck.begin)}",
        "capture": str(deck.path),
        "rows": counted(reel.span.last - reel.span.first + 1, "row") if reel.span.last else "no rows",
    }
    return {**details, "recording": True} if reel.recording else details
