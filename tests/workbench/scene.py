"""A desk on which an action can be tried: peers by name, the ways to an action, and what can be seen of its effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.demo import grpc, mqtt, socketio, websocket
from rtui.settings.config import Config
from rtui.settings.session import SavedMessage, Session, load_session, session_from_url
from rtui.workbench.action import Action
from rtui.workbench.actions.session import declares_for
from rtui.workbench.app import Workbench
from rtui.workbench.bindings import ACTIONS
from rtui.workbench.commands import ActionProvider
from rtui.workbench.screens.desk import Desk
from rtui.workbench.screens.help import sections
from rtui.workbench.screens.menu import entries_of
from rtui.workbench.widgets.tree import ChannelTree
from tests.protocols.recording import numbered, record
from tests.workbench.conftest import until
from tests.workbench.pointer import click_for, click_hint

SAVED = tuple(SavedMessage(name=f"m{number}", payload=f"saved {number}") for number in range(1, 10))
ANYWHERE = {"app.quit"}
"""Actions whose key is also one of the whole app, which help tells of in its own words."""
Way: TypeAlias = Literal["key", "mouse", "bottom line"]
"""How a user gets at an action; those without a key are looked for in the palette."""
PEERS = ("none", "echo", "echoes", "file", "demo", "chat", "plant", "calls", "replay")


class Servers:
    """What `rtui demo` would know of its servers."""

    running = True

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False


class Scene:
    """The desk while one action is tried."""

    def __init__(self, action: Action, bench: Workbench, pilot: Pilot[Any], folder: Path, way: Way) -> None:
        self.action = action
        self.bench = bench
        self.pilot = pilot
        self.folder = folder
        self.way = way
        self._tried = False

    # The ways to the action

    async def do(self, *, pane: str = "log") -> None:
        """Carry it out; before the first time, find it in all it stands in. `pane` has the focus."""
        await self.until(lambda: self.action.when(self.desk), "it can be done")
        if not self._tried:
            await self._is_documented(pane)
        self._tried = True
        if self.way == "mouse":
            await click_for(self, pane)
        elif self.way == "bottom line":
            await click_hint(self)
        elif self.action.keys:
            await self.pilot.press(self.action.keys.split(",")[0])
        else:
            await self._by_palette()
        await self.pilot.pause()

    async def _is_documented(self, pane: str) -> None:
        title = self.action.name(self.desk).rstrip("…")
        if self.action.id != "app.palette":
            hits = [str(hit.prompt) async for hit in ActionProvider(self.desk).discover()]
            assert any(title in hit for hit in hits), "it is not in the palette"
        if self.action.keys:
            found = sections(self.bench, self.desk.active_bindings.values(), ACTIONS, lambda one: one.name(self.desk))
            rows = [(row_title, tip) for _, rows in found for _, row_title, tip in rows]
            name = self.action.name(self.desk)
            anywhere = self.action.id in ANYWHERE and name in dict(rows)
            assert anywhere or (name, self.action.help) in rows, "it is not in the help"
        if pane in self.action.menu:
            assert self.action.id in {entry.id for entry in entries_of(self.desk, pane)}, "it is not in the menu"

    async def _by_palette(self) -> None:
        await self.pilot.press("ctrl+p")
        await self.until(lambda: isinstance(self.screen, CommandPalette), "the palette")
        title = f"{self.action.group}: {self.action.name(self.desk).rstrip('…')}"
        self.screen.query_one(Input).value = title
        hits = self.screen.query_one(OptionList)
        await self.until(lambda: hits.option_count and title in str(hits.options[0].prompt), "it is the first hit")
        await self.pilot.press("enter")

    # The desk

    @property
    def desk(self) -> Desk:
        return self.bench.desk

    @property
    def screen(self) -> Screen[Any]:
        return self.bench.screen

    @property
    def toasts(self) -> str:
        return "\n".join(note.message for note in self.bench._notifications)

    def rows(self, kind: Kind = Kind.MESSAGE, direction: Direction | None = None) -> list[Record]:
        found = self.bench.catalog.records(range(1, self.bench.catalog.last + 1))
        return [row for row in found if row.kind == kind and direction in {None, row.direction}]

    # What a user does

    async def until(self, reached: Callable[[], object], what: str = "") -> None:
        await until(self.pilot, reached, what)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        await self.pilot.press(*("space" if char == " " else char for char in text))

    async def answer(self, dialog: type[Screen[Any]], text: str | None = None) -> None:
        """Wait for a question and answer it; with None, with what it proposes."""
        await self.until(lambda: isinstance(self.screen, dialog), f"{dialog.__name__} is asked")
        await self.pilot.pause()
        if text is not None:
            self.screen.query_one(Input).value = text
        await self.pilot.press("enter")
        await self.until(lambda: not isinstance(self.screen, dialog), "it is answered")

    async def asks(self, screen: type[Screen[Any]]) -> None:
        """A screen is put up; leave it."""
        await self.until(lambda: isinstance(self.screen, screen), f"{screen.__name__} is shown")
        await self.pilot.press("escape")
        await self.until(lambda: self.screen is self.desk, "it is left")

    async def talk(self, *payloads: str) -> None:
        """Send, and have the echoes in the log."""
        before = len(self.rows())
        for payload in payloads:
            self.desk.send(payload.encode())
        await self.until(lambda: len(self.rows()) == before + 2 * len(payloads), "echoed")
        await self.until(lambda: self.desk.log_view.total > before, "in the log")

    async def stand_on(self, row: Record) -> None:
        """Put the log's cursor on a row."""

        def reached() -> bool:
            self.desk.log_view.go_to(row.seq)
            return self.desk.log_view.cursor_seq == row.seq

        await self.until(reached, "the cursor is there")
        self.desk.log_view.focus()
        await self.pilot.pause()

    async def publish(self, *channels: str, retain: bool = False) -> ChannelTree:
        """Send to channels of a broker; when they came back, the focus is in the tree, on the last one."""
        connection = self.desk.sure
        for channel in channels:
            connection.send(b'{"v":1}', channel, connection.adapter.Outgoing(retain=retain))
        return await self.point_at(channels[-1])

    async def point_at(self, channel: str) -> ChannelTree:
        """Put the tree's cursor on a channel."""
        tree = self.desk.sure_tree

        def reached() -> bool:
            for index in range(tree.row_count()):
                tree.go_to_row(index)
                if tree.selected is not None and tree.selected.full == channel:
                    return True
            return False

        self.desk.show_pane("tree")
        await self.until(reached, f"{channel} is in the tree")
        await self.pilot.pause()
        return tree


