from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtui.capture.export import encoded, export, is_json, ndjson_line, text_line
from rtui.capture.journal import Journal
from rtui.capture.query import compile_filter
from rtui.capture.reader import LinkRow, Reader
from rtui.core.record import Record
from tests.capture.helper import NOW, batch, store
from tests.waiting import PATIENCE

LINK = LinkRow(1, "plant", "mqtt", "mqtt://h")
TIME = 1_795_219_141_123_456_789


def line(payload: bytes, **more: object) -> bytes:
    fields: dict[str, object] = {"meta": None, "reply_to": None, "latency": None, **more}
    return ndjson_line(Record(1, TIME, 1, 0, 1, "sensors/r1/temp", payload, **fields), LINK)  # type: ignore[arg-type]


def test_the_line_is_the_contracts_to_the_letter() -> None:
    assert line(b'{"v":21.50}', meta='{"qos":1,"retain":true}', latency=410_000) == (
        b'{"time":"2026-11-20T23:59:01.123456Z","connection":"plant","protocol":"mqtt","direction":"in",'
        b'"kind":"message","channel":"sensors/r1/temp","encoding":"json","data":{"v":21.50},"size":11,'
        b'"latency_ms":0.41,"meta":{"qos":1,"retain":true}}\n'
    )


def test_empty_things_are_absent() -> None:
    row = Record(1, TIME, 1, 1, 0, "", b"")
    assert list(json.loads(ndjson_line(row, LINK))) == ["time", "connection", "protocol", "kind", "size"]


@pytest.mark.parametrize(
    ("payload", "encoding"),
    [
        (b"1" * 5000, "json"),
        (b"1e999", "json"),
        (b'{"a":1,"a":2}', "json"),
        (rb'"\ud83d\ude00"', "json"),
        (b"[" * 512 + b"]" * 512, "json"),
        (b'"' + b"[" * 1000 + b'"', "json"),
        (b"[" * 100_000 + b"]" * 100_000, "text"),
        (b"[" * 513 + b"]" * 513, "text"),
        (b"NaN", "text"),
        (b"[Infinity]", "text"),
        (rb'"\ud800"', "text"),
        (rb'"\udc00\ud800"', "text"),
        (b'{"a":1} x', "text"),
        (b'\xef\xbb\xbf{"a":1}', "text"),
        (b'"\xff"', "base64"),
        (b'"\xed\xa0\x80"', "base64"),
        (b"\x00\xfe", "base64"),
        (b"plain \x1b[31m\nlines", "text"),
    ],
)
def test_the_payload_is_json_text_or_base64(payload: bytes, encoding: str) -> None:
    part = encoded(payload)
    assert part.startswith(f',"encoding":"{encoding}"'.encode())
    assert b"\n" not in part
    if encoding == "json":
        assert part.endswith(payload)


def test_line_breaks_inside_json_go() -> None:
    assert encoded(b'{\r\n "a": [1,\n2]\n}').endswith(b'"data":{ "a": [1,2]}')


@given(
    st.binary() | st.text().map(lambda text: text.encode()) | st.from_type(str).map(lambda s: json.dumps(s).encode())
)
@example(b'"\\\\ud800"')
def test_every_payload_makes_one_line_that_gives_it_back(payload: bytes) -> None:
    made = line(payload)
    assert made.count(b"\n") == 1
    read = json.loads(made)
    match read.get("encoding"):
        case "text":
            assert read["data"].encode() == payload
        case "base64":
            assert base64.b64decode(read["data"]) == payload
        case "json":
            assert read["data"] == json.loads(payload)
        case _:
            assert payload == b""


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_json_is_what_strict_parsers_take(value: object) -> None:
    text = json.dumps(value)
    strict = "NaN" not in text and "Infinity" not in text
    assert is_json(text.encode()) or not strict or "\\ud" in text


def test_a_line_for_eyes_is_clean() -> None:
    row = Record(1, NOW, 1, 0, 2, "a\x1b", b"\x1b]52;c;x\x07\n2", None, None, 1_500_000)
    shown = text_line(row, LINK)
    assert shown.endswith(b"(1.50 ms)\n")
    assert b"\x1b" not in shown
    assert shown.count(b"\n") == 1
    assert "→ plant a␛".encode() in shown


def test_export_writes_what_matches_in_order(journal: Journal) -> None:
    journal.add_link("plant", "mqtt", "mqtt://h", {})
    for first in range(1, 9_001, 100):
        journal.append(batch(first, 100, b'{"v":%d}' % first))
    journal.close(PATIENCE)
    reader = Reader(Path(journal.path))
    parts: list[bytes] = []
    count = export(reader, compile_filter(".v>4000"), parts.append)
    reader.close()
    lines = [json.loads(text) for text in b"".join(parts).splitlines()]
    assert count == len(lines) == 5_000
    assert [text["data"]["v"] for text in lines] == [v for v in range(4001, 9_001, 100) for _ in range(100)]


def test_a_connection_that_comes_while_one_exports_has_its_name_or_is_not_there(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run.rtui")
    store(journal, batch(1, 1, link=journal.add_link("first", "websocket", "ws://h")))

    class Growing(Reader):
        """Of a capture that goes on: another connection comes in when the connections were read."""

        def links(self) -> list[LinkRow]:
            known = super().links()
            store(journal, batch(2, 1, link=journal.add_link("second", "websocket", "ws://h")))
            return known

    reader, out = Growing(journal.path), bytearray()
    try:
        export(reader, None, out.extend)
    finally:
        reader.close()
        journal.close()
    assert [json.loads(line).get("connection") for line in out.splitlines()] == ["first"]
