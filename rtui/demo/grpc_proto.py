"""Reads the files in `proto/` without a compiler: as much of proto3 as they use. Their messages become classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

FILES: Final = ("demo.proto", "health.proto", "reflection.proto")
KNOWN_BY_NAME: Final = ("google/rpc/error_details.proto",)
"""Imported by no file, but what failures carry: a client may ask what that is."""

_TOKEN: Final = re.compile(r'"[^"]*"|[\w.]+|[^\s\w]')
_COMMENT: Final = re.compile(r"//.*")
_ENUM: Final = re.compile(r"\benum (\w+)")
_LABELS: Final = {
    "optional": FieldDescriptorProto.LABEL_OPTIONAL,
    "repeated": FieldDescriptorProto.LABEL_REPEATED,
}
_FOREIGN_ENUMS: Final = frozenset({"google.rpc.Code"})


@cache
def pool() -> DescriptorPool:
    """The descriptors of the files and of all that they need; its own pool, so that nobody else's is touched."""
    found, added = DescriptorPool(), set[str]()
    ours = [read(text(name), name) for name in FILES]
    ours.append(read(text("reflection.proto").replace("reflection.v1;", "reflection.v1alpha;"), "alpha.proto"))
    for name in (*(needed for one in ours for needed in one.dependency), *KNOWN_BY_NAME):
        _add(found, import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2").DESCRIPTOR, added)
    for one in ours:
        found.Add(one)
    return found


def text(name: str) -> str:
    """What one of the files says."""
    return (files("rtui.demo") / "proto" / name).read_text(encoding="utf-8")


def _add(to: DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    """Copy an installed file, what it imports first."""
    for needed in file.dependencies:
        _add(to, needed, added)
    if file.name not in added:
        to.AddSerializedFile(file.serialized_pb)
        added.add(file.name)


@cache
def message(name: str) -> Any:
    """The class of a message: "Words", or in full "google.protobuf.Empty"."""
    full = name if "." in name else f"demo.{name}"
    return GetMessageClass(pool().FindMessageTypeByName(full))


def made(name: str, /, **fields: Any) -> Any:
    """A message with these fields."""
    return message(name)(**fields)


def read(text: str, name: str) -> FileDescriptorProto:
    """The descriptor of a file; what protoc makes of it, without the comments."""
    text = _COMMENT.sub("", text)
    return _Reader(_TOKEN.findall(text), frozenset(_ENUM.findall(text))).file(name)


class _Reader:
    """Goes through the tokens once."""

    def __init__(self, tokens: list[str], enums: frozenset[str]) -> None:
        self._tokens = iter(tokens)
        self._enums = enums
        self._package = ""
        self._nested: dict[str, str] = {}
        """What is declared inside a message → its full name."""

    def _next(self, count: int = 1) -> tuple[str, ...]:
        return tuple(next(self._tokens) for _ in range(count))

    def file(self, name: str) -> FileDescriptorProto:
        """The whole file."""
        file = FileDescriptorProto(name=name)
        for word in self._tokens:
            match word:
                case "syntax":
                    file.syntax = self._next(3)[1].strip('"')
                case "package":
                    file.package = self._package = self._next(2)[0]
                case "import":
                    file.dependency.append(self._next(2)[0].strip('"'))
                case "message":
                    file.message_type.append(self._message())
                case "enum":
                    file.enum_type.append(self._enum())
                case "service":
                    file.service.append(self._service())
        return file

    def _block(self) -> Iterator[str]:
        """The first words of the statements up to the closing brace."""
        while (word := next(self._tokens)) != "}":
            yield word

    def _message(self) -> DescriptorProto:
        one = DescriptorProto(name=self._next(2)[0])
        for word in self._block():
            if word == "oneof":
                one.oneof_decl.add(name=self._next(2)[0])
                for inner in self._block():
                    self._field(one, inner).oneof_index = len(one.oneof_decl) - 1
            elif word == "map":
                self._map(one)
            elif word == "enum":
                one.enum_type.append(self._enum())
                self._nested[one.enum_type[-1].name] = f"{self._full(one.name)}.{one.enum_type[-1].name}"
            else:
                self._field(one, word)
        self._number_optionals(one)
        return one

    def _field(self, owner: DescriptorProto, word: str) -> FieldDescriptorProto:
        """`[repeated|optional] type name = number;`, its first word read."""
        labelled = word in _LABELS
        kind = self._next()[0] if labelled else word
        name, _, number, _ = self._next(4)
        field = owner.field.add(name=name, number=int(number), json_name=_camel(name))
        field.label = _LABELS[word] if labelled else FieldDescriptorProto.LABEL_OPTIONAL
        field.proto3_optional = word == "optional"
        if not field.proto3_optional:
            field.ClearField("proto3_optional")
        self._type(field, kind)
        return field

    def _type(self, field: FieldDescriptorProto, kind: str) -> None:
        if (scalar := f"TYPE_{kind.upper()}") in FieldDescriptorProto.Type.keys():  # noqa: SIM118 - no mapping
            field.type = FieldDescriptorProto.Type.Value(scalar)
            return
        enum = kind in self._enums or kind in _FOREIGN_ENUMS
        field.type = FieldDescriptorProto.TYPE_ENUM if enum else FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = self._full(kind)

    def _full(self, kind: str) -> str:
        return f".{kind}" if "." in kind else self._nested.get(kind, f".{self._package}.{kind}")

    def _map(self, owner: DescriptorProto) -> None:
        """`map<key, value> name = number;` is a list of entries (proto3 language guide, "Maps")."""
        _, key, _, value, _, name, _, number, _ = self._next(9)
        camel = _camel(name)
        entry = owner.nested_type.add(name=f"{camel[0].upper()}{camel[1:]}Entry")
        entry.options.map_entry = True
        for at, (inner, kind) in enumerate((("key", key), ("value", value)), 1):
            part = entry.field.add(name=inner, number=at, json_name=inner)
            part.label = FieldDescriptorProto.LABEL_OPTIONAL
            self._type(part, kind)
        field = owner.field.add(name=name, number=int(number), json_name=camel)
        field.label, field.type = FieldDescriptorProto.LABEL_REPEATED, FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f"{self._full(owner.name)}.{entry.name}"

    @staticmethod
    def _number_optionals(one: DescriptorProto) -> None:
        """Each `optional` field is alone in a oneof that stands behind the real ones (descriptor.proto)."""
        for field in one.field:
            if field.proto3_optional:
                one.oneof_decl.add(name=f"_{field.name}")
                field.oneof_index = len(one.oneof_decl) - 1

    def _enum(self) -> EnumDescriptorProto:
        one = EnumDescriptorProto(name=self._next(2)[0])
        for name in self._block():
            one.value.add(name=name, number=int(self._next(3)[1]))
        return one

    def _service(self) -> ServiceDescriptorProto:
        one = ServiceDescriptorProto(name=self._next(2)[0])
        for _ in self._block():
            method = one.method.add(name=self._next(2)[0])
            method.input_type, streamed = self._party()
            if streamed:
                method.client_streaming = True
            self._next(2)
            method.output_type, streamed = self._party()
            if streamed:
                method.server_streaming = True
            self._next()
        return one

    def _party(self) -> tuple[str, bool]:
        """`[stream] type )`: the type in full, and whether it is streamed."""
        word, after = self._next(2)
        if word != "stream":
            return self._full(word), False
        self._next()
        return self._full(after), True


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
