"""Message types and messages of every shape, realistic and hostile, for the tests of gRPC to share."""

from __future__ import annotations

import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from rtui.protobuf.codec import Codec

PROTO3: Final = """
syntax = "proto3";
package shapes;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "old.proto";

enum Mood { option allow_alias = true; UNSURE = 0; GLAD = 1; HAPPY = 1; GRIM = -2; }

message Reading {
  string sensor_id = 1;
  double value = 2;
  string unit = 3;
  int64 count = 4;
  bool ok = 5;
  google.protobuf.Timestamp at = 6;
}

message Scalars {
  double a_double = 1; float a_float = 2;
  int32 an_int32 = 3; int64 an_int64 = 4; uint32 a_uint32 = 5; uint64 a_uint64 = 6;
  sint32 a_sint32 = 7; sint64 a_sint64 = 8;
  fixed32 a_fixed32 = 9; fixed64 a_fixed64 = 10; sfixed32 an_sfixed32 = 11; sfixed64 an_sfixed64 = 12;
  bool a_bool = 13; string a_string = 14; bytes some_bytes = 15; Mood mood = 16;
}

message Optionals {
  optional double a_double = 1; optional float a_float = 2;
  optional int32 an_int32 = 3; optional uint64 a_uint64 = 6; optional sint64 a_sint64 = 8;
  optional bool a_bool = 13; optional string a_string = 14; optional bytes some_bytes = 15; optional Mood mood = 16;
}

message Lists {
  repeated double doubles = 1; repeated float floats = 2;
  repeated int32 ints = 3; repeated uint64 longs = 6; repeated sint32 zigzags = 7; repeated sfixed64 fixed = 12;
  repeated bool bools = 13; repeated string strings = 14; repeated bytes blobs = 15; repeated Mood moods = 16;
  repeated int32 loose = 17 [packed = false];
  repeated Scalars messages = 18; repeated google.protobuf.Value values = 19;
  repeated google.protobuf.NullValue nulls = 20;
}

message Maps {
  map<int32, string> by_int32 = 1; map<int64, bytes> by_int64 = 2;
  map<uint32, double> by_uint32 = 3; map<uint64, float> by_uint64 = 4;
  map<sint32, bool> by_sint32 = 5; map<sint64, Mood> by_sint64 = 6;
  map<fixed32, uint64> by_fixed32 = 7; map<fixed64, sint32> by_fixed64 = 8;
  map<sfixed32, Scalars> by_sfixed32 = 9; map<sfixed64, google.protobuf.Value> by_sfixed64 = 10;
  map<bool, google.protobuf.Timestamp> by_bool = 11; map<string, Tree> by_string = 12;
}

message Choice {
  oneof choice {
    int32 number = 1; string text = 2; Reading reading = 3; google.protobuf.NullValue nothing = 4;
    google.protobuf.Value anything = 5; Mood mood = 6; bytes some_bytes = 7; google.protobuf.Int64Value long = 8;
  }
  string odd_name = 9 [json_name = "@odd name"];
}

message Tree { string name = 1; repeated Tree branches = 2; Tree left = 3; google.protobuf.Any any = 4; }

message Known {
  google.protobuf.Timestamp timestamp = 1; google.protobuf.Duration duration = 2;
  google.protobuf.FieldMask mask = 3; google.protobuf.Empty empty = 4;
  google.protobuf.Struct struct = 5; google.protobuf.Value value = 6; google.protobuf.ListValue list = 7;
  google.protobuf.Any any = 8; repeated google.protobuf.Any many = 9;
  google.protobuf.DoubleValue double_value = 10; google.protobuf.FloatValue float_value = 11;
  google.protobuf.Int64Value int64_value = 12; google.protobuf.UInt64Value uint64_value = 13;
  google.protobuf.Int32Value int32_value = 14; google.protobuf.UInt32Value uint32_value = 15;
  google.protobuf.BoolValue bool_value = 16; google.protobuf.StringValue string_value = 17;
  google.protobuf.BytesValue bytes_value = 18; google.protobuf.NullValue null = 19;
  repeated google.protobuf.StringValue strings = 20; repeated google.protobuf.Timestamp timestamps = 21;
  old.Everything old = 22;
}
"""
PROTO2: Final = """
syntax = "proto2";
package old;

enum Closed { ONE = 1; TWO = 2; }

message Everything {
  optional int32 number = 1 [default = 7]; optional string text = 2; optional bytes blob = 3;
  optional Closed closed = 4; repeated Closed several = 5; repeated int32 packed = 6 [packed = true];
  optional group Inner = 7 { optional string name = 1; optional Everything deeper = 2; }
  repeated group Each = 8 { optional sint64 number = 1; }
  map<string, sint32> by_name = 9; optional float ratio = 10; repeated fixed32 loose = 11;
  extensions 100 to 199;
}

message Strict { required string name = 1; required int32 age = 2; optional Strict child = 3; }

message Addition { optional string note = 1; }

extend Everything {
  optional string title = 100; repeated int64 marks = 101; optional Addition addition = 102;
  repeated Addition additions = 103;
}

message Home { extend Everything { optional Closed closed = 110; } }
"""