Try: TypeAlias = Callable[[Scene], Awaitable[None]]


class Case(NamedTuple):
    """How one action is tried."""

    peer: str
    attempt: Try


CASES: dict[str, Case] = {}


def case(peer: str, *ids: str) -> Callable[[Try], Try]:
    """Declare the decorated function as what tries the actions `ids` on a desk that is connected to `peer`."""
    assert peer in PEERS

    def declare(attempt: Try) -> Try:
        for one in ids:
            assert f"app.{one}" not in CASES, f"{one} is tried twice"
            CASES[f"app.{one}"] = Case(peer, attempt)
        return attempt

    return declare


@asynccontextmanager
async def stage(action: Action, peer: str, folder: Path, *, way: Way = "key") -> AsyncIterator[Scene]:
    """The desk, connected to `peer`: everything is there and open."""
    async with AsyncExitStack() as stack:
        sessions = await _sessions(peer, folder, stack)
        journal = Journal.create()
        stack.callback(journal.close)
        reader = Reader(journal.path)
        stack.callback(reader.close)
        bench = Workbench(
            reader=reader,
            journal=journal,
            targets=sessions,
            config=Config(animations=False, tour=False),
            demo=Servers() if peer == "demo" else None,
        )
        pilot = await stack.enter_async_context(bench.run_test(size=(140, 40), notifications=True))
        scene = Scene(action, bench, pilot, folder, way)
        await scene.until(lambda: bench.desk.picture is not None and bench.pump.running, "the desk is ready")
        await scene.until(lambda: all(one.state is State.OPEN for one in bench.hub.connections), "all is open")
        await scene.until(lambda: len(bench.hub.connections) == len(sessions), "all is connected")
        if peer == "calls":
            await scene.until(lambda: bench.desk.sure_tree.offered, "the methods are known")
        yield scene
        await bench.hub.close_all(1.0)


async def _sessions(peer: str, folder: Path, stack: AsyncExitStack) -> list[Session]:
    if peer == "none":
        return []
    if peer == "replay":
        file = folder / "made.rtui"
        await asyncio.to_thread(record, file, numbered(10, 60))
        return [session_from_url(f"replay:{file}#plant")]
    server: Any
    if peer == "chat":
        server = await socketio.serve("127.0.0.1", 0)
    elif peer == "plant":
        server = await mqtt.serve(plant=False)
    elif peer == "calls":
        server = await grpc.serve()
    else:
        server = await websocket.serve("127.0.0.1", 0)
    stack.push_async_callback(server.close)
    if peer in {"chat", "plant", "calls"}:
        path = {"chat": "/?rate=0", "plant": "/%23"}.get(peer, "")
        return [Session(name=peer, url=server.url + path)]
    echo = Session(name="echo", url=f"{server.url}/echo", messages=SAVED)
    if peer == "file":
        file = folder / "echo.toml"
        file.write_text(f'[session]\nname = "echo"\nurl = "{echo.url}"\n')
        return [load_session(file, declares_for)]
    return [echo] if peer != "echoes" else [echo, Session(name="other", url=echo.url)]
