"""The folder of captures: what is there, and what may go."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from rtui.capture.schema import is_capture

_SUFFIXES = ("", "-wal", "-shm", "-journal", "-lock")


class Capture(msgspec.Struct, frozen=True):
    """A capture file, without opening it."""

    path: Path
    size: int
    """Bytes, with what SQLite keeps beside it."""
    modified: float
    """Seconds since the epoch."""

    @property
    def in_use(self) -> bool:
        """Whether an rtui records into it."""
        try:
            import fcntl

            with Path(f"{self.path}-lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except (ImportError, OSError):
            return False
        return False


def list_captures(folder: Path) -> list[Capture]:
    """The captures in `folder`, newest first; empty if there is no such folder."""
    try:
        names = sorted(folder.iterdir())
    except OSError:
        return []
    found = [capture for path in names if (capture := _look(path))]
    return sorted(found, key=lambda capture: capture.modified, reverse=True)


def prune(folder: Path, max_bytes: int, max_age: float, now: float | None = None) -> list[Path]:
    """Delete captures older than `max_age` seconds, then the oldest until all fit into `max_bytes`; 0 = no limit.

    Those in use stay. Returns what went.
    """
    now = time.time() if now is None else now
    gone: list[Path] = []
    total = 0
    for capture in list_captures(folder):
        too_old = max_age > 0 and now - capture.modified > max_age
        too_much = max_bytes > 0 and total + capture.size > max_bytes
        if (too_old or too_much) and not capture.in_use and _delete(capture.path):
            gone.append(capture.path)
        else:
            total += capture.size
    return gone


def _look(path: Path) -> Capture | None:
    if not path.is_file() or not is_capture(path):
        return None
    try:
        parts = [part.stat() for suffix in _SUFFIXES if (part := Path(f"{path}{suffix}")).is_file()]
    except OSError:
        return None
    return Capture(path, sum(part.st_size for part in parts), max(part.st_mtime for part in parts))


def _delete(path: Path) -> bool:
    try:
        for suffix in _SUFFIXES:
            Path(f"{path}{suffix}").unlink(missing_ok=True)
    except OSError:
        return False
    return True
