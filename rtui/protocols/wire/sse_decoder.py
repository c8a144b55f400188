"""Bytes of an event stream → events, by WHATWG HTML §9.2.5 and §9.2.6 ("Server-sent events"); no I/O.

What comes out never depends on how the bytes are cut, and nothing that is complete is held back: a CR ends a line at
once, and the LF that may follow it in the next read is swallowed there. Payloads are the bytes as they came; only
names (event types and ids) become text, as UTF-8 with replacement characters.

Whole ordinary events of one read are cut out by one regular expression; everything else goes line by line. That both
ways say the same is proven by a property test against a reference written from the grammar.
"""

from __future__ import annotations

import re
from typing import Final

from rtui.core.event import Event, Meta, Notice, Received
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.settings.quantity import format_size

BOM: Final = b"\xef\xbb\xbf"
UNNAMED: Final = "message"
"""The type of an event that names none (§9.2.6)."""
MAX_NAME: Final = 200
"""Bytes of an event type that names a channel; a longer one is cut there, and stands whole in the meta data."""
MAX_NAMES: Final = 1000
"""Event types kept as text; more than this are decoded each time."""
LONGEST_RETRY: Final = 3_600_000
"""Milliseconds: a `retry` beyond this is taken as this."""
COMMENT: Final[Meta] = {"type": "comment"}

BLOCK: Final = re.compile(
    rb"(?:id: ?+([^\n\0]++)\n)?+(?:event: ?+([^\n]{0,200}+)\n)?+(?:id: ?+([^\n\0]++)\n)?+"
    rb"data: ?+([^\n]*+)\n\n"  # an ordinary event
    rb"|((?:[^\n]++\n)*+\n)"  # anything else up to its blank line
)
"""In a text that ends with a blank line the matches stand side by side: nothing is left between them."""


class _Names(dict[bytes, str]):
    """Event types as text: one object for all events of a type."""

    def __missing__(self, raw: bytes) -> str:
        name = raw.decode(errors="replace") or UNNAMED
        if len(self) < MAX_NAMES:
            self[raw] = name
        return name


