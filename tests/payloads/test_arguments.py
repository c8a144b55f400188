from __future__ import annotations

import base64
from typing import Any

import pytest

from rtui.payloads.arguments import ARGUMENT_LIMIT, ArgumentsView
from rtui.payloads.base import Document, Unreadable
from rtui.payloads.registry import open_best

WIRE = '42/chat,13["news",1.50,{"a":[true]}]'
ARGUMENTS = b'[1.50,{"a":[true]}]'


def shown(document: Document) -> list[str]:
    return ["".join(text for _, text in line) for line in document.lines(0, document.height)]


def attached(*attachments: bytes) -> dict[str, Any]:
    return {"wire": "45…", "attachments": [base64.b64encode(each).decode() for each in attachments]}


def test_each_argument_stands_under_its_number_below_the_packet() -> None:
    opening = open_best(ARGUMENTS, {"wire": WIRE})
    assert opening.view.name == "arguments"
    assert shown(opening.document) == [
        f"wire {WIRE}",
        "1      1.50",
        "2    ▾ {",
        '       ▾ "a": [',
        "           true",
        "         ]",
        "       }",
    ]


def test_rows_know_their_path_in_the_payload_and_their_bytes() -> None:
    document = open_best(ARGUMENTS, {"wire": WIRE}).document
    assert [document.path(row) for row in range(5)] == [None, ".[0]", ".[1]", ".[1].a", ".[1].a[0]"]
    assert [document.value(row) for row in range(4)] == [WIRE.encode(), b"1.50", b'{"a":[true]}', b"[true]"]
    assert document.parent(4) == 3
    assert document.parent(2) is None


def test_one_argument_folds_without_the_others() -> None:
    document = open_best(b'[{"a":1},{"b":2}]', {"wire": WIRE}).document
    assert document.height == 7
    assert document.foldable(1)
    assert document.toggle(1)
    assert shown(document)[1:3] == ["1    ▸ { 1 item }", "2    ▾ {"]
    assert document.path(3) == ".[1].b"
    assert document.fold_below(0)
    assert document.height == 3


def test_a_binary_argument_shows_its_size_and_its_bytes() -> None:
    document = open_best(b'["x",{"_placeholder":true,"num":0}]', attached(b"\x00\xffab")).document
    assert shown(document)[2] == "2    binary, 4 bytes"
    assert shown(document)[3].endswith("│..ab")
    assert "00 ff 61 62" in shown(document)[3]
    assert document.path(2) == ".[1]"
    assert document.value(2) == b"\x00\xffab"


def test_an_attachment_inside_an_argument_stands_below_them() -> None:
    document = open_best(b'[{"raw":{"_placeholder":true,"num":1}}]', attached(b"a", b"")).document
    assert [row for row in shown(document) if "binary" in row] == ["#0   binary, 1 bytes", "#1   binary, 0 bytes"]


def test_narrow_panes_get_fewer_bytes_a_row() -> None:
    document = open_best(b'[{"_placeholder":true,"num":0}]', attached(bytes(32))).document
    assert document.reflow(120) is False
    before = document.height
    assert document.reflow(60)
    assert document.height == before + 2


def test_no_arguments_still_show_the_packet() -> None:
    assert shown(open_best(b"[]", {"wire": '42["ping"]'}).document) == ['wire 42["ping"]']


def test_hostile_packets_are_shown_clean() -> None:
    document = open_best(b'["\x1b[31m"]', {"wire": "42\x1b]52;c;x"}).document
    assert all(row.isprintable() for row in shown(document))


@pytest.mark.parametrize("attachments", ["x", [1], ["*"], [None], {"a": 1}])
def test_a_capture_may_hold_anything_for_attachments(attachments: object) -> None:
    document = open_best(b'[{"_placeholder":true,"num":0}]', {"wire": "4", "attachments": attachments}).document
    assert shown(document)[1] == "1    ▾ {"


@pytest.mark.parametrize("data", [b'{"a":1}', b"[1,", b"[" + b"1," * ARGUMENT_LIMIT + b"1]"])
def test_what_is_no_list_of_arguments_is_left_to_others(data: bytes) -> None:
    with pytest.raises(Unreadable):
        ArgumentsView().open(data)
    assert open_best(data, {"wire": WIRE}).view.name in {"json", "raw"}


def test_without_a_packet_an_array_is_json() -> None:
    assert open_best(ARGUMENTS).view.name == "json"
