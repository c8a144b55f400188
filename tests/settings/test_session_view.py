from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from rtui.settings.files import SettingsError
from rtui.settings.session import load_session, save_session, session_schema
from rtui.settings.session_model import ProtobufTypes
from rtui.settings.session_view import with_type
from tests.protobuf.test_descriptor_set import made
from tests.settings.shapes import Shape, find

__all__ = ["made"]

FILE = """[session]
url = "ws://plant/x"

[view]
filter = "in"

[view.protobuf]
descriptor = "plant.protoset"
message = "plant.Alarm"

[view.protobuf.channels]
"sensors/+/temp" = "plant.Reading"
"""


def loaded(made: Path, text: str) -> list[str]:
    """The problems of a session beside the descriptor set."""
    path = made.parent / "plant.toml"
    path.write_text(text)
    try:
        load_session(path, find)
    except SettingsError as error:
        return [str(one).removeprefix(f"{path}:") for one in error.problems]
    return []


def test_types_are_read_beside_the_other_keys_of_the_view(made: Path) -> None:
    path = made.parent / "plant.toml"
    path.write_text(FILE)
    session = load_session(path, find)
    assert session.view.filter == "in"
    channels = {"sensors/+/temp": "plant.Reading"}
    assert session.view.protobuf == ProtobufTypes(descriptor="plant.protoset", message="plant.Alarm", channels=channels)


def test_a_change_elsewhere_leaves_them_as_they_are(made: Path) -> None:
    path = made.parent / "plant.toml"
    path.write_text(FILE)
    session = load_session(path, find)
    view = msgspec.structs.replace(session.view, filter="out")
    save_session(msgspec.structs.replace(session, view=view), path)
    assert path.read_text() == FILE.replace('"in"', '"out"')
    copy = made.parent / "copy.toml"
    save_session(session, copy)
    assert tomllib.loads(copy.read_text())["view"] == tomllib.loads(FILE)["view"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("plant.protoset", "none.protoset", "8: view.protobuf.descriptor: none.protoset no such file"),
        (
            "plant.protoset",
            "plant.proto",
            "8: view.protobuf.descriptor: plant.proto is no descriptor set; make one with",
        ),
        (
            "plant.Alarm",
            "plant.Alram",
            "9: view.protobuf.message: plant.protoset has no message 'plant.Alram'; did you mean 'plant.Alarm'?",
        ),
        (
            "plant.Reading",
            "Reading",
            "12: view.protobuf.channels.\"sensors/+/temp\": plant.protoset has no message 'Reading'",
        ),
        ("message =", "mesage =", "9: view.protobuf.mesage: unknown key; did you mean 'message'?"),
        ("descriptor =", "message2 =", "7: view.protobuf.descriptor: is missing"),
        ("filter =", "fliter =", "5: view.fliter: unknown key; did you mean 'filter'?"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_key(made: Path, old: str, new: str, said: str) -> None:
    problems = loaded(made, FILE.replace(old, new))
    assert any(problem.startswith(said) for problem in problems), problems


def test_few_types_are_all_named(made: Path) -> None:
    (problem,) = loaded(made, FILE.replace("plant.Alarm", "plant.Alram"))
    assert problem.endswith("(allowed: plant.Alarm, plant.Reading, plant.Reading.Part)")


def test_types_that_are_no_table_are_refused(made: Path) -> None:
    text = '[session]\nurl = "ws://x"\n[view]\nprotobuf = "plant.protoset"\n'
    assert loaded(made, text)[0].startswith("4: view.protobuf: must be a table")


def test_editors_get_a_schema_of_it() -> None:
    view = session_schema({"shape": Shape})["properties"]["view"]
    assert view["properties"]["protobuf"]["required"] == ["descriptor"]
    assert set(view["properties"]["protobuf"]["properties"]) == {"descriptor", "message", "channels"}


PAYLOADS = """[session]
url = "ws://plant/x"

[view.protobuf]
descriptor = "plant.protoset"

[[messages]]
name = "one"
format = "protobuf"
type = "plant.Readin"

[[messages]]
name = "two"
type = "plant.Reading"

[[steps]]
send = "{}"
format = "protobuf"
type = "plant.Alarm"
"""


def test_types_of_messages_and_steps_are_checked(made: Path) -> None:
    assert loaded(made, PAYLOADS) == [
        (
            "10: messages[0].type: plant.protoset has no message 'plant.Readin'; did you mean 'plant.Reading'?"
            " (allowed: plant.Alarm, plant.Reading, plant.Reading.Part)"
        ),
        '14: messages[1].type: goes with format = "protobuf"',
    ]


def test_protobuf_needs_message_types(made: Path) -> None:
    text = PAYLOADS.replace('[view.protobuf]\ndescriptor = "plant.protoset"\n', "")
    needed = "format: needs the message types of [view.protobuf]"
    told = loaded(made, text)
    assert [line.partition(" ")[2] for line in told if "needs" in line] == [
        f"messages[0].{needed}",
        f"steps[0].{needed}",
    ]
    assert all("needs" not in line for line in loaded(made, text + "\n[view.protobuf]\n"))


@pytest.mark.parametrize("table", ["messages = 5", 'messages = ["x"]', "steps = 5", "view = 5", 'view = "protobuf"'])
def test_tables_that_are_none_are_told_once(made: Path, table: str) -> None:
    told = loaded(made, f'{table}\n[session]\nurl = "ws://plant/x"\n')
    assert len(told) == len(set(told)) > 0


def test_a_type_is_put_beside_those_that_are_there() -> None:
    first = with_type(None, "a.protoset", "temp", "p.T", ())
    assert first == ProtobufTypes(descriptor="a.protoset", channels={"temp": "p.T"})
    second = with_type(first, "a.protoset", "", "p.Any", ())
    third = with_type(second, "a.protoset", "temp", "", ())
    assert third == ProtobufTypes(descriptor="a.protoset", message="p.Any", channels={"temp": ""})
    fourth = with_type(second, "b.protoset", "x", "p.X", ("p.X", "p.T"))
    assert fourth == ProtobufTypes(descriptor="b.protoset", channels={"temp": "p.T", "x": "p.X"})
