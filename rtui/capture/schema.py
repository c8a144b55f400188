"""The capture file: an SQLite database of three tables and a view, made by one run and readable by any SQLite tool."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from rtui.core.fault import Failure, Fault

FORMAT: Final = 1
"""Raised when a file of this version could not be read by the one before."""
APPLICATION: Final = 0x72747569
"""SQLite's application id, "rtui" in ASCII: `file` and `is_capture` know a capture by it."""

TABLES: Final = """
CREATE TABLE IF NOT EXISTS info(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS links(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, protocol TEXT NOT NULL, url TEXT NOT NULL,
    details TEXT NOT NULL, opened INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS records(
    seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, link INTEGER NOT NULL, kind INTEGER NOT NULL,
    direction INTEGER NOT NULL, channel TEXT NOT NULL, payload BLOB NOT NULL,
    meta TEXT, reply_to INTEGER, latency INTEGER);
CREATE INDEX IF NOT EXISTS replies ON records(reply_to) WHERE reply_to IS NOT NULL;
CREATE VIEW IF NOT EXISTS answers AS
    SELECT reply_to, direction, kind, meta FROM records WHERE reply_to IS NOT NULL;
"""
STAND_IN: Final = """
CREATE TEMP TABLE IF NOT EXISTS answers AS
    SELECT reply_to, direction, kind, meta FROM records WHERE reply_to IS NOT NULL;
CREATE INDEX IF NOT EXISTS temp.stand_in ON answers(reply_to);
"""
"""For a capture that was written before there were `replies` and `answers`, and is only read: without the index each
request would look at every row for its answer. 1M rows take 0.3 s, once per connection."""
_PAGE: Final = 16384
"""Measured: 16 KiB pages store 15 % more rows a second than SQLite's 4 KiB."""


def storage(title: str, cause: object, hint: str = "") -> Failure:
    """The failure of a file."""
    return Failure(Fault(kind="storage", side="us", title=title, cause=str(cause), hint=hint))


def is_capture(path: Path) -> bool:
    """Whether `path` is a capture, by its first hundred bytes."""
    try:
        with path.open("rb") as file:
            head = file.read(72)
    except (OSError, ValueError):
        return False
    return head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION.to_bytes(4, "big")


def prepare(path: Path) -> tuple[int, int]:
    """Make the file, or check the one that is there, and return its highest sequence and link id.

    Raises:
        Failure: it cannot be made, is something else, or comes from a newer version.
    """
    try:
        _touch(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return _prepare(connection, path)
    except (OSError, sqlite3.Error) as error:
        raise storage("Cannot record", f"{path}: {_reason(error)}", "Choose another file with --capture") from None


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what is no capture, or one of a newer version."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise storage("Not a capture", f"{path} was not written by rtui")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > FORMAT:
        raise storage("Capture too new", f"{path} has format {found}, known is up to {FORMAT}", "Update rtui")


def _touch(path: Path) -> None:
    """Create the file for the owner alone, before SQLite would with the umask's rights."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare(connection: sqlite3.Connection, path: Path) -> tuple[int, int]:
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        check(connection, path)
    else:
        connection.execute(f"PRAGMA page_size={_PAGE}")
        connection.execute(f"PRAGMA application_id={APPLICATION}")
        connection.execute(f"PRAGMA user_version={FORMAT}")
    _enter_wal(connection)
    connection.executescript(TABLES)
    connection.execute("INSERT OR IGNORE INTO info VALUES('format', ?)", (str(FORMAT),))
    top = "SELECT coalesce((SELECT max(seq) FROM records), 0), coalesce((SELECT max(id) FROM links), 0)"
    seq, link = connection.execute(top).fetchone()
    return seq, link


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Write-ahead log where the file system can share memory; a plain journal elsewhere (network folders)."""
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except sqlite3.OperationalError:
        connection.execute("PRAGMA journal_mode=TRUNCATE")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
