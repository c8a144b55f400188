"""A protobuf message as JSON values: one function per type, made when the type is first met.

What comes out is what msgspec encodes. What JSON cannot carry is still shown, and `Rendering.inexact` is set, so
that the caller adds the bytes themselves: unknown fields, text that is not UTF-8, a `Value` that is NaN, infinite or
unset.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.unknown_fields import UnknownFieldSet

from rtui.protobuf import any_value, well_known
from rtui.protobuf.descriptor import NULL, json_name, known_name, map_entry, stands_for_its_field
from rtui.protobuf.message import UNREADABLE, message_class
from rtui.protobuf.scalar import SIZED, tag

Show: TypeAlias = Callable[[Any], Any]
"""From a value as protobuf holds it to one that msgspec writes as JSON."""
Slot: TypeAlias = tuple[str, Show | None]
"""A field's name in JSON, and how its value is shown; None: as it is."""

_float: Final = struct.Struct("<f")


class _Slots(dict[FieldDescriptor, Slot]):
    """The fields of one type, extensions too, made as they come."""

    def __init__(self, made: Callable[[FieldDescriptor], Slot]) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, field: FieldDescriptor) -> Slot:
        slot = self[field] = self._made(field)
        return slot


class _Names(dict[int, str | None]):
    """The names of an enum; a number without one stands for itself."""

    def __missing__(self, number: int) -> int:
        return number


class Rendering:
    """The functions for a message type and all that it holds."""

    def __init__(self, descriptor: Descriptor, *, emit_defaults: bool = False, numbers: bool = False) -> None:
        self.inexact = False
        """Whether something was met that JSON cannot carry; set back by the caller."""
        self._emit_defaults = emit_defaults
        self._scalars = {kind: show for kind, show in _SCALARS.items() if show is not str} if numbers else _SCALARS
        self._shows: dict[str, Show] = {}
        self._opened = 0
        """How many Any stand around the present value."""
        self.show: Final = self._message(descriptor)

    def _message(self, descriptor: Descriptor) -> Show:
        name = descriptor.full_name
        if name not in self._shows:
            form = self._own_form(descriptor)
            self._shows[name] = self._plain(descriptor) if form is None else self._watched(form)
        return self._shows[name]

    def _plain(self, descriptor: Descriptor) -> Show:
        slots = _Slots(self._slot)

        def show(message: Any) -> dict[str, Any]:
            if UnknownFieldSet(message):
                self.inexact = True
            shown = {}
            for field, value in message.ListFields():
                name, convert = slots[field]
                shown[name] = value if convert is None else convert(value)
            return shown

        return self._with_defaults(descriptor, show) if self._emit_defaults else show

    def _with_defaults(self, descriptor: Descriptor, show: Show) -> Show:
        absent: list[tuple[str, Any]] = []
        without = [field for field in descriptor.fields if not field.has_presence]

        def show_all(message: Any) -> dict[str, Any]:
            if len(absent) < len(without):  # not before the first message: the types may hold each other
                absent[:] = [(field.json_name, self._default(field)) for field in without]
            shown: dict[str, Any] = show(message)
            for name, default in absent:
                shown.setdefault(name, default)
            return shown

        return show_all

    def _default(self, field: FieldDescriptor) -> Any:
        if field.is_repeated:
            return {} if map_entry(field) else []
        convert = self._single(field)
        return convert(field.default_value) if convert else field.default_value

    def _watched(self, form: Show) -> Show:
        def show(message: Any) -> Any:
            if UnknownFieldSet(message):
                self.inexact = True
            return form(message)

        return show

    def _slot(self, field: FieldDescriptor) -> Slot:
        entry = map_entry(field)
        return json_name(field), self._map(*entry) if entry else self._field(field)

    def _field(self, field: FieldDescriptor) -> Show | None:
        convert = None if _is_checked(field) else self._single(field)
        if not field.is_repeated:
            return convert
        return list if convert is None else lambda values: [convert(value) for value in values]

    def _map(self, keys: FieldDescriptor, values: FieldDescriptor) -> Show:
        key_text, convert = self._key(keys), self._single(values) or _as_it_is
        return lambda entries: {key_text(key): convert(value) for key, value in entries.items()}

    def _key(self, field: FieldDescriptor) -> Show:
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._text
        return _BOOL_KEYS.__getitem__ if field.type == FieldDescriptor.TYPE_BOOL else str

    def _single(self, field: FieldDescriptor) -> Show | None:
        if field.message_type is not None:
            return self._message(field.message_type)
        if field.enum_type is not None:
            return _names(field.enum_type).__getitem__
        return self._text if field.type == FieldDescriptor.TYPE_STRING else self._scalars.get(field.type)

    def _text(self, value: str | bytes) -> str:
        """Proto2 does not insist on UTF-8; protobuf then hands out the bytes."""
        if value.__class__ is str:
            return value
        self.inexact = True
        return bytes(value).decode(errors="replace")  # type: ignore[arg-type]

    # -- types with a form of their own

    def _own_form(self, descriptor: Descriptor) -> Show | None:
        name = known_name(descriptor)
        if stands_for_its_field(name):
            return self._only_field(descriptor.fields[0])
        own: dict[str, Show] = {
            "google.protobuf.Any": self._any,
            "google.protobuf.Duration": _duration,
            "google.protobuf.FieldMask": self._mask,
            "google.protobuf.Timestamp": _timestamp,
            "google.protobuf.Value": self._value,
        }
        return own.get(name)

    def _only_field(self, field: FieldDescriptor) -> Show:
        name, (_, convert) = field.name, self._slot(field)
        return lambda message: convert(getattr(message, name)) if convert else getattr(message, name)

    def _any(self, message: Any) -> dict[str, Any]:
        url = self._text(message.type_url)
        if not url and not message.value:
            return {}
        within = any_value.inside(message) if self._opened < any_value.MOST else None
        if within is None:
            return {"@type": url, "@value": _base64(message.value)}
        self._opened += 1
        try:
            shown = self._message(within.DESCRIPTOR)(within)
        finally:
            self._opened -= 1
        return {"@type": url, "value": shown} if known_name(within.DESCRIPTOR) else {"@type": url, **shown}

    def _mask(self, message: Any) -> Any:
        paths = [self._text(path) for path in message.paths]
        text = well_known.mask_text(paths)
        return {"paths": paths} if text is None else text

    def _value(self, message: Any) -> Any:
        kind = message.WhichOneof("kind")
        if kind is None or kind == "null_value":
            self.inexact |= kind is None or message.null_value != 0
            return None
        _, convert = self._slot(message.DESCRIPTOR.fields_by_name[kind])
        value = getattr(message, kind)
        shown = convert(value) if convert else value
        self.inexact |= kind == "number_value" and shown.__class__ is str
        return shown


