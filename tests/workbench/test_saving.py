from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Label, OptionList

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.settings.paths import packaged, user_sessions
from rtui.settings.session import Session, load_session, save_session, session_from_url
from rtui.settings.session_list import list_sessions
from rtui.workbench import disk
from rtui.workbench.actions import session as actions
from rtui.workbench.app import Workbench
from rtui.workbench.panes.sidebar import Sidebar
from rtui.workbench.screens.dialog import Choose, Confirm, Prompt
from rtui.workbench.widgets.status import StatusLine
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts


async def answer(bench: Workbench, pilot: Pilot[Any], text: str) -> None:
    await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked")
    bench.screen.query_one(Input).value = text
    await pilot.press("enter")
    await until(pilot, lambda: not isinstance(bench.screen, Prompt), "answered")


async def test_the_name_that_was_asked_for_is_shown_and_the_file_is_in_the_sidebar(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await pilot.press("w")
        await answer(bench, pilot, "mine")
        await until(pilot, lambda: "saved to" in toasts(bench), "saved")
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert sheet.name == "mine"
        assert load_session(user_sessions() / "mine.toml", actions.declares_for).name == "mine"
        labels = [str(node.label) for node in bench.desk.query_one(Sidebar)._tree_nodes.values()]
        assert any(label.endswith("mine") for label in labels)


async def test_a_withheld_secret_is_told_with_its_variable(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        bench.connect(Session(name="a", url=f"{server.url}/echo", options={"token": "s3cret-t0ken"}))
        await pilot.press("w")
        await answer(bench, pilot, "mine")
        await until(pilot, lambda: "set the environment variable MINE_TOKEN" in toasts(bench), "told")
    assert "s3cret" not in await asyncio.to_thread((user_sessions() / "mine.toml").read_text)


async def test_a_sample_is_saved_as_a_file_of_the_user(journal: Journal, server: demo.Server) -> None:
    sample = load_session(packaged("sessions") / "demo" / "echo.toml", actions.declares_for)
    before = await asyncio.to_thread((packaged("sessions") / "demo" / "echo.toml").read_bytes)
    async with running(journal) as (bench, pilot):
        bench.connect(type(sample)(**{**_fields(sample), "url": f"{server.url}/echo"}))
        await pilot.press("w")
        await answer(bench, pilot, "own")
        await until(pilot, lambda: "saved to" in toasts(bench), "saved")
    assert await asyncio.to_thread((packaged("sessions") / "demo" / "echo.toml").read_bytes) == before
    assert [entry.source for entry in list_sessions() if entry.name == "own"] == ["user"]


async def test_a_file_that_changed_meanwhile_is_noticed_before_it_is_written(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "PERIOD", 60.0)  # who looks at the files by the clock would notice it first
    path = user_sessions() / "mine.toml"
    saved = save_session(session_from_url(f"{server.url}/echo"), path).session
    async with running(journal) as (bench, pilot):
        bench.connect(saved)
        await asyncio.to_thread(path.write_text, f'[session]\nurl = "{server.url}/echo"\ndescription = "theirs"\n')
        await pilot.press("w")
        await until(pilot, lambda: "was read again, and not written" in toasts(bench), "read again")
        assert bench.desk.session is not None
        assert bench.desk.session.description == "theirs"
    assert load_session(path, actions.declares_for).description == "theirs"


async def test_deleting_asks_and_samples_stay(
    journal: Journal, server: demo.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # in the project's own folder the samples are the user's
    path = user_sessions() / "mine.toml"
    save_session(session_from_url(f"{server.url}/echo"), path)
    async with running(journal) as (bench, pilot):
        mine = next(entry for entry in list_sessions() if entry.name == "mine")
        for key, left in (("n", True), ("y", False)):
            bench.desk.query_one(Sidebar).post_message(Sidebar.Asked("delete", mine))
            await until(pilot, lambda: isinstance(bench.screen, Confirm), "asked")
            await pilot.press(key)
            await until(pilot, lambda: bench.screen is bench.desk, "answered")
            await until(pilot, path.exists if left else lambda: not path.exists(), "as answered")
        for verb in ("delete", "editor"):
            sample = next(entry for entry in list_sessions() if entry.source == "packaged")
            bench.desk.query_one(Sidebar).post_message(Sidebar.Asked(verb, sample))
        await until(pilot, lambda: "cannot be deleted" in toasts(bench), "told")
        await until(pilot, lambda: "samples stay as they are" in toasts(bench), "told")


def _fields(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in session.__struct_fields__}


def test_the_samples_of_a_checkout_are_samples_too(tmp_path: Path) -> None:
    assert actions.is_sample(packaged("sessions") / "demo" / "echo.toml")
    assert actions.is_sample(tmp_path / "sessions" / "demo" / "echo.toml")
    assert not actions.is_sample(tmp_path / "sessions" / "demo" / "mine.toml")
    assert not actions.is_sample(user_sessions() / "echo.toml")


async def test_a_session_is_renamed_with_its_tab_and_overwrites_nothing(journal: Journal, server: demo.Server) -> None:
    path = user_sessions() / "mine.toml"
    for name in ("mine", "other"):
        session = msgspec.structs.replace(session_from_url(f"{server.url}/echo"), name=name)
        saved = save_session(session, user_sessions() / f"{name}.toml").session
    saved = load_session(path, actions.declares_for)
    async with running(journal) as (bench, pilot):
        bench.connect(saved)
        mine = next(entry for entry in list_sessions() if entry.name == "mine")
        bench.desk.query_one(Sidebar).post_message(Sidebar.Asked("rename", mine))
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked")
        bench.screen.query_one(Input).value = "other"
        await pilot.press("enter")
        await until(pilot, lambda: "taken" in str(bench.screen.query_one(".trouble").render()), "refused")
        await answer(bench, pilot, "work/next")
        await until(pilot, lambda: "mine is now work/next" in toasts(bench), "renamed")
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert sheet.session is not None
        new = user_sessions() / "work" / "next.toml"
        assert (sheet.name, sheet.session.path) == ("next", new)
        assert sheet.session.stored == load_session(new, actions.declares_for).stored
        assert sheet.session.name == load_session(new, actions.declares_for).name
        await until(pilot, lambda: pointed(bench) == new, "the cursor goes with it")
        reader = bench.catalog.reader
        await until(pilot, lambda: [link.name for link in reader.links()] == ["next"], "its capture calls it so too")
    assert not path.exists()


def pointed(bench: Workbench) -> Path | None:
    """The session under the cursor of the list."""
    node = bench.desk.query_one(Sidebar).cursor_node
    return node.data.path if node is not None and node.data is not None else None


async def test_a_copy_is_gone_to_and_a_folder_is_no_session(journal: Journal, server: demo.Server) -> None:
    save_session(session_from_url(f"{server.url}/echo"), user_sessions() / "work" / "mine.toml")
    async with running(journal) as (bench, pilot):
        await until(pilot, lambda: bench.focused is bench.desk.query_one(Sidebar), "the list")
        bench.desk.query_one(Sidebar).point_at(str(user_sessions() / "work" / "mine.toml"))
        await until(pilot, lambda: pointed(bench), "a session")
        await pilot.press("d")
        await answer(bench, pilot, "work/copy")
        await until(pilot, lambda: pointed(bench) == user_sessions() / "work" / "copy.toml", "the copy")
        await pilot.press("home", "e")
        await until(pilot, lambda: "no session is under the cursor" in toasts(bench), "told")
        assert bench.screen is bench.desk


async def test_the_bottom_says_what_the_session_under_the_cursor_is(journal: Journal, server: demo.Server) -> None:
    folder = user_sessions() / "work"
    told = Session(name="a", url=f"{server.url}/echo?token=s3cret", description="what it \x1b[31mis for")
    save_session(told, folder / "a.toml")
    await asyncio.to_thread((folder / "b.toml").write_text, "[session]\nname = 3\n")
    async with running(journal) as (bench, pilot):
        status = bench.desk.query_one(StatusLine)
        bench.desk.query_one(Sidebar).point_at(str(folder / "a.toml"))
        await until(pilot, lambda: "what it ␛[31mis for" in status.text, "its words")
        assert f"{server.url}/echo?token=" in status.text
        assert "s3cret" not in status.text
        await pilot.press("down")
        await until(pilot, lambda: "b.toml" in status.text, "what is wrong with a file")
        bench.connect(session_from_url(f"{server.url}/echo"))
        bench.desk.show_pane("log")
        await until(pilot, lambda: "b.toml" not in status.text, "only while the list is in use")
        await until(pilot, lambda: "recorded" in status.text, "what is recorded")


async def test_a_session_is_found_by_tag_and_url_and_connected(journal: Journal, server: demo.Server) -> None:
    path = user_sessions() / "work" / "mine.toml"
    path.parent.mkdir(parents=True)
    await asyncio.to_thread(path.write_text, f'[session]\nurl = "{server.url}/echo?token=s3cret"\ntags = ["plant-7"]\n')
    async with running(journal) as (bench, pilot):
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the list")
        await pilot.press(*"plant-7 echo")
        rows = bench.screen.query_one(OptionList)
        await until(pilot, lambda: rows.option_count == 1, "narrowed")
        shown = str(rows.get_option_at_index(0).prompt)
        assert "#plant-7" in shown
        assert "s3cret" not in shown
        await until(pilot, lambda: pointed(bench) == path, "the cursor is on it")
        await pilot.press("enter")
        await until(pilot, lambda: bench.desk.session is not None, "connected")
        assert bench.desk.session is not None
        assert bench.desk.session.path == path


def _is_wide(sidebar: Sidebar, width: int) -> bool:
    return sidebar.outer_size.width == width


async def test_tags_are_shown_where_there_is_room(journal: Journal, server: demo.Server) -> None:
    session = msgspec.structs.replace(session_from_url(f"{server.url}/echo"), tags=("plant\x1b7",))
    save_session(session, user_sessions() / "mine.toml")
    async with running(journal) as (bench, pilot):
        sidebar = bench.desk.query_one(Sidebar)
        for width, shown in ((26, False), (44, True)):
            sidebar.styles.width = width
            await until(pilot, partial(_is_wide, sidebar, width), "as wide")
            lines = [sidebar.render_line(y).text for y in range(sidebar.size.height)]
            assert any("#plant␛7" in line for line in lines) is shown


async def test_picked_sessions_are_connected_together(journal: Journal, server: demo.Server) -> None:
    for name in ("one", "three", "two"):
        session = msgspec.structs.replace(session_from_url(f"{server.url}/echo"), name=name)
        save_session(session, user_sessions() / "work" / f"{name}.toml")
    (user_sessions() / "work" / "three.toml").write_text("[session]\nname = 3\n")
    async with running(journal) as (bench, pilot):
        sidebar = bench.desk.query_one(Sidebar)
        sidebar.focus()
        folder = next(node for node in sidebar._tree_nodes.values() if str(node.label) == "work/")
        sidebar.move_cursor(folder)
        await pilot.press("space", "space", "space")
        assert str(sidebar.border_title) == "sessions · 3 picked"
        await pilot.press("escape")
        assert (str(sidebar.border_title), sidebar._picked) == ("sessions", {})
        assert bench.focused is sidebar, "escape only drops them"
        await pilot.press("space", "enter")
        assert folder.is_expanded
        await until(pilot, lambda: len(bench.desk.sheets) == 3, "two tabs and the timeline")
        assert bench.desk.sheets.current is not None
        assert bench.desk.sheets.current.name == "one"
        await until(pilot, lambda: "three.toml" in toasts(bench), "the broken one is told of")
        assert not sidebar._picked


async def test_the_form_of_a_broken_session_names_the_way_to_mend_it(journal: Journal) -> None:
    user_sessions().mkdir(parents=True)
    (user_sessions() / "mine.toml").write_text("[session]\nname = 3\n")
    async with running(journal) as (bench, pilot):
        entry = next(entry for entry in list_sessions() if entry.name == "mine")
        bench.desk.query_one(Sidebar).post_message(Sidebar.Asked("edit", entry))
        await until(pilot, lambda: "mine.toml:2: session.name" in toasts(bench), "told")
        assert "Edit as text" in toasts(bench)
        assert bench.screen is bench.desk


async def test_a_click_with_ctrl_picks_and_connects_nothing(journal: Journal, server: demo.Server) -> None:
    save_session(session_from_url(f"{server.url}/echo"), user_sessions() / "mine.toml")
    async with running(journal) as (bench, pilot):
        sidebar = bench.desk.query_one(Sidebar)
        node = next(node for node in sidebar._tree_nodes.values() if node.data and node.data.name == "mine")
        at = sidebar.content_region.offset - sidebar.region.offset + (6, node.line)
        await pilot.click(Sidebar, offset=(at.x, at.y), control=True)
        await until(pilot, lambda: list(sidebar._picked) == [str(user_sessions() / "mine.toml")], "picked")
        await pilot.click(Sidebar, offset=(at.x, at.y), control=True)
        await until(pilot, lambda: not sidebar._picked, "no longer")
        assert len(bench.desk.sheets) == 0


async def test_closing_a_tab_whose_session_was_changed_asks(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert sheet.session is not None
        actions.keep_in(bench.desk, sheet, msgspec.structs.replace(sheet.session, name="changed"), unsaved=True)
        for key, left in (("escape", False), ("n", False), ("y", True)):
            await pilot.press("ctrl+w")
            await until(pilot, lambda: isinstance(bench.screen, Confirm) and bench.screen.query(".detail"), "asked")
            assert "changed" in str(bench.screen.query_one(".detail", Label).content)
            await pilot.press(key)
            await until(pilot, lambda: bench.screen is bench.desk, "answered")
            await until(pilot, lambda left=left: (bench.desk.sheets.current is None) is left, "as was answered")  # type: ignore[misc]


async def test_what_was_saved_stays_in_its_tab_though_another_is_looked_at_by_then(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = save_session(session_from_url(f"{server.url}/echo"), user_sessions() / "mine.toml").session
    held, look = threading.Event(), actions._other_side

    def late(session: Session, path: Path) -> Session | None:
        held.wait()
        return look(session, path)

    monkeypatch.setattr(actions, "_other_side", late)
    async with running(journal) as (bench, pilot):
        sheet, other = bench.connect(mine), bench.connect(session_from_url(f"{server.url}/ticker"))
        assert sheet is not None
        assert other is not None
        bench.desk.go_to(sheet)
        sheet.unsaved = True
        bench.desk.perform("app.save")
        try:
            await pilot.pause()
            bench.desk.go_to(other)
        finally:
            held.set()
        await until(pilot, lambda: not sheet.unsaved, "kept")
        assert other.session is not None
        assert other.session.path is None
