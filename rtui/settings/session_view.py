"""The message types that a session's view names: whether its descriptor set is one, and has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

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
    named += [(("channels", channel), name) for channel, name in types.channels.items()]
    for key, name in named:
        if name not in names:
            near = nearest(name, names)
            guess = f"; did you mean {near!r}?" if near else ""
            yield key, f"{types.descriptor} has no message {name!r}{guess}", tuple(names) if len(names) <= TOLD else ()


def view_schema() -> dict[str, Any]:
    """JSON schema of the table [view], for editors."""
    known = schema(View)
    known["properties"]["protobuf"] = schema(ProtobufTypes) | {"required": ["descriptor"]}
    return known
