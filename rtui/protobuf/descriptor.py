"""What descriptors say that JSON depends on. Needs protobuf."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

NULL: Final = "google.protobuf.NullValue"
_TEXTUAL: Final = (any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)


@cache
def _published() -> dict[str, Any]:
    """The shapes of the types with a JSON form of their own."""
    files = [module.DESCRIPTOR for module in _TEXTUAL]
    types = [kind for file in files for kind in file.message_types_by_name.values()]
    return {kind.full_name: _shape(kind) for kind in types}


def _shape(descriptor: Descriptor) -> Any:
    fields = [(one.name, one.number, one.type, one.is_repeated, _type_name(one)) for one in descriptor.fields]
    return descriptor.GetOptions().map_entry, fields, [_shape(nested) for nested in descriptor.nested_types]


def _type_name(field: FieldDescriptor) -> str:
    inside = field.message_type or field.enum_type
    return inside.full_name if inside is not None else ""


def known_name(descriptor: Descriptor) -> str:
    """The full name of a type with a form of its own; empty for any other, and for one that only bears such a name."""
    name = descriptor.full_name
    return name if name in _published() and _shape(descriptor) == _published()[name] else ""


def stands_for_its_field(name: str) -> bool:
    """Whether a known type is shown as the value of its only field: the wrappers, Struct, ListValue."""
    short = name.removeprefix("google.protobuf.")
    return short in {"Struct", "ListValue"} or short in wrappers_pb2.DESCRIPTOR.message_types_by_name


def map_entry(field: FieldDescriptor) -> tuple[FieldDescriptor, FieldDescriptor] | None:
    """Key and value of a map; None if the field is none."""
    entry = field.message_type
    if entry is None or not entry.GetOptions().map_entry:
        return None
    return entry.fields_by_name["key"], entry.fields_by_name["value"]


def json_name(field: FieldDescriptor) -> str:
    """The field's name in JSON; an extension's is its full name in brackets."""
    return f"[{field.full_name}]" if field.is_extension else field.json_name