@cache
def pool() -> DescriptorPool:
    """All of the types above."""
    made = DescriptorPool()
    for file in _compiled().file:
        made.Add(file)
    return made


def _compiled() -> FileDescriptorSet:
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "shapes.proto").write_text(PROTO3)
        (here / "old.proto").write_text(PROTO2)
        known = files("grpc_tools") / "_proto"
        given = ["-I", folder, "-I", str(known), "--include_imports", f"--descriptor_set_out={here / 'set'}"]
        assert protoc.main(["protoc", *given, "shapes.proto", "old.proto"]) == 0
        return FileDescriptorSet.FromString((here / "set").read_bytes())


def kind(name: str) -> Descriptor:
    """A type by its full name; those of `shapes` without the package."""
    return pool().FindMessageTypeByName(name if "." in name else f"shapes.{name}")


def codec(name: str, **options: Any) -> Codec:
    """For the type called `name`."""
    return Codec(kind(name), **options)


def message(name: str, **fields: Any) -> Any:
    """A message of that type."""
    return GetMessageClass(kind(name))(**fields)


def reading(number: int = 0) -> Any:
    """What a telemetry stream sends: a small message of 47 bytes."""
    at = {"seconds": 1_700_000_000 + number, "nanos": 5_000_000}
    return message("Reading", sensor_id="r1/temp", value=21.53, unit="°C", count=2**40 + number, ok=True, at=at)


def field(number: int, data: bytes) -> bytes:
    """A field of bytes as it stands on the wire, its length in two digits at most."""
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def nested(levels: int, data: bytes = b"") -> bytes:
    """A `Tree` with so many trees in it; `data` is the last of them."""
    for _ in range(levels):
        data = b"\x1a" + _varint(len(data)) + data
    return data


def nested_any(levels: int, trees: int = 0) -> bytes:
    """A `Tree` that holds an Any that holds a `Tree`, and so on; the last has an unknown field.

    `trees` stand between one Any and the next.
    """
    data = b"\x98\x06\x2a"
    for _ in range(levels):
        data = nested(trees, data)
        inner = field(1, b"x/shapes.Tree") + b"\x12" + _varint(len(data)) + data
        data = b"\x22" + _varint(len(inner)) + inner
    return data


def _varint(number: int) -> bytes:
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def hostile() -> dict[str, tuple[str, bytes]]:
    """What a peer may send to do harm, by what it is: the type that it claims to be, and its bytes."""
    return {
        "nothing": ("Reading", b""),
        "noise": ("Reading", b"\xff" * 20),
        "cut": ("Reading", reading().SerializeToString()[:-3]),
        "longer than it is": ("Reading", b"\x0a\xff\xff\xff\xff\x07abc"),
        "field number zero": ("Reading", b"\x00\x01"),
        "unopened group": ("Reading", b"\x0c"),
        "text that is not UTF-8": ("Reading", field(1, b"\xff\xfe")),
        "old text that is not UTF-8": ("old.Everything", field(2, b"caf\xe9")),
        "terminal escapes": ("Reading", field(1, b"\x1b]52;c;eA==\x07\x1b[2J")),
        "as deep as protobuf goes": ("Tree", nested(99)),
        "deeper than protobuf goes": ("Tree", nested(200)),
        "Any in Any for ever": ("Tree", nested_any(500)),
        "deep trees in Any": ("Tree", nested_any(4, trees=95)),
        "deep trees in Any in deep trees": ("Tree", nested(95, nested_any(10, trees=95))),
        "Any of no type": ("Known", field(8, field(1, b"x/no.such.Type") + field(2, b"\1\2"))),
        "Any that is not its type": ("Known", field(8, field(1, b"x/shapes.Reading") + field(2, b"\xff"))),
        "Any without a type": ("Known", field(8, field(2, b"\1\2"))),
        "time before all time": ("Known", field(1, b"\x08" + b"\xff" * 9 + b"\x01\x10" + b"\xff" * 9 + b"\x01")),
        "time of two signs": ("Known", field(2, b"\x08\x01\x10" + b"\xff" * 9 + b"\x01")),
        "mask in capitals": ("Known", field(3, field(1, b"Foo_bar,B__C_"))),
        "value that is NaN": ("Known", field(6, b"\x11\0\0\0\0\0\0\xf8\x7f")),
        "value of no kind": ("Known", field(6, b"")),
        "unknown fields": ("Reading", b"\x98\x06\x2a" + field(15, b"hello") + field(15, b"\0\xff") + b"\x7d\1\0\0\0"),
        "unknown group": ("Reading", b"\xa3\x06\x08\x01\x12\x01x\xa4\x06"),
        "number of a closed enum": ("old.Everything", b"\x20\x63"),
        "the largest numbers": ("Scalars", b"\x30" + b"\xff" * 9 + b"\x01\x28\xff\xff\xff\xff\x0f"),
    }
