"""The capture of a run while it is being made: every record goes through here, on its way to disk and to the views.

Storing is the work of a child process (`writer`); `append` encodes a batch once and leaves. Until a record is stored
it is kept encoded, and the newest ones are kept as they are: whatever has arrived can be shown at once.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from rtui.capture import schema
from rtui.capture.courier import LAG_BYTES, Courier, Frame
from rtui.core.record import Record

TAIL_RECORDS: Final = 10_000
TAIL_BYTES: Final = 16 << 20
_SLACK: Final = 2_000
"""The tail is trimmed in strides: one move of the list per so many records."""

Tap: TypeAlias = Callable[[Sequence[Record]], None]

_seq_of = attrgetter("seq")
_encode_json = msgspec.json.Encoder(enc_hook=str).encode


class Tail:
    """The newest records in memory, bounded by number and size."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._batches: deque[tuple[int, int]] = deque()
        self._bytes = 0

    def add(self, records: Sequence[Record], size: int) -> None:
        """Take in a batch of `size` bytes."""
        self._records += records
        self._batches.append((len(records), size))
        self._bytes += size
        if len(self._records) > TAIL_RECORDS + _SLACK or self._bytes > TAIL_BYTES:
            self._trim()

    def _trim(self) -> None:
        """Drop whole batches from the old end; the newest batch always stays."""
        drop = 0
        batches, total = self._batches, len(self._records)
        while len(batches) > 1 and (total - drop > TAIL_RECORDS or self._bytes > TAIL_BYTES):
            count, size = batches.popleft()
            drop += count
            self._bytes -= size
        del self._records[:drop]

    def since(self, seq: int) -> list[Record]:
        """The records from `seq` on."""
        return self._records[bisect_left(self._records, seq, key=_seq_of) :]

    @property
    def first(self) -> int:
        """The oldest sequence held; 0 when empty."""
        return self._records[0].seq if self._records else 0

    def get(self, seq: int) -> Record | None:
        """The record with this sequence, if it is still held."""
        records = self._records
        at = bisect_left(records, seq, key=_seq_of)
        return records[at] if at < len(records) and records[at].seq == seq else None


