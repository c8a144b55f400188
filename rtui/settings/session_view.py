"""The message types that a session's view names: whether its descriptor set is one, and has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from rtui.settings.option import nearest, schema
from rtui.settings.session_model import ProtobufTypes, View
from rtui.settings.toml_lines import KeyPath

TOLD: Final = 12
"""Types that are named where one is wrong; of more, only the nearest."""


def wrong_types(types: ProtobufTypes, base: Path) -> Iterator[tuple[KeyPath, str, tuple[str, ...]]]:
    """Each thing that is wrong: the key in the table, what is wrong, and what would be right."""
    from rtui.protobuf.descriptor_set import Unusable, message_names, read

    try:
        names = message_names(read(base / types.descriptor))
    except Unusable as error:
        yield ("descriptor",), f"{types.descriptor} {error}", ()
        return
    named: list[tuple[KeyPath, str]] = [(("message",), types.message)] if types.message else []
    named += [(("channels", channel), name) for channel, name in types.channels.items() if name]
    for key, name in named:
        if name not in names:
            yield key, *_unknown(types, name, names)


def wrong_payloads(
    payloads: Iterable[tuple[KeyPath, str, str]], types: ProtobufTypes | None, base: Path
) -> Iterator[tuple[KeyPath, str, tuple[str, ...]]]:
    """What is wrong with the types of messages and steps: of each its key, its format and its type."""
    names: list[str] | None = None
    for key, layout, name in payloads:
        if name and layout != "protobuf":
            yield (*key, "type"), 'goes with format = "protobuf"', ()
        elif layout == "protobuf" and types is None:
            yield (*key, "format"), "needs the message types of [view.protobuf]", ()
        elif name and types is not None:
            names = _names(types, base) if names is None else names
            if names and name not in names:
                yield (*key, "type"), *_unknown(types, name, names)


def _names(types: ProtobufTypes, base: Path) -> list[str]:
    """Of the messages in the descriptor set; none if it cannot be read, which is told elsewhere."""
    from rtui.protobuf.descriptor_set import Unusable, message_names, read

    try:
        return message_names(read(base / types.descriptor))
    except Unusable:
        return []


def _unknown(types: ProtobufTypes, name: str, names: list[str]) -> tuple[str, tuple[str, ...]]:
    """What is wrong with a name that is none of `names`, and what would be right."""
    near = nearest(name, names)
    guess = f"; did you mean {near!r}?" if near else ""
    return f"{types.descriptor} has no message {name!r}{guess}", tuple(names) if len(names) <= TOLD else ()


def with_type(
    types: ProtobufTypes | None, descriptor: str, channel: str, message: str, known: Collection[str]
) -> ProtobufTypes:
    """`types` with the type of one channel ("": none is known of it).

    Of those of another descriptor set stays what is among the `known` names of this one.
    """
    types = types or ProtobufTypes(descriptor=descriptor)
    if types.descriptor != descriptor:
        kept = {name: one for name, one in types.channels.items() if not one or one in known}
        usual = types.message if types.message in known else ""
        types = ProtobufTypes(descriptor=descriptor, message=usual, channels=kept)
    if not channel:  # all that the connection brings
        return msgspec.structs.replace(types, message=message)
    return msgspec.structs.replace(types, channels=types.channels | {channel: message})


def view_schema() -> dict[str, Any]:
    """JSON schema of the table [view], for editors."""
    known = schema(View)
    known["properties"]["protobuf"] = schema(ProtobufTypes) | {"required": ["descriptor"]}
    return known
