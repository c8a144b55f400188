from __future__ import annotations

import base64
from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2 as rpc
from google.rpc.status_pb2 import Status

from rtui.protocols.wire.grpc_details import details, sentence
from tests.protobuf import shapes


def header(*found: Any) -> str:
    """The value as servers send it: without padding."""
    status = Status(code=3, message="no", details=[packed(one) for one in found])
    return base64.b64encode(status.SerializeToString()).rstrip(b"=").decode()


def packed(message: Any) -> AnyMessage:
    if isinstance(message, AnyMessage):
        return message
    url = f"type.googleapis.com/{message.DESCRIPTOR.full_name}"
    return AnyMessage(type_url=url, value=message.SerializeToString())


VIOLATION = rpc.BadRequest.FieldViolation
WORDS = [
    (rpc.BadRequest(field_violations=[VIOLATION(field="email", description="is empty")]), "email: is empty"),
    (
        rpc.ErrorInfo(reason="QUOTA", domain="example.org", metadata={"limit": "5"}),
        "reason QUOTA of example.org (limit 5)",
    ),
    (rpc.ErrorInfo(), "reason unknown"),
    (rpc.Help(links=[rpc.Help.Link(url="https://example.org/help")]), "https://example.org/help"),
    (rpc.LocalizedMessage(locale="de", message="Zu viel"), "Zu viel"),
    (rpc.QuotaFailure(violations=[rpc.QuotaFailure.Violation(subject="you", description="5 a day")]), "you: 5 a day"),
    (rpc.QuotaFailure(violations=[rpc.QuotaFailure.Violation(description="5 a day")]), "5 a day"),
    (rpc.ResourceInfo(resource_type="cup", resource_name="blue"), "cup blue"),
    (rpc.RetryInfo(retry_delay=Duration(seconds=2)), "try again after 2s"),
    (rpc.RetryInfo(), ""),
    (rpc.DebugInfo(detail="at line 5"), ""),
]


@pytest.mark.parametrize(("message", "words"), WORDS)
def test_details_of_google_are_said_in_words(message: Any, words: str) -> None:
    assert sentence(details(header(message))) == words


def test_several_are_shown_in_their_order_as_json() -> None:
    found = details(header(rpc.RetryInfo(retry_delay=Duration(nanos=500_000_000)), Duration(seconds=5)))
    assert found == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.500s"},
        {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "5s"},
    ]
    assert sentence(found) == "try again after 0.500s"


def test_types_of_the_servers_own_schema_are_known() -> None:
    given = header(shapes.message("Reading", unit="K"))
    url = "type.googleapis.com/shapes.Reading"
    assert details(given, shapes.pool()) == [{"@type": url, "unit": "K"}]
    assert details(given) == [{"@type": url, "@value": "GgFL"}]


def test_what_is_broken_is_shown_as_it_came() -> None:
    broken = AnyMessage(type_url="type.googleapis.com/google.rpc.RetryInfo", value=b"\xff")
    assert details(header(broken)) == [{"@type": broken.type_url, "@value": "/w=="}]
    assert details("not base64!") == [{"raw": "not base64!"}]
    assert details("_____w") == [{"raw": "_____w"}]
    assert sentence(details("_____w")) == ""
    assert details("") == []


def test_a_peer_cannot_give_googles_names_to_other_types() -> None:
    proto = FileDescriptorProto(name="false.proto", package="google.rpc", syntax="proto3")
    proto.message_type.add(name="BadRequest").field.add(name="field_violations", number=1, type=9, label=1)
    pool = DescriptorPool()
    pool.Add(proto)
    given = rpc.BadRequest(field_violations=[VIOLATION(field="email", description="is empty")])
    assert sentence(details(header(given), pool)) == "email: is empty"
