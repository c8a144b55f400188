"""The forms of sessions and subscriptions, as they are filled in from the keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.widgets import Input, Label

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import http, sse
from rtui.settings.paths import user_sessions
from rtui.settings.session import save_session, session_from_url
from rtui.workbench.app import Workbench
from rtui.workbench.screens.dialog import Choose, Confirm, Prompt
from rtui.workbench.screens.form import SessionForm
from tests.waiting import eventually
from tests.workbench.conftest import running, until


@pytest.fixture
async def events() -> AsyncIterator[http.Server]:
    one = await sse.serve("127.0.0.1", 0)
    yield one
    await one.close()


async def new_session(bench: Workbench, pilot: Pilot[Any]) -> SessionForm:
    """An empty form, its first field in use."""
    await pilot.press("ctrl+n")
    await until(pilot, lambda: isinstance(bench.screen, SessionForm), "the form")
    form = bench.screen
    assert isinstance(form, SessionForm)
    await until(pilot, lambda: bench.focused is form.query_one("#url"), "the first field")
    return form


def about(form: SessionForm) -> str:
    return str(form.query_one(".about", Label).content)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
async def test_every_field_is_seen_while_it_is_filled_in(journal: Journal, size: tuple[int, int]) -> None:
    async with running(journal, size=size) as (bench, pilot):
        form = await new_session(bench, pilot)
        fields = form.query_one(".fields")
        options = [field.id for field in form.query("#options .field > *") if field.focusable]
        seen = []
        while bench.focused is not form.query_one("#cancel"):
            field = bench.focused
            assert field is not None
            await until(
                pilot,
                lambda field=field: field.region and fields.region.contains_region(field.region),  # type: ignore[misc]
                f"{field.id} is seen",
            )
            seen.append(field.id)
            await pilot.press("tab")
        assert seen[5:] == options
        assert "option-close_timeout" in options


async def test_below_the_fields_stands_what_the_one_in_use_is_for(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        form = await new_session(bench, pilot)
        await until(pilot, lambda: "mqtt://" in about(form), "what a URL looks like")
        form.query_one("#option-ping_interval", Input).focus()
        await until(pilot, lambda: about(form).startswith("Ping this often"), "what it is for")
        form.query_one("#cancel").focus()
        await until(pilot, lambda: not about(form), "a button says it itself")


@pytest.mark.parametrize("key", ["enter", "f10"])
async def test_the_form_asks_for_the_protocol_of_plain_http(journal: Journal, events: http.Server, key: str) -> None:
    async with running(journal) as (bench, pilot):
        form = await new_session(bench, pilot)
        url = form.query_one("#url", Input)
        url.value = f"{events.url}/news".removeprefix("sse+")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(bench.screen, Choose), "which protocol?")
        await pilot.press("s", "s", "e", "enter")
        if key == "enter":
            await until(pilot, lambda: form.query("#option-last_event_id"), "its options")
            assert url.value == f"{events.url}/news"
            await until(pilot, lambda: bench.focused is form.query_one("#name"), "the next field")
            await pilot.press("f10")
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        assert bench.desk.sure.adapter.name == "sse"


async def test_no_answer_about_the_protocol_leaves_the_form_as_it_was(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        form = await new_session(bench, pilot)
        form.query_one("#url", Input).value = "https://host/x"
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "which protocol?")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is form, "back in the form")
        assert form.query_one("#url", Input).value == "https://host/x"


async def test_a_plain_http_url_asks_what_is_spoken_there(journal: Journal, events: http.Server) -> None:
    async with running(journal) as (bench, pilot):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked for a URL")
        bench.screen.query_one(Input).value = f"{events.url}/news".removeprefix("sse+")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "which protocol?")
        await pilot.press("s", "s", "e", "enter")
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        assert bench.desk.sure.adapter.name == "sse"


async def test_a_session_can_be_connected_by_its_name_or_its_file(
    journal: Journal, events: http.Server, tmp_path: Path
) -> None:
    named, loose = user_sessions() / "work" / "news.toml", tmp_path / "loose.toml"
    for path in (named, loose):
        save_session(session_from_url(f"{events.url}/news"), path)
    async with running(journal) as (bench, pilot):
        for text, path in (("work/news", named), (str(loose), loose), ("work/news", named)):
            await pilot.press("c")
            await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked")
            bench.screen.query_one(Input).value = text
            await pilot.press("enter")
            await until(
                pilot,
                lambda path=path: bench.desk.session is not None and bench.desk.session.path == path,  # type: ignore[misc]
                "its tab",
            )
        assert sum(not sheet.is_timeline for sheet in bench.desk.sheets) == 2, "a tab that is there is gone to"


@pytest.mark.parametrize("step", ["remove_children", "mount_all"])
async def test_a_form_is_left_while_the_fields_of_another_protocol_are_on_their_way(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async with running(journal) as (bench, pilot):
        form = await new_session(bench, pilot)
        options, held, begun = form.query_one("#options", Vertical), asyncio.Event(), asyncio.Event()
        change = getattr(options, step)

        async def late(*fields: Any) -> None:
            begun.set()
            await held.wait()
            await change(*fields)

        monkeypatch.setattr(options, step, late)
        form.query_one("#url", Input).value = "mqtt://127.0.0.1:1"
        form.query_one("#name", Input).focus()
        await eventually(begun.is_set)
        try:
            form.action_dismiss_without()
            await eventually(lambda: isinstance(bench.screen, Confirm))
        finally:
            held.set()
        await pilot.press("n")
        await until(pilot, lambda: bench.screen is form, "back")
        assert form.query("#option-client_id")
