from __future__ import annotations

from typing import Any

import pytest

from rtui.core.record import Direction, Kind
from rtui.protocols import grpc, mqtt, socketio, sse, websocket
from rtui.protocols.base import Adapter
from rtui.runtime.again import is_half_close, is_sent_message, outgoing
from tests.protocols.recording import NONE, OUT, row


@pytest.mark.parametrize(
    ("adapter", "meta", "expected"),
    [
        (mqtt.Mqtt, None, None),
        (mqtt.Mqtt, {"qos": 2, "retain": True}, mqtt.Outgoing(qos=2, retain=True)),
        (mqtt.Mqtt, {"retain": False, "reason_code": 0}, mqtt.Outgoing()),
        (mqtt.Mqtt, {"correlation_data": "hex:ff"}, mqtt.Outgoing(correlation_data="hex:ff")),
        (mqtt.Mqtt, {"user_properties": {"a": ["1", "2"]}}, mqtt.Outgoing(user_properties={"a": "2"})),
        (mqtt.Mqtt, {"qos": 7, "retain": True}, mqtt.Outgoing(retain=True)),
        (socketio.SocketIO, {"ack": 0}, socketio.Outgoing(ack=True)),
        (socketio.SocketIO, {"attachments": ["AP8="]}, socketio.Outgoing(attachments=["base64:AP8="])),
        (websocket.WebSocket, {"type": "binary", "fragments": 3}, websocket.Outgoing(type="binary")),
        (sse.Sse, {"id": "7"}, None),
    ],
)
def test_what_the_row_tells_is_carried_again(
    adapter: type[Adapter], meta: dict[str, Any] | None, expected: Any
) -> None:
    assert outgoing(adapter, row(1, 0, b"x", direction=OUT, meta=meta)) == expected


def test_a_call_is_opened_again_and_gone_on_with() -> None:
    metadata = {"trace": "1", "authorization": "•••"}
    first = outgoing(grpc.Grpc, row(1, 0, b"{}", direction=OUT, meta={"call": 1, "metadata": metadata}))
    assert first == grpc.Outgoing(metadata={"trace": "1"}, new_call=True)
    assert outgoing(grpc.Grpc, row(1, 0, b"{}", direction=OUT, meta={"call": 1}, reply_to=1)) is None


@pytest.mark.parametrize("meta", ["", "no JSON", "[1]", "{" * 100_000])
def test_meta_that_cannot_be_read(meta: str) -> None:
    import msgspec

    strange = msgspec.structs.replace(row(1, 0, b"x", direction=OUT), meta=meta)
    assert outgoing(mqtt.Mqtt, strange) is None
    assert not is_half_close(strange)


def test_only_what_the_user_sent_is_sent_again() -> None:
    kinds = [kind for kind in Kind if is_sent_message(row(1, 0, direction=OUT, kind=kind))]
    assert kinds == [Kind.MESSAGE]
    assert not is_sent_message(row(1, 0, direction=Direction.IN))
    assert not is_sent_message(row(1, 0, direction=NONE))


def test_the_end_of_our_half_of_a_call() -> None:
    assert is_half_close(row(1, 0, b"x", direction=OUT, kind=Kind.NOTICE, meta={"type": "half-close"}))
    assert not is_half_close(row(1, 0, b"x", direction=OUT, kind=Kind.NOTICE, meta={"type": "cancel"}))
