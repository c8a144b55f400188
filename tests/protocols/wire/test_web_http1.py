"""How an answer is read, without a connection: however it is cut, and whatever it is."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.fault import Failure
from rtui.protocols.wire.web_fault import CutShort
from rtui.protocols.wire.web_http1 import Answer
from tests.protocols.http_peer import chunked, whole

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
ANSWERS = [
    HINTS + chunked(b"data: 1\n\n", b"data: 2\n\n", end=b"0;last\r\nTrailer: 1\r\n\r\n"),
    HINTS + whole(b"data: 1\n\ndata: 2\n\n"),
    HINTS + b"HTTP/1.1 200 OK\r\n\r\ndata: 1\n\ndata: 2\n\n",
    chunked(b"data: 1\n\n", b"data: 2\n\n") + HINTS + whole(b"of nobody's request"),
]


def read(*parts: bytes) -> tuple[Answer, bytes]:
    """What the parts of an answer add up to."""
    answer = Answer("GET")
    return answer, b"".join(answer.feed(memoryview(part)) for part in parts)


@pytest.mark.parametrize("data", ANSWERS)
def test_every_cut_gives_the_same(data: bytes) -> None:
    for cut in range(len(data) + 1):
        answer, body = read(data[:cut], data[cut:])
        answer.end(None)
        assert (answer.status, answer.reason, body, answer.complete) == (200, b"OK", b"data: 1\n\ndata: 2\n\n", True)
        assert all(name != b"Link" for name, _ in answer._headers)


@given(st.lists(st.binary(max_size=40), max_size=8), st.sampled_from([b"", *ANSWERS]), st.integers(0, 200))
def test_nothing_makes_it_raise_while_it_reads(parts: list[bytes], begin: bytes, kept: int) -> None:
    answer, _ = read(begin[:kept], *parts)
    with contextlib.suppress(CutShort):
        answer.end(None)
    assert answer.over or answer._delimited


def test_a_line_that_ends_the_connection_early_is_told_with_its_reason() -> None:
    answer, body = read(chunked(b"abc", end=b"no size\r\n"))
    assert (body, answer.over) == (b"abc", True)
    with pytest.raises(Failure, match="chunk size"):
        answer.end(None)