class Decoder:
    """The state of one stream. A new connection needs a new one."""

    def __init__(self, *, last_id: str = "", max_line: int, max_size: int, verbose: bool = False) -> None:
        """`last_id` is what the connection resumes from; `verbose` reports comments and `retry` fields too.

        The standard begins each stream with an empty id, so that an event without one would forget the last; like
        browsers, we go on with what we have.
        """
        self.last_id = last_id
        """The last event ID string: what a reconnect sends."""
        self.retry: int | None = None
        """Milliseconds that the server wants between connects, if it said so."""
        self.fault: Fault | None = None
        """Why nothing more is decoded: a limit was passed."""
        self._max_line = max_line
        self._max_size = max_size
        self._quick = min(max_line, max_size)
        self._verbose = verbose
        self._names = _Names()
        self._head: bytes | None = b""
        self._after_cr = False
        self._inside = False
        self._line = bytearray()
        self._data = bytearray()
        self._type = b""
        self._id = last_id
        self._has_id = False

    @property
    def unfinished(self) -> int:
        """Bytes of an event that began and was not ended by a blank line: dropped at the end of the stream."""
        return len(self._line) + len(self._data) if self._inside else 0

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete, in order. Never raises: see `fault`."""
        events: list[Event] = []
        if self.fault is not None:
            return events
        text = self._plain(data)
        start = self._walk(text, 0, events) if self._inside else 0
        end = text.rfind(b"\n\n", start) + 2
        if end - 2 >= start and end - start <= self._quick and self.fault is None:
            self._cut(text, start, end, events)
            start = end
        while start < len(text) and self.fault is None:
            start = self._walk(text, start, events)
        return events

    def _plain(self, data: bytes) -> bytes:
        """The bytes without a BOM, with LF for every line end."""
        if self._head is not None:
            data = self._head + data
            if len(data) < len(BOM) and BOM.startswith(data):
                self._head = data
                return b""
            self._head = None
            data = data.removeprefix(BOM)
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    # Whole events

    def _cut(self, text: bytes, start: int, end: int, events: list[Event]) -> None:
        """The events between two blank lines, none of which is over a limit."""
        add, names, message, last = events.append, self._names, Kind.MESSAGE, b""
        for first, kind, second, data, other in BLOCK.findall(text, start, end):
            if other:
                if last:
                    self._id, last = last.decode(errors="replace"), b""
                self._cut_other(other, events)
            elif mark := second or first:
                last = mark
                add(Received(names[kind], data, message, {"id": mark.decode(errors="replace")}))
            else:
                add(Received(names[kind], data))
        if last:
            self._id = last.decode(errors="replace")
        self.last_id = self._id

    def _cut_other(self, block: bytes, events: list[Event]) -> None:
        for line in block[:-1].split(b"\n"):
            self._take(line, events)

    # Line by line

    def _walk(self, text: bytes, start: int, events: list[Event]) -> int:
        """Take lines from `start` up to and with a blank one, or to the end; returns where the next would begin."""
        self._inside = True
        while (end := text.find(b"\n", start)) >= 0:
            line = bytes(self._line + text[start:end]) if self._line else text[start:end]
            self._line.clear()
            start = end + 1
            if len(line) > self._max_line:
                self._give_up("line", self._max_line)
            if self.fault is not None:
                return len(text)
            self._take(line, events)
            if not line:
                self._inside = False
                return start
        self._line += text[start:]
        if len(self._line) > self._max_line:
            self._give_up("line", self._max_line)
        return len(text)

    def _take(self, line: bytes, events: list[Event]) -> None:
        """Process a line (§9.2.6)."""
        if not line:
            self._dispatch(events)
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._append(value)
            case b"event":
                self._type = value
            case b"id" if b"\0" not in value:
                self._id, self._has_id = value.decode(errors="replace"), True
            case b"retry" if value.isdigit():
                self._set_retry(value, events)
            case b"" if self._verbose:
                events.append(Received("", value, Kind.PING, COMMENT))

    def _append(self, value: bytes) -> None:
        self._data += value
        if len(self._data) > self._max_size:
            self._give_up("event", self._max_size)
        self._data += b"\n"

    def _set_retry(self, digits: bytes, events: list[Event]) -> None:
        # The longest times are longer than Python turns into a number.
        self.retry = min(int(digits.lstrip(b"0")[:9] or b"0"), LONGEST_RETRY)
        if self._verbose:
            text = f"the server wants {self.retry / 1000:g} s between connects"
            events.append(Notice(text=text, meta={"retry": self.retry}))

    def _dispatch(self, events: list[Event]) -> None:
        """Dispatch the event (§9.2.6)."""
        self.last_id = self._id
        if self._data:
            self._data.pop()
            name = self._names[self._type] if len(self._type) <= MAX_NAME else _shortened(self._type)
            events.append(Received(name, bytes(self._data), Kind.MESSAGE, self._meta()))
            self._data.clear()
        self._type, self._has_id = b"", False

    def _meta(self) -> Meta | None:
        meta = {"id": self._id} if self._has_id else {}
        if len(self._type) > MAX_NAME:
            meta["event"] = self._type.decode(errors="replace")
        return meta or None

    def _give_up(self, what: str, limit: int) -> None:
        option = f"max_{'size' if what == 'event' else what}"
        self.fault = Fault(
            kind="limit",
            side="us",
            title=f"The {what} is too long",
            cause=f"more than {format_size(limit)} without an end",
            hint=f"Raise the option {option} if this is meant to be",
            meta={"key": option},
        )
        self._line.clear()
        self._data.clear()


def _shortened(name: bytes) -> str:
    return name[:MAX_NAME].decode(errors="replace") + "…"
