"""Import on the desk: from a file with a look first, and from a command line that is pasted."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.widgets import Input

from rtui.capture.journal import Journal
from rtui.settings.paths import user_sessions
from rtui.workbench.app import Workbench
from rtui.workbench.screens.address import Address
from rtui.workbench.screens.dialog import Confirm, Note
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts

NOTES = "curl -N http://127.0.0.1:9/s -H 'Authorization: Bearer hunter22' --retry 3\nwscat -c ws://127.0.0.1:9/w\n"
PASTED = "curl 'http://127.0.0.1:9/live' \\\n  -H 'Accept: text/event-stream' \\\n  -H 'X-A: b'\n"


def typed(bench: Workbench) -> str:
    """What stands in the line of the dialog."""
    return bench.screen.query_one(Input).value if isinstance(bench.screen, Address) else ""


async def test_a_file_is_looked_at_before_it_is_written(journal: Journal, tmp_path: Path) -> None:
    (source := tmp_path / "notes.sh").write_text(NOTES, encoding="utf-8")
    async with running(journal) as (bench, pilot):
        await pilot.press("alt+i")
        await until(pilot, lambda: isinstance(bench.screen, Address), "asked")
        bench.screen.query_one(Input).value = str(source)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, Confirm), "what there is")
        assert not list(user_sessions().rglob("*.toml"))
        first = bench.screen
        await pilot.press("y")
        await until(pilot, lambda: isinstance(bench.screen, Confirm) and bench.screen is not first, "about secrets")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(bench.screen, Note), "what was left")
        assert isinstance(bench.screen, Note)
        assert "--retry" in bench.screen.text
        await pilot.press("escape")
        names = {path.stem for path in user_sessions().rglob("*.toml")}
        assert names == {"127.0.0.1-s", "127.0.0.1-w"}
        assert "hunter22" not in (user_sessions() / "127.0.0.1-s.toml").read_text(encoding="utf-8")
        assert not (user_sessions() / ".env").exists()


async def test_a_broken_file_is_one_notification(journal: Journal, tmp_path: Path) -> None:
    (source := tmp_path / "x.har").write_text('{"log": {"entries": [}', encoding="utf-8")
    async with running(journal) as (bench, pilot):
        await pilot.press("alt+i")
        await until(pilot, lambda: isinstance(bench.screen, Address), "asked")
        bench.screen.query_one(Input).value = str(source)
        await pilot.press("enter")
        await until(pilot, lambda: "x.har:1: not valid JSON" in toasts(bench), "told")
        await until(pilot, lambda: typed(bench) == str(source), "what was typed is still there")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "back")
        assert len(bench._notifications) == 1


async def test_a_pasted_command_of_several_lines_is_connected(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(bench.screen, Address), "asked")
        bench.screen.query_one(Input).post_message(events.Paste(PASTED))
        await until(pilot, lambda: bench.desk.session is not None, "connected")
        session = bench.desk.session
        assert session is not None
        assert (session.url, session.options) == ("sse+http://127.0.0.1:9/live", {"headers": {"X-A": "b"}})
        assert session.path is None


async def test_a_command_without_a_connection_says_why(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(bench.screen, Address), "asked")
        bench.screen.query_one(Input).value = "curl ftp://h/x"
        await pilot.press("enter")
        await until(pilot, lambda: "no protocol of rtui" in toasts(bench), "told")
        await until(pilot, lambda: typed(bench) == "curl ftp://h/x", "to be mended")
        await pilot.press(*["backspace"] * len("ftp://h/x"), *"-N http://127.0.0.1:9/x", "enter")
        await until(pilot, lambda: bench.desk.session is not None, "connected")
        assert bench.desk.sure.session.url == "sse+http://127.0.0.1:9/x"


async def test_several_lines_that_say_nothing_are_not_given_back(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        for key in ("c", "alt+i"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(bench.screen, Address), "asked")
            bench.screen.query_one(Input).post_message(events.Paste("curl ftp://h/x \\\n  --fail\n"))
            await until(pilot, lambda: not isinstance(bench.screen, Address), "gone")
            await until(pilot, lambda: bool(toasts(bench)) or isinstance(bench.screen, Note), "told")
            await pilot.press("escape")
            await until(pilot, lambda: bench.screen is bench.desk, "back")


async def test_what_copy_as_command_writes_of_a_session_goes_to_it(journal: Journal, tmp_path: Path) -> None:
    user_sessions().mkdir(parents=True)
    (user_sessions() / "mine.toml").write_text('[session]\nurl = "ws://127.0.0.1:9/w"\n', encoding="utf-8")
    async with running(journal) as (bench, pilot):
        for _ in range(2):  # the second time it is open already
            await pilot.press("c")
            await until(pilot, lambda: isinstance(bench.screen, Address), "asked")
            bench.screen.query_one(Input).value = "$ rtui tail mine --count 3"
            await pilot.press("enter")
            await until(pilot, lambda: bench.desk.session is not None and bench.screen is bench.desk, "connected")
            assert bench.desk.session is not None
            assert bench.desk.session.path == user_sessions() / "mine.toml"
        assert len(bench.hub.connections) == 1
