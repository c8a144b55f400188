"""The text that a stream brings piece by piece: the strings at one JSON path, over one run of a connection.

A run goes from the row that says "open" to the next such row. What is stored of it is read once, by another thread;
what comes later is taken in as it comes. Only figures and the pieces that nobody has fetched yet are kept here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from rtui.capture.past import Past
from rtui.core import json_path
from rtui.core.json_path import Steps
from rtui.core.record import Direction, Kind, Record

AUTO: Final = "auto"
"""Stands for the first of `USUAL` that finds a text."""
USUAL: Final = (
    ".choices[0].delta.content",
    ".choices[0].text",
    ".delta.text",
    ".message.content",
    ".response",
    ".candidates[0].content.parts[0].text",
    ".token.text",
    ".delta",
    ".content",
    ".text",
)
"""Where servers put a token: OpenAI (chat, completions), Anthropic, Ollama (chat, generate), Gemini, TGI, OpenAI
(responses), llama.cpp, and the plain ones."""
DONE: Final = b"[DONE]"
"""The payload that ends a text by the custom of OpenAI."""
MAX_BYTES: Final = 256 * 1024
"""Larger payloads are left out: a token is small."""
MAX_OFFERED: Final = 50
"""Paths of one payload that are offered."""
STEP: Final = 2_000
"""Sequences that one `refresh` looks at: some 5 ms."""

_decode = msgspec.json.Decoder().decode


def _as_it_is(record: Record) -> bytes:
    return record.payload


class Strand:
    """What was found so far. `feed` it a run's records in their order."""

    def __init__(self, path: str, meant: Callable[[Record], bytes] = _as_it_is) -> None:
        """`path` as the filter language writes it, or `AUTO`; `meant` gives the JSON of a message."""
        self._meant = meant
        self.upto = 0
        """The last sequence that was looked at."""
        self.start = 0
        """The first; that of the row that says "open", unless `partial`."""
        self.partial = False
        """Whether it may have begun before `start`."""
        self.end: int | None = None
        """The last sequence of the run, once another has begun."""
        self.tokens = 0
        """Messages of the present text that brought a piece of it."""
        self.began = 0
        """Nanoseconds since the epoch: the open, or what was sent last before the first token; 0 if not known."""
        self.first = 0
        self.last = 0
        """Those of the first and the last token."""
        self.done = False
        """Whether the peer said that the text is whole."""
        self.closed = ""
        """How the connection ended: "closed", "cut off", or empty while it stands."""
        self.path = path if path != AUTO else ""
        """What is looked at; empty while none of the usual paths was seen."""
        self._steps: list[Steps] = [json_path.read(path)] if path != AUTO else [*map(json_path.read, USUAL)]
        self._pieces: list[str | None] = []

    @property
    def rate(self) -> float:
        """Tokens a second, from the first to the last."""
        return (self.tokens - 1) * 1e9 / (self.last - self.first) if self.last > self.first else 0.0

    @property
    def waited(self) -> int | None:
        """Nanoseconds to the first token."""
        return self.first - self.began if self.tokens and self.began else None

    def drain(self) -> list[str | None]:
        """The pieces since the last call; None stands between two texts."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def feed(self, records: Iterable[Record], upto: int) -> None:
        """Take in all records of the connection up to a sequence, or to the end of the run."""
        for record in records:
            if not self.start:
                self.start, self.partial = record.seq, record.kind != Kind.OPEN
            elif record.kind == Kind.OPEN:
                self.end = record.seq - 1
                return
            self._take(record)
        self.upto = upto

    def _take(self, record: Record) -> None:
        if record.kind == Kind.OPEN:
            self.began = record.time
        elif record.kind == Kind.CLOSE:
            self.closed = "cut off" if '"clean":false' in (record.meta or "") else "closed"
        elif record.kind == Kind.MESSAGE and record.direction == Direction.OUT:
            self.began = record.time if self.done or not self.tokens else self.began
        elif record.kind == Kind.MESSAGE and record.direction == Direction.IN:
            self._take_message(record)

    def _take_message(self, record: Record) -> None:
        if record.payload.strip() == DONE:
            self.done = True
        elif piece := self._piece(self._meant(record)):
            if self.done:
                self._begin_anew(record.time)
            self._pieces.append(piece)
            self.first = self.first if self.tokens else record.time
            self.last = record.time
            self.tokens += 1

    def _begin_anew(self, now: int) -> None:
        """Another text follows on the same connection."""
        if self.tokens:
            self._pieces.append(None)
            self.began = self.began if self.began > self.last else 0
        self.tokens, self.done, self.first = 0, False, now

    def _piece(self, payload: bytes) -> str:
        """What stands at the path; empty if nothing does."""
        if len(payload) > MAX_BYTES:
            return ""
        value = _parsed(payload)
        for steps in self._steps:
            found = json_path.pick(value, steps) if steps else _whole(value, payload)
            if isinstance(found, str) and found:
                self._steps = [steps]
                self.path = json_path.write(steps)
                return found
        return ""


class Joined:
    """The text around one record of a connection. All but `look_up` belongs to the loop's thread."""

    def __init__(self, past: Past, link: int, seq: int, path: str = AUTO) -> None:
        """`path` is one that `json_path.read` takes, or `AUTO`."""
        self.link = link
        self.asked = path
        self.strand = Strand(path, past.meant)
        self.complete = False
        """Whether what is stored was looked up; if not, `look_up` and `take` are due."""
        self._past = past
        self._seq = seq
        start = past.held_opening(link, seq)
        if start is not None:
            self.strand.upto = start - 1
            self.complete = True

    @property
    def behind(self) -> bool:
        """Whether `refresh` would look at something."""
        return self.complete and self.strand.end is None and self._past.last > self.strand.upto

    def covers(self, seq: int) -> bool:
        """Whether a record of the connection belongs to this run, as far as is known."""
        return self.strand.start <= seq and (self.strand.end is None or seq <= self.strand.end)

    def refresh(self) -> bool:
        """Take in some of what came since; whether that changed anything."""
        strand = self.strand
        if not self.behind:
            return False
        records, last = self._past.next_of(self.link, strand.upto + 1, STEP)
        strand.feed(records, last)
        return bool(records)

    def look_up(self, cancelled: threading.Event | None = None) -> Strand:
        """Everything that is stored of the run. For another thread."""
        strand = Strand(self.asked, self._past.meant)
        for records, upto in self._past.run(self.link, self._seq, cancelled=cancelled):
            strand.feed(records, upto)
            if strand.end is not None:
                break
        return strand

    def take(self, strand: Strand) -> None:
        """Go on from what `look_up` found."""
        self.strand = strand
        self.complete = True


def texts(payload: bytes) -> list[str]:
    """The paths of every string in a payload, in its order; none in one that is too large to be a piece."""
    if len(payload) > MAX_BYTES:
        return []
    return [json_path.write(steps) for steps in _texts((), _parsed(payload))][:MAX_OFFERED]


def _texts(steps: Steps, value: Any) -> Iterator[Steps]:
    if isinstance(value, str):
        yield steps
    elif isinstance(value, dict):
        for key, inner in list(value.items())[:MAX_OFFERED]:
            yield from _texts((*steps, key), inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value[:MAX_OFFERED]):
            yield from _texts((*steps, place), inner)


def _parsed(payload: bytes) -> Any:
    """The payload as JSON; None if it is none."""
    try:
        return _decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _whole(value: Any, payload: bytes) -> str:
    """The text that a payload is: a JSON string, or plain text."""
    return value if isinstance(value, str) else payload.decode("utf-8", "replace")
