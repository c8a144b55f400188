from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.fault import Failure
from rtui.protobuf.pool import LONGEST_NAME
from rtui.protocols.wire import grpc_schema
from rtui.protocols.wire.grpc_schema import Files, Schema
from tests.protocols.wire.test_grpc_repair import compiled

MESSAGE = FieldDescriptorProto.TYPE_MESSAGE
ENUM = FieldDescriptorProto.TYPE_ENUM
STRING = FieldDescriptorProto.TYPE_STRING


def file_of(
    name: str, *messages: DescriptorProto, package: str = "p", asked: str = "", imports: Iterable[str] = ()
) -> FileDescriptorProto:
    """A file; with `asked`, it has the method `S/M` that takes and gives it."""
    file = FileDescriptorProto(name=name, package=package, syntax="proto3", message_type=messages, dependency=imports)
    if asked:
        file.service.add(name="S").method.add(name="M", input_type=asked, output_type=asked)
    return file


def message(name: str, **fields: str) -> DescriptorProto:
    """A message whose fields have the types named; "" = text."""
    made = DescriptorProto(name=name)
    for number, (field, type_name) in enumerate(fields.items(), 1):
        kind = MESSAGE if type_name else STRING
        made.field.add(name=field, number=number, label=1, type=kind, type_name=type_name or None)
    return made


def schema(*files: FileDescriptorProto, services: Iterable[str] | None = None) -> Schema:
    return Schema.from_files((file.SerializeToString() for file in files), services)


def sent(found: Schema, text: str, channel: str = "p.S/M") -> bytes:
    method = found.method(channel)
    assert method, found.unusable
    return method.request.encode(text.encode())


class TestMethods:
    def test_kinds_and_signatures(self) -> None:
        told = {method.channel: (method.kind, method.signature) for method in compiled().methods}
        assert told["acme.shop.Orders/Get"] == ("unary", "Get(Order) → Order")
        assert told["acme.shop.Orders/Watch"] == ("server stream", "Watch(Order) → stream Order")
        assert told["acme.shop.Orders/Upload"] == ("client stream", "Upload(stream Line) → Empty")
        assert told["acme.shop.Orders/Chat"] == ("bidi stream", "Chat(stream Order) → stream Stamped")

    def test_what_stands_above_a_method_or_else_its_service(self) -> None:
        told = {method.channel: method.description for method in compiled().methods}
        assert told["acme.shop.Orders/Get"] == "Finds one order, whatever its state."
        assert told["acme.shop.Orders/Watch"] == "Takes orders."
        assert told["acme.shop.Extras/Put"] == ""

    def test_which_side_streams(self) -> None:
        chat, get = compiled().method("acme.shop.Orders/Chat"), compiled().method("/acme.shop.Orders/Get")
        assert chat
        assert get
        assert (chat.many_requests, chat.many_replies) == (True, True)
        assert (get.many_requests, get.many_replies) == (False, False)

    def test_a_package_is_not_needed(self) -> None:
        found = schema(file_of("a.proto", message("M", x=""), package="", asked=".M"), services=[".S"])
        assert [method.channel for method in found.methods] == ["S/M"]

    def test_only_what_the_server_offers(self) -> None:
        file = file_of("a.proto", message("M"), asked=".p.M")
        file.service.add(name="Other").method.add(name="M", input_type=".p.M", output_type=".p.M")
        found = schema(file, services=["p.Other", "p.Elsewhere"])
        assert found.services == ("p.Other",)
        assert found.unusable == {"p.Elsewhere": "the server offers it, but does not describe it"}


