"""A text that comes piece by piece, as rows for the message pane: its figures, and the text read as Markdown."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Final

from rtui.capture.joined import AUTO, Joined
from rtui.capture.past import Past
from rtui.core.clean import clean, clip
from rtui.core.words import counted
from rtui.payloads.base import Document, Line
from rtui.payloads.markdown import WIDTH, Markdown
from rtui.workbench.widgets import figure

SHARE: Final = 10
"""Reading the text may take one part in this many of the time: an open block of 8 KiB needs 10 to 40 ms."""
MAX_PATH: Final = 40


class JoinedText(Document):
    """The text around one record. The first row says how fast it comes, and how it ended."""

    def __init__(self, past: Past, link: int, seq: int, offered: Sequence[str]) -> None:
        """`offered` are the paths to choose from; the first is looked at.

        Raises:
            ValueError: if that is no path.
        """
        self.link = link
        self.offered = list(offered)
        self.ready = False
        """Whether what is stored was looked up; if not, `gather` is due."""
        self._past = past
        self._seq = seq
        self._width = WIDTH
        self._markdown = Markdown()
        self._joined = Joined(past, link, seq, self.offered[0])
        self._grown_at = self._cost = 0.0

    @property
    def live(self) -> bool:
        """Whether more may come."""
        strand = self._joined.strand
        return strand.end is None and not strand.done and not strand.closed

    @property
    def text(self) -> str:
        """All of the text that is kept, exactly."""
        return self._markdown.source

    def covers(self, seq: int) -> bool:
        """Whether a record of the connection belongs to this text, as far as is known."""
        return self._joined.covers(seq)

    def choose(self, step: int) -> bool:
        """Look at another path; whether there is one."""
        if len(self.offered) < 2:  # noqa: PLR2004 - this and another
            return False
        self.offered = self.offered[step:] + self.offered[:step]
        self._joined = Joined(self._past, self.link, self._seq, self.offered[0])
        self._markdown = Markdown()
        self._markdown.reflow(self._width)
        self.ready = False
        return True

    # Keeping up

    async def gather(self, cancelled: threading.Event) -> None:
        """Look up and read what is stored, in threads."""
        joined = self._joined
        if not joined.complete:
            strand = await asyncio.to_thread(joined.look_up, cancelled)
            markdown = await asyncio.to_thread(_read, strand.drain(), self._width)
            if joined is not self._joined or cancelled.is_set():
                return
            markdown.reflow(self._width)
            joined.take(strand)
            self._markdown = markdown
        self.ready = True

    def grow(self) -> bool:
        """Take in what came since, unless that was done a moment ago; whether any row changed."""
        if not self._joined.behind or time.monotonic() - self._grown_at < SHARE * self._cost:
            return False
        began = time.thread_time()  # a moment in which the machine did something else is no cost of ours
        changed = self._joined.refresh()
        _write(self._markdown, self._joined.strand.drain())
        self._grown_at, self._cost = time.monotonic(), time.thread_time() - began
        return changed

    # Rows

    @property
    def height(self) -> int:
        """See `Document`."""
        return 1 + self._markdown.height

    def lines(self, first: int, count: int) -> list[Line]:
        """See `Document`."""
        heading = [self._heading()] if first <= 0 < count else []
        return heading + self._markdown.lines(max(first - 1, 0), count - len(heading))

    def reflow(self, width: int) -> bool:
        """See `Document`."""
        self._width = width
        return self._markdown.reflow(width)

    def path(self, row: int) -> str | None:  # noqa: ARG002 - all rows come from one place
        """Where the pieces stand."""
        return self._joined.strand.path or None

    def value(self, row: int) -> bytes:
        """The Markdown of what the row belongs to; of the first row, all of it."""
        return self._markdown.value(row - 1) if row else self.text.encode("utf-8", "surrogatepass")

    def _heading(self) -> Line:
        strand = self._joined.strand
        if not self.ready:
            return [("dim", "reading…")]
        if not strand.tokens and not self.text:
            return self._nothing()
        line: Line = [("number", f"{strand.tokens:,}"), ("dim", " token" if strand.tokens == 1 else " tokens")]
        if strand.rate:
            line += [("dim", " · "), ("number", figure.amount(strand.rate)), ("dim", "/s")]
        if strand.waited is not None:
            line += [("dim", " · first after "), ("number", figure.latency(strand.waited))]
        line += [("dim", " · "), ("text" if self.live else "key", self._state())]
        line.append(("dim", f" · {clip(clean(strand.path), MAX_PATH)}"))
        if self._markdown.dropped:
            line.append(("dim", f" · {counted(self._markdown.dropped, 'older character')} not kept"))
        if strand.partial:
            line.append(("dim", " · its beginning was not looked up"))
        return line

    def _state(self) -> str:
        strand = self._joined.strand
        if strand.done:
            return "done"
        return strand.closed or ("live" if strand.end is None else "over")

    def _nothing(self) -> Line:
        asked = self._joined.asked
        where = "where servers usually put it" if asked == AUTO else f"at {clip(clean(asked), MAX_PATH)}"
        other = "; →/← choose another place" if len(self.offered) > 1 else ""
        return [("dim", f"no text {where}{' yet' if self.live else ''}{other}")]


def _read(pieces: Iterable[str | None], width: int) -> Markdown:
    markdown = Markdown()
    markdown.reflow(width)
    _write(markdown, pieces)
    return markdown


def _write(markdown: Markdown, pieces: Iterable[str | None]) -> None:
    """Add pieces, those of one text in one go."""
    together: list[str] = []
    for piece in pieces:
        if piece is not None:
            together.append(piece)
            continue
        markdown.append("".join(together))
        markdown.divide()
        together = []
    if together:
        markdown.append("".join(together))
