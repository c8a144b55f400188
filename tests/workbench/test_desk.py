from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, TextArea

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.core.lifecycle import State
from rtui.core.record import Kind
from rtui.demo import websocket as demo
from rtui.settings.config import Config, load_config
from rtui.settings.paths import packaged
from rtui.settings.session import list_sessions
from rtui.settings.theme import load_theme
from rtui.workbench.app import Workbench
from rtui.workbench.screens.dialog import Choose, Confirm, Prompt
from rtui.workbench.screens.help import Help
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.footer import KeyLine
from rtui.workbench.widgets.message import MessageView
from tests.waiting import PATIENCE
from tests.workbench.conftest import running, until

SIZES = pytest.mark.parametrize("size", [(80, 24), (140, 40)])


async def write(pilot: Pilot[Any], text: str) -> None:
    """Type `text` into whatever has the focus."""
    await pilot.press(*("space" if char == " " else char for char in text))


def toasts(bench: Workbench) -> str:
    return "\n".join(note.message for note in bench._notifications)


def payloads(bench: Workbench, kind: Kind = Kind.MESSAGE) -> list[str]:
    sheet = bench.desk.sheets.current
    assert sheet is not None
    sheet.lens.refresh()
    rows = sheet.lens.rows(0, len(sheet.lens.seqs))
    return [row.payload.decode("utf-8", "replace") for row in rows if row.kind == kind]


@SIZES
async def test_send_and_see_the_echo(journal: Journal, server: demo.Server, size: tuple[int, int]) -> None:
    async with running(journal, f"{server.url}/echo", size=size) as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        await pilot.press("s")
        assert isinstance(bench.focused, TextArea)
        await write(pilot, "hello there")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: payloads(bench).count("hello there") == 2, "sent and echoed")
        assert bench.desk.query_one(Composer).draft.payload == "hello there"
        assert bench.state.history[bench.desk.connection.name] == ["hello there"]  # type: ignore[union-attr]