class TestFiles:
    def test_they_come_in_any_order_and_some_twice(self) -> None:
        first = file_of("a.proto", message("A", b=".p.B"), asked=".p.A", imports=["b.proto"])
        second = file_of("b.proto", message("B", x=""))
        for files in ([first, second], [second, first, second]):
            assert sent(schema(*files), '{"b":{"x":"y"}}') == b"\n\x03\n\x01y"

    def test_dependencies_need_not_be_right(self) -> None:
        """Some servers call a file by another name than those that import it."""
        first = file_of("a.proto", message("A", b=".q.B"), asked=".p.A", imports=["gone.proto", "vendor/b.proto"])
        found = schema(first, file_of("b.proto", message("B", x=""), package="q"))
        assert sent(found, '{"b":{"x":"y"}}') == b"\n\x03\n\x01y"

    def test_files_may_need_each_other(self) -> None:
        first = file_of("a.proto", message("A", b=".q.B"), message("A2", x=""), asked=".p.A", imports=["b.proto"])
        second = file_of("b.proto", message("B", a2=".p.A2"), package="q", imports=["a.proto"])
        assert sent(schema(first, second), '{"b":{"a2":{"x":"y"}}}') == b"\n\x05\n\x03\n\x01y"

    def test_a_type_name_may_be_there_and_empty(self) -> None:
        made = DescriptorProto(name="A")
        made.field.add(name="x", number=1, label=1, type=STRING, type_name="")
        assert sent(schema(file_of("a.proto", made, asked=".p.A")), '{"x":"y"}') == b"\n\x01y"

    def test_names_are_looked_for_from_the_inside_out(self) -> None:
        inner = message("A", b="B", c="C", d="s.D")
        inner.nested_type.append(message("B", x=""))
        files = [
            file_of("a.proto", inner, message("B"), message("C", x=""), package="r.p", asked="A"),
            file_of("d.proto", message("D", x=""), package="r.s"),
        ]
        text = '{"b":{"x":"1"},"c":{"x":"2"},"d":{"x":"3"}}'
        assert sent(schema(*files), text, "r.p.S/M") == b"\n\x03\n\x011\x12\x03\n\x012\x1a\x03\n\x013"

    def test_google_protobuf_is_the_library_s_own(self) -> None:
        false = message("Timestamp", seconds="", bogus="")
        file = file_of("google_protobuf.proto", false, package="google.protobuf")
        found = schema(file, file_of("a.proto", message("A", at=".google.protobuf.Timestamp"), asked=".p.A"))
        assert sent(found, '{"at":"1970-01-01T00:00:01Z"}') == b"\n\x02\x08\x01"

    def test_rarer_files_of_google_protobuf_come_when_they_are_named(self) -> None:
        found = schema(file_of("a.proto", message("A", api=".google.protobuf.Api"), asked=".p.A"))
        assert sent(found, '{"api":{"sourceContext":{"fileName":"x"}}}') == b"\n\x05*\x03\n\x01x"

    def test_an_edition_stands_for_a_syntax(self) -> None:
        file = file_of("a.proto", message("A", x=""), asked=".p.A")
        file.syntax, file.edition = "editions", Edition.EDITION_2023
        method = schema(file).method("p.S/M")
        assert method
        assert method.input.fields_by_name["x"].has_presence

    def test_an_extension_of_an_unknown_message_is_left_out(self) -> None:
        made = message("A", x="")
        made.extension.add(name="more", number=100, label=1, type=STRING, extendee=".q.Gone")
        file = file_of("a.proto", made, asked=".p.A")
        file.extension.add(name="more", number=101, label=1, type=STRING, extendee=".q.Gone")
        assert sent(schema(file), '{"x":"y"}') == b"\n\x01y"

    def test_two_schemas_may_call_different_messages_the_same(self) -> None:
        one = schema(file_of("a.proto", message("A", text=""), asked=".p.A"))
        other = schema(file_of("a.proto", message("A", inner=".p.A"), asked=".p.A"))
        assert sent(one, '{"text":"x"}') == b"\n\x01x"
        assert sent(other, '{"inner":{}}') == b"\n\x00"

    def test_a_set_of_files(self) -> None:
        file = file_of("a.proto", message("A", x=""), asked=".p.A")
        found = Schema.from_protoset(FileDescriptorSet(file=[file]).SerializeToString())
        assert sent(found, '{"x":"y"}') == b"\n\x01y"

    def test_which_imports_are_still_to_be_asked_for(self) -> None:
        files = [
            file_of("a.proto", imports=["b.proto", "c.proto", "google/protobuf/any.proto"]),
            file_of("b.proto", imports=["d.proto"]),
        ]
        found = Files()
        assert found.add([files[0].SerializeToString()])
        assert found.wanted == {"b.proto", "c.proto"}
        assert found.add(file.SerializeToString() for file in files)
        assert found.wanted == {"c.proto", "d.proto"}
        assert not found.add([files[1].SerializeToString()])


