"""What somebody runs into who has never seen the program, in a terminal of 80×24."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from textual.command import CommandPalette, Hit
from textual.widgets import Input, OptionList

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State as Line
from rtui.demo import mqtt
from rtui.demo import websocket as demo
from rtui.settings.paths import user_sessions
from rtui.settings.session import Session, SessionSubscription, save_session
from rtui.workbench.actions.split import put_beside
from rtui.workbench.actions.subscription import put
from rtui.workbench.app import Workbench
from rtui.workbench.commands import ActionProvider
from rtui.workbench.layout import PANES
from rtui.workbench.panes.card import Tour
from rtui.workbench.panes.sidebar import Sidebar
from rtui.workbench.screens.desk import Desk
from rtui.workbench.screens.dialog import Prompt
from rtui.workbench.state_file import load_state, state_file
from rtui.workbench.widgets import filterbar
from rtui.workbench.widgets.filterbar import HELP, FilterBar
from rtui.workbench.widgets.footer import KeyLine
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import write
from tests.workbench.widgets.fake import screen_text

SMALL = (80, 24)


@pytest.fixture
async def broker() -> AsyncIterator[mqtt.Server]:
    one = await mqtt.serve(plant=False)
    yield one
    await one.close()


@pytest.fixture
def slow_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pauses that long: what is applied was not waited for."""
    monkeypatch.setattr(filterbar, "PAUSE", 60.0)


def beside(desk: Desk) -> None:
    """Show the next tab in a half of its own."""
    found = desk.sheets.beside(1)
    assert found is not None
    put_beside(desk, found)


@pytest.mark.usefixtures("slow_filter")
@pytest.mark.parametrize("leave", [Desk.close_tab, Desk.go_to_timeline, beside])
async def test_a_filter_just_typed_stays_with_its_tab(
    journal: Journal, server: demo.Server, leave: Callable[[Desk], None]
) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/chat") as (bench, pilot):
        first = bench.desk.sheets.current
        assert first is not None
        await pilot.press("slash")
        await write(pilot, "kind:open")
        leave(bench.desk)
        assert first.filter_text == "kind:open"
        await pilot.pause()
        assert bench.desk.sheets.current is not None
        assert bench.desk.sheets.current.filter_text == ""
        assert bench.desk.query_one(FilterBar).input.value == ""


