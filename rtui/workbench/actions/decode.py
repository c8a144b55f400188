"""Actions on what payloads mean: their format, or the message type of their channel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtui.core.record import Kind
from rtui.workbench.action import Book

if TYPE_CHECKING:
    from rtui.core.record import Record
    from rtui.encoding.type_file import TypeFile
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Message")
_action = BOOK.action

GUESS: Final = "?"
FILE: Final = "/"
_MODES: Final = frozenset({"raw", "hex", "arguments"})
"""Views that are no guess at a format."""
FORMAT: Final = "="
"""Begins the name of a format. No type is called as these three are."""
DETAIL: Final = (
    "Made by: protoc --include_imports --descriptor_set_out=FILE …\nThe session keeps it, in [view.protobuf]."
)


def has_payload(desk: Desk) -> bool:
    """Whether the row has a payload that may be of some type."""
    record = desk.bench.catalog.record(desk.log_view.cursor_seq) if desk.has_row else None
    return record is not None and record.kind == Kind.MESSAGE


@_action("decode-as", "b", "Decode as…", when=has_payload, menu=("message",))
async def decode_as(desk: Desk) -> None:
    """Say what the payloads of the row's channel are: a format, or a protobuf message, which the session keeps."""
    record = desk.bench.catalog.record(desk.log_view.cursor_seq)
    if record is None:
        return
    types, view = desk.sure_picture.types, desk.sure_picture.view
    file = types.file(record.link)
    while (picked := await _ask(desk, record, file)) == FILE:
        file = await _ask_file(desk) or file
    if picked is None:
        return
    desk.show_pane("message")
    desk.redraw(lambda picture: picture.message())
    if picked.startswith(FORMAT):
        view.show_as(picked.removeprefix(FORMAT))
        return
    if file is not None:
        types.choose(record.link, record.channel, file, "" if picked == GUESS else picked)
    view.show_as("")
    types.look_again()


async def _ask(desk: Desk, record: Record, file: TypeFile | None) -> str | None:
    """The name of a type, `FORMAT` and that of a format, `FILE`, `GUESS`; None if the user leaves it."""
    from rtui.payloads.registry import VIEWS
    from rtui.protobuf.unfit import Unusable
    from rtui.workbench.screens.dialog import Choice, Choose

    names: tuple[str, ...] = ()
    if file is not None:
        try:
            names = (await desk.look(file.types)).names
        except Unusable as error:
            desk.say(str(error), severity="error")
    choices = [Choice(GUESS, "as it looks", "the best guess for each message")]
    choices += [Choice(name, name, "protobuf") for name in names]
    choices += [Choice(FORMAT + view.name, view.title) for view in VIEWS if view.name not in _MODES]
    choices.append(Choice(FILE, "protobuf by a descriptor set…", "another file" if names else ""))
    current = getattr(desk.sure_picture.types.decodings.view(record), "message", GUESS)
    return await desk.ask(Choose(f"decode {record.channel or 'its messages'} as", choices, current=current))


async def _ask_file(desk: Desk) -> TypeFile | None:
    from rtui.encoding.type_file import type_file
    from rtui.workbench.screens.dialog import Prompt

    name = await desk.ask(Prompt("decode by", hint="descriptor set", detail=DETAIL, check=_file_trouble))
    return type_file(_expanded(name)) if name else None


def _file_trouble(text: str) -> str:
    if not text:
        return "a file name is missing"
    return "" if _expanded(text).is_file() else "there is no such file"


def _expanded(text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises where there is no home
