"""The program that owns the capture file: a child process that stores what comes in on its standard input.

A process, because a thread starves: a busy event loop takes the interpreter lock back after every SQLite call, and a
writer thread then stores a few hundred rows a second. The child lives until its input ends, so rtui may be killed
and what it had handed over is still stored.

In:   frames of HEADER (length, id, kind) and a MessagePack list of rows: records, or links.
Out:  reports of REPORT (id of the last stored frame, length) and a text, which is empty or what stands in the way.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import struct
import time
from typing import Any, Final, TypeAlias

import msgspec

HEADER: Final = struct.Struct(">IQB")
REPORT: Final = struct.Struct(">QI")
RECORDS: Final = 0
LINKS: Final = 1

READ: Final = 1 << 20
RETRY: Final = 0.25
"""Seconds between attempts when the disk is full."""
_GROUP: Final = 64
"""Rows per statement; measured, 64 store a tenth more rows a second than single ones."""
_COLUMNS: Final = 10

Value: TypeAlias = int | str | bytes | None
Row: TypeAlias = list[Value]
Frame: TypeAlias = tuple[int, int, list[Row]]

_ONE: Final = "INSERT OR IGNORE INTO records VALUES(" + ",".join("?" * _COLUMNS) + ")"
_MANY: Final = _ONE + ",(?,?,?,?,?,?,?,?,?,?)" * (_GROUP - 1)
_LINK: Final = "INSERT INTO links VALUES(?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET name = excluded.name"
"""A frame may come twice, and a connection may be called something else."""


class Intake:
    """Cuts the input into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._decode = msgspec.msgpack.Decoder(list[list[Any]]).decode

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes."""
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        at = 0
        while len(buffer) - at >= HEADER.size:
            length, number, kind = HEADER.unpack_from(buffer, at)
            end = at + HEADER.size + length
            if len(buffer) < end:
                break
            frames.append((number, kind, self._decode(bytes(buffer[at + HEADER.size : end]))))
            at = end
        del buffer[:at]
        return frames


class Store:
    """The database, open for writing."""

    def __init__(self, path: str, max_pages: int = 0) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        for pragma in ("synchronous=NORMAL", "cache_size=-16000", "wal_autocheckpoint=2000"):
            self._connection.execute(f"PRAGMA {pragma}")
        if max_pages:
            self._connection.execute(f"PRAGMA max_page_count={max_pages}")

    def put(self, frames: list[Frame]) -> None:
        """Store all of it in one transaction, or nothing."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            for _, kind, rows in frames:
                if kind == LINKS:
                    self._connection.executemany(_LINK, rows)
            self._put_records([row for _, kind, rows in frames if kind == RECORDS for row in rows])
            run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise

    def _put_records(self, rows: list[Row]) -> None:
        whole = len(rows) - len(rows) % _GROUP
        for at in range(0, whole, _GROUP):
            self._connection.execute(_MANY, [value for row in rows[at : at + _GROUP] for value in row])
        self._connection.executemany(_ONE, rows[whole:])

    def close(self) -> None:
        """Leave one plain file, which can be read in a folder that cannot be written; not while others read it."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA busy_timeout=0")
            self._connection.execute("PRAGMA journal_mode=DELETE")
        self._connection.close()


class Service:
    """Input → store → reports, until the input ends."""

    def __init__(self, store: Store, source: int, sink: int) -> None:
        self._store = store
        self._source = source
        self._sink = sink
        self._parent = os.getppid()

    def run(self) -> None:
        """Serve."""
        intake = Intake()
        while data := os.read(self._source, READ):
            if frames := intake.feed(data):
                self._keep_trying(frames)
        self._store.close()

    def _keep_trying(self, frames: list[Frame]) -> None:
        """Store `frames`; as long as that fails, say why and try again, unless nobody is left to wait for."""
        told = ""
        while True:
            try:
                self._store.put(frames)
            except sqlite3.Error as error:
                if os.getppid() != self._parent:
                    raise
                if told != (told := reason(error)):
                    self._report(0, told)
                time.sleep(RETRY)
            else:
                self._report(frames[-1][0], "")
                return

    def _report(self, number: int, text: str) -> None:
        data = text.encode()
        try:
            os.write(self._sink, REPORT.pack(number, len(data)) + data)
        except OSError:
            return  # rtui is gone; what it handed over is stored all the same


def reason(error: sqlite3.Error) -> str:
    """Why SQLite failed, in words."""
    name = getattr(error, "sqlite_errorname", "")
    return "disk is full" if name == "SQLITE_FULL" else f"capture file: {error}"


def main(path: str, max_pages: int = 0) -> None:
    """Store what comes in on descriptor 0 into the capture at `path`; report on descriptor 1."""
    # Ctrl-C and a closing terminal are for rtui; it ends this process by closing the input.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        Service(Store(path, max_pages), 0, 1).run()
    except (OSError, sqlite3.Error):
        os._exit(1)