@pytest.mark.usefixtures("slow_filter")
async def test_a_filter_typed_just_before_leaving_is_there_again(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        name = bench.desk.session.name if bench.desk.session else ""
        await pilot.press("slash")
        await write(pilot, "kind:open")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    assert load_state(state_file())[0].filters == {name: "kind:open"}


@pytest.mark.usefixtures("slow_filter")
async def test_what_was_wrong_with_a_filter_is_not_said_of_another_tab(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/chat") as (bench, pilot):
        bar = bench.desk.query_one(FilterBar)
        await pilot.press("slash")
        await write(pilot, "ch:(")
        await pilot.press("enter")
        assert bar.has_class("-wrong")
        bench.desk.go_beside(1)
        await pilot.pause()
        assert not bar.has_class("-wrong")
        assert (bar.input.value, bar.explanation) == ("", HELP)


async def test_the_filter_says_what_can_be_typed(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", size=SMALL) as (bench, pilot):
        line = bench.desk.query_one("#filter Static")
        assert not line.region
        await pilot.press("slash")
        await until(pilot, lambda: line.region, "the line of help")
        await pilot.press("f4")
        await until(pilot, lambda: not line.region, "none")


@pytest.mark.parametrize("pane", ["sessions", "tree", "message"])
async def test_escape_leads_back_from_a_pane_that_has_the_screen(
    journal: Journal, server: demo.Server, pane: str
) -> None:
    async with running(journal, f"{server.url}/echo", size=SMALL) as (bench, pilot):
        bench.desk.press_pane(pane)
        await until(pilot, lambda: bench.desk.focused_pane == pane and not bench.desk.log_view.region, "the pane")
        await pilot.press("escape")
        await until(pilot, lambda: bench.desk.log_view.has_focus and bench.desk.log_view.region, "the log")


@pytest.mark.parametrize("known", [False, True])
async def test_a_session_connected_from_the_list_is_gone_to(
    journal: Journal, server: demo.Server, tmp_path: Path, known: bool
) -> None:
    saved = save_session(Session(name="mine", url=f"{server.url}/chat"), tmp_path / "mine.toml").session
    async with running(journal, f"{server.url}/echo", size=SMALL) as (bench, pilot):
        if known:
            bench.connect(saved, show=False)
        await pilot.press("f2")
        await until(pilot, lambda: bench.desk.focused_pane == "sessions", "the list")
        if known:
            assert saved.path is not None
            assert bench.desk.go_to_session(saved.path)
        else:
            bench.desk.connect(saved)
        await until(pilot, lambda: bench.desk.log_view.has_focus and bench.desk.log_view.region, "its log")
        assert bench.desk.session is not None
        assert bench.desk.session.name == "mine"


async def test_a_url_connected_while_the_list_has_the_focus_is_gone_to(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        await pilot.press("f2", "c")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked for a URL")
        bench.screen.query_one(Input).value = f"{server.url}/echo"
        await pilot.press("enter")
        await until(pilot, lambda: bench.desk.connection and bench.desk.log_view.has_focus, "its log")


@pytest.mark.parametrize(
    ("typed", "first"), [("filt", "View: Filter"), ("connect", "Connection: Connect"), ("help", "View: Help")]
)
async def test_the_palette_puts_what_is_called_so_before_what_only_has_the_letters(
    journal: Journal, server: demo.Server, typed: str, first: str
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, _):
        hits = [hit async for hit in ActionProvider(bench.desk).search(typed)]
        best = max(hits, key=lambda hit: hit.score if isinstance(hit, Hit) else 0.0)
        assert str(best.prompt).startswith(f"{first}  (")


async def test_the_palette_also_has_what_only_the_pane_with_the_focus_can_do(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.has_row, "a row")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(bench.screen, CommandPalette), "the palette")
        bench.screen.query_one(Input).value = "freeze"
        hits = bench.screen.query_one(OptionList)
        await until(pilot, lambda: hits.option_count and "This log: Freeze" in str(hits.options[0].prompt), "found")
        await pilot.press("enter")
        await until(pilot, lambda: bench.desk.log_view.frozen, "done")
        bench.desk.show_pane("sessions")
        await until(pilot, lambda: bench.desk.focused_pane == "sessions", "another pane")
        titles = [str(hit.prompt) async for hit in ActionProvider(bench.desk).discover()]
        assert "This session: Rename  (R)" in titles
        assert not any(title.startswith("This log: Freeze") for title in titles)


async def test_a_broker_that_nothing_was_asked_of_gets_a_hint(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, broker.url, size=SMALL) as (bench, pilot):
        line = bench.desk.query_one(KeyLine)
        await until(pilot, lambda: "Subscribe…" in {hint.title for hint in line.hints}, "the hint")
        assert bench.desk.sheets.current is not None
        put(bench.desk.sheets.current, SessionSubscription(channel="plant/#"))
        await until(pilot, lambda: "Subscribe…" not in {hint.title for hint in line.hints}, "none")


@pytest.mark.parametrize("pane", ["tree", "log", "message", "composer"])
async def test_the_tour_can_be_left_for_a_pane_and_gone_on_with(
    journal: Journal, server: demo.Server, pane: str
) -> None:
    async with running(journal, f"{server.url}/echo", size=SMALL) as (bench, pilot):
        bench.desk.start_tour()
        await until(pilot, lambda: isinstance(bench.desk.focused, Tour), "the tour")
        tour = bench.desk.query_one(Tour)
        assert "enter next" in str(tour.border_subtitle)
        await pilot.press(f"f{PANES.index(pane) + 2}")
        await until(pilot, lambda: "esc goes on" in str(tour.border_subtitle), "it says how to come back")
        await pilot.press("escape")
        await until(pilot, lambda: tour.has_focus and bench.desk.log_view.region, "back")
        await pilot.press("enter")
        assert "2/5" in str(tour.border_title)


async def test_the_last_step_of_the_tour_says_that_it_is_the_last(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", size=SMALL) as (bench, pilot):
        bench.desk.start_tour()
        await until(pilot, lambda: isinstance(bench.desk.focused, Tour), "the tour")
        tour = bench.desk.query_one(Tour)
        await pilot.press("enter", "enter", "enter", "enter")
        assert "5/5" in str(tour.border_title)
        assert str(tour.border_subtitle) == "enter ends it"
        await pilot.press("left")
        assert "enter next" in str(tour.border_subtitle)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: not bench.desk.query(Tour), "it is over")


async def test_before_the_first_connection_nothing_is_asked_of_the_user(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, object]] = []

    async def ready(bench: Workbench) -> None:
        seen.append((bench.desk.guide.first_words(), bench.desk.guide.first_steps()))
        await was_ready(bench)

    was_ready = Workbench.desk_ready
    monkeypatch.setattr(Workbench, "desk_ready", ready)
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        assert seen == [("rtui — connecting", [])]
        bench.desk.close_tab()
        words, keys = (bench.desk.query_one(f"#welcome .{part}") for part in ("loud", "keys"))
        await until(pilot, lambda: "no connection is open" in "".join(screen_text(words)), "words")
        assert "connect to a URL" in "".join(screen_text(keys))


async def test_where_nothing_is_open_the_arrows_are_for_the_list_of_sessions(
    journal: Journal, server: demo.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # no sessions of "this folder"
    for name in ("one", "two"):
        save_session(Session(name=name, url=f"{server.url}/echo"), user_sessions() / f"{name}.toml")
    async with running(journal, size=SMALL) as (bench, pilot):
        sessions = bench.desk.query_one(Sidebar)
        keys = bench.desk.query_one("#welcome .keys")
        await until(pilot, lambda: bench.focused is sessions, "the list has the keys")
        await until(pilot, lambda: "connect the session under the cursor" in "".join(screen_text(keys)), "words")
        await until(pilot, lambda: "Pick" in offered(bench.desk), "its keys")
        assert "Back" not in offered(bench.desk)
        await until(pilot, lambda: sessions.cursor_line >= 0, "the cursor")
        before = sessions.cursor_line
        assert sessions.cursor_node is not None
        assert sessions.cursor_node.data is not None, "it begins on a session"
        await pilot.press("escape", "down")
        await until(pilot, lambda: sessions.cursor_line == before + 1, "it moved")
        picked = sessions.cursor_node
        assert picked is not None
        assert picked.data is not None
        await pilot.press("enter")
        await until(pilot, lambda: bench.focused is bench.desk.log_view, "its log")
        assert bench.desk.sheets.of_file(picked.data.path) is bench.desk.sheets.current
        bench.desk.close_tab()
        await until(pilot, lambda: bench.focused is sessions, "back in the list")


async def test_a_list_of_sessions_that_was_put_away_can_be_brought_back(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        keys = bench.desk.query_one("#welcome .keys")
        await until(pilot, lambda: bench.focused is bench.desk.query_one(Sidebar), "the list has the keys")
        await pilot.press("f2")
        await until(pilot, lambda: "bring the list of sessions back" in "".join(screen_text(keys)), "how")
        assert bench.focused is None
        await pilot.press("f2")
        await until(pilot, lambda: bench.focused is bench.desk.query_one(Sidebar), "the list has the keys again")
        await until(pilot, lambda: "bring the list" not in "".join(screen_text(keys)), "no more")


def offered(desk: Desk) -> set[str]:
    """What the bottom line says."""
    return {hint.title for hint in desk.query_one(KeyLine).hints}


async def test_what_was_filtered_and_sent_is_there_again_under_the_name_it_was_saved_by(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is Line.OPEN, "open")
        bench.desk.put_filter("kind:open")
        await pilot.press("w")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked for a name")
        bench.screen.query_one(Input).value = "tomorrow"
        await pilot.press("enter")
        await until(pilot, lambda: bench.desk.session and bench.desk.session.name == "tomorrow", "saved")
        await pilot.press("s")
        await write(pilot, "hi")
        await pilot.press("ctrl+s")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    async with running(journal) as (bench, pilot):
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert (sheet.name, sheet.filter_text) == ("tomorrow", "kind:open")
        assert bench.state.history["tomorrow"] == ["hi"]
