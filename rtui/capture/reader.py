"""Reading a capture: windows by sequence in microseconds, and scans that leave the interpreter free meanwhile."""

from __future__ import annotations

import os
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import msgspec

from rtui.capture import schema
from rtui.capture.meaning import Meaning
from rtui.capture.past import Key
from rtui.capture.query import Filter, register
from rtui.capture.sweep import Scope, bind, is_swept, swept
from rtui.core.record import Record

CHUNK: Final = 50_000
"""Sequences looked at between two chances to cancel."""
_IN: Final = 500
"""Sequences per SELECT … IN (…)."""

LAST: Final = 2**63 - 1
"""Higher than any sequence."""
_ROWS: Final = """SELECT seq, time, link, kind, direction, channel, CAST(payload AS BLOB), meta, reply_to, latency
    FROM records"""
"""The cast costs nothing, and takes a payload that somebody wrote as text with an SQLite tool."""

Values: TypeAlias = list[Any]

_decode_seqs = msgspec.json.Decoder(list[int]).decode


class LinkRow(msgspec.Struct, frozen=True):
    """A connection as the capture knows it."""

    id: int
    name: str
    protocol: str
    url: str
    """Masked."""
    details: str = "{}"
    """JSON object text."""
    opened: int = 0
    """Nanoseconds since the epoch."""


