"""Actions on what payloads mean: their format, or the message type of their channel."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtui.core.record import Kind
from rtui.workbench.action import Book

if TYPE_CHECKING:
    from rtui.core.record import Record
    from rtui.payloads.typed import TypeFile
    from rtui.workbench.decoding import Decodings
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Message")
_action = BOOK.action

GUESS: Final = "?"
FILE: Final = "/"
_MODES: Final = frozenset({"raw", "hex", "arguments"})
"""Views that are no guess at a format."""
FORMAT: Final = "="
"""Begins the name of a format. No type is called as these three are."""
DETAIL: Final = "Made by: protoc --include_imports --descriptor_set_out=FILE …\n[view.protobuf] keeps it in a session."


def has_payload(desk: Desk) -> bool:
    """Whether the row has a payload that may be of some type."""
    record = desk.bench.catalog.record(desk.log_view.cursor_seq) if desk.has_row else None
    return record is not None and record.kind == Kind.MESSAGE


@_action("decode-as", "b", "Decode as…", when=has_payload, menu=("message",))
async def decode_as(desk: Desk) -> None:
    """Say what the payloads of the row's channel are: a format, or a protobuf message by a descriptor set."""
    from rtui.workbench.decoding import GUESSED

    record = desk.bench.catalog.record(desk.log_view.cursor_seq)
    if record is None:
        return
    decodings, view = desk.sure_picture.decodings, desk.sure_picture.view
    file = decodings.file(record)
    while (picked := await _ask(desk, record, file)) == FILE:
        file = await _ask_file(desk, decodings) or file
    if picked is None:
        return
    desk.show_pane("message")
    desk.redraw(lambda picture: picture.message())
    if picked.startswith(FORMAT):
        view.show_as(picked.removeprefix(FORMAT))
    else:
        decodings.choose(record, file, GUESSED if picked == GUESS else picked)
        view.show_as("")


async def _ask(desk: Desk, record: Record, file: TypeFile | None) -> str | None:
    """The name of a type, `FORMAT` and that of a format, `FILE`, `GUESS`; None if the user leaves it."""
    from rtui.payloads.base import Unreadable
    from rtui.payloads.registry import VIEWS
    from rtui.workbench.screens.dialog import Choice, Choose

    names: tuple[str, ...] = ()
    if file is not None:
        try:
            names = (await asyncio.to_thread(file.types)).names
        except Unreadable as error:
            desk.say(str(error), severity="error")
    choices = [Choice(GUESS, "as it looks", "the best guess for each message")]
    choices += [Choice(name, name, "protobuf") for name in names]
    choices += [Choice(FORMAT + view.name, view.title) for view in VIEWS if view.name not in _MODES]
    choices.append(Choice(FILE, "protobuf by a descriptor set…", "another file" if names else ""))
    current = getattr(desk.sure_picture.decodings.view(record), "message", GUESS)
    return await desk.ask(Choose(f"decode {record.channel or 'its messages'} as", choices, current=current))


async def _ask_file(desk: Desk, decodings: Decodings) -> TypeFile | None:
    from rtui.workbench.screens.dialog import Prompt

    name = await desk.ask(Prompt("decode by", hint="descriptor set", detail=DETAIL, check=_file_trouble))
    return decodings.open_file(_expanded(name)) if name else None


def _file_trouble(text: str) -> str:
    if not text:
        return "a file name is missing"
    return "" if _expanded(text).is_file() else "there is no such file"


def _expanded(text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises where there is no home
