"""The fields of a message that its schema does not know: a slow, complete walk for the few that have some."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.unknown_fields import UnknownFieldSet

from rtui.core.json_path import Steps, write
from rtui.protobuf import any_value
from rtui.protobuf.descriptor import json_name, known_name, map_entry

MOST: Final = 100
"""A hostile message may hold millions."""
_GROUP: Final = 3


def unknown_fields(message: Any) -> dict[str, Any]:
    """Number → value; below the top, path and number (`.items[0].7`). A field that came repeatedly has a list.

    Numbers are as they stand on the wire, without sign; texts as texts, other bytes as `{"base64": …}`.
    At most `MOST` are told.
    """
    found = (
        (f"{write(steps)}.{number}" if steps else number, value)
        for steps, strange in _walk(message, (), 0)
        for number, value in _named(strange).items()
    )
    told = dict(islice(found, MOST))
    return {**told, "…": "more are in raw"} if next(found, None) else told


def _walk(message: Any, steps: Steps, opened: int) -> Iterator[tuple[Steps, UnknownFieldSet]]:
    strange = UnknownFieldSet(message)
    if strange:
        yield steps, strange
    for step, part, depth in _parts(message, opened):
        yield from _walk(part, (*steps, *step), depth)


def _parts(message: Any, opened: int) -> Iterator[tuple[Steps, Any, int]]:
    """The messages in a message, each with its place in the JSON and how many Any stand around it."""
    known = known_name(message.DESCRIPTOR)
    if known == "google.protobuf.Any":
        within = any_value.inside(message) if opened < any_value.MOST else None
        if within is not None:
            yield (("value",) if known_name(within.DESCRIPTOR) else ()), within, opened + 1
    for field, value in message.ListFields():
        name = () if known else (json_name(field),)
        for step, part in _messages(field, value):
            yield (*name, *step), part, opened


def _messages(field: FieldDescriptor, value: Any) -> Iterable[tuple[Steps, Any]]:
    if field.message_type is None:
        return ()
    entry = map_entry(field)
    if entry:
        plain = entry[1].message_type is None
        return () if plain else [((_key(key),), part) for key, part in value.items()]
    if field.is_repeated:
        return [((index,), part) for index, part in enumerate(value)]
    return [((), value)]


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _named(strange: UnknownFieldSet) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for field in map(strange.__getitem__, range(min(len(strange), MOST))):
        value = _named(field.data) if field.wire_type == _GROUP else _plain(field.data)
        found.setdefault(str(field.field_number), []).append(value)
    return {number: values[0] if len(values) == 1 else values for number, values in found.items()}


def _plain(data: int | bytes) -> Any:
    if isinstance(data, int):
        return data
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    return text if text.isprintable() and text else {"base64": b64encode(data).decode("ascii")}
