"""The fast lane is invisible: for any bytes, cut anywhere, it reports what the library's parser reports."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from rtui.core.event import Event, Received
from rtui.protocols.wire import frame
from rtui.protocols.wire.inbox import Inbox
from rtui.protocols.wire.websocket import BatchConnection
from rtui.protocols.wire.websocket_end import ending

LIMIT = 2000
HEAD = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %s\r\n%s\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"


class Wire(asyncio.Transport):
    """A transport that only remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.paused = 0

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.written.append(b"")

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None: ...

    def pause_reading(self) -> None:
        self.paused += 1

    def resume_reading(self) -> None: ...


def plain_events(payloads: list[bytes], text: bool) -> list[Event]:
    return [Received("text" if text else "binary", payload) for payload in payloads]


async def play(stream: bytes, cuts: Sequence[int], *, batched: bool, deflate: bool = False) -> dict[str, Any]:
    """Feed a handshake and `stream`, cut at `cuts`, then the end of the stream; tell everything that can be seen."""
    protocol = ClientProtocol(parse_uri("ws://test/"), max_size=LIMIT)
    inbox = Inbox()
    connection = BatchConnection(protocol, inbox=inbox, make_events=plain_events, batched=batched, close_timeout=1)
    wire = Wire()
    connection.connection_made(wire)
    request = protocol.connect()
    protocol.send_request(request)
    connection.send_data()
    if deflate:
        protocol.available_extensions = [_Agreed()]  # type: ignore[list-item]
    from websockets.utils import accept_key

    head = HEAD % (accept_key(request.headers["Sec-WebSocket-Key"]).encode(), DEFLATE if deflate else b"")
    data = head + stream
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    for start, end in pairwise(edges):
        connection.data_received(data[start:end])
    connection.eof_received()
    connection.connection_lost(None)
    await asyncio.sleep(0)
    assert protocol.state is State.CLOSED
    events = await inbox.take()
    return {"events": events, "closed": ending(connection), "opcodes": [data[:1] for data in wire.written[1:]]}


class _Agreed:
    """An extension factory that takes whatever the server says."""

    name = "permessage-deflate"

    def process_response_params(self, *_: object) -> PerMessageDeflate:
        return PerMessageDeflate(True, True, 15, 15)


def frame_bytes(first: int, payload: bytes, form: int = 0) -> bytes:
    if form == 2 or len(payload) > 0xFFFF:
        return struct.pack("!BBQ", first, 127, len(payload)) + payload
    if form == 1 or len(payload) > 125:
        return struct.pack("!BBH", first, 126, len(payload)) + payload
    return bytes((first, len(payload))) + payload


def squeezed(payload: bytes) -> bytes:
    press = zlib.compressobj(6, zlib.DEFLATED, -15)
    return (press.compress(payload) + press.flush(zlib.Z_SYNC_FLUSH))[:-4]


payloads = st.one_of(
    st.binary(max_size=140),
    st.text(max_size=60).map(str.encode),
    st.sampled_from([b"", b"\n", b"\xc3", b"\xa9", b"x" * 126, b"y" * LIMIT, b"z" * (LIMIT + 1), b"w" * (LIMIT - 1)]),
)
firsts = st.one_of(
    st.sampled_from([0x81] * 8 + [0x82] * 4 + [0x01, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x88, 0xC1, 0x83, 0x91, 0xA2]),
    st.integers(0, 255),
)
frames = st.one_of(
    st.builds(frame_bytes, st.just(0x81), st.text(max_size=60).map(str.encode)),
    st.builds(frame_bytes, firsts, payloads, st.integers(0, 2)),
    st.builds(lambda payload: frame_bytes(0xC1, squeezed(payload)), st.text(max_size=99).map(str.encode)),
    st.sampled_from(
        [
            frame_bytes(0x01, b"ca") + frame_bytes(0x89, b"ping") + frame_bytes(0x80, b"fe"),
            frame_bytes(0x88, struct.pack("!H", 1000) + b"bye"),
            frame_bytes(0x88, b""),
            b"\x81\x85\0\0\0\0hello",
        ]
    ),
)
streams = st.builds(lambda parts, junk: b"".join(parts) + junk, st.lists(frames, max_size=14), st.binary(max_size=6))


@given(stream=streams, cuts=st.lists(st.integers(1, 3000), max_size=12), deflate=st.booleans())
@settings(max_examples=400, deadline=None)
def test_the_fast_lane_reports_what_the_parser_reports(stream: bytes, cuts: list[int], deflate: bool) -> None:
    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        fast = await play(stream, cuts, batched=True, deflate=deflate)
        return fast, await play(stream, range(9999), batched=False, deflate=deflate)

    fast, plain = asyncio.run(both())
    assert fast["events"] == plain["events"]
    assert fast["closed"] == plain["closed"]
    assert fast["opcodes"] == plain["opcodes"]


@given(stream=streams, cuts=st.lists(st.integers(1, 3000), max_size=12))
@settings(max_examples=100, deadline=None)
def test_one_byte_at_a_time_is_the_same(stream: bytes, cuts: list[int]) -> None:
    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        return await play(stream, range(9999), batched=True), await play(stream, cuts, batched=False)

    fast, plain = asyncio.run(both())
    assert fast == plain


@given(parts=st.lists(st.binary(max_size=40), min_size=1, max_size=8))
def test_invalid_text_finds_the_first_bad_payload(parts: list[bytes]) -> None:
    def bad(payload: bytes) -> bool:
        try:
            payload.decode()
        except UnicodeDecodeError:
            return True
        return False

    assert frame.invalid_text(parts) == next((index for index, part in enumerate(parts) if bad(part)), None)


@pytest.mark.parametrize("size", [0, 125, 126, 0xFFFF, 0x10000])
def test_extent_counts_header_and_body(size: int) -> None:
    whole = frame_bytes(0x82, bytes(size))
    assert frame.extent(whole, 0) == len(whole)
    assert frame.cut(whole * 2, 0, size) == ([bytes(size)] * 2, len(whole) * 2)


async def test_a_flood_pauses_the_socket_and_taking_resumes_it() -> None:
    protocol = ClientProtocol(parse_uri("ws://test/"), max_size=LIMIT)
    inbox = Inbox()
    held: list[bool] = []
    inbox.attach(held.append)
    inbox.put([Received("", b"x")], 5 * 1024**2)
    assert held == [True]
    assert len(await inbox.take()) == 1
    assert held == [True, False]
    assert protocol.state is State.CONNECTING


def test_the_opcodes_here_are_the_library_s() -> None:
    assert {int(code) for code in Opcode} == frame.LEGAL_OPCODES
