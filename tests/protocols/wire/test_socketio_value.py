from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.protocols.wire.socketio_value import arguments, outgoing, taken_as


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "no arguments"),
        (b" [] ", "no arguments"),
        (b"hello", "1 argument: a text"),
        (b'{"a":1}, 2', "1 argument: a text"),
        (b' {"a":1}', "1 argument: an object"),
        (b"[[1]]", "1 argument: an array"),
        (b"-1.50", "1 argument: a number"),
        (b"[true]", "1 argument: true"),
        (b"null", "1 argument: null"),
        (b'[{"a":1}, "x", 1e999]', "3 arguments"),
        (b"NaN", "1 argument: a text"),
        (b"\xff\x00", "1 argument: bytes"),
    ],
)
def test_what_is_written_is_told_as_the_arguments_that_it_becomes(payload: bytes, said: str) -> None:
    assert taken_as(payload) == said


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_whatever_is_written_the_number_told_is_that_of_what_is_sent(payload: bytes) -> None:
    sent = len(arguments(outgoing(payload)[0]))
    assert taken_as(payload).split()[0] == (str(sent) if sent else "no")
