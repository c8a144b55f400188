"""When an app has nothing left to do, asked of its message queues.

Textual's own pilot asks the clocks instead: it waits until the process has used little CPU for 20 ms, twice a key. That
is slow (up to a second where messages keep coming), and wrong on a busy machine, where a process that is not given the
CPU looks idle.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from textual import app as textual_app
from textual import pilot as textual_pilot
from textual._context import active_app
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen

from rtui.workbench.app import Workbench
from rtui.workbench.typeahead import Patient
from tests.waiting import PATIENCE

CALM = 3
"""Turns of the event loop in a row that find nothing to do: callbacks and tasks come in between."""
TURNS = 500
"""Turns since all that was asked for was carried out, three times as many as an app needs: more keeps coming, faster
than a busy machine paints it."""


async def quiet(app: App[Any]) -> None:
    """Return when every part of the app waits for messages and all is painted, or when it has ended.

    Where messages keep coming, that may never be: then what came before has been painted many times over.
    """
    turns = calm = 0
    deadline = time.monotonic() + PATIENCE
    while calm < CALM and turns < TURNS and app._running and not app._exit and not app._exception_event.is_set():
        assert time.monotonic() < deadline, _unrest(app)
        await asyncio.sleep(0)
        turns = 0 if _on_its_way(app) else turns + 1
        calm = 0 if turns == 0 or _at_work(app) is not None or _painted(app) else calm + 1


def _on_its_way(app: App[Any]) -> bool:
    """Whether a key, or a new size, which waits for more of its kind, is not carried out yet."""
    return app._resize_event is not None or (isinstance(app, Patient) and app._busy)


def _at_work(app: App[Any]) -> MessagePump | None:
    """A part that does not wait for messages."""
    return next((pump for pump in _pumps(app) if not _waits(pump)), None)


def _unrest(app: App[Any]) -> str:
    """What it has still to do."""
    errands = [vars(errand) for errand in app._errands] if isinstance(app, Patient) else []
    return f"never quiet: on its way {_on_its_way(app)}, {errands}; at work {_at_work(app)}"


def _pumps(app: App[Any]) -> Iterator[MessagePump]:
    yield app
    yield from list(app._registry)


def _waits(pump: MessagePump) -> bool:
    """Whether it has carried out all it was told, and waits for more."""
    if not pump._running or pump._closing or pump._closed:
        return True
    queue: Any = pump._message_queue
    return queue.empty() and any(not one.done() for one in queue.ready_event._waiters)


def _painted(app: App[Any]) -> bool:
    """Paint what the screen's own clock would paint within a frame; whether there was something."""
    screen: Screen[Any] | None = next(reversed(app._screen_stack), None)
    if screen is None or app._batch_count or not screen.is_running:
        return False
    wanted = screen._layout_required, screen._scroll_required, screen._repaint_required, screen._recompose_required
    if not any((*wanted, screen._dirty_widgets, screen._callbacks)):
        return False
    screen._on_timer_update()
    return True


async def _instead_of_idle(min_sleep: float = 0, max_sleep: float = 0) -> None:
    await quiet(active_app.get())


async def _instead_of_callbacks(pilot: Pilot[Any]) -> bool:
    await quiet(pilot.app)
    return not pilot.app._exception_event.is_set()


async def pause(pilot: Pilot[Any], delay: float = 0) -> None:
    """Let what has happened be shown: a frame of the workbench, and all that comes of it."""
    app = pilot.app
    await quiet(app)
    if delay:
        await asyncio.sleep(delay)
    if isinstance(app, Workbench) and app.pump._timer is not None:
        app.pump._timer.cancel()
        app.pump._tick(asyncio.get_running_loop())
    await quiet(app)


_parse_rules = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}
_numbers: dict[frozenset[tuple[str, str]], int] = {}
"""Of the themes: their variables are many, and long to compare."""


def _parsed_once(sheet: Stylesheet, css: str, *args: Any, **kwargs: Any) -> list[RuleSet]:
    """Each app reads the same styles anew, and more than once: its cache has room for 64 of its 90 sources."""
    own = vars(sheet)
    if own.get("numbered") is not sheet._variables:
        own["numbered"] = sheet._variables
        own["number"] = _numbers.setdefault(frozenset(sheet._variables.items()), len(_numbers))
    key = (own["number"], css, args, tuple(kwargs.items()))
    if key not in _parsed:
        _parsed[key] = _parse_rules(sheet, css, *args, **kwargs)
    return _parsed[key]


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Textual's pilots wait for this quiet, and its apps start sooner."""
    monkeypatch.setattr(Stylesheet, "_parse_rules", _parsed_once)
    monkeypatch.setattr(Pilot, "_wait_for_screen", _instead_of_callbacks)
    monkeypatch.setattr(Pilot, "pause", pause)
    for module in (textual_app, textual_pilot):
        monkeypatch.setattr(module, "wait_for_idle", _instead_of_idle)
