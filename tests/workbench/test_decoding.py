from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.capture.past import Past
from rtui.capture.reader import Reader
from rtui.core.lifecycle import State as State_
from rtui.core.record import Direction, Kind, Record
from rtui.demo import websocket as demo
from rtui.encoding.type_file import TypeFile, type_file
from rtui.payloads.typed import TypedView
from rtui.runtime.decoding import Decodings, message_of, types_of
from rtui.settings.files import Problem
from rtui.settings.session import Session, load_session, save_session, session_from_url
from rtui.settings.session_model import ProtobufTypes, View
from rtui.workbench.actions.session import declares_for
from rtui.workbench.app import Workbench
from rtui.workbench.screens.dialog import Choose, Prompt
from rtui.workbench.state import State
from rtui.workbench.state_file import load_state, save_state
from rtui.workbench.widgets.chart import Chart
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


def test_a_channel_without_a_type_is_named_too() -> None:
    types = ProtobufTypes(descriptor="x", message="p.Any", channels={"a": "", "b/#": "p.B"})
    assert [message_of(types, name) for name in ("a", "b/c", "d")] == ["", "p.B", "p.Any"]


def test_the_session_tells_the_type(made: Path) -> None:
    decodings = Decodings(lambda link: types_of(session_of(made, message="plant.Reading") if link == 1 else None))
    view = decodings.view(row(1, CELSIUS))
    assert isinstance(view, TypedView)
    assert view.message == "plant.Reading"
    assert decodings.view(Record(2, 1, 2, 0, 1, "ticks", CELSIUS)) is None
    assert decodings.file(1) is view.file
    assert decodings.file(2) is None


def test_only_messages_have_a_type(made: Path) -> None:
    decodings = Decodings(lambda _: types_of(session_of(made, message="plant.Reading")))
    assert decodings.view(row(1, CELSIUS, kind=Kind.CLOSE)) is None


def test_a_descriptor_set_is_read_again_when_it_was_written(made: Path) -> None:
    file = type_file(made)
    assert type_file(made) is file
    os.utime(made, ns=(1, 1))
    assert type_file(made) is not file
    assert type_file(made.parent / "none").path.name == "none"


