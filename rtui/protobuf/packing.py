"""A protobuf message from JSON: one function per type, made when the type is first met.

The bytes are written here and not by protobuf, for a message that is set field by field costs more and cannot say
which place of the JSON it refuses. Fields stand in the order of the JSON; what is at its default and has no presence
is left out, as protobuf does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from rtui.protobuf import any_value, well_known
from rtui.protobuf.descriptor import NULL, json_name, known_name, map_entry, stands_for_its_field
from rtui.protobuf.message import UNREADABLE, message_class
from rtui.protobuf.scalar import (
    CLOSED,
    SIZED,
    Pack,
    key,
    scalar,
    signed,
    sized,
    tag,
    wire_type,
)
from rtui.protobuf.text import parsed
from rtui.protobuf.unfit import Unfit, nearest, shown, wrong

_SHALLOW: Final = 200
"""Bytes that cannot pass protobuf's limit of 100 levels: each has a tag and a length."""
_FEW: Final = 30
"""Brackets in a JSON text that cannot: one makes three levels, in a Struct."""
_VALUE: Final = "google.protobuf.Value"


class Slot(NamedTuple):
    """One field."""

    write: Pack
    """Tag and value; nothing for a default that need not be written."""
    group: str
    """What may be given once: the oneof, or the field itself under either of its names."""
    nullable: bool
    """Whether null is a value; elsewhere it stands for an absent field."""


