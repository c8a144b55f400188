"""Sets of keys: none hides an action by accident, and vim's hands find what they look for."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import Input, TextArea

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.settings.config import Config
from rtui.settings.keymap import key_error
from rtui.settings.preset import PRESETS
from rtui.workbench.bindings import ACTIONS, default_keys
from rtui.workbench.screens.dialog import Choose, Prompt
from rtui.workbench.screens.search import Search
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import write

MODAL = {"dialog", "form", "subscriptions", "unanswered", "present"}
"""Scopes of screens above the desk, where its keys do not hold."""
APART = {
    ("dialog.cancel", "dialog.close-help"),
    ("dialog.close-help", "dialog.no"),
    ("form.connect", "form.subscribe"),
}
"""Pairs of one scope that never stand on one screen."""
NAMES = pytest.mark.parametrize("name", sorted(PRESETS))


def of(name: str) -> dict[str, list[str]]:
    """The keys of a set by id."""
    keys = default_keys(name)
    return {one: [key for key in keys[one].split(",") if key] for one in keys}


def shared(keys: dict[str, list[str]]) -> set[tuple[str, str]]:
    """The pairs of actions that one key would mean at once."""
    scope = {one: one.partition(".")[0] for one in keys}
    return {
        (one, other)
        for one in keys
        for other in keys
        if one < other and set(keys[one]) & set(keys[other])
        if scope[one] == scope[other] or (scope[one] == "app" and scope[other] not in MODAL)
    }


@NAMES
def test_only_what_there_is_gets_keys_and_only_keys_that_terminals_send(name: str) -> None:
    assert set(PRESETS[name]) <= set(default_keys())
    for one, keys in of(name).items():
        for key in keys:
            assert key_error(key) == "", one
            assert key not in {"ctrl+i", "ctrl+m", "ctrl+h"}, one


@NAMES
def test_no_key_means_two_things_in_one_place(name: str) -> None:
    clashes = {pair for pair in shared(of(name)) if pair[0].partition(".")[0] == pair[1].partition(".")[0]}
    assert clashes <= APART


@NAMES
def test_a_pane_takes_a_key_from_the_desk_only_where_the_default_set_does(name: str) -> None:
    new = shared(of(name)) - shared(of("default"))
    # Tree and message have a search of their own; editing keys of a line that is typed in are no concern of the desk's.
    own = (("app.search", "find"), ("app.search-next", "next-hit"))
    assert new <= {(action, f"{pane}.{name}") for pane in ("tree", "message") for action, name in own}


@NAMES
def test_every_action_keeps_a_key_or_is_in_the_palette(name: str) -> None:
    keys = of(name)
    assert keys["app.palette"]
    assert {one for one, action in ACTIONS.items() if action.keys and not keys[one]} == set()


async def test_vims_keys(journal: Journal, server: demo.Server) -> None:
    config = Config(animations=False, keys="vim")
    async with running(journal, f"{server.url}/ticker?rate=200", config=config) as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.total > 120, "rows")
        await pilot.press("ctrl+b", "ctrl+b")
        place = log._cursor_index()
        await pilot.press("ctrl+f")
        assert (log._cursor_index() or 0) > (place or 0)
        await pilot.press("g", "g")
        assert log._cursor_index() == 0
        await pilot.press("v")
        assert len(log.picks.selected) == 1
        await pilot.press("escape", "G")
        assert log.follow
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(bench.screen, Search), "a search")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "left")
        await pilot.press("ampersand")
        assert isinstance(bench.focused, Input)
        await pilot.press("escape", "ctrl+w")
        await pilot.pause()
        assert bench.desk.sheets.current is not None, "no tab was closed"
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "no jump")
        await pilot.press("i")
        assert isinstance(bench.focused, TextArea)
        await pilot.press("escape", "colon")
        await until(pilot, lambda: isinstance(bench.screen, CommandPalette), "the command line")


async def test_the_ends_of_the_sessions_are_a_key_away(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        sidebar = bench.desk.sure_picture.sidebar
        await until(pilot, lambda: sidebar.last_line > 1, "sessions")
        sidebar.focus()
        await pilot.press("G")
        assert sidebar.cursor_line == sidebar.last_line
        await pilot.press("g")
        assert sidebar.cursor_line == 0


async def test_lists_are_gone_through_as_vims_completions(journal: Journal) -> None:
    async with running(journal, config=Config(animations=False, keys="vim")) as (bench, pilot):
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "themes")
        before = bench.theme
        await pilot.press("ctrl+n")
        await until(pilot, lambda: bench.theme != before, "the next one")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: bench.theme == before, "and back")
        assert isinstance(bench.screen, Choose)


async def test_the_users_own_keys_go_on_top(journal: Journal, server: demo.Server, tmp_path: Path) -> None:
    path = tmp_path / "config" / "keys.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[keys]\n"app.connect" = "alt+z"\n"app.ping" = "i"\n')
    config = Config(animations=False, keys="vim")
    async with running(journal, f"{server.url}/echo", config=config) as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        assert "'i' is already the key of 'app.compose'" in "\n".join(one.message for one in bench._notifications)
        await pilot.press("alt+z")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked for a URL")
        await write(pilot, "x")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "left")
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(bench.screen, CommandPalette), "the preset holds")
