"""A file's descriptor made right before anything is built from it. No I/O.

What Node's `@grpc/reflection` serves is not what protoc made: protobufjs writes it anew from its own tree
(`protobufjs/ext/descriptor`), merges all files of a package into one, `acme_shop.proto`, and loses on the way:

    dependencies                  none at all; what counts is which types are named (see protobuf.pool)
    `.acme.shop.Order`            `Order`: names relative to the message; resolved by protobuf.pool
    `order_id`                    `orderId`, without a JSON name
    `LinesEntry` of a map         `Lines`, though a message beside it may be called that
    proto3 `optional`             a oneof `_giftNote` with one member
    proto2                        called proto3, where groups, defaults and enums without a 0 are illegal
    an extension                  told twice: where it belongs, and as a field called `.acme.legacy.extText`
    `extensions 100 to 199`       up to 198

Its `google.protobuf` is damaged likewise, so protobuf.pool takes that package from the library and never from a server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

_HUMP: Final = re.compile(r"(?<!^)[A-Z](?=[a-z]|$)")
_GROUP: Final = FieldDescriptorProto.TYPE_GROUP
_REPEATED: Final = FieldDescriptorProto.LABEL_REPEATED


def mend(file: FileDescriptorProto) -> None:
    """Undo in place what protobufjs did to `file`; a file that protoc made means the same afterwards."""
    if not _is_from_protobufjs(file):
        return
    messages = list(_messages(file.message_type))
    for message in messages:
        _drop_extensions(message)
        _name_map_entries(message)
        _mark_optional(message)
        _name_fields(message)
    if any(map(_is_proto2, messages)) or any(map(_is_closed, _enums(file, messages))):
        _turn_proto2(file, messages)


def _is_from_protobufjs(file: FileDescriptorProto) -> bool:
    """Its file is called like the package, names no dependency and is proto3 whatever the source was."""
    name = f"{file.package.replace('.', '_') or 'root'}.proto"
    return file.name == name and not file.dependency and file.syntax == "proto3"


def _messages(found: Iterable[DescriptorProto]) -> Iterator[DescriptorProto]:
    """All messages below `found`, without recursion: how deep they nest is up to the server."""
    waiting = list(found)
    while waiting:
        message = waiting.pop()
        yield message
        waiting += message.nested_type


def _enums(file: FileDescriptorProto, messages: Iterable[DescriptorProto]) -> Iterator[EnumDescriptorProto]:
    yield from file.enum_type
    for message in messages:
        yield from message.enum_type


def _drop_extensions(message: DescriptorProto) -> None:
    """The fields that only repeat an extension; the ranges reach one further than they say."""
    for place in reversed(range(len(message.field))):
        if message.field[place].name.startswith("."):
            del message.field[place]
    for extensions in message.extension_range:
        extensions.end += 1


def _name_map_entries(message: DescriptorProto) -> None:
    entries = {entry.name: entry for entry in message.nested_type if entry.options.map_entry}
    for field in message.field:
        entry = entries.get(field.type_name)
        if entry is not None and field.label == _REPEATED and field.name[:1].upper() + field.name[1:] == entry.name:
            entry.name = field.type_name = f"{entry.name}Entry"


def _mark_optional(message: DescriptorProto) -> None:
    """A field alone in a oneof called after it was `optional`; such oneofs stand behind all others."""
    inside: dict[int, list[FieldDescriptorProto]] = {place: [] for place in range(len(message.oneof_decl))}
    for field in message.field:
        if field.HasField("oneof_index"):
            inside.setdefault(field.oneof_index, []).append(field)
    for place, oneof in enumerate(message.oneof_decl):
        if len(inside[place]) == 1 and oneof.name == f"_{inside[place][0].name}":
            inside[place][0].proto3_optional = True
    order = sorted(range(len(message.oneof_decl)), key=lambda place: any(one.proto3_optional for one in inside[place]))
    names = [message.oneof_decl[place].name for place in order]
    for now, before in enumerate(order):
        message.oneof_decl[now].name = names[now]
        for field in inside[before]:
            field.oneof_index = now


def _name_fields(message: DescriptorProto) -> None:
    """`order_id` for `orderId`: the JSON name that is made of it stays, and both are taken in a request."""
    names = [_name(field) for field in message.field]
    if len(set(names)) == len(names):
        for field, name in zip(message.field, names, strict=True):
            field.name = name


def _name(field: FieldDescriptorProto) -> str:
    if field.type == _GROUP:  # called like its message, in small letters
        return field.type_name.rpartition(".")[2].lower()
    return _HUMP.sub(lambda hump: f"_{hump[0].lower()}", field.name)


def _is_proto2(message: DescriptorProto) -> bool:
    return bool(message.extension_range) or any(
        field.type == _GROUP or field.HasField("default_value") for field in message.field
    )


def _is_closed(enum: EnumDescriptorProto) -> bool:
    """proto3 has no enum whose first value is not 0."""
    return bool(enum.value) and enum.value[0].number != 0


def _turn_proto2(file: FileDescriptorProto, messages: Iterable[DescriptorProto]) -> None:
    """For all of a package, because its files are one: what was proto3 there is the same on the wire."""
    file.syntax = "proto2"
    for message in messages:
        for field in message.field:
            field.ClearField("proto3_optional")
            if field.type == FieldDescriptorProto.TYPE_BYTES:  # its escapes are lost
                field.ClearField("default_value")