class Journal:
    """One capture file, open for recording. Everything but `close` belongs to one thread, the loop's."""

    def __init__(self, path: Path, *, folder: Path | None = None, max_pages: int = 0) -> None:
        """Use `Journal.create`. `folder` is deleted at the end; `max_pages` limits the file, to try out a full disk."""
        self.path = path
        self._folder = folder
        self.taps: list[Tap] = []
        self.brakes: list[Callable[[], bool]] = []
        """Each may ask receivers to wait: whoever prints, while its reader is behind."""
        self.tail = Tail()
        self._guard = _Guard(path)
        self.last, self._last_link = schema.prepare(path)
        self._links: dict[int, tuple[int, str, str, str, str, int]] = {}
        """Rows of the table of links, of those that this run has added."""
        self._reserved = self.last
        self._courier = Courier(path, self.last, self._guard.descriptor, max_pages)
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(list[Record]).decode
        self._opened: tuple[int, list[Record]] = (0, [])
        self._closed = False

    @classmethod
    def create(cls, path: Path | None = None, *, max_pages: int = 0) -> Journal:
        """Record into `path`, after what is there; without a path into a temporary file that `close` deletes.

        Raises:
            Failure: the file cannot be made, is in use by another rtui, or is not a capture.
        """
        if path is None:
            folder = Path(tempfile.mkdtemp(prefix="rtui-"))
            return cls(folder / "capture.rtui", folder=folder, max_pages=max_pages)
        return cls(path.expanduser().absolute(), max_pages=max_pages)

    def append(self, records: Sequence[Record]) -> None:
        """Take in a batch: records of one link, sequences ascending from above `last`."""
        if not records:
            return
        try:
            data = self._encode(records)
        except UnicodeEncodeError:
            records = [_encodable(record) for record in records]
            data = self._encode(records)
        first, newest = records[0], records[-1]
        self.last = newest.seq
        self.tail.add(records, len(data))
        self._courier.post(first.seq, newest.seq, len(records), _common_link(records), data)
        for tap in self.taps:
            tap(records)

    def reserve(self, count: int) -> int:
        """The first of `count` sequences that nobody else gets; append them before anyone else reserves."""
        first = max(self._reserved, self.last) + 1
        self._reserved = first + count - 1
        return first

    def add_link(self, name: str, protocol: str, url: str, details: Mapping[str, Any] | None = None) -> int:
        """Note a connection and return its id. `url` and `details` are stored as they are: mask them before."""
        self._last_link += 1
        row = (self._last_link, name, protocol, url, _encode_json(details or {}).decode(), time.time_ns())
        self._links[self._last_link] = row
        self._courier.post_link(self._encode([row]))
        return self._last_link

    def rename_link(self, link: int, name: str) -> None:
        """The connection is called `name`: filters, exports and whoever opens the capture find all its rows so."""
        self._links[link] = row = (link, name, *self._links[link][2:])
        self._courier.post_link(self._encode([row]))

    @property
    def temporary(self) -> bool:
        """Whether `close` deletes it."""
        return self._folder is not None

    @property
    def committed(self) -> int:
        """The highest sequence that readers of the file can see."""
        return self._courier.committed

    @property
    def stored(self) -> int:
        """How many records are in the file."""
        return self.last - self.backlog - self.lost

    @property
    def backlog(self) -> int:
        """Records that are not stored yet."""
        return self._courier.backlog

    @property
    def lagging(self) -> bool:
        """Whether receivers should wait. Not when the disk is full: waiting would not help."""
        behind = self._courier.waiting_bytes > LAG_BYTES and not self._courier.stuck
        return behind or any(brake() for brake in self.brakes)

    @property
    def lost(self) -> int:
        """Records given up because they could not be stored and memory is bounded."""
        return self._courier.lost

    @property
    def trouble(self) -> str:
        """Empty, or why how many messages are not stored."""
        return self._courier.trouble

    def get(self, seq: int) -> Record | None:
        """A record that is still in memory: one of the newest, or one not stored yet."""
        return self.tail.get(seq) or (self._unstored(seq) if seq > self.committed else None)

    def fresh(self, after: int, link: int | None = None) -> array[int] | None:
        """The sequences above `after` (of one link), oldest first; None if memory does not reach back that far.

        Memory always reaches back to `committed`.
        """
        if after >= self.last:
            return array("q")
        tail = self.tail
        if tail.first <= after + 1:
            records = tail.since(after + 1)
            return array("q", [r.seq for r in records if link is None or r.link == link])
        unstored = self._courier.unstored  # taken before `committed` is read: what is stored in this moment leaves it
        if after < self.committed:
            return None
        found = array("q")
        for frame in unstored:
            found.extend(seq for seq in self._listed(frame, link) if seq > after)
        return found

    def close(self, deadline: float = 5.0) -> None:
        """Store everything and end the writer; blocks for at most `deadline` seconds or a little more."""
        if self._closed:
            return
        self._closed = True
        self._courier.close(deadline)
        self._guard.release()
        if self._folder is not None:
            self._delete(self._folder)

    def _unstored(self, seq: int) -> Record | None:
        for frame in self._courier.unstored:
            if frame.first <= seq <= frame.last:
                return next((record for record in self._records_of(frame) if record.seq == seq), None)
        return None

    def _records_of(self, frame: Frame) -> list[Record]:
        """Decode a frame; the last one is remembered, since neighbours are asked for together."""
        if self._opened[0] != frame.number:
            self._opened = frame.number, self._decode(frame.data)
        return self._opened[1]

    def _listed(self, frame: Frame, link: int | None) -> Sequence[int]:
        if not frame.records or (link is not None and frame.link not in {0, link}):
            return ()
        if frame.link:
            return range(frame.first, frame.last + 1)
        return [record.seq for record in self._records_of(frame) if link is None or record.link == link]

    def _delete(self, folder: Path) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        # Not rmdir: a reader that opens the file in this moment may put something beside it once more.
        shutil.rmtree(folder, ignore_errors=True)


class _Guard:
    """Keeps a second rtui off the file; the lock is shared with the child and ends with both processes."""

    def __init__(self, path: Path) -> None:
        self.descriptor: int | None = None
        self._path = Path(f"{path}-lock")
        try:
            import fcntl
        except ImportError:  # Windows: SQLite's own locks must do
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._forget()
            raise schema.storage("Capture in use", f"another rtui records into {path}") from None
        except OSError as error:
            self._forget()
            if self.descriptor is None and not os.access(path.parent, os.W_OK):
                hint = "Choose another file with --capture"
                raise schema.storage("Cannot record", f"{path}: {error.strerror}", hint) from None

    def release(self) -> None:
        """Let others record into the file."""
        if self.descriptor is not None:
            self._path.unlink(missing_ok=True)
            self._forget()

    def _forget(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _encodable(record: Record) -> Record:
    """The record with lone surrogates in its text written as escapes: they have no UTF-8."""
    channel = record.channel.encode(errors="backslashreplace").decode()
    meta = record.meta and record.meta.encode(errors="backslashreplace").decode()
    return msgspec.structs.replace(record, channel=channel, meta=meta)


def _common_link(records: Sequence[Record]) -> int:
    """The link of a batch without gaps that all its records share; else 0: it must be opened to be known."""
    first, last = records[0], records[-1]
    if first.link != last.link or last.seq - first.seq + 1 != len(records):
        return 0
    return first.link
