from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.capture.past import Past
from rtui.capture.reader import Reader
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.demo import websocket as demo
from rtui.payloads.typed import TypedView, TypeFile
from rtui.settings.session import Session
from rtui.settings.session_model import ProtobufTypes, View
from rtui.workbench.app import Workbench
from rtui.workbench.decoding import GUESSED, Decodings, message_of
from rtui.workbench.screens.dialog import Choose, Prompt
from rtui.workbench.widgets.message import MessageView
from tests.protobuf.test_descriptor_set import made
from tests.waiting import eventually
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts
from tests.workbench.widgets.fake import Host, row, screen_text

__all__ = ["made"]

CELSIUS = b"\x09" + b"\0\0\0\0\0\x80\x35\x40"
"""A plant.Reading of 21.5 °C."""


def session_of(made: Path, **types: Any) -> Session:
    view = View(protobuf=ProtobufTypes(descriptor=made.name, **types))
    return Session(name="mine", url="ws://x", view=view, path=made.parent / "mine.toml")


# Which type a channel has


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ("sensors/r1/temp", "p.Temp"),
        ("sensors/r1/humid", "p.Sensor"),
        ("alarms", "p.Alarm"),
        ("alarms.old", "p.Old"),
        ("commands/r1", "p.Any"),
        ("sensors.r1", "p.Any"),
    ],
)
def test_the_first_pattern_that_fits_names_the_type(channel: str, message: str) -> None:
    channels = {"sensors/+/temp": "p.Temp", "sensors/#": "p.Sensor", "alarms*": "p.Old", "alarms": "p.Alarm"}
    assert message_of(ProtobufTypes(descriptor="x", message="p.Any", channels=channels), channel) == message


def test_the_session_tells_the_type_until_the_user_does(made: Path) -> None:
    decodings = Decodings(lambda link: session_of(made, message="plant.Reading") if link == 1 else None)
    record, other = row(1, CELSIUS), Record(2, 1, 2, 0, 1, "ticks", CELSIUS)
    view = decodings.view(record)
    assert isinstance(view, TypedView)
    assert view.message == "plant.Reading"
    assert decodings.view(other) is None
    decodings.choose(record, view.file, "plant.Alarm")
    chosen = decodings.view(record)
    assert isinstance(chosen, TypedView)
    assert chosen.message == "plant.Alarm"
    assert decodings.file(other) is view.file
    decodings.choose(record, view.file, GUESSED)
    assert decodings.view(record) is None


def test_only_messages_have_a_type(made: Path) -> None:
    decodings = Decodings(lambda _: session_of(made, message="plant.Reading"))
    assert decodings.view(row(1, CELSIUS, kind=Kind.CLOSE)) is None


def test_a_descriptor_set_is_read_again_when_it_was_written(made: Path) -> None:
    decodings = Decodings(lambda _: None)
    file = decodings.open_file(made)
    assert decodings.open_file(made) is file
    os.utime(made, ns=(1, 1))
    assert decodings.open_file(made) is not file
    assert decodings.open_file(made.parent / "none").path.name == "none"


# The message pane


async def test_the_pane_shows_the_fields_and_says_the_type(made: Path) -> None:
    view = MessageView()
    typed = TypedView(TypeFile(made), "plant.Reading")
    view.type_of = lambda _record: typed
    async with Host(view).run_test(size=(100, 24)) as pilot:
        view.show(row(1, CELSIUS), None)
        assert view.problem == "reading…"  # the file is read in a thread
        await eventually(lambda: view.problem == "protobuf plant.Reading")
        await pilot.pause()
        assert '"celsius": 21.5' in screen_text(view)[1]
        view.show(row(2, b"\xff"), None)
        assert view.problem.startswith("not a plant.Reading")


async def test_the_diff_is_between_what_messages_mean(made: Path, tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run.rtui")
    reader = Reader(journal.path)
    view = MessageView(past=Past(reader, journal))
    typed = TypedView(TypeFile(made), "plant.Reading")
    view.type_of = lambda _record: typed
    records = [row(1, CELSIUS + b"\x1a\x02\x08\x01"), row(2, CELSIUS + b"\x1a\x02\x08\x02")]
    journal.append(records)
    async with Host(view).run_test(size=(100, 24)) as pilot:
        view.focus()
        view.show(records[1], None)
        await pilot.press("d")
        await eventually(lambda: view.row_count() > 1 and "looking" not in view.problem)
        await pilot.pause()
        lines = [line.strip() for line in screen_text(view)]
        assert '-         "number": "1"' in lines
        assert '+         "number": "2"' in lines
    reader.close()
    journal.close()


# The list


async def _echoed(bench: Workbench, pilot: Pilot[Any]) -> MessageView:
    """The pane with the echo of a binary message in it."""
    desk, view = bench.desk, bench.desk.query_one(MessageView)
    await until(pilot, lambda: desk.connection and desk.connection.state is State.OPEN, "open")
    desk.send(CELSIUS, "", {})
    desk.show_pane("message")
    await until(
        pilot,
        lambda: view.record is not None and view.record.payload == CELSIUS and view.record.direction == Direction.IN,
        "the echo",
    )
    return view


async def _answer(bench: Workbench, pilot: Pilot[Any], kind: type[Choose | Prompt], text: str) -> None:
    await until(pilot, lambda: isinstance(bench.screen, kind), f"{kind.__name__}")
    await pilot.press(*text, "enter")
    await until(pilot, lambda: not isinstance(bench.screen, kind), "answered")


async def test_a_type_is_chosen_from_a_descriptor_set(journal: Journal, server: demo.Server, made: Path) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        view = await _echoed(bench, pilot)
        assert view.problem != "protobuf plant.Reading"
        bench.desk.perform("app.decode-as")
        await _answer(bench, pilot, Choose, "descriptor set")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asks for the file")
        bench.screen.query_one("SafeInput").value = str(made)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await _answer(bench, pilot, Choose, "plant.Reading")
        await until(pilot, lambda: view.problem == "protobuf plant.Reading", "decoded")
        bench.desk.perform("app.decode-as")
        await _answer(bench, pilot, Choose, "as it looks")
        await until(pilot, lambda: "plant" not in view.problem, "guessed again")


async def test_a_format_is_chosen_from_the_same_list(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        view = await _echoed(bench, pilot)
        bench.desk.perform("app.decode-as")
        await _answer(bench, pilot, Choose, "no schema")
        await until(pilot, lambda: view.problem == "protobuf, no schema", "as asked")


async def test_a_file_that_is_no_descriptor_set_is_told(journal: Journal, server: demo.Server, made: Path) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await _echoed(bench, pilot)
        bench.desk.perform("app.decode-as")
        await _answer(bench, pilot, Choose, "descriptor set")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asks for the file")
        bench.screen.query_one("SafeInput").value = str(made.parent / "plant.proto")  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "plant.proto is no descriptor set" in toasts(bench), "told")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the list again")
