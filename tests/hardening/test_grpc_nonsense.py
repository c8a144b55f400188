"""What makes no sense in gRPC, and text that means harm: a sentence or the text as it is, never a crash."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.rpc import error_details_pb2, status_pb2

from rtui.core.fault import Fault
from rtui.core.record import Kind
from tests.hardening.grpc_bench import HOSTILE, bench, play
from tests.hardening.grpc_script import (
    made,
    prefixed,
)
from tests.hardening.peer import Script

# Nonsense

BROKEN = {
    "a message cut short": (play(prefixed(b"x" * 10, length=50)), "OK", "inside a message"),
    "half a prefix": (play(b"\0\0"), "OK", "inside a message"),
    "an unknown flag": (play(prefixed(b"", flag=2)), "INTERNAL", ""),
    "compressed without saying how": (play(prefixed(b"x", flag=1)), "INTERNAL", "nothing that the server names"),
    "compressed in no known way": (
        play(prefixed(b"x", flag=1), head=(("grpc-encoding", "snappy"),)),
        "INTERNAL",
        "snappy",
    ),
    "not gzip": (play(prefixed(b"x" * 50, flag=1), head=(("grpc-encoding", "gzip"),)), "INTERNAL", "decompress"),
    "no status": (play(prefixed(b"\x0a\x01a"), last=(("x", "y"),)), "UNKNOWN", ""),
    "a status that is no number": (play(last=(("grpc-status", "fine"),)), "UNKNOWN", ""),
    "a status of its own": (play(last=(("grpc-status", "4711"),)), "", "4711"),
    "bytes that are no UTF-8 in the message": (
        play(last=(("grpc-status", "5"), ("grpc-message", "caf%E9 %zz %"))),
        "NOT_FOUND",
        "caf",
    ),
    "details that are none": (
        play(last=(("grpc-status", "5"), ("grpc-status-details-bin", "!!! no base64"))),
        "NOT_FOUND",
        "",
    ),
    "details of another kind": (
        play(last=(("grpc-status", "5"), ("grpc-status-details-bin", base64.b64encode(b"\xff" * 40).decode()))),
        "NOT_FOUND",
        "",
    ),
}


@pytest.mark.parametrize(("script", "status", "said"), BROKEN.values(), ids=BROKEN)
async def test_what_makes_no_sense_ends_its_call_with_a_sentence(
    schema: dict[str, Any], script: Script, status: str, said: str
) -> None:
    async with bench(script, schema) as one:
        command = one.send("Count")
        end = await one.end(command)
        if status:
            assert end["status"] == status
        assert said in json.dumps(end)
        errors = [row.payload.decode() for row in one.rows(Kind.ERROR)]
        assert len(errors) == 1
        assert "Traceback" not in errors[0]
        assert "report" not in json.dumps(end)
        await one.alive()


async def test_what_is_no_such_message_is_shown_as_it_is(schema: dict[str, Any]) -> None:
    garbage = b"\xff\xff\xff\xff not protobuf \x1b[2J"
    async with bench(play(prefixed(garbage), made("Note", text="next")), schema) as one:
        assert (await one.end(one.send("Count")))["status"] == "OK"
        assert one.payloads() == [garbage, b'{"text":"next"}']


async def test_fields_that_nobody_knows_are_told(schema: dict[str, Any]) -> None:
    message = b"\x0a\x01a" + b"\xaa\x06\x03new"
    async with bench(play(prefixed(message)), schema) as one:
        assert (await one.end(one.send("Count")))["status"] == "OK"
        (row,) = one.rows()
        assert row.payload == b'{"text":"a"}'
        assert base64.b64decode(json.loads(row.meta or "")["raw"]) == message


async def test_nested_without_end_is_no_crash(schema: dict[str, Any]) -> None:
    """Ten thousand levels of inner_ones."""
    message = b""
    for _ in range(10_000):
        size, head = len(message), b"\x12"
        while size > 127:
            head += bytes((size & 127 | 128,))
            size >>= 7
        message = head + bytes((size,)) + message
    wrapped = b"\x72" + varint(len(message)) + message
    async with bench(play(prefixed(wrapped)), schema) as one:
        assert (await one.end(one.send("Count")))["status"] == "OK"
        assert one.payloads() == [wrapped]


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes((number & 127 | 128,))
        number >>= 7
    return out + bytes((number,))


async def test_json_without_end_is_refused_before_it_is_sent(schema: dict[str, Any]) -> None:
    async with bench(play(), schema) as one:
        for text in (b"[" * 100_000, b'{"extra":' * 50_000, b'{"bigNumber":1e999}', b"\xff", b'{"text":"\\ud800"}'):
            command = one.send("Echo", text)
            assert isinstance(await one.connection.wait_outcome(command), Fault)
        assert len(one.rows(Kind.ERROR)) == 5
        assert all("Unexpected" not in row.payload.decode() for row in one.rows(Kind.ERROR))
        await one.alive()


# Hostile text


async def test_hostile_text_is_kept_as_it_came(schema: dict[str, Any]) -> None:
    from urllib.parse import quote

    status = status_pb2.Status(code=9, message=HOSTILE)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=HOSTILE, metadata={HOSTILE: HOSTILE}))
    last = (
        ("grpc-status", "9"),
        ("grpc-message", quote(HOSTILE)),
        ("grpc-status-details-bin", base64.b64encode(status.SerializeToString()).decode()),
        ("x-evil", "\x1b]0;x\x9c"),
        ("x-evil-bin", base64.b64encode(HOSTILE.encode()).decode()),
    )
    async with bench(play(made("Note", text=HOSTILE, extra={HOSTILE: HOSTILE}), last=last), schema) as one:
        end = await one.end(one.send("Count"))
        (payload,) = one.payloads()
        assert json.loads(payload) == {"text": HOSTILE, "extra": {HOSTILE: HOSTILE}}
        assert b"\n" not in payload
        assert HOSTILE in end["message"]
        assert end["details"][0]["reason"] == HOSTILE
        await one.alive()
