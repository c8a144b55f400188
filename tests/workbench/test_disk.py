from __future__ import annotations

import asyncio
import shutil
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.runtime.tasks import spawn
from rtui.settings.paths import user_sessions
from rtui.settings.session import Session, load_session, save_session, session_from_url
from rtui.settings.session_list import SessionEntry, list_sessions
from rtui.settings.session_merge import both, is_changed, mine_over
from rtui.settings.session_move import moved
from rtui.workbench import disk
from rtui.workbench.actions import session as actions
from rtui.workbench.app import Workbench
from rtui.workbench.panes.sidebar import Sidebar
from rtui.workbench.screens.dialog import Choose
from tests.waiting import eventually
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "PERIOD", 0.02)


@pytest.fixture
def seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test does is quicker than the watch."""
    monkeypatch.setattr(disk, "PERIOD", 60.0)


def mine_of(bench: Workbench) -> Session:
    session = bench.desk.session
    assert session is not None
    return session


def saved(url: str) -> Session:
    return save_session(session_from_url(url), user_sessions() / "mine.toml").session


async def write(url: str, more: str) -> None:
    path = user_sessions() / "mine.toml"
    await asyncio.to_thread(path.write_text, f'[session]\nname = "{session_from_url(url).name}"\nurl = "{url}"\n{more}')


def change(bench: Workbench) -> None:
    """What a user changes in the tab."""
    sheet = bench.desk.sheets.current
    assert sheet is not None
    assert sheet.session is not None
    sheet.session = msgspec.structs.replace(sheet.session, tags=("ours",))
    sheet.unsaved = True


async def test_a_file_that_changes_is_read_again(journal: Journal, server: demo.Server) -> None:
    url = f"{server.url}/echo"
    async with running(journal) as (bench, pilot):
        bench.connect(saved(url))
        await write(url, 'description = "theirs"\n')
        await until(pilot, lambda: mine_of(bench).description == "theirs", "read again")
        assert "changed and was read again" in toasts(bench)
        await write(url, "description = \n")
        await until(pilot, lambda: "mine.toml:4" in toasts(bench), "told what is wrong, with its line")
        assert mine_of(bench).description == "theirs"


async def answered(bench: Workbench, pilot: Pilot[Any], side: str) -> None:
    await pilot.press("W")
    await until(pilot, lambda: isinstance(bench.screen, Choose), "asked")
    await pilot.press(*side, "enter")
    await until(pilot, lambda: bench.screen is bench.desk, "answered")


@pytest.mark.parametrize(
    ("side", "description", "tags"), [("both", "theirs", ("ours",)), ("mine", "", ("ours",)), ("theirs", "theirs", ())]
)
async def test_where_both_changed_the_user_chooses(
    journal: Journal, server: demo.Server, side: str, description: str, tags: tuple[str, ...]
) -> None:
    url, path = f"{server.url}/echo", user_sessions() / "mine.toml"
    async with running(journal) as (bench, pilot):
        bench.connect(saved(url))
        change(bench)
        await write(url, 'description = "theirs"\n')
        await until(pilot, lambda: "and so did its tab" in toasts(bench), "told")
        assert (mine_of(bench).description, mine_of(bench).tags) == ("", ("ours",))
        await answered(bench, pilot, side)
        await until(pilot, lambda: (mine_of(bench).description, mine_of(bench).tags) == (description, tags), "taken")
        assert load_session(path, actions.declares_for).description == "theirs"
        await pilot.press("w")
        await until(pilot, lambda: "saved to" in toasts(bench), "saved without another question")
    kept = load_session(path, actions.declares_for)
    assert (kept.description, kept.tags) == (description, tags)


@pytest.mark.parametrize(
    ("side", "description", "tags"), [("both", "theirs", ("ours",)), ("mine", "", ("ours",)), ("theirs", "theirs", ())]
)
@pytest.mark.usefixtures("seldom")
async def test_two_rtui_that_save_one_session(
    journal: Journal, server: demo.Server, side: str, description: str, tags: tuple[str, ...]
) -> None:
    url, path = f"{server.url}/echo", user_sessions() / "mine.toml"
    async with running(journal) as (bench, pilot):
        bench.connect(saved(url))
        change(bench)
        await write(url, 'description = "theirs"\n')
        await pilot.press("w")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "asked")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "left")
        assert mine_of(bench).tags == ("ours",)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "asked again")
        await pilot.press(*side, "enter")
        told = "not written" if side == "theirs" else "saved to"
        await until(pilot, lambda: told in toasts(bench), "told")
        sheet = bench.desk.sheets.current
        await until(pilot, lambda: sheet is not None and not sheet.unsaved, "kept")
        assert (mine_of(bench).description, mine_of(bench).tags) == (description, tags)
    kept = load_session(path, actions.declares_for)
    assert (kept.description, kept.tags) == (description, tags)


async def test_a_session_that_another_deletes_stays_in_its_tab_and_can_be_written_again(
    journal: Journal, server: demo.Server
) -> None:
    path = user_sessions() / "mine.toml"
    async with running(journal) as (bench, pilot):
        bench.connect(saved(f"{server.url}/echo"))
        sheet = bench.desk.sheets.current
        assert sheet is not None
        text = await asyncio.to_thread(path.read_text)
        await asyncio.to_thread(path.unlink)
        await until(
            pilot, lambda: "mine.toml is gone; its tab stays, and w writes the file again" in toasts(bench), "told"
        )
        assert sheet.unsaved
        await asyncio.to_thread(path.write_text, text)
        await until(pilot, lambda: not sheet.unsaved, "it is back")
        await asyncio.to_thread(path.unlink)
        await until(pilot, lambda: sheet.unsaved, "gone again")
        await pilot.press("w")
        await until(pilot, lambda: "saved to" in toasts(bench), "saved")
    assert load_session(path, actions.declares_for).url == f"{server.url}/echo"


@pytest.mark.usefixtures("seldom")
async def test_a_file_that_is_away_for_a_moment_is_not_gone(journal: Journal, server: demo.Server) -> None:
    path = user_sessions() / "mine.toml"
    async with running(journal) as (bench, _):
        bench.connect(saved(f"{server.url}/echo"))
        sheet, watch = bench.desk.sheets.current, disk.DiskWatch(bench.desk)
        assert sheet is not None
        for _ in range(2):  # as editors save, and as a rename goes
            await watch.look()
            await asyncio.to_thread(path.rename, path.with_suffix(".away"))
            await watch.look()
            await asyncio.to_thread(path.with_suffix(".away").rename, path)
        await watch.look()
        assert toasts(bench) == ""
        assert not sheet.unsaved


@pytest.mark.usefixtures("seldom")
async def test_a_file_that_comes_back_piece_by_piece_is_back(journal: Journal, server: demo.Server) -> None:
    path = user_sessions() / "mine.toml"
    async with running(journal) as (bench, _):
        bench.connect(saved(f"{server.url}/echo"))
        sheet, watch = bench.desk.sheets.current, disk.DiskWatch(bench.desk)
        assert sheet is not None
        text = await asyncio.to_thread(path.read_text)
        await watch.look()
        await asyncio.to_thread(path.unlink)
        await watch.look()
        await watch.look()
        assert sheet.unsaved
        for written in ("", text):
            await asyncio.to_thread(path.write_text, written)
            await watch.look()
        assert not sheet.unsaved


def listed(bench: Workbench) -> list[str]:
    nodes = bench.desk.query_one(Sidebar)._tree_nodes.values()
    return [node.data.name for node in nodes if node.data is not None and node.data.source == "user"]


async def test_sessions_that_come_and_go_are_listed_and_the_cursor_stays(
    journal: Journal, server: demo.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, session = user_sessions(), session_from_url(f"{server.url}/echo")
    for name in ("work/a", "work/c", "z"):
        save_session(session, folder / f"{name}.toml")
    async with running(journal) as (bench, pilot):
        sidebar = bench.desk.query_one(Sidebar)
        sidebar.point_at(str(folder / "z.toml"))
        await until(pilot, lambda: at_cursor(sidebar) == "z", "on z")
        sidebar._branches["packaged", "demo"].collapse()
        await asyncio.to_thread(save_session, session, folder / "work" / "b.toml")
        await until(pilot, lambda: listed(bench) == ["work/a", "work/b", "work/c", "z"], "came")
        await until(pilot, lambda: at_cursor(sidebar) == "z", "still on z")
        assert not sidebar._branches["packaged", "demo"].is_expanded
        await asyncio.to_thread((folder / "work" / "c.toml").rename, folder / "y.toml")
        await until(pilot, lambda: listed(bench) == ["work/a", "work/b", "y", "z"], "renamed")
        await until(pilot, lambda: at_cursor(sidebar) == "z", "still on z")
        await asyncio.to_thread((folder / "z.toml").unlink)
        await until(pilot, lambda: listed(bench) == ["work/a", "work/b", "y"], "gone")
        await until(pilot, lambda: sidebar.cursor_node is not None, "somewhere near")


def at_cursor(sidebar: Sidebar) -> str:
    node = sidebar.cursor_node
    return node.data.name if node is not None and node.data is not None else ""


def test_folders_are_read_only_when_one_of_them_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reads: list[int] = []

    def read() -> list[SessionEntry]:
        reads.append(1)
        return []

    monkeypatch.setattr(disk, "list_sessions", read)
    watch = disk.Folders()
    assert watch.changed() == []
    assert watch.changed() is None
    (tmp_path / "sessions" / "deep").mkdir(parents=True)
    assert watch.changed() == []
    (tmp_path / "sessions" / "deep" / "a.toml").write_text("")
    assert watch.changed() == []
    assert watch.changed() is None
    assert len(reads) == 3


@pytest.mark.usefixtures("seldom")
async def test_a_list_that_was_read_before_a_change_made_here_does_not_hide_it(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    held, begun = threading.Event(), threading.Event()

    def late() -> list[SessionEntry]:
        entries = list_sessions()
        begun.set()
        held.wait()
        return entries

    async with running(journal) as (bench, _):
        saved("ws://127.0.0.1/mine")
        watch = disk.DiskWatch(bench.desk)
        monkeypatch.setattr(disk, "list_sessions", late)
        look = spawn(watch.look(), "look")
        try:
            await eventually(begun.is_set)
            await asyncio.to_thread((user_sessions() / "mine.toml").rename, user_sessions() / "renamed.toml")
            bench.desk.reload_sessions()
        finally:
            held.set()
        await look
        assert listed(bench) == ["renamed"]
        await watch.look()
        assert listed(bench) == ["renamed"]


@pytest.mark.usefixtures("seldom")
@pytest.mark.parametrize("change", ["renamed", "closed"])
async def test_a_file_that_is_gone_is_not_told_of_a_tab_that_has_another_name_by_then_or_none(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    held, begun, stamp = threading.Event(), threading.Event(), disk._stamp

    def late(path: Path) -> disk.Stamp:
        begun.set()
        held.wait()
        return stamp(path)

    async with running(journal) as (bench, _):
        bench.connect(saved(f"{server.url}/echo"))
        sheet, watch, path = bench.desk.sheets.current, disk.DiskWatch(bench.desk), user_sessions() / "mine.toml"
        assert sheet is not None
        await watch.look()
        await asyncio.to_thread(path.rename, path.with_stem("other"))
        await watch.look()
        monkeypatch.setattr(disk, "_stamp", late)
        look = spawn(watch.look(), "look")
        try:
            await eventually(begun.is_set)
            if change == "renamed":
                sheet.session = moved(mine_of(bench), path.with_stem("other"))
            else:
                bench.desk.close_tab()
        finally:
            held.set()
        await look
        assert "is gone" not in toasts(bench)
        assert not sheet.unsaved


def test_a_folder_that_goes_while_folders_are_listed_does_not_end_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    deeper, time = Path("sessions") / "deep" / "deeper", disk._time
    deeper.mkdir(parents=True)

    def slow(folder: Path) -> int | None:
        if folder == deeper and deeper.exists():
            shutil.rmtree(deeper.parent)
        return time(folder)

    monkeypatch.setattr(disk, "_time", slow)
    watch = disk.Folders()
    assert watch.changed() is not None
    assert watch.changed() is not None, "found next time"
    assert watch.changed() is None


async def test_what_was_saved_here_is_no_change(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        bench.connect(saved(f"{server.url}/echo"))
        change(bench)
        await pilot.press("w")
        await until(pilot, lambda: "saved to" in toasts(bench), "saved")
        watch = disk.DiskWatch(bench.desk)
        await watch.look()
        assert "changed" not in toasts(bench)
        await pilot.press("W")
        await until(pilot, lambda: "did not change" in toasts(bench), "told")


def test_two_sides_are_merged_by_what_each_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[session]\nurl = "ws://a"\ntags = ["x"]\n[options]\nsubprotocols = ["one"]\n')
    before = load_session(path, actions.declares_for)
    mine = msgspec.structs.replace(before, tags=("x", "y"), options={})
    path.write_text('[session]\nurl = "ws://b"\ntags = ["x"]\n[options]\nsubprotocols = ["one"]\n')
    theirs = load_session(path, actions.declares_for)
    merged = both(mine, theirs, actions.declares_for)
    assert (merged.url, merged.tags, merged.options) == ("ws://b", ("x", "y"), {})
    assert merged.stored == theirs.stored
    assert is_changed(merged)
    assert not is_changed(theirs)
    assert mine_over(mine, theirs).url == "ws://a"
