"""A request with every field, to be filled in: JSON text made of the descriptor of a message. No I/O."""

from __future__ import annotations

import math
from base64 import b64encode
from typing import Any, Final

import msgspec
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from rtui.protobuf.descriptor import NULL, map_entry

DEEPEST: Final = 5
"""Levels of messages inside each other; what is deeper stands as {}."""
MOST: Final = 500
"""Fields of one template; what is behind them is left out."""
VALUES: Final = 20
"""Names of an enum that are told."""
_WELL_KNOWN: Final[dict[str, Any]] = {
    "google.protobuf.Any": {"@type": "type.googleapis.com/google.protobuf.Empty"},
    "google.protobuf.Duration": "0s",
    "google.protobuf.FieldMask": "",
    "google.protobuf.ListValue": [],
    "google.protobuf.Struct": {},
    "google.protobuf.Timestamp": "1970-01-01T00:00:00Z",
    "google.protobuf.Value": None,
}
"""Types with a JSON form of their own (protobuf.dev, "ProtoJSON Format"); wrappers look like what they hold."""
_LONG: Final = frozenset({FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64})
_REALS: Final = frozenset({FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT})
_ZEROS: Final[dict[int, Any]] = {FieldDescriptor.CPPTYPE_BOOL: False, FieldDescriptor.CPPTYPE_STRING: ""}
"""Of an item in a list, whose field has an empty list as its default; all other kinds are 0."""


def template(message: Descriptor) -> str:
    """JSON text that can be sent as it is: zeros or declared defaults, one item in each list and map.

    Of a oneof only the first member is there; what a message holds of its own type stands as {}.
    """
    return msgspec.json.encode(_Template().message(message, ())).decode()


def choices(message: Descriptor) -> list[str]:
    """What the template cannot show: the members of each oneof and the names of each enum, a line each."""
    lines = [
        f"one of {', '.join(field.json_name for field in oneof.fields)}"
        for oneof in message.oneofs
        if len(oneof.fields) > 1
    ]
    for field in message.fields:
        entry = map_entry(field)
        enum = (entry[1] if entry else field).enum_type
        if enum is not None and enum.full_name != NULL:
            lines.append(f"{field.json_name} is one of {_names(enum)}")
    return lines


def _names(enum: EnumDescriptor) -> str:
    more = ", …" if len(enum.values) > VALUES else ""
    return ", ".join(value.name for value in enum.values[:VALUES]) + more


class _Template:
    """One template in the making."""

    def __init__(self) -> None:
        self._left = MOST

    def message(self, message: Descriptor, above: tuple[str, ...]) -> Any:
        """`above` are the full names of the messages around it."""
        name = message.full_name
        if name in _WELL_KNOWN:
            return _WELL_KNOWN[name]
        if _is_wrapper(message):
            return self._single(message.fields[0], above)
        if name in above or len(above) == DEEPEST:
            return {}
        shown: dict[str, Any] = {}
        for field in message.fields:
            if not _is_alternative(field) and self._left > 0:
                self._left -= 1
                shown[field.json_name] = self._field(field, (*above, name))
        return shown

    def _field(self, field: FieldDescriptor, above: tuple[str, ...]) -> Any:
        if not field.is_repeated:
            return self._single(field, above)
        entry = map_entry(field)
        value = entry[1] if entry else field
        is_again = value.message_type is not None and value.message_type.full_name in above
        if entry is None:
            return [] if is_again else [self._single(value, above)]
        return {} if is_again else {_key(entry[0]): self._single(value, above)}

    def _single(self, field: FieldDescriptor, above: tuple[str, ...]) -> Any:
        if field.message_type is not None:
            return self.message(field.message_type, above)
        return _scalar(field) if field.enum_type is None else _enum(field.enum_type, field)


def _is_wrapper(message: Descriptor) -> bool:
    return message.file.name == "google/protobuf/wrappers.proto"


def _is_alternative(field: FieldDescriptor) -> bool:
    """Whether another member of its oneof stands in the template."""
    return field.containing_oneof is not None and field.containing_oneof.fields[0].number != field.number


def _key(field: FieldDescriptor) -> str:
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return "false"
    return "key" if field.cpp_type == FieldDescriptor.CPPTYPE_STRING else "0"


def _enum(enum: EnumDescriptor, field: FieldDescriptor) -> str | None:
    if enum.full_name == NULL:
        return None
    value = enum.values[0] if field.is_repeated else enum.values_by_number[field.default_value]
    return value.name


def _scalar(field: FieldDescriptor) -> Any:
    value = _ZEROS.get(field.cpp_type, 0) if field.is_repeated else field.default_value
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b64encode(value or b"").decode()
    if field.cpp_type in _LONG:
        return str(value)
    if field.cpp_type in _REALS and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
