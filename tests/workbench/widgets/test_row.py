"""One record as one line."""

from __future__ import annotations

import msgspec

from rtui.core.record import Kind
from rtui.workbench.widgets.row import Context, badges, layout, pieces
from tests.workbench.widgets.fake import row

CONTEXT = Context(columns=layout(80, channel=60, source=0))


def line(*, kind: int = Kind.MESSAGE, channel: str = "", payload: bytes = b"21.5") -> str:
    return "".join(text for _, text in pieces(row(1, payload, kind=kind, channel=channel), CONTEXT))


def test_a_long_topic_keeps_its_end_where_topics_differ() -> None:
    shown = line(channel="factory/site-1/building-02/line-1/machine-00012/pressure")
    assert "factor…0012/pressure 21.5" in shown
    assert len(shown) == 80


def test_what_is_about_the_connection_takes_the_room_of_the_channel() -> None:
    sentence = b"connection lost: the broker cut it without a goodbye, again"
    assert sentence.decode() in line(kind=Kind.CLOSE, payload=sentence)
    assert "…" in line(kind=Kind.MESSAGE, payload=sentence)
    assert "subscribed" in line(kind=Kind.SUBSCRIBE, channel="a/#", payload=b"subscribed")
    assert "a/#" in line(kind=Kind.SUBSCRIBE, channel="a/#", payload=b"subscribed")


def test_what_asks_for_an_acknowledgement_says_so() -> None:
    def shown(meta: str, kind: Kind = Kind.MESSAGE) -> list[str]:
        return badges(msgspec.structs.replace(row(1, b"[]", kind=kind), meta=meta))

    assert shown('{"ack":0}') == ["ack?"]
    assert shown('{"ack":true}') == []
    assert shown('{"ack":0}', Kind.ACK) == []
