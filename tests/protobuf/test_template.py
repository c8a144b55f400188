from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from hypothesis import given
from hypothesis import strategies as st

from rtui.protobuf.template import DEEPEST, MOST
from rtui.protocols.wire.grpc_schema import Method, Schema
from tests.protocols.wire.test_grpc_repair import compiled

Kinds = FieldDescriptorProto
SCALARS = [kind for kind in Kinds.Type.values() if kind not in {Kinds.TYPE_GROUP, Kinds.TYPE_MESSAGE, Kinds.TYPE_ENUM}]


def shown(channel: str) -> Any:
    method = compiled().method(channel)
    assert method
    return json.loads(method.template)


def method_of(*messages: DescriptorProto) -> Method:
    file = FileDescriptorProto(name="t.proto", package="t", syntax="proto3", message_type=messages)
    asked = f".t.{messages[0].name}"
    file.service.add(name="S").method.add(name="M", input_type=asked, output_type=asked)
    (method,) = Schema.from_files([file.SerializeToString()]).methods
    return method


def test_every_field_is_there_with_a_value_that_can_be_sent() -> None:
    order = shown("acme.shop.Orders/Get")
    assert order["lines"] == [
        {
            "sku": "",
            "itemCount": 0,
            "unitPrice": {"currencyCode": "", "units": "0", "nanos": 0},
            "tags": [{"tagName": ""}],
            "lineKind": "KIND_NONE",
        }
    ]
    assert order["priceByRegion"] == {"key": {"currencyCode": "", "units": "0", "nanos": 0}}
    assert order["noteByLine"] == {"0": ""}
    assert order["kinds"] == {"key": "KIND_NONE"}
    assert order["packedNumbers"] == [0]
    assert order["giftNote"] == ""
    assert order["otherName"] == ""


def test_well_known_types_have_their_own_form() -> None:
    order = shown("acme.shop.Orders/Get")
    assert order["extraData"] == {"@type": "type.googleapis.com/google.protobuf.Empty"}
    assert (order["metaData"], order["nickName"], order["updateMask"], order["maxWait"]) == ({}, "", "", "0s")
    assert shown("acme.shop.Extras/Put")["theOrder"]["extraData"] == order["extraData"]


def test_keys_of_maps_are_texts_that_their_type_takes() -> None:
    made = DescriptorProto(name="Made")
    for number, (name, kind) in enumerate({"Bool": Kinds.TYPE_BOOL, "Long": Kinds.TYPE_UINT64}.items(), 1):
        entry = made.nested_type.add(name=f"{name}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=1, type=kind)
        entry.field.add(name="value", number=2, label=1, type=Kinds.TYPE_BOOL)
        field = made.field.add(name=name.lower(), number=number, label=3, type=Kinds.TYPE_MESSAGE)
        field.type_name = f".t.Made.{entry.name}"
    method = method_of(made)
    assert json.loads(method.template) == {"bool": {"false": False}, "long": {"0": False}}
    assert method.request.encode(method.template.encode()) == b"\n\x04\x08\x00\x10\x00\x12\x04\x08\x00\x10\x00"


def test_declared_defaults_stand_for_zeros() -> None:
    old = shown("acme.legacy.Olds/Find")
    assert (old["howMany"], old["favColour"], old["textDefault"], old["flagDefault"]) == (41, "GREEN", "hi", True)
    assert (old["rawDefault"], old["infDefault"], old["someFloats"]) == ("YQBi", "Infinity", [0])


def test_of_a_oneof_the_first_is_there_and_the_others_are_told() -> None:
    assert "cardNumber" in shown("acme.shop.Orders/Get")
    assert not {"cashAmount", "coupon"} & set(shown("acme.shop.Orders/Get"))
    method = compiled().method("acme.shop.Orders/Get")
    assert method
    assert method.choices == [
        "one of cardNumber, cashAmount, coupon",
        "kinds is one of KIND_NONE, KIND_GIFT",
        "levelNow is one of LEVEL_UNSPECIFIED, LEVEL_LOW, LEVEL_HIGH",
    ]


def test_a_message_that_holds_itself_ends() -> None:
    assert shown("acme.shop.Orders/Get")["parentOrder"] == {}
    assert shown("acme.legacy.Olds/Find")["byName"] == {}


@pytest.mark.parametrize("count", [MOST - 1, MOST, MOST + 1])
def test_the_number_of_fields_is_limited(count: int) -> None:
    wide = DescriptorProto(name="Wide")
    for number in range(1, count + 1):
        wide.field.add(name=f"f{number}", number=number, label=1, type=Kinds.TYPE_STRING)
    assert len(json.loads(method_of(wide).template)) == min(count, MOST)


def test_messages_that_all_hold_all_others_stay_small() -> None:
    names = [f"M{number}" for number in range(20)]
    messages = [DescriptorProto(name=name) for name in names]
    for message in messages:
        for number, name in enumerate(names, 1):
            message.field.add(
                name=f"f{number}", number=number, label=1, type=Kinds.TYPE_MESSAGE, type_name=f".t.{name}"
            )
    assert len(method_of(*messages).template) < 20 * MOST


def test_the_depth_is_limited() -> None:
    messages = [DescriptorProto(name=f"M{number}") for number in range(DEEPEST + 3)]
    for message, inner in pairwise(messages):
        message.field.add(name="f", number=1, label=1, type=Kinds.TYPE_MESSAGE, type_name=f".t.{inner.name}")
    value, depth = json.loads(method_of(*messages).template), 0
    while value:
        value, depth = value["f"], depth + 1
    assert depth == DEEPEST


@given(st.lists(st.tuples(st.sampled_from(SCALARS), st.booleans()), min_size=1, max_size=20))
def test_what_is_not_filled_in_changes_nothing(fields: list[tuple[int, bool]]) -> None:
    """A template that is sent as it is means zeros: an empty message, but for its lists."""
    made = DescriptorProto(name="Made")
    for number, (kind, many) in enumerate(fields, 1):
        type_ = Kinds.Type.ValueType(kind)
        made.field.add(name=f"f{number}", number=number, label=3 if many else 1, type=type_)
    method = method_of(made)
    shown, _ = method.request.decode(method.request.encode(method.template.encode()))
    assert set(json.loads(shown)) == {f"f{number}" for number, (_, many) in enumerate(fields, 1) if many}
