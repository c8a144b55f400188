from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtui.protobuf import any_value
from rtui.protobuf.any_value import LARGE
from rtui.protobuf.codec import Codec, Unfit
from rtui.protobuf.descriptor import map_entry
from rtui.protobuf.unknown import MOST
from tests.protobuf import shapes
from tests.protobuf.shapes import codec

TYPES = ["Scalars", "Optionals", "Lists", "Maps", "Choice", "Tree", "Known", "Reading", "old.Everything"]
thorough = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)

INT32 = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([0, -1, 2**31 - 1, -(2**31)])
INT64 = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, -1, 2**63 - 1, -(2**63), 2**53 + 1])
UINT32 = st.integers(0, 2**32 - 1) | st.just(2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1) | st.just(2**64 - 1)
ODD = st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1e16, 1e-5, 0.1, 16777217.0])
TEXT = st.text(max_size=8) | st.sampled_from(["", "\0", "\x7f\x1b\u2028", "a b", "NaN", "é\U0001f600"])
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False) | ODD,
    FieldDescriptor.TYPE_FLOAT: st.floats(width=32, allow_nan=False) | ODD,
    FieldDescriptor.TYPE_INT32: INT32,
    FieldDescriptor.TYPE_SINT32: INT32,
    FieldDescriptor.TYPE_SFIXED32: INT32,
    FieldDescriptor.TYPE_INT64: INT64,
    FieldDescriptor.TYPE_SINT64: INT64,
    FieldDescriptor.TYPE_SFIXED64: INT64,
    FieldDescriptor.TYPE_UINT32: UINT32,
    FieldDescriptor.TYPE_FIXED32: UINT32,
    FieldDescriptor.TYPE_UINT64: UINT64,
    FieldDescriptor.TYPE_FIXED64: UINT64,
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_STRING: TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=6),
}
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def enums(enum: EnumDescriptor) -> st.SearchStrategy[int]:
    if enum.full_name == "google.protobuf.NullValue":
        return st.just(0)
    known = st.sampled_from(sorted(enum.values_by_number))
    return known if enum.is_closed else known | INT32


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 2) -> Any:
    made = GetMessageClass(descriptor)()
    name = descriptor.full_name.removeprefix("google.protobuf.")
    if name in WELL_KNOWN and descriptor.full_name != name:
        draw(WELL_KNOWN[name](made))
        return made
    extensions = shapes.pool().FindAllExtensions(descriptor) if descriptor.is_extendable else []
    usable = [field for field in [*descriptor.fields, *extensions] if depth or field.message_type is None]
    some = (
        st.lists(st.sampled_from(usable), max_size=6, unique_by=lambda field: field.number) if usable else st.just([])
    )
    for field in draw(some):
        fill(draw, made, field, depth)
    return made