def test_a_descriptor_set_that_was_read_half_is_read_again_though_its_time_is_the_same(made: Path) -> None:
    whole = made.read_bytes()
    made.write_bytes(whole[: len(whole) // 2])
    os.utime(made, ns=(1, 1))
    file = type_file(made)
    made.write_bytes(whole)
    os.utime(made, ns=(1, 1))
    assert type_file(made) is not file
    assert "plant.Reading" in type_file(made).types().names


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
        assert '-         "number": 1' in lines
        assert '+         "number": 2' in lines
    reader.close()
    journal.close()


# The list


async def _echoed(bench: Workbench, pilot: Pilot[Any]) -> MessageView:
    """The pane with the echo of a binary message in it."""
    desk, view = bench.desk, bench.desk.query_one(MessageView)
    await until(pilot, lambda: desk.connection and desk.connection.state is State_.OPEN, "open")
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


# Where a choice is kept, and who else sees what payloads mean


async def _typed(bench: Workbench, pilot: Pilot[Any], made: Path, message: str) -> MessageView:
    """The pane with a message whose type was chosen."""
    view = await _echoed(bench, pilot)
    record = view.record
    assert record is not None
    file = type_file(made)
    file.types()
    bench.desk.sure_picture.types.choose(record.link, record.channel, file, message)
    bench.desk.sure_picture.types.look_again()
    return view


async def test_a_choice_goes_into_the_session_and_is_saved_with_its_comments(
    journal: Journal, server: demo.Server, made: Path
) -> None:
    path = made.parent / "mine.toml"
    path.write_text(f'# my plant\n[session]\nurl = "{server.url}/echo"  # the echo\n')
    session = load_session(path, declares_for)
    async with running(journal) as (bench, pilot):
        bench.desk.connect(session)
        await _typed(bench, pilot, made, "plant.Reading")
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert sheet.session is not None
        assert sheet.unsaved
        assert sheet.session.view.protobuf == ProtobufTypes(descriptor="plant.protoset", message="plant.Reading")
        assert bench.desk.sure.session.view.protobuf == sheet.session.view.protobuf
        assert bench.state.types == {}
        save_session(sheet.session, path)
    text = path.read_text()
    assert text.startswith(f'# my plant\n[session]\nurl = "{server.url}/echo"  # the echo\n')
    assert load_session(path, declares_for).view.protobuf == sheet.session.view.protobuf


async def test_without_a_file_the_choice_is_remembered(journal: Journal, server: demo.Server, made: Path) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await _typed(bench, pilot, made, "plant.Reading")
        kept = ProtobufTypes(descriptor=str(made), message="plant.Reading")
        assert list(bench.state.types.values()) == [kept]
        again = bench.connect(session_from_url(f"{server.url}/echo"))
        assert again is not None
        assert again.session is not None
        assert again.session.view.protobuf == kept
        assert not again.unsaved
        table, problems = _written_and_read(bench.state, made.parent / "state.json")
        assert problems == []
        assert table.types == bench.state.types


def _written_and_read(state: State, path: Path) -> tuple[State, list[Problem]]:
    assert save_state(state, path) == ""
    return load_state(path)


async def test_log_filter_and_chart_show_what_payloads_mean(journal: Journal, server: demo.Server, made: Path) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        view = await _typed(bench, pilot, made, "plant.Reading")
        desk = bench.desk
        shown = desk.half.rows.brush.meant
        assert view.record is not None
        assert shown(view.record) == b'{"celsius":21.5,"tags":{},"parts":[]}'
        desk.put_filter(".celsius>20")
        sheet = desk.sheets.current
        assert sheet is not None
        await until(pilot, lambda: sheet.filter is not None and len(sheet.lens.seqs) == 2, "both ways")
        desk.put_filter(".celsius>22")
        await until(pilot, lambda: sheet.filter_text.endswith("22") and not sheet.lens.seqs, "none")
        desk.put_filter("")
        desk.show_message_as("chart")
        await until(pilot, lambda: isinstance(view._document, Chart), "the chart")
        assert isinstance(view._document, Chart)
        assert view._document.chosen == [".celsius"]
        view._redraw(view._document)
        assert list(bench.state.drawn.values()) == [{"": [".celsius"]}]


async def test_a_broken_descriptor_set_is_told_once_and_rows_stay_as_they_are(
    journal: Journal, server: demo.Server, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.protoset"
    broken.write_bytes(b"hello")
    view = View(protobuf=ProtobufTypes(descriptor=str(broken), message="p.T"))
    async with running(journal) as (bench, pilot):
        bench.desk.connect(Session(name="mine", url=f"{server.url}/echo", view=view))
        shown = await _echoed(bench, pilot)
        await until(pilot, lambda: "broken.protoset is no descriptor set" in toasts(bench), "told")
        assert shown.record is not None
        assert bench.desk.half.rows.brush.meant(shown.record) == CELSIUS
        assert str(toasts(bench)).count("broken.protoset") == 1


async def test_a_chart_begins_with_what_was_chosen_in_the_last_run(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        desk, view = bench.desk, bench.desk.query_one(MessageView)
        await until(pilot, lambda: desk.connection and desk.connection.state is State_.OPEN, "open")
        for number in (b"1", b"2"):
            desk.send(b'{"id":%s,"v":%s,"w":5}' % (number, number), "", {})
        desk.show_pane("message")
        await until(pilot, lambda: view.record is not None and b'"v":2' in view.record.payload, "the echo")
        sheet = desk.sheets.current
        assert sheet is not None
        bench.state.drawn[sheet.name] = {"": [".w"]}
        desk.show_message_as("chart")
        await until(pilot, lambda: isinstance(view._document, Chart), "the chart")
        assert isinstance(view._document, Chart)
        assert view._document.chosen == [".w"]


async def test_a_filter_of_the_session_waits_for_the_types_and_then_looks_again(
    journal: Journal, server: demo.Server, made: Path
) -> None:
    os.utime(made, ns=(2, 2))  # nobody has read it yet
    types = ProtobufTypes(descriptor=str(made), message="plant.Reading")
    async with running(journal) as (bench, pilot):
        bench.desk.connect(
            Session(name="mine", url=f"{server.url}/echo", view=View(filter=".celsius>20", protobuf=types))
        )
        sheet = bench.desk.sheets.current
        assert sheet is not None
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State_.OPEN, "open")
        bench.desk.send(CELSIUS, "", {})
        await until(pilot, lambda: len(sheet.lens.seqs) == 2, "both ways")
