"""A capture opened to be read from end to end, and what to say if that does not go well."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rtui.capture.reader import Reader


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """The capture at `path`; at the end of the block it is checked as a whole.

    Filters see into binary payloads as far as these tell their format: a capture names no message types.

    Raises:
        Failure: it cannot be opened, or is damaged.
    """
    from rtui.runtime.decoding import Decodings

    reader = Reader(path, Decodings(lambda _link: None))
    try:
        yield reader
        reader.verify()
    except sqlite3.DatabaseError:
        reader.verify()
        raise
    finally:
        reader.close()