class TestMissing:
    def test_a_field_of_an_unknown_message_is_bytes(self) -> None:
        found = schema(file_of("a.proto", message("A", b=".q.Gone", x=""), asked=".p.A"))
        assert found.missing == {"q.Gone"}
        assert found.unusable == {"q.Gone": "no file defines it; fields of this type are shown as bytes"}
        assert sent(found, '{"b":"eA==","x":"y"}') == b"\n\x01x\x12\x01y"

    def test_an_unknown_enum_is_its_number(self) -> None:
        made = message("A")
        made.field.add(name="e", number=1, label=1, type=ENUM, type_name=".q.Gone")
        assert sent(schema(file_of("a.proto", made, asked=".p.A")), '{"e":7}') == b"\x08\x07"

    def test_a_method_whose_request_is_unknown_cannot_be_called(self) -> None:
        found = schema(file_of("a.proto", asked=".q.Gone"))
        assert found.methods == ()
        assert found.unusable["p.S/M"] == "q.Gone is not defined"
        assert found.missing == {"q.Gone"}

    def test_an_enum_is_no_request(self) -> None:
        file = file_of("a.proto", asked=".p.E")
        file.enum_type.add(name="E").value.add(name="NONE", number=0)
        assert schema(file).unusable == {"p.S/M": "p.E is not a message"}


class TestBroken:
    def test_one_bad_message_takes_only_those_that_need_it(self) -> None:
        bad = message("Bad", x="")
        bad.field.add(name="y", number=1, label=1, type=STRING)
        file = file_of("a.proto", bad, message("Needs", bad=".p.Bad"), message("Good", x=""), asked=".p.Needs")
        file.service.add(name="T").method.add(name="M", input_type=".p.Good", output_type=".p.Good")
        found = schema(file)
        assert [method.channel for method in found.methods] == ["p.T/M"]
        assert found.unusable == {"p.S/M": "it needs p.Bad, which cannot be used"}
        assert "duplicate field number" in found.types.broken["p.Bad"]

    def test_packages_that_need_each_other_s_messages(self) -> None:
        first = file_of("a.proto", message("A", b=".q.B"), asked=".p.A")
        second = file_of("b.proto", message("B", a=".p.A"), package="q")
        assert schema(first, second).unusable == {"p.S/M": "2 definitions of several packages need each other"}

    def test_messages_of_one_package_may_hold_each_other(self) -> None:
        found = schema(file_of("a.proto", message("A", b=".p.B"), message("B", a=".p.A"), asked=".p.A"))
        assert sent(found, '{"b":{"a":{}}}') == b"\n\x02\n\x00"

    @pytest.mark.parametrize("data", [b"\n\xff", b"\xff" * 8, b"<html>"])
    def test_what_is_no_descriptor_is_named(self, data: bytes) -> None:
        with pytest.raises(Failure, match=r"Schema cannot be read: \d bytes"):
            Schema.from_files([data])
        with pytest.raises(Failure, match="Not a descriptor set: my"):
            Schema.from_protoset(data, "my.protoset")

    @given(st.binary(max_size=60))
    def test_any_bytes_are_a_schema_or_a_sentence(self, data: bytes) -> None:
        valid = file_of("a.proto", message("A", b=".p.B"), message("B"), asked=".p.A").SerializeToString()
        for files in ([data], [valid + data]):
            with suppress(Failure):
                assert all(method.template for method in Schema.from_files(files).methods)