def fill(draw: st.DrawFn, made: Any, field: FieldDescriptor, depth: int) -> None:
    """Through protobuf's own parser: the field alone, merged into the message."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        keys, values = field.message_type.fields
        entries = getattr(made, field.name)
        for key in draw(st.lists(single(keys, depth), max_size=3)):
            if values.message_type is None:
                entries[key] = draw(single(values, depth))
            else:
                entries[key].CopyFrom(draw(single(values, depth)))
        return
    many = draw(st.lists(single(field, depth), max_size=3)) if field.is_repeated else [draw(single(field, depth))]
    if field.is_repeated:
        (made.Extensions[field] if field.is_extension else getattr(made, field.name)).extend(many)
    elif field.message_type is not None:
        (made.Extensions[field] if field.is_extension else getattr(made, field.name)).CopyFrom(many[0])
        if not field.is_extension:
            getattr(made, field.name).SetInParent()
    elif field.is_extension:
        made.Extensions[field] = many[0]
    else:
        setattr(made, field.name, many[0])


def single(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(field.message_type, depth - 1)
    return enums(field.enum_type) if field.enum_type is not None else SCALARS[field.type]


def _timestamps(made: Any) -> st.SearchStrategy[None]:
    return st.tuples(st.integers(-62135596800, 253402300799), NANOS).map(lambda given: moment(made, *given))


def _durations(made: Any) -> st.SearchStrategy[None]:
    seconds = st.integers(-315576000000, 315576000000)
    return st.tuples(seconds, NANOS).map(lambda given: moment(made, given[0], -given[1] if given[0] < 0 else given[1]))


def moment(made: Any, seconds: int, nanos: int) -> None:
    made.seconds, made.nanos = seconds, nanos


def _masks(made: Any) -> st.SearchStrategy[None]:
    return st.lists(st.from_regex(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)?(\.[a-z]+)?", fullmatch=True), max_size=3).map(
        made.paths.extend
    )


def _parsed(made: Any, value: Any) -> None:
    json_format.ParseDict(value, made)


def _any(made: Any) -> st.SearchStrategy[None]:
    inner = st.sampled_from(
        ["shapes.Scalars", "shapes.Known", "google.protobuf.Duration", "google.protobuf.Int64Value"]
    )
    return inner.flatmap(lambda name: messages(shapes.kind(name), 1)).map(
        lambda message: pack(made, message.DESCRIPTOR.full_name, message.SerializeToString(deterministic=True))
    )


def pack(made: Any, name: str, value: bytes) -> None:
    made.type_url, made.value = f"type.googleapis.com/{name}", value


NANOS = st.integers(0, 999_999_999) | st.sampled_from([0, 5_000_000, 5_000, 5])
WELL_KNOWN: dict[str, Any] = {
    "Timestamp": _timestamps,
    "Duration": _durations,
    "FieldMask": _masks,
    "Any": _any,
    "Value": lambda made: JSON_VALUES.map(lambda value: _parsed(made, value)),
    "Struct": lambda made: st.dictionaries(TEXT, JSON_VALUES, max_size=3).map(lambda value: _parsed(made, value)),
    "ListValue": lambda made: st.lists(JSON_VALUES, max_size=3).map(lambda value: _parsed(made, value)),
}


def any_message() -> st.SearchStrategy[Any]:
    return st.sampled_from(TYPES).flatmap(lambda name: messages(shapes.kind(name)))


def reference(message: Any, *, defaults: bool = False) -> bytes:
    shown = json_format.MessageToDict(
        message, descriptor_pool=shapes.pool(), always_print_fields_with_no_presence=defaults
    )
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode()


def same(one: Any, other: Any) -> bool:
    """Byte for byte, for NaN is not NaN and 0.0 is -0.0; maps have no order."""
    return canonical(one) == canonical(other)


def canonical(message: Any) -> bytes:
    copy = type(message)()
    copy.CopyFrom(message)
    for part in inner(copy):
        if part.DESCRIPTOR.full_name == "google.protobuf.Any" and (within := any_value.inside(part)):
            part.value = canonical(within)
    return bytes(copy.SerializeToString(deterministic=True))


def inner(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        entry = map_entry(field)
        if (entry[1] if entry else field).message_type is not None:
            for part in value.values() if entry else value if field.is_repeated else [value]:
                yield from inner(part)


@given(message=any_message(), defaults=st.booleans())
@thorough
def test_the_text_is_that_of_protobufs_own_json_format(message: Any, defaults: bool) -> None:
    data = message.SerializeToString()
    shown, lost = Codec(message.DESCRIPTOR, emit_defaults=defaults).decode(data)
    assert shown == reference(type(message).FromString(data), defaults=defaults)  # both with maps in the same order
    assert lost is None


@given(message=any_message(), defaults=st.booleans())
@thorough
def test_a_message_comes_back_from_its_json(message: Any, defaults: bool) -> None:
    both = Codec(message.DESCRIPTOR, emit_defaults=defaults)
    shown, _ = both.decode(message.SerializeToString())
    data = both.encode(shown)
    assert same(type(message).FromString(data), message)
    assert both.decode(data)[0] == shown or sorted(both.decode(data)[0]) == sorted(shown)  # maps have no order


@given(message=any_message())
@thorough
def test_what_json_format_writes_is_read_to_the_same_message(message: Any) -> None:
    theirs = json_format.MessageToJson(
        message, indent=3, preserving_proto_field_name=True, descriptor_pool=shapes.pool()
    )
    assert same(type(message).FromString(Codec(message.DESCRIPTOR).encode(theirs.encode())), message)


@given(message=any_message())
@thorough
def test_json_format_reads_what_is_written_here(message: Any) -> None:
    shown, _ = Codec(message.DESCRIPTOR).decode(message.SerializeToString())
    refused = b"3.4028235e+38", b'"nulls":[null'  # json_format writes these, but does not read them
    if not any(text in shown for text in refused):
        read = json_format.Parse(shown, type(message)(), descriptor_pool=shapes.pool(), max_recursion_depth=200)
        assert same(read, message)


@given(data=st.binary(max_size=60), name=st.sampled_from(TYPES))
@thorough
def test_any_bytes_are_shown(data: bytes, name: str) -> None:
    shown, lost = codec(name).decode(data)
    if lost and "undecodable" in lost:
        assert shown == data
    else:
        json.loads(shown)
        assert lost is None or base64.b64decode(lost["raw"]) == data


@given(text=st.binary(max_size=40), name=st.sampled_from(TYPES))
@thorough
def test_any_text_fits_or_is_refused(text: bytes, name: str) -> None:
    try:
        codec(name).encode(text)
    except Unfit as error:
        str(error).encode()


@given(value=JSON_VALUES | st.dictionaries(st.sampled_from(["anInt32", "aString", "mood", "aBool"]), JSON_VALUES))
@thorough
def test_what_is_taken_has_the_meaning_that_json_format_gives_it(value: Any) -> None:
    text = json.dumps(value).encode()
    try:
        data = codec("Scalars").encode(text)
    except Unfit:
        return
    assert same(shapes.message("Scalars").FromString(data), json_format.Parse(text, shapes.message("Scalars")))


@pytest.mark.parametrize("what", shapes.hostile())
def test_hostile_messages_are_shown_and_lose_nothing(what: str) -> None:
    name, data = shapes.hostile()[what]
    shown, lost = codec(name).decode(data)
    if lost is None:
        assert codec(name).decode(codec(name).encode(shown))[0] == shown
        assert same(
            type(shapes.message(name)).FromString(codec(name).encode(shown)), shapes.message(name).FromString(data)
        )
    elif "undecodable" in lost:
        assert shown == data
        assert name in lost["undecodable"]
    else:
        assert base64.b64decode(lost["raw"]) == data


UNKNOWN = [
    (b"\x98\x06\x2a", {"99": 42}),
    (shapes.field(15, b"hello") + shapes.field(15, b"\0\xff"), {"15": ["hello", {"base64": "AP8="}]}),
    (b"\x7d\1\0\0\0\x79\2\0\0\0\0\0\0\0", {"15": [1, 2]}),
    (b"\xa3\x06\x08\x01\x12\x01x\xa4\x06", {"100": {"1": 1, "2": "x"}}),
    (b"\x98\x06" + b"\xff" * 9 + b"\x01", {"99": 2**64 - 1}),
]


@pytest.mark.parametrize(("data", "unknown"), UNKNOWN)
def test_unknown_fields_stand_in_the_meta(data: bytes, unknown: dict[str, Any]) -> None:
    shown, lost = codec("Reading").decode(shapes.field(1, b"r1") + data)
    assert shown == b'{"sensorId":"r1"}'
    assert lost is not None
    assert lost["unknown"] == unknown


def test_unknown_fields_further_in_are_named_with_their_place() -> None:
    strange = b"\x98\x06\x2a"
    tree = shapes.field(2, b"") + shapes.field(2, shapes.field(3, strange)) + strange
    assert unknown("Tree", tree) == {"99": 42, ".branches[1].left.99": 42}
    within = shapes.field(1, b"x/shapes.Reading") + shapes.field(2, strange)
    assert unknown("Tree", shapes.field(4, within)) == {".any.99": 42}
    known = shapes.field(1, b"x/google.protobuf.Duration") + shapes.field(2, strange)
    assert unknown("Tree", shapes.field(4, known)) == {".any.value.99": 42}
    odd = shapes.field(1, b"a") + strange
    assert unknown("Maps", shapes.field(12, odd)) == {"12": {"base64": base64.b64encode(odd).decode()}}
    entry = shapes.field(1, b"a b") + shapes.field(2, strange)
    assert unknown("Maps", shapes.field(12, entry)) == {'.byString["a b"].99': 42}
    struct = shapes.field(1, shapes.field(1, b"k") + shapes.field(2, strange))
    assert unknown("Known", shapes.field(5, struct)) == {".struct.k.99": 42}


def unknown(name: str, data: bytes) -> Any:
    return (codec(name).decode(data)[1] or {})["unknown"]


def test_a_codec_forgets_what_the_last_message_lost() -> None:
    trees = codec("Tree")
    deep = b"\x98\x06\x2a" + shapes.nested(95, shapes.nested_any(10, trees=95))
    assert "undecodable" in (trees.decode(deep)[1] or {})
    assert trees.decode(b"") == (b"{}", None)
    one = codec("Reading")
    assert one.decode(b"\x98\x06\x2a")[1]
    assert one.decode(b"")[1] is None


def test_a_message_may_come_as_a_view_and_blank_text_is_an_empty_message() -> None:
    assert codec("Reading").decode(memoryview(shapes.field(1, b"r1"))) == (b'{"sensorId":"r1"}', None)
    for name in ("Reading", "google.protobuf.Timestamp", "google.protobuf.Value"):
        assert codec(name).encode(b" \n") == b""


def test_defaults_are_shown_when_asked_for() -> None:
    shown, _ = codec("Reading", emit_defaults=True).decode(b"")
    assert json.loads(shown) == {"sensorId": "", "value": 0.0, "unit": "", "count": "0", "ok": False}
    inner, _ = codec("Tree", emit_defaults=True).decode(shapes.field(3, b""))
    assert json.loads(inner) == {"left": {"name": "", "branches": []}, "name": "", "branches": []}


TAKEN = [
    ("Scalars", '{"anInt32":"12"}', '{"anInt32":12}'),
    ("Scalars", '{"anInt32":1e3}', '{"anInt32":1000}'),
    ("Scalars", '{"anInt32":"1e3","an_int64":5}', '{"anInt32":1000,"anInt64":"5"}'),
    ("Scalars", '{"aDouble":"1.5","aFloat":3}', '{"aDouble":1.5,"aFloat":3.0}'),
    ("Scalars", '{"aDouble":"-Infinity","aFloat":"NaN"}', '{"aDouble":"-Infinity","aFloat":"NaN"}'),
    ("Scalars", '{"aDouble":-0.0}', '{"aDouble":-0.0}'),
    ("Scalars", '{"aUint64":18446744073709551615}', '{"aUint64":"18446744073709551615"}'),
    ("Scalars", '{"someBytes":"_-8"}', '{"someBytes":"/+8="}'),
    ("Scalars", '{"mood":"HAPPY"}', '{"mood":"GLAD"}'),
    ("Scalars", '{"mood":-2}', '{"mood":"GRIM"}'),
    ("Scalars", '{"mood":77}', '{"mood":77}'),
    ("Scalars", '\ufeff{"aString":null}', "{}"),
    ("Optionals", '{"anInt32":0,"aString":"","mood":0}', '{"anInt32":0,"aString":"","mood":"UNSURE"}'),
    ("Lists", '{"nulls":[null,"NULL_VALUE"],"values":[null]}', '{"values":[null],"nulls":[null,null]}'),
    ("Choice", '{"number":null,"text":"a"}', '{"text":"a"}'),
    ("Choice", '{"nothing":null}', '{"nothing":null}'),
    ("Choice", '{"anything":null,"@odd name":"x"}', '{"anything":null,"@odd name":"x"}'),
    ("Choice", '{"odd_name":"x"}', '{"@odd name":"x"}'),
    ("Known", '{"timestamp":"2000-01-01T01:30:00.5+01:30"}', '{"timestamp":"2000-01-01T00:00:00.500Z"}'),
    ("Known", '{"duration":"-0.000000001s"}', '{"duration":"-0.000000001s"}'),
    ("Known", '{"mask":"fooBar.baz,b"}', '{"mask":"fooBar.baz,b"}'),
    ("Known", '{"empty":{},"list":[],"struct":{}}', '{"empty":{},"struct":{},"list":[]}'),
    ("Known", '{"int64Value":0,"boolValue":null}', '{"int64Value":"0"}'),
    ("Known", '{"any":{"value":"5s","@type":"x/google.protobuf.Duration"}}', None),
    ("Known", '{"any":{"@type":"x/no.such","@value":"AQI"}}', '{"any":{"@type":"x/no.such","@value":"AQI="}}'),
    ("Known", '{"many":[{},{"@type":"x/shapes.Reading","@value":"GgFL"}]}', None),
    ("old.Everything", '{"[old.title]":"a","[old.Home.closed]":"TWO","[old.additions]":[{"note":"n"}]}', None),
    ("old.Everything", '{"inner":{"deeper":{"inner":{}}},"each":[{"number":"-1"},{}]}', None),
    ("google.protobuf.StringValue", '"a"', '"a"'),
    ("google.protobuf.Timestamp", '{"seconds":"-62135596801"}', '{"seconds":"-62135596801","nanos":0}'),
]


@pytest.mark.parametrize(("name", "text", "back"), TAKEN)
def test_json_is_taken_as_users_write_it(name: str, text: str, back: str | None) -> None:
    shown, lost = codec(name).decode(codec(name).encode(text.encode()))
    assert lost is None
    assert shown.decode() == back if back is not None else json.loads(shown)
    assert codec(name).decode(codec(name).encode(shown))[0] == shown


def test_a_type_that_only_bears_a_known_name_is_a_plain_message() -> None:
    proto = FileDescriptorProto(name="false.proto", package="google.protobuf", syntax="proto3")
    proto.message_type.add(name="Timestamp").field.add(name="nanos", number=1, type=9, label=1)
    made = DescriptorPool()
    made.Add(proto)
    both = Codec(made.FindMessageTypeByName("google.protobuf.Timestamp"))
    assert both.decode(both.encode(b'{"nanos":"a"}')) == (b'{"nanos":"a"}', None)


def test_millions_of_unknown_fields_are_not_told_one_by_one() -> None:
    few, many = b"\x38\x01" * 500, b"\x38\x01" * LARGE
    assert unknown("Reading", few) == {"7": [1] * MOST}
    told = codec("Reading").decode(many)[1] or {}
    assert told["unknown"] == {"…": "too large a message to tell them"}
    assert base64.b64decode(told["raw"]) == many
    places = (shapes.field(2, b"\x38\x01")) * 500
    assert len(unknown("Tree", places)) == MOST + 1


def test_a_large_any_with_unknown_fields_stays_in_base64() -> None:
    known = shapes.message("Reading", unit="x" * LARGE).SerializeToString()
    for value, key in ((known, b'"unit"'), (known + b"\x38\x01", b'"@value"')):
        tree = shapes.message("Tree", any={"type_url": "x/shapes.Reading", "value": value})
        shown, lost = codec("Tree").decode(tree.SerializeToString())
        assert key in shown
        assert lost is None