class Packing:
    """The functions for a message type and all that it holds."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._pool = descriptor.file.pool
        self._packs: dict[str, Pack] = {}
        self._pack = self._message(descriptor)

    def message(self, text: bytes) -> bytes:
        """The message that `text` means; blank text is an empty one.

        Raises:
            Unfit: it is not JSON, or does not fit the type.
        """
        try:
            data = self._pack(parsed(text)) if text.strip() else b""
        except RecursionError:
            raise Unfit("nested too deeply") from None
        if len(data) > _SHALLOW:
            self._check_depth(text, data)
        return data

    def _check_depth(self, text: bytes, data: bytes) -> None:
        if text.count(b"{") + text.count(b"[") <= _FEW:
            return
        try:
            message_class(self._descriptor).FromString(data)
        except UNREADABLE:
            raise Unfit("nested more deeply than the 100 levels that protobuf reads") from None

    def _message(self, descriptor: Descriptor) -> Pack:
        """From JSON to the fields of a message, without its length."""
        name = descriptor.full_name
        if name not in self._packs:
            self._packs[name] = self._own_form(descriptor) or self._plain(descriptor)
        return self._packs[name]

    def _plain(self, descriptor: Descriptor) -> Pack:
        slots = _Slots(descriptor, self._slot)
        required = {_group(field): field for field in descriptor.fields if field.is_required}

        def pack(value: Any) -> bytes:
            if value.__class__ is not dict:
                raise wrong(value, f"an object ({descriptor.name})")
            parts, given = [], set()
            name = ""
            try:
                for name, part in value.items():
                    write, group, nullable = slots[name]
                    if part is None and not nullable:
                        continue
                    if group in given:
                        raise Unfit(f"only {group} may be given")  # noqa: TRY301 - its place is added below
                    given.add(group)
                    parts.append(write(part))
            except Unfit as error:
                raise error.under(name) from None
            if required and not required.keys() <= given:
                raise Unfit(f"{descriptor.name} lacks {_listed(required, given)}")
            return b"".join(parts)

        return pack

    def _slot(self, field: FieldDescriptor) -> Slot:
        entry = map_entry(field)
        if entry:
            write = self._map(field.number, *entry)
        else:
            write = self._repeated(field) if field.is_repeated else self._optional(field)
        return Slot(write, _group(field), not field.is_repeated and _takes_null(field))

    def _optional(self, field: FieldDescriptor) -> Pack:
        write = self._single(field)
        if field.has_presence:
            return write
        default, start, pack = _default(field), tag(field.number, wire_type(field)), scalar(field)

        def write_other(value: Any) -> bytes:
            data = pack(value)
            return b"" if data == default else start + data

        return write_other

    def _single(self, field: FieldDescriptor) -> Pack:
        """Tag and one value."""
        start = tag(field.number, wire_type(field))
        if field.message_type is None:
            pack = scalar(field)
            return lambda value: start + pack(value)
        pack = self._message(field.message_type)
        if field.type == FieldDescriptor.TYPE_GROUP:
            end = tag(field.number, CLOSED)
            return lambda value: start + pack(value) + end
        return lambda value: start + sized(pack(value))

    def _repeated(self, field: FieldDescriptor) -> Pack:
        packed = field.is_packed
        pack = scalar(field) if packed else self._single(field)
        start = tag(field.number, SIZED)

        def write(values: Any) -> bytes:
            if values.__class__ is not list:
                raise wrong(values, "an array")
            parts: list[bytes] = []
            try:
                parts.extend(map(pack, values))  # keeps what came before an error
            except Unfit as error:
                raise error.under(len(parts)) from None
            data = b"".join(parts)
            return start + sized(data) if packed and data else data

        return write

    def _map(self, number: int, keys: FieldDescriptor, values: FieldDescriptor) -> Pack:
        start = tag(number, SIZED)
        key_start, pack_key, pack_value = tag(1, wire_type(keys)), key(keys), self._single(values)

        def write(entries: Any) -> bytes:
            if entries.__class__ is not dict:
                raise wrong(entries, "an object")
            parts = []
            name = ""
            try:
                for name, value in entries.items():
                    parts.append(start + sized(key_start + pack_key(name) + pack_value(value)))
            except Unfit as error:
                raise error.under(name) from None
            return b"".join(parts)

        return write

    # -- types with a form of their own

    def _own_form(self, descriptor: Descriptor) -> Pack | None:
        name = known_name(descriptor)
        if stands_for_its_field(name):
            return self._slot(descriptor.fields[0]).write
        if name == _VALUE:
            return self._value(descriptor)
        if name == "google.protobuf.Any":
            return self._any(descriptor)
        read = _TEXTS.get(name)
        return _from_text(self._plain(descriptor), *read) if read else None

    def _value(self, descriptor: Descriptor) -> Pack:
        slots = _Slots(descriptor, self._slot)
        return lambda value: slots[_KINDS[value.__class__]].write(value)

    def _any(self, descriptor: Descriptor) -> Pack:
        plain = self._plain(descriptor)
        start = tag(2, SIZED)

        def pack(value: Any) -> bytes:
            if value.__class__ is not dict:
                raise wrong(value, 'an object with "@type"')
            if not value:
                return b""
            url, rest = _typed(value)
            if "@value" in rest:
                return plain({"typeUrl": url, "value": _only(rest, "@value")})
            data = self._inside(url, rest)
            return plain({"typeUrl": url}) + (start + sized(data) if data else b"")

        return pack

    def _inside(self, url: str, rest: dict[str, Any]) -> bytes:
        descriptor = any_value.named(url, self._pool)
        if descriptor is None:
            why = Unfit(f"the schema has no type {shown(url)}", 'give its bytes in base64 as "@value"')
            raise why.under("@type")
        pack = self._message(descriptor)
        if not known_name(descriptor):
            return pack(rest)
        try:
            return pack(_only(rest, "value"))
        except Unfit as error:
            raise error.under("value") from None


class _Slots(dict[str, Slot]):
    """The fields of one type, extensions too, by each name that JSON may use; made as they come."""

    def __init__(self, descriptor: Descriptor, made: Callable[[FieldDescriptor], Slot]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._made = made

    def __missing__(self, name: str) -> Slot:
        slot = self[name] = self._made(self._found(name))
        return slot

    def _found(self, name: str) -> FieldDescriptor:
        for field in self._descriptor.fields:
            if name in {field.json_name, field.name}:
                return field
        if name.startswith("[") and name.endswith("]"):
            return self._extension(name[1:-1])
        names = [field.json_name for field in self._descriptor.fields]
        raise Unfit(f"{self._descriptor.name} has no such field", nearest(name, names))

    def _extension(self, name: str) -> FieldDescriptor:
        pool = self._descriptor.file.pool
        try:
            field = pool.FindExtensionByName(name)
        except KeyError:
            known = [found.full_name for found in pool.FindAllExtensions(self._descriptor)]
            raise Unfit("the schema has no such extension", nearest(name, known)) from None
        if field.containing_type is not self._descriptor:
            raise Unfit(f"it extends another type than {self._descriptor.full_name}")
        return field


def _group(field: FieldDescriptor) -> str:
    oneof = field.containing_oneof
    if oneof is None or len(oneof.fields) == 1:
        return f"one {json_name(field)}"
    return f"one of {', '.join(other.json_name for other in oneof.fields)}"


def _listed(required: dict[str, FieldDescriptor], given: set[str]) -> str:
    return ", ".join(field.json_name for group, field in required.items() if group not in given)


def _takes_null(field: FieldDescriptor) -> bool:
    if field.message_type is not None:
        return known_name(field.message_type) == _VALUE
    return field.enum_type is not None and field.enum_type.full_name == NULL


def _default(field: FieldDescriptor) -> bytes:
    """Zero, or nothing with its length."""
    return b"\0" if wire_type(field) == SIZED or field.type == FieldDescriptor.TYPE_BOOL else scalar(field)(0)


def _typed(value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    url = value.get("@type")
    if not isinstance(url, str):
        raise Unfit('an Any names its type as "@type"', 'such as "type.googleapis.com/package.Message"')
    return url, {name: part for name, part in value.items() if name != "@type"}


def _only(rest: dict[str, Any], name: str) -> Any:
    """The one member besides `@type`."""
    for other in rest.keys() - {name}:
        raise Unfit(f'beside "@type" only "{name}" belongs here').under(other)
    if name not in rest:
        raise Unfit(f'beside "@type" a "{name}" belongs here')
    return rest[name]


def _from_text(plain: Pack, read: Callable[[str], bytes], allowed: str) -> Pack:
    """A type that is a text in JSON; the plain object serves for what the text cannot say."""

    def pack(value: Any) -> bytes:
        if value.__class__ is dict:
            return plain(value)
        if value.__class__ is not str:
            raise wrong(value, allowed)
        try:
            return read(value)
        except ValueError:
            raise wrong(value, allowed) from None

    return pack


def _moment(read: Callable[[str], tuple[int, int]]) -> Callable[[str], bytes]:
    def fields(text: str) -> bytes:
        seconds, nanos = read(text)
        return (b"\x08" + signed(seconds) if seconds else b"") + (b"\x10" + signed(nanos) if nanos else b"")

    return fields


def _paths(text: str) -> bytes:
    return b"".join(b"\x0a" + sized(path.encode()) for path in well_known.mask(text))


_KINDS: Final[dict[type, str]] = {
    bool: "boolValue",
    dict: "structValue",
    float: "numberValue",
    int: "numberValue",
    list: "listValue",
    str: "stringValue",
    type(None): "nullValue",
}
_TEXTS: Final[dict[str, tuple[Callable[[str], bytes], str]]] = {
    "google.protobuf.Duration": (_moment(well_known.duration), 'a duration in seconds, such as "1.5s",'),
    "google.protobuf.FieldMask": (_paths, 'paths such as "user.name,tags"'),
    "google.protobuf.Timestamp": (_moment(well_known.timestamp), 'a time such as "2026-11-21T08:55:36.5Z"'),
}