class TestHostile:
    @pytest.mark.parametrize("step", [1, 7])
    def test_ten_thousand_messages(self, step: int) -> None:
        count = 10_000
        names = [f"M{number}" for number in range(count)]
        all_ = [
            message(name, next=f".p.{names[(number + step) % count]}", last=f".p.{names[number - 1]}", text="")
            for number, name in enumerate(names)
        ]
        found = schema(file_of("a.proto", *all_, asked=".p.M0"))
        assert sent(found, '{"next":{"text":"x"}}') == b"\n\x03\x1a\x01x"
        method = found.method("p.S/M")
        assert method
        assert len(method.template) < 2_000

    def test_a_chain_of_ten_thousand(self) -> None:
        all_ = [message(f"M{number}", next=f".p.M{number + 1}") for number in range(10_000)]
        found = schema(file_of("a.proto", *all_, message("M10000"), asked=".p.M0"))
        assert sent(found, '{"next":{"next":{}}}') == b"\n\x02\n\x00"

    @pytest.mark.parametrize(("depth", "is_fine"), [(90, True), (120, False)])
    def test_messages_nested_too_deeply_are_named(self, depth: int, is_fine: bool) -> None:
        """protobuf reads a hundred levels."""
        file = file_of("a.proto", asked=".p.M")
        inner = file.message_type.add(name="M")
        for _ in range(depth):
            inner = inner.nested_type.add(name="M")
        data = file.SerializeToString()
        if is_fine:
            assert len(Schema.from_files([data]).methods) == 1
            return
        with pytest.raises(Failure, match="or nest too deeply"):
            Schema.from_files([data])

    @pytest.mark.parametrize(("length", "is_fine"), [(-1, True), (0, True), (1, False)])
    def test_names_are_limited(self, length: int, is_fine: bool) -> None:
        name = "M" * (LONGEST_NAME - len("p.") + length)
        found = schema(file_of("a.proto", message(name), asked=f".p.{name}"))
        assert bool(found.methods) == is_fine
        assert is_fine or "a name of 513 characters; 512 are allowed" in found.unusable["p.S/M"]

    @pytest.mark.parametrize("name", ["M\x1b[2J", "M\u202e", "M M", "", "M/../N"])
    def test_illegal_names_are_refused(self, name: str) -> None:
        file = file_of("a.proto", message(name), message("Fine"), asked=f".p.{name}")
        file.service.add(name="T").method.add(name=name, input_type=".p.Fine", output_type=".p.Fine")
        found = schema(file)
        assert "p.S/M" in found.unusable
        assert not any("\x1b" in method.channel for method in found.methods)

    def test_methods_are_limited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(grpc_schema, "METHODS", 3)
        for count, rest in ((2, {}), (3, {}), (4, {"all other methods": "more than 3 are too many"})):
            file = file_of("a.proto", message("M"))
            service = file.service.add(name="S")
            for number in range(count):
                service.method.add(name=f"M{number}", input_type=".p.M", output_type=".p.M")
            found = schema(file)
            assert (len(found.methods), found.unusable) == (min(count, 3), rest)

    @pytest.mark.parametrize(("more", "is_fine"), [(-1, True), (0, True), (1, False)])
    def test_size_and_number_of_files_are_limited(
        self, monkeypatch: pytest.MonkeyPatch, more: int, is_fine: bool
    ) -> None:
        files = [file_of(f"{number}.proto").SerializeToString() for number in range(5)]
        for limit, size in (("LARGEST", sum(map(len, files))), ("MOST", len(files))):
            with monkeypatch.context() as patch:
                patch.setattr(grpc_schema, limit, size - more)
                for taken in (Schema.from_files, Files().add):
                    if is_fine:
                        taken(files)
                        continue
                    with pytest.raises(Failure, match="Schema too large"):
                        taken(files)


def test_the_template_is_made_of_the_request() -> None:
    found = schema(file_of("a.proto", message("A", text="", inner=".p.A"), asked=".p.A"))
    method = found.method("p.S/M")
    assert method
    assert json.loads(method.template) == {"text": "", "inner": {}}
