"""What Node's reflection loses is put back: its recorded answers, against what protoc makes of the same files.

The files are those in acme/; tests/node/grpc_descriptors.mjs made the recordings.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from rtui.protocols.wire.grpc_repair import mend
from rtui.protocols.wire.grpc_schema import Schema
from rtui.protocols.wire.grpc_source import compile_protos

ACME = Path(__file__).parent / "acme"
FILES = ("shop/order.proto", "shop/more.proto", "shop/legacy.proto", "plain.proto", "boxes.proto", "ring/first.proto")
SCRIPT = Path(__file__).parents[2] / "node" / "grpc_descriptors.mjs"
CHANNELS = {
    "acme.shop.Orders/Get",
    "acme.shop.Orders/Watch",
    "acme.shop.Orders/Upload",
    "acme.shop.Orders/Chat",
    "acme.shop.Extras/Put",
    "acme.legacy.Olds/Find",
    "acme.boxes.Boxes/Get",
    "ring.a.Ring/Turn",
    "Plain/Do",
}


def schema_of(answer: bytes) -> Schema:
    told = json.loads(answer)
    return Schema.from_files(map(b64decode, told["descriptors"]), told["services"])


def recorded(version: str) -> Schema:
    return schema_of((ACME / f"node-{version}.json").read_bytes())


@cache
def compiled() -> Schema:
    return Schema.from_protoset(compile_protos([str(ACME / name) for name in FILES], [str(ACME)]))


def message(schema: Schema, channel: str) -> Descriptor:
    method = schema.method(channel)
    assert method is not None
    return method.input


def field(schema: Schema, channel: str, name: str) -> FieldDescriptor:
    return message(schema, channel).fields_by_name[name]


@pytest.fixture(params=["1.0.4", "1.0.0"])
def served(request: pytest.FixtureRequest) -> Schema:
    return recorded(request.param)


def test_all_methods_can_be_called(served: Schema) -> None:
    assert {method.channel for method in served.methods} == CHANNELS
    assert served.unusable == {}
    assert {method.channel: (method.kind, method.signature) for method in served.methods} == {
        method.channel: (method.kind, method.signature) for method in compiled().methods
    }


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_a_request_means_the_same_as_with_the_files_of_protoc(served: Schema, channel: str) -> None:
    mine, right = served.method(channel), compiled().method(channel)
    assert mine
    assert right
    request = json.loads(right.template)
    forget_what_is_lost(request)
    text = json.dumps(request).encode()
    wire = right.request.encode(text)
    assert mine.request.decode(wire) == right.request.decode(wire)
    assert right.request.decode(mine.request.encode(text)) == right.request.decode(wire)


def forget_what_is_lost(value: Any) -> None:
    """A json_name of one's own is not served: nobody can put it back."""
    if isinstance(value, dict):
        value.pop("otherName", None)
        for inner in value.values():
            forget_what_is_lost(inner)


def test_fields_are_taken_by_both_names(served: Schema) -> None:
    method = served.method("acme.shop.Orders/Get")
    assert method
    assert method.request.encode(b'{"order_id": "7"}') == method.request.encode(b'{"orderId": "7"}')
    assert method.request.decode(method.request.encode(b'{"foo__bar_1": "x", "x_2d": 1}'))[0] == (
        b'{"x2d":1.0,"fooBar1":"x"}'
    )


def test_an_entry_of_a_map_is_not_the_message_beside_it_of_the_same_name(served: Schema) -> None:
    items = field(served, "acme.boxes.Boxes/Get", "items").message_type
    assert items
    assert items.name == "ItemsEntry"
    value = items.fields_by_name["value"].message_type
    assert value
    assert value.full_name == "acme.boxes.Box.Items"


def test_optional_fields_know_whether_they_are_there(served: Schema) -> None:
    box = message(served, "acme.boxes.Boxes/Get")
    assert box.fields_by_name["note_one"].has_presence
    assert [oneof.name for oneof in box.oneofs] == ["pick", "_noteOne"]
    pick = [part.name for part in box.oneofs_by_name["pick"].fields]
    assert pick == ["a_b", "c_d"]
    assert not field(served, "acme.shop.Orders/Get", "order_id").has_presence


def test_proto2_is_proto2(served: Schema) -> None:
    old = message(served, "acme.legacy.Olds/Find")
    assert old.fields_by_name["how_many"].default_value == 41
    assert old.fields_by_name["inf_default"].default_value == float("inf")
    assert old.fields_by_name["innergroup"].type == FieldDescriptor.TYPE_GROUP
    assert old.fields_by_name["the_name"].has_presence


def test_an_extension_is_no_field(served: Schema) -> None:
    old = message(served, "acme.legacy.Olds/Find")
    assert old.fields_by_number.get(199) is None
    assert old.file.pool.FindExtensionByNumber(old, 199).full_name == "acme.legacy.extText"


def test_well_known_types_are_those_of_the_library(served: Schema) -> None:
    method = served.method("acme.shop.Orders/Get")
    assert method
    duration = b'{"@type":"t/google.protobuf.Duration","value":"1.500s"}'
    text = b'{"extraData":%b,"metaData":{"a":[1.0,null]},"maxWait":"3s"}' % duration
    assert method.request.decode(method.request.encode(text)) == (text, None)


def test_what_protoc_made_means_the_same_afterwards() -> None:
    """Even if the file is called as one of protobufjs would be."""
    file = FileDescriptorProto(name="p.proto", package="p", syntax="proto3")
    made = file.message_type.add(name="M")
    made.field.add(name="order_id", number=1, label=1, type=9)
    made.field.add(name="many", number=2, label=3, type=11, type_name=".p.M.ManyEntry")
    entry = made.nested_type.add(name="ManyEntry")
    entry.options.map_entry = True
    before = file.SerializeToString()
    mend(file)
    assert file.SerializeToString() == before


async def test_the_protobuf_that_is_all_python_does_too() -> None:
    """Where there is no wheel (Alpine), it is what gets installed."""
    script = f"""
from google.protobuf.internal import api_implementation
from {__name__} import recorded
assert api_implementation.Type() == "python"
method = recorded("1.0.4").method("acme.shop.Orders/Get")
print(method.request.decode(method.request.encode(method.template.encode()))[0].decode())
"""
    environment = os.environ | {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, env=environment
    )
    answer, _ = await process.communicate()
    method = recorded("1.0.4").method("acme.shop.Orders/Get")
    assert method
    assert answer.strip() == method.request.decode(method.request.encode(method.template.encode()))[0]


@pytest.mark.node
@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
@pytest.mark.skipif(not os.environ.get("RTUI_NODE_MODULES"), reason="needs RTUI_NODE_MODULES")
async def test_the_reflection_of_today_is_like_the_recorded_one() -> None:
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPT), str(ACME), *FILES, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate()
    assert {method.channel: method.template for method in schema_of(answer).methods} == {
        method.channel: method.template for method in recorded("1.0.4").methods
    }
