"""A capture opened to be read from end to end, and what to say if that does not go well."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rtui.capture.reader import Reader
from rtui.core.fault import Failure, Fault

if TYPE_CHECKING:
    from rtui.runtime.decoding import Types


@contextmanager
def reading(path: Path, types: Types | None = None) -> Iterator[Reader]:
    """The capture at `path`; at the end of the block it is checked as a whole.

    Filters see into binary payloads by `types`, which a capture does not name, and as far as these tell their format.

    Raises:
        Failure: it cannot be opened, or is damaged.
    """
    from rtui.runtime.decoding import Decodings

    links: list[int] = []
    reader = Reader(path, Decodings(lambda _link: types, lambda: links))
    try:
        links += [link.id for link in reader.links()]
        yield reader
        reader.verify()
    except sqlite3.DatabaseError:
        reader.verify()
        raise
    finally:
        reader.close()


def types_in(target: str) -> Types:
    """The message types that a session names.

    Raises:
        Failure: there is no such session, or it names none.
        SettingsError: its file is wrong.
    """
    from rtui.cli.target import stored
    from rtui.runtime.decoding import types_of

    types = types_of(stored(target))
    if types is None:
        cause, hint = f"{target} has no [view.protobuf]", "It names the descriptor set and the message types"
        raise Failure(Fault(kind="usage", side="us", title="No message types", cause=cause, hint=hint))
    return types