def _is_checked(field: FieldDescriptor) -> bool:
    """Whether protobuf itself refuses what is not UTF-8 in the field, as proto3 asks it to: it is tried."""
    if field.type != FieldDescriptor.TYPE_STRING or field.containing_type is None:
        return False
    try:
        message_class(field.containing_type).FromString(tag(field.number, SIZED) + b"\1\xff")
    except UNREADABLE:
        return True
    return False


def _as_it_is(value: Any) -> Any:
    return value


def _names(enum: EnumDescriptor) -> _Names:
    if enum.full_name == NULL:
        return _Names({0: None})
    return _Names({value.number: value.name for value in reversed(enum.values)})  # of two names the first


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _double(value: float) -> Any:
    """As Python writes it. msgspec does the same for most, but has no plus in an exponent, and none below 1e-4."""
    if 1e-4 <= value < 1e16 or -1e16 < value <= -1e-4 or value == 0:  # noqa: PLR2004
        return value
    if value != value:  # noqa: PLR0124 - not a number
        return "NaN"
    if value in {_INFINITE, -_INFINITE}:
        return "Infinity" if value > 0 else "-Infinity"
    return msgspec.Raw(repr(value).encode())


def _single_precision(value: float) -> Any:
    """With as few digits as give the same 32 bits."""
    if value - value != 0:  # NaN and the infinities
        return _double(value)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        try:
            if _float.unpack(_float.pack(short))[0] == value:
                return _double(short)
        except OverflowError:  # rounded up beyond the largest
            continue
    return _double(float(f"{value:.9g}"))


def _timestamp(message: Any) -> Any:
    return well_known.timestamp_text(message.seconds, message.nanos) or _parts(message)


def _duration(message: Any) -> Any:
    return well_known.duration_text(message.seconds, message.nanos) or _parts(message)


def _parts(message: Any) -> dict[str, Any]:
    return {"seconds": str(message.seconds), "nanos": message.nanos}


_INFINITE: Final = float("inf")
_BOOL_KEYS: Final = {True: "true", False: "false"}
_SCALARS: Final[dict[int, Show]] = {
    FieldDescriptor.TYPE_DOUBLE: _double,
    FieldDescriptor.TYPE_FLOAT: _single_precision,
    FieldDescriptor.TYPE_INT64: str,
    FieldDescriptor.TYPE_UINT64: str,
    FieldDescriptor.TYPE_SINT64: str,
    FieldDescriptor.TYPE_FIXED64: str,
    FieldDescriptor.TYPE_SFIXED64: str,
    FieldDescriptor.TYPE_BYTES: _base64,
}
