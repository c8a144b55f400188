from __future__ import annotations

from pathlib import Path

import pytest

from rtui.encoding.type_file import TypeFile
from rtui.payloads.base import Unreadable
from rtui.payloads.registry import next_format, open_best
from rtui.payloads.typed import TypedView
from tests.payloads.test_view import shown
from tests.protobuf.test_descriptor_set import made

__all__ = ["made"]


def view_of(made: Path, message: str = "plant.Reading") -> TypedView:
    return TypedView(TypeFile(made), message)


def encoded(made: Path, text: bytes) -> bytes:
    return TypeFile(made).types().codec("plant.Reading").encode(text)


def test_a_message_is_shown_as_what_it_means(made: Path) -> None:
    data = encoded(made, b'{"celsius":21.5,"parts":[{"number":"9007199254740993"}]}')
    tree = view_of(made).open(data)
    assert shown(tree) == [
        "▾ {",
        '    "celsius": 21.5,',
        '  ▾ "parts": [',
        "    ▾ {",
        '        "number": 9007199254740993',
        "      }",
        "    ]",
        "  }",
    ]
    assert tree.path(1) == ".celsius"
    assert tree.value(1) == b"21.5"
    assert tree.literal(1) == "21.5"


def test_the_file_is_read_with_the_first_payload_only(made: Path) -> None:
    view = view_of(made)
    assert not view.ready
    view.open(b"")
    made.unlink()
    assert view.ready
    assert view.json(b"") == b"{}"


def test_fields_that_the_type_lacks_stand_below(made: Path) -> None:
    data = encoded(made, b'{"celsius":1}') + b"\x78\x05"
    document = view_of(made).open(data)
    rows = [line.strip() for line in shown(document)]
    assert "fields that the type does not know, by number:" in rows
    assert '"15": 5' in rows
    assert [document.path(row) for row in (0, 1)] == [".", ".celsius"]


def test_it_comes_before_every_guess_and_gives_way_where_it_does_not_fit(made: Path) -> None:
    view = view_of(made)
    data = encoded(made, b'{"tags":{"k":"v"}}')
    assert open_best(data, own=view).view is view
    assert open_best(b"", own=view).view is view
    assert open_best(data, asked="protobuf", own=view).view is view
    opening = open_best(b'{"a":1}', own=view)
    assert opening.view.name == "json"
    assert opening.problem.startswith("not a plant.Reading")
    assert next_format(b'{"a":1}', {}, "", view) == "protobuf"


def test_another_format_can_still_be_asked_for(made: Path) -> None:
    assert open_best(b"\x0a", asked="msgpack", own=view_of(made)).view.name == "msgpack"
    assert next_format(b"", {}, "protobuf", view_of(made)) == ""


@pytest.mark.parametrize("message", ["plant.Nothing", "google.protobuf.Nothing", ""])
def test_a_type_that_is_not_there_is_told(made: Path, message: str) -> None:
    with pytest.raises(Unreadable, match=r"has no message|is not defined"):
        view_of(made, message).open(b"")


def test_a_file_that_is_none_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "plant.protoset").write_text("message Reading {}")
    with pytest.raises(Unreadable, match=r"^plant\.protoset is no descriptor set"):
        TypedView(TypeFile(tmp_path / "plant.protoset"), "plant.Reading").open(b"")
    with pytest.raises(Unreadable, match=r"^none no such file"):
        TypedView(TypeFile(tmp_path / "none"), "plant.Reading").open(b"")
