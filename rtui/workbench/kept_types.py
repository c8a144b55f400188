"""Message types as the sessions of the tabs have them; of captures and URLs, as the workbench remembers them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rtui.capture.meaning import meant
from rtui.core.json_path import is_json
from rtui.runtime.decoding import Decodings, Types, types_of
from rtui.settings.session_view import with_type
from rtui.workbench.state import forget_oldest

if TYPE_CHECKING:
    from rtui.capture.channels import Node
    from rtui.core.record import Record
    from rtui.encoding.type_file import TypeFile
    from rtui.settings.session_model import ProtobufTypes
    from rtui.workbench.screens.desk import Desk


class Unhurried(Decodings):
    """Reads no file where the loop would wait for it: what cannot be told yet is looked at again afterwards."""

    def __init__(
        self, types: Callable[[int], Types | None], links: Callable[[], Iterable[int]], ready: Callable[[int], bool]
    ) -> None:
        """`ready` tells whether a link's descriptor set was read, and has it read."""
        super().__init__(types, links)
        self._ready = ready

    def json(self, link: int, channel: str, payload: bytes, meta: str | None) -> bytes | None:
        """See `Decodings`."""
        if threading.current_thread() is threading.main_thread() and not self._ready(link):
            return None
        return super().json(link, channel, payload, meta)


class KeptTypes:
    """What is known of the payloads of each connection, and where a choice of the user is kept."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._latest: TypeFile | None = None
        """The descriptor set that the user named last."""
        self._tried: set[TypeFile] = set()
        """Those that are being read, or were, or cannot be."""
        self.decodings = Unhurried(self.of, lambda: desk.bench.catalog.links, self._is_ready)

    def of(self, link: int) -> Types | None:
        """What is known of a connection's payloads."""
        sheet = self._desk.sheets.get(link)
        if sheet is not None and sheet.session is not None:
            return types_of(sheet.session)
        row = self._desk.bench.catalog.links.get(link)
        kept = self._desk.bench.state.types.get(row.name) if row is not None else None
        return Types(kept, Path()) if kept is not None else None

    def file(self, link: int) -> TypeFile | None:
        """The descriptor set to choose from for a connection."""
        return self.decodings.file(link) or self._latest

    def shown(self, record: Record) -> bytes:
        """What rows show of a payload."""
        return meant(record, self.decodings)

    def last_of(self, node: Node) -> bytes:
        """What the tree shows of a channel's last payload, if it kept the whole of that."""
        sheet = self._desk.sheets.current
        if sheet is None or node.last_size != len(node.last) or is_json(node.last):
            return node.last
        return self.decodings.json(sheet.key, node.full, node.last, None) or node.last

    def _is_ready(self, link: int) -> bool:
        types = self.of(link)
        file = types.file if types is not None else None
        if file is None or file.ready:
            return True
        if file not in self._tried:
            self._tried.add(file)
            self._desk.run_worker(self._read(file), group="types", description="read types", exit_on_error=False)
        return False

    async def _read(self, file: TypeFile) -> None:
        from rtui.protobuf.unfit import Unusable

        try:
            await asyncio.to_thread(file.types)
        except Unusable as error:
            self._desk.say(str(error), severity="error")
        else:
            self.look_again()

    def look_again(self) -> None:
        """Filters and columns see other values."""
        for sheet in self._desk.sheets:
            if sheet.filter is not None:
                sheet.close()
        self._desk.redraw(lambda picture: picture.dress_logs())

    def choose(self, link: int, channel: str, file: TypeFile, message: str) -> None:
        """From now on the messages of a channel have this type; "": none is known.

        It goes into the session, to be saved with it, and without a file into what is remembered.
        """
        self._latest = file
        catalog, sheet = self._desk.bench.catalog, self._desk.sheets.get(link)
        if sheet is None or sheet.session is None:
            if (row := catalog.links.get(link)) is not None:
                self._remember(row.name, self._with(self.of(link), file, file.path.absolute(), channel, message))
            return
        before, base = sheet.session.view.protobuf, sheet.session.base
        table = self._with(types_of(sheet.session), file, _within(base, file.path), channel, message)
        if sheet.session.path is None:
            self._remember(sheet.session.name, table)
        if table != before:
            sheet.session = _typed(sheet.session, table)
            sheet.unsaved = True
            if sheet.connection is not None:
                sheet.connection.session = _typed(sheet.connection.session, table)

    def _with(self, types: Types | None, file: TypeFile, path: Path, channel: str, message: str) -> ProtobufTypes:
        known: Collection[str] = file.types().names if file.ready else ()
        table = types.table if types is not None else None
        same = types is not None and types.file.path.absolute() == file.path.absolute()
        descriptor = table.descriptor if table is not None and same else path.as_posix()
        return with_type(table, descriptor, channel, message, known)

    def _remember(self, name: str, table: ProtobufTypes) -> None:
        kept = self._desk.bench.state.types
        kept.pop(name, None)
        kept[name] = msgspec.structs.replace(table, descriptor=str(Path(table.descriptor).absolute()))
        forget_oldest(kept)


def _within(base: Path, path: Path) -> Path:
    """`path` as a session in `base` names it: from there, if it lies below."""
    folder, file = base.absolute(), path.absolute()
    return file.relative_to(folder) if file.is_relative_to(folder) else file


def _typed(session: Any, table: ProtobufTypes) -> Any:
    return msgspec.structs.replace(session, view=msgspec.structs.replace(session.view, protobuf=table))
