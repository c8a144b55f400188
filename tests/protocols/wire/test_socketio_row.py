from __future__ import annotations

import pytest

from rtui.core.record import Direction, Kind, Record
from rtui.protocols.socketio import SocketIO
from rtui.protocols.websocket import WebSocket


def row(channel: str, payload: bytes, meta: str | None = None, kind: Kind = Kind.MESSAGE) -> Record:
    return Record(1, 10**18, 1, kind, Direction.IN, channel, payload, meta)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (row("news", b"[1, 2.50]"), '42["news",1, 2.50]'),
        (row("news", b"[]"), '42["news"]'),
        (row("/chat,news", b"[1]", '{"ack":13}'), '42/chat,13["news",1]'),
        (row("/,/x,y", b"[1]"), '42["/x,y",1]'),
        (row("/chat,news", b"[1]", '{"ack":0}', Kind.ACK), "43/chat,0[1]"),
        (
            row("x", b'[{"_placeholder":true,"num":0}]', '{"attachments":["YQ=="]}'),
            '451-["x",{"_placeholder":true,"num":0}]',
        ),
        (row("x", b"[]", '{"ack":2,"attachments":["YQ=="]}', Kind.ACK), "461-2[]"),
        (row("x", b"[1]", '{"offset":"Q7ysHlS"}'), '42["x",1,"Q7ysHlS"]'),
        (row("x", b"[]", '{"offset":"Q7ysHlS"}'), '42["x","Q7ysHlS"]'),
        (row("x", b"[1]", "{broken"), '42["x",1]'),
        (row("x", b"not an array"), ""),
        (row("", b"[connection lost]", None, Kind.CLOSE), ""),
    ],
)
def test_a_row_tells_the_packet_it_came_in(record: Record, text: str) -> None:
    assert SocketIO.on_wire(record) == text


def test_a_protocol_whose_payload_is_all_tells_nothing_more() -> None:
    assert WebSocket.on_wire(row("", b"[1]")) == ""