class Reader:
    """A capture opened for reading; it may be written meanwhile. For one thread at a time; `fork` for another."""

    def __init__(self, path: Path, meaning: Meaning | None = None) -> None:
        """Open `path`; `meaning` lets filters see into binary payloads.

        Raises:
            Failure: there is none, it is no capture, or of a newer version.
        """
        self.path = path
        self._connection = _connect(path)
        self._prepared = bool(self._connection.execute("SELECT 1 FROM sqlite_schema WHERE name='answers'").fetchall())
        self.understand(meaning)

    def understand(self, meaning: Meaning | None) -> None:
        """Let filters see into binary payloads from now on."""
        self.meaning = meaning
        register(self._connection, meaning)

    def fork(self) -> Reader:
        """Another reader of the same file, for another thread."""
        return type(self)(self.path, self.meaning)

    def close(self) -> None:
        """Free the file."""
        self._connection.close()

    def verify(self) -> None:
        """Look at every page: SQLite may step over a damaged one as if nothing had been there.

        Raises:
            Failure: the file is damaged.
        """
        try:
            (found,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            found = str(error)
        if found != "ok":
            cause = f"{self.path}: {found.splitlines()[-1]}"
            raise schema.storage("The capture is damaged", cause, "What could be read is shown; the rest is lost")

    def interrupt(self) -> None:
        """Make a query that runs in another thread end with `sqlite3.OperationalError`."""
        self._connection.interrupt()

    def links(self) -> list[LinkRow]:
        """The connections in this capture, in the order they were opened."""
        rows = self._connection.execute("SELECT id, name, protocol, url, details, opened FROM links ORDER BY id")
        return [LinkRow(*row) for row in rows.fetchall()]

    def bounds(self) -> tuple[int, int]:
        """The lowest and the highest sequence; (0, 0) when empty."""
        # Two selects: SQLite answers each from the end of the tree, but both in one by reading all.
        query = "SELECT coalesce((SELECT min(seq) FROM records), 0), coalesce((SELECT max(seq) FROM records), 0)"
        first, last = self._connection.execute(query).fetchone()
        return first, last

    def count(self, found: Filter | None = None, link: int | None = None) -> int:
        """How many records there are, or match."""
        if found is not None and is_swept(found.params):
            return sum(map(len, self.scan(found, link)))
        self._prepare(found)
        where, params = _where(found, link)
        (count,) = self._connection.execute(f"SELECT count(*) FROM records{where}", params).fetchone()  # noqa: S608
        return int(count)

    def range(self, first: int, last: int) -> list[Record]:
        """The records with sequences `first` … `last`."""
        rows = self._connection.execute(f"{_ROWS} WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last))
        return [Record(*row) for row in rows.fetchall()]

    def window(self, seqs: Sequence[int]) -> list[Record]:
        """The records with these sequences, in their order; those that are not stored are left out."""
        found: list[Record] = []
        for at in range(0, len(seqs), _IN):
            part = tuple(seqs[at : at + _IN])
            if part[-1] - part[0] + 1 == len(part):
                found += self.range(part[0], part[-1])
            else:
                marks = ",".join("?" * len(part))
                query = f"{_ROWS} WHERE seq IN ({marks}) ORDER BY seq"
                found += [Record(*row) for row in self._connection.execute(query, part).fetchall()]
        return found

    def newest(self, key: Key, first: int, last: int, count: int) -> list[Record]:
        """The newest `count` messages of a channel with sequences `first` … `last`, newest first."""
        channel = key.channel.encode(errors="backslashreplace").decode()  # as the journal writes lone surrogates
        query = (
            f"{_ROWS} WHERE seq BETWEEN ? AND ? AND channel = ? AND link = ? AND direction = ?"
            " AND kind = 0 ORDER BY seq DESC LIMIT ?"
        )
        rows = self._connection.execute(query, (first, last, channel, key.link, key.direction, count))
        return [Record(*row) for row in rows.fetchall()]

    def of_link(self, link: int, first: int, last: int) -> list[Record]:
        """The records of a link with sequences `first` … `last`."""
        query = f"{_ROWS} WHERE seq BETWEEN ? AND ? AND link = ? ORDER BY seq"
        return [Record(*row) for row in self._connection.execute(query, (first, last, link)).fetchall()]

    def opening(self, link: int, first: int, last: int) -> int | None:
        """Where a link was opened last within `first` … `last`."""
        query = "SELECT max(seq) FROM records WHERE seq BETWEEN ? AND ? AND link = ? AND kind = 1"
        (found,) = self._connection.execute(query, (first, last, link)).fetchone()
        return found if found is None else int(found)

    def seqs(
        self, found: Filter | None = None, link: int | None = None, first: int = 1, last: int = LAST
    ) -> array[int]:
        """The sequences in `first` … `last` that match, ascending.

        SQLite gathers them into one value: row by row, a busy loop would take the interpreter lock at each.
        """
        self._prepare(found)
        if found is not None and is_swept(found.params):
            scope = self._scope(link, first, last)
            if (seqs := swept(self._connection, found.sql, found.params, scope)) is not None:
                return array("q", seqs)
            found = self._bound(found, scope)
        where, params = _where(found, link, ["seq BETWEEN ? AND ?"], [first, last])
        query = f"SELECT json_group_array(seq) FROM records{where}"  # noqa: S608 - bound parameters
        (text,) = self._connection.execute(query, params).fetchone()
        return array("q", sorted(_decode_seqs(text)))

    match = seqs

    def answered(self, found: Filter, link: int | None, first: int, last: int) -> tuple[array[int], set[int]]:
        """The rows that those with sequences `first` … `last` answer, and which of these `found` matches now."""
        select = "SELECT json_group_array(DISTINCT reply_to) FROM records WHERE seq BETWEEN ? AND ?"
        (text,) = self._connection.execute(f"{select} AND reply_to IS NOT NULL", (first, last)).fetchone()
        if text == "[]":
            return array("q"), set()
        self._prepare(found)
        among, seqs = "seq IN (SELECT value FROM json_each(?))", _decode_seqs(text)
        bound = self._bound(found, self._scope(link, min(seqs), max(seqs), ((among, text),)))
        where, params = _where(bound, link, [among], [text])
        query = f"SELECT json_group_array(seq) FROM records{where}"  # noqa: S608 - bound parameters
        (matching,) = self._connection.execute(query, params).fetchone()
        return array("q", seqs), set(_decode_seqs(matching))

    def scan(
        self,
        found: Filter | None,
        link: int | None = None,
        *,
        newest_first: bool = True,
        chunk: int = CHUNK,
        first: int | None = None,
        last: int | None = None,
    ) -> Iterator[array[int]]:
        """The sequences that match, chunk by chunk; within a chunk they ascend. Stop iterating to cancel."""
        low, high = self.bounds()
        low, high = max(low, first or 1, 1), high if last is None else min(high, last)
        starts = range(low, high + 1, chunk)
        for start in reversed(starts) if newest_first else starts:
            yield self.seqs(found, link, start, min(start + chunk - 1, high))

    def _scope(self, link: int | None, first: int, last: int, terms: tuple[tuple[str, Any], ...] = ()) -> Scope:
        """Rows of a range, of a link or of all."""
        terms = terms if link is None else (("link = ?", link), *terms)
        conditions, values = tuple(one for one, _ in terms), tuple(value for _, value in terms)
        return Scope(first, min(last, self.bounds()[1]), conditions, values)

    def _bound(self, found: Filter, scope: Scope) -> Filter:
        """The filter with what it asks for found in `scope`."""
        return msgspec.structs.replace(found, params=tuple(bind(self._connection, found.params, scope)))

    def _prepare(self, found: Filter | None) -> None:
        """Have what a filter on answers looks them up in."""
        if found is not None and found.moves and not self._prepared:
            self._connection.executescript(schema.STAND_IN)
            self._prepared = True


def _where(
    found: Filter | None, link: int | None, terms: Sequence[str] = (), values: Sequence[Any] = ()
) -> tuple[str, Values]:
    clauses, params = list(terms), list(values)
    if link is not None:
        clauses.append("link = ?")
        params.append(link)
    if found is not None:
        clauses.append(f"({found.sql})")
        params += found.params
    return (" WHERE " + " AND ".join(clauses) if clauses else ""), params


def _connect(path: Path) -> sqlite3.Connection:
    """Open for reading only, as well as the place allows.

    A capture left by a crash has a write-ahead log, which SQLite reads only if it may make a shared-memory file
    beside it; in a folder that may not be written the copy in memory stands in.
    """
    if not path.is_file():
        raise schema.storage("No such capture", path)
    failure: Exception | None = None
    for options in ("mode=ro", "mode=ro&immutable=1"):
        if options != "mode=ro" and Path(f"{path}-wal").is_file() and Path(f"{path}-wal").stat().st_size:
            return _copied(path)
        try:
            return _checked(_open(path, options), path)
        except sqlite3.Error as error:
            failure = error
    raise schema.storage("Cannot read the capture", f"{path}: {failure}") from None


def _open(path: Path, options: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?{options}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)


def _checked(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    try:
        schema.check(connection, path)
        connection.execute("SELECT max(seq) FROM records").fetchone()
        connection.execute("PRAGMA cache_size=-4000")
    except BaseException:
        connection.close()
        raise
    return connection


def _copied(path: Path) -> sqlite3.Connection:
    """A private copy with its log, in a folder that goes with the process."""
    import shutil
    import tempfile

    folder = tempfile.TemporaryDirectory(prefix="rtui-", ignore_cleanup_errors=True)
    target = Path(folder.name) / path.name
    try:
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{target}{suffix}")
        connection = _checked(_open(target, "mode=rw"), path)
    except (OSError, sqlite3.Error) as error:
        raise schema.storage("Cannot read the capture", f"{path}: {error}") from None
    finally:
        # POSIX keeps what is open; the names can go at once.
        if os.name == "posix":
            folder.cleanup()
    return connection
