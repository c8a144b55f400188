from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.fault import Failure
from rtui.protocols.wire.grpc_metadata import outgoing, shown


def test_keys_are_sent_in_lower_case_and_values_without_outer_spaces() -> None:
    assert outgoing({"X-Trace_Id.1": " a b "}) == [("x-trace_id.1", "a b")]


@given(data=st.binary(max_size=40))
def test_binary_values_may_be_given_in_either_alphabet_with_or_without_padding(data: bytes) -> None:
    standard, other = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    for text in (standard, standard.rstrip("="), other, other.rstrip("="), f" {standard} "):
        assert outgoing({"trace-bin": text}) == [("trace-bin", standard.rstrip("="))]


@pytest.mark.parametrize("key", ["", "a b", "a:b", "é", "a\nb", ":path", "a/b", "x" + chr(0)])
def test_keys_that_http_would_not_carry_are_refused(key: str) -> None:
    with pytest.raises(Failure, match="Invalid metadata key"):
        outgoing({key: "1"})


@pytest.mark.parametrize("key", ["grpc-timeout", "Grpc-Status", "te", "Content-Type", "user-agent"])
def test_keys_of_grpc_itself_are_refused(key: str) -> None:
    with pytest.raises(Failure, match="taken"):
        outgoing({key: "1"})


@pytest.mark.parametrize("value", ["é", "a\nb", "a\x00", "\x7f", "\ud800"])
def test_values_that_are_not_printable_ascii_are_refused_without_being_told(value: str) -> None:
    with pytest.raises(Failure) as caught:
        outgoing({"token": value})
    assert value not in str(caught.value)
    assert "-bin" in caught.value.fault.hint


@pytest.mark.parametrize("value", ["a", "a*b=", "====a", "ab=c"])
def test_binary_values_that_are_no_base64_are_refused(value: str) -> None:
    with pytest.raises(Failure, match="no base64"):
        outgoing({"trace-bin": value})


def test_what_http_and_grpc_need_is_not_shown_and_secrets_are_hidden() -> None:
    came = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"), ("x-a", "1"), ("x-a", "2")]
    assert shown([*came, ("authorization", "Bearer secret")]) == {"x-a": "1, 2", "authorization": "Bearer •••"}