async def test_ping_is_answered_with_a_latency(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        await pilot.press("p")
        await until(pilot, lambda: len(payloads(bench, Kind.PING)) == 2, "ping and pong")
        rows = bench.catalog.records(list(bench.desk.sheets.current.lens.seqs))  # type: ignore[union-attr]
        assert rows[-1].latency is not None


@SIZES
async def test_freeze_scroll_back_and_follow_again(
    journal: Journal, server: demo.Server, size: tuple[int, int]
) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100", size=size) as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.total > 60, "more than a screen")
        await pilot.press("pageup")
        assert not log.follow
        await until(pilot, lambda: log.new_count > 0 and "below" in str(log.border_title), "new rows are counted")
        await pilot.press("end")
        assert log.follow
        await pilot.press("z")
        assert log.frozen
        held = log.count
        await until(pilot, lambda: log.total > held + 5, "rows go on coming")
        assert log.count == held
        await until(pilot, lambda: "frozen" in str(log.border_title), "the title says so")


async def test_filter_narrows_the_log_and_a_wrong_one_leaves_it(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 30, "rows")
        await pilot.press("slash")
        assert isinstance(bench.focused, Input)
        await write(pilot, "ch:trade")
        await pilot.press("enter")
        await until(pilot, lambda: bench.desk.has_filter and payloads(bench), "filtered rows")
        assert all('"trade"' in text for text in payloads(bench))
        assert bench.desk.log_view.has_focus
        await pilot.press("backspace")
        await until(pilot, lambda: not bench.desk.has_filter, "the filter is gone")
        await until(pilot, lambda: any('"sensor"' in text for text in payloads(bench)), "the others are back")


async def test_a_server_that_goes_and_comes_back(journal: Journal, port: int) -> None:
    server = await demo.serve("127.0.0.1", port)
    async with running(journal, f"{server.url}/ticker?rate=50") as (bench, pilot):
        await until(pilot, lambda: len(payloads(bench)) > 3, "messages")
        await server.close()
        connection = bench.desk.connection
        assert connection is not None
        await until(
            pilot, lambda: connection.state is State.WAITING and connection.retry_in, "waiting with a countdown"
        )
        again = await demo.serve("127.0.0.1", port)
        await pilot.press("r")
        await until(pilot, lambda: connection.state is State.OPEN and payloads(bench, Kind.GAP), "back, with a gap row")
        await again.close()


def links_shown(bench: Workbench) -> set[int]:
    sheet = bench.desk.sheets.current
    return {row.link for row in bench.catalog.records(list(sheet.lens.seqs))} if sheet is not None else set()


async def test_tabs_keep_what_was_typed_and_the_timeline_shows_both(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/ticker?rate=50") as (bench, pilot):
        await until(pilot, lambda: len(bench.desk.sheets) == 3, "two tabs and the timeline")
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        await pilot.press("s")
        await write(pilot, "draft")
        await pilot.press("f4", "right_square_bracket")
        assert bench.desk.query_one(Composer).draft.payload == ""
        await pilot.press("T")
        await until(pilot, lambda: bench.desk.log_view.show_source, "the timeline")
        await until(pilot, lambda: links_shown(bench) == {1, 2}, "rows of both")
        await pilot.press("right_square_bracket")
        assert bench.desk.query_one(Composer).draft.payload == "draft"


async def test_saving_asks_for_a_name_and_never_overwrites_in_silence(
    journal: Journal, server: demo.Server, tmp_path: Path
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        for _ in range(2):
            await pilot.press("w")
            await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked for a name")
            bench.screen.query_one(Input).value = "mine"
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(bench.screen, Prompt), "answered")
            if isinstance(bench.screen, Confirm):
                await pilot.press("n")
            sheet = bench.desk.sheets.current
            assert sheet is not None
            await until(pilot, lambda: bench.screen is bench.desk, "back")
            sheet.session = sheet.session and type(sheet.session)(name="other", url=f"{server.url}/chat")
        assert [entry.url for entry in list_sessions() if entry.name == "mine"] == [f"{server.url}/echo"]


async def test_a_url_can_be_typed_and_a_wrong_one_is_explained(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        assert bench.desk.query_one("#welcome").display
        await pilot.press("c")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked for a URL")
        bench.screen.query_one(Input).value = "gopher://x"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(bench.screen, Prompt)
        bench.screen.query_one(Input).value = f"{server.url}/echo"
        await pilot.press("enter")
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        assert not bench.desk.query_one("#welcome").display


async def test_quitting_says_goodbye_to_the_server(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtui.workbench.app.GOODBYE", PATIENCE)
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        connection = bench.desk.connection
        assert connection is not None
        await until(pilot, lambda: connection.state is State.OPEN, "open")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: connection.state is State.CLOSED, "closed")
        assert connection.closed is not None
        assert connection.closed.clean
        assert connection.closed.by == "us"


async def test_help_is_about_the_focused_pane(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await pilot.press("question_mark")
        assert isinstance(bench.screen, Help)
        headings = [heading for heading, _ in bench.screen._sections]
        assert headings[0] == "Message log"
        assert "Connection" in headings
        assert headings[-1] == "Filter language"
        await pilot.press("escape")
        assert bench.desk.is_current


async def test_the_palette_offers_what_can_be_done_and_does_it(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(bench.screen, CommandPalette), "the palette")
        await write(pilot, "ping")
        hits = bench.screen.query_one(OptionList)
        await until(pilot, lambda: hits.option_count and "Ping" in str(hits.options[0].prompt), "the first hit")
        await pilot.press("enter")
        await until(pilot, lambda: payloads(bench, Kind.PING), "a ping")


async def test_a_theme_is_shown_while_choosing_and_taken_back_on_escape(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the list")
        before = bench.theme
        await pilot.press("down")
        await until(pilot, lambda: bench.theme != before, "a preview")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk and bench.theme == before, "as before")
        assert bench.state.theme == ""


async def test_a_theme_whose_file_has_changed_is_shown_anew(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "config" / "themes" / "mine.toml"
    path.parent.mkdir(parents=True)
    text = (packaged("themes") / "dark.toml").read_text(encoding="utf-8").replace('name = "dark"', 'name = "mine"')
    path.write_text(text, encoding="utf-8")
    async with running(journal, theme="mine") as (bench, pilot):
        old = load_theme(path).colours["panel"]
        path.write_text(text.replace(f'panel = "{old}"', 'panel = "#000000"'), encoding="utf-8")
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the list")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "back")
        keys = bench.desk.query_one(KeyLine)
        await until(pilot, lambda: keys.styles.background.hex == "#000000", "the new colour")
        path.write_text("[[[")
        await pilot.press("f9")
        await until(pilot, lambda: f"{path}:1: not valid TOML" in toasts(bench), "told")


async def test_the_theme_of_the_configuration_can_be_gone_back_to(journal: Journal) -> None:
    async with running(journal, config=Config(animations=False, theme="light")) as (bench, pilot):
        for key, kept in (("down", "monochrome"), ("up", "")):
            await pilot.press("f9")
            await until(pilot, lambda: isinstance(bench.screen, Choose), "the list")
            await pilot.press(key, "enter")
            await until(pilot, lambda: bench.screen is bench.desk, "chosen")
            await until(pilot, lambda kept=kept: bench.state.theme == kept, "kept")  # type: ignore[misc]
        assert bench.theme == "light"


@pytest.mark.parametrize("name", ["config/keys.toml", "config/themes/mine.toml", "state/workbench.json"])
async def test_a_broken_file_is_one_notification(journal: Journal, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("[[[")
    async with running(journal) as (bench, _):
        assert toasts(bench).count(str(path)) == 1


async def test_a_theme_that_is_not_there_is_told_with_its_line_and_the_next_one_is_used(
    journal: Journal, tmp_path: Path
) -> None:
    config = tmp_path / "config" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('fps = 20\ntheme = "drakula"\n')
    async with running(journal, config=load_config(config)[0]) as (bench, _):
        assert f"{config}:2: theme: there is no theme called 'drakula'; did you mean 'dracula'?" in toasts(bench)
        assert bench.theme == "dark"


async def test_hostile_text_of_a_server_is_shown_and_harmless(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/hostile") as (bench, pilot):
        await until(pilot, lambda: len(payloads(bench)) >= 3, "messages")
        bench.notify("[/red] \x1b]52;c;aGk=\x07")
        await pilot.press("up", "up", "enter")
        await pilot.pause()
        drawn = "".join(segment.text for line in bench.screen._compositor.render_strips() for segment in line)
        assert "\x1b" not in drawn
        assert "[/red]" in toasts(bench)


async def test_copying_is_said_to_be_sent(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=50") as (bench, pilot):
        await until(pilot, lambda: bench.desk.has_row, "a row")
        await pilot.press("y")
        await until(pilot, lambda: "sent to the terminal" in toasts(bench), "a toast")


async def test_export_writes_what_the_filter_lets_through(
    journal: Journal, server: demo.Server, tmp_path: Path
) -> None:
    target = tmp_path / "out.ndjson"
    async with running(journal, f"{server.url}/ticker?rate=100") as (bench, pilot):
        await until(pilot, lambda: journal.committed > 30, "stored rows")
        bench.desk.put_filter("kind:open")
        await until(pilot, lambda: bench.desk.has_filter, "the filter")
        await pilot.press("X")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked for a file")
        bench.screen.query_one(Input).value = str(target)
        await pilot.press("enter")
        await until(pilot, lambda: target.exists(), "the file")  # noqa: PLW0108
        await until(pilot, lambda: bench.screen is bench.desk, "done")
    lines = await asyncio.to_thread(target.read_text)
    assert lines.count("\n") == 1
    assert [name for name in os.listdir(tmp_path) if name.endswith(".part")] == []  # noqa: PTH208 - an async test


@SIZES
async def test_an_opened_capture_can_be_read(tmp_path: Path, server: demo.Server, size: tuple[int, int]) -> None:
    journal = Journal.create(tmp_path / "old.rtui")
    async with running(journal, f"{server.url}/ticker?rate=100") as (_, pilot):
        await until(pilot, lambda: journal.committed > 20, "stored rows")
    await asyncio.to_thread(journal.close)
    async with running(None, reader=Reader(tmp_path / "old.rtui"), size=size) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 20, "its rows")
        assert bench.desk.connection is None
        await pilot.press("up")
        await until(pilot, lambda: bench.desk.has_row, "a cursor")
        if size[1] > 30:
            assert bench.desk.query_one(MessageView).record is not None
        await pilot.press("c")
        assert bench.screen is bench.desk


async def test_a_pane_that_had_no_room_shows_the_row_when_its_key_brings_it(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/ticker?rate=50", size=(80, 24)) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 5, "rows")
        view = bench.desk.query_one(MessageView)
        assert not view.display
        await pilot.press("f5")
        await pilot.pause()
        assert view.display
        assert view.has_focus
        assert view.record is not None
        await pilot.press("f5")
        await pilot.pause()
        assert not view.display
        assert bench.desk.log_view.has_focus


async def test_nothing_is_painted_while_nothing_changes(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        await until(pilot, lambda: bench.desk.log_view.total, "its row")
        settled = bench.pump.ticks + 5
        await until(pilot, lambda: bench.pump.ticks > settled, "it is painted")
        painted = 0
        original = bench.desk.log_view.render_line

        def count(y: int) -> Any:
            nonlocal painted
            painted += 1
            return original(y)

        bench.desk.log_view.render_line = count  # type: ignore[method-assign]
        ticks = bench.pump.ticks
        await until(pilot, lambda: bench.pump.ticks > ticks + 20, "frames go by")
        assert painted == 0
