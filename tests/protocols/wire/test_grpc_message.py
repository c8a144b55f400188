from __future__ import annotations

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.fault import Failure
from rtui.protocols.wire.grpc_base import timeout
from rtui.protocols.wire.grpc_message import GZIP, Messages, packed
from rtui.protocols.wire.grpc_status import is_grpc, not_grpc, status_name, told, was_reset

LIMIT = 1000


@given(st.lists(st.tuples(st.binary(max_size=LIMIT), st.booleans()), max_size=8), st.data())
def test_messages_survive_however_they_are_cut(messages: list[tuple[bytes, bool]], data: st.DataObject) -> None:
    stream = b"".join(packed(message, gzip=gzip) for message, gzip in messages)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10).map(sorted))
    reader = Messages(LIMIT)
    reader.encoding = "gzip"
    found: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        piece = stream[start:end]
        found += reader.feed([piece[:3], piece[3:]])
    assert found == [message for message, _ in messages]
    assert not reader.unfinished


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_any_bytes_are_messages_or_a_failure_in_words(pieces: list[bytes]) -> None:
    reader = Messages(LIMIT)
    reader.encoding = "deflate"
    found: list[bytes] = []
    why = None
    try:
        found += reader.feed(pieces)
    except Failure as failure:
        why = failure.fault
    assert why is None or (why.kind in {"limit", "protocol"} and why.cause)
    assert all(len(message) <= LIMIT for message in found)


def test_messages_before_a_broken_one_are_not_lost() -> None:
    reader = Messages(LIMIT)
    stream = reader.feed([packed(b"good", gzip=False) + packed(b"x" * 2000, gzip=False)])
    assert next(stream) == b"good"
    with pytest.raises(Failure, match="2,000 bytes"):
        next(stream)


def test_the_limit_counts_after_decompression() -> None:
    squeezer = zlib.compressobj(wbits=GZIP)
    exact = squeezer.compress(bytes(LIMIT)) + squeezer.flush()
    reader = Messages(LIMIT)
    reader.encoding = "gzip"
    assert list(reader.feed([b"\1" + len(exact).to_bytes(4) + exact])) == [bytes(LIMIT)]
    with pytest.raises(Failure, match="after decompression"):
        list(reader.feed([packed(bytes(LIMIT + 1), gzip=True)]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0000001, "1m"),
        (0.25, "250m"),
        (10.9, "10900m"),
        (99_999.999, "99999999m"),
        (100_000, "100000S"),
        (1e12, "99999999S"),
    ],
)
def test_a_timeout_has_at_most_eight_digits_and_is_never_nothing(seconds: float, text: str) -> None:
    assert timeout(seconds) == text
    assert re.fullmatch(r"[1-9]\d{0,7}[mS]", text)


@pytest.mark.parametrize(
    ("headers", "grpc"),
    [
        ([(":status", "200"), ("content-type", "application/grpc")], True),
        ([(":status", "200"), ("content-type", "application/grpc+proto; charset=utf-8")], True),
        ([(":status", "200"), ("content-type", "application/grpc-web")], False),
        ([(":status", "200"), ("content-type", "text/html"), ("grpc-status", "5")], True),
        ([(":status", "404"), ("content-type", "application/grpc")], False),
        ([(":status", "200")], False),
    ],
)
def test_what_an_answer_of_grpc_looks_like(headers: list[tuple[str, str]], grpc: bool) -> None:
    assert is_grpc(headers) is grpc


def test_endings() -> None:
    assert told([("grpc-status", "5"), ("grpc-message", "no%20%C4%8D %ff")]).message == "no č \\xff"
    assert told([("grpc-status", "٣")]).status == "UNKNOWN"
    assert was_reset(7).status == "UNAVAILABLE"
    assert was_reset(999).reset == "0x3e7"
    assert not_grpc([(":status", "429")], b"").status == "UNAVAILABLE"
    assert [status_name(code) for code in (0, 16, 17)] == ["OK", "UNAUTHENTICATED", "CODE_17"]
