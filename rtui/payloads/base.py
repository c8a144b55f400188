"""What a way of showing bytes is: a `View` claims payloads and opens them as a `Document` of rows.

A document hands out windows of rows, so that 16 MiB cost what is on the screen. Its text is clean, its styles are
names (`key`, `number`, …) that the front end maps to colours, and it can tell for each row where it is and which
bytes stand behind it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, TypeAlias

Style: TypeAlias = Literal[
    "text", "key", "string", "number", "null", "punct", "hex", "dim", "error", "added", "removed",
    "heading", "strong", "emphasis", "struck", "code", "link", "out", "notice",
]  # fmt: skip
Span: TypeAlias = tuple[Style, str]
Line: TypeAlias = list[Span]
"""One row: clean text in pieces, without a newline."""
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
"""What is known of a payload that came without meta."""


class Unreadable(ValueError):
    """The payload is not in the format of the view; the text says what and where."""


class Document(ABC):
    """An opened payload as rows."""

    @property
    @abstractmethod
    def height(self) -> int:
        """How many rows there are now (folding and reflowing change it)."""

    @abstractmethod
    def lines(self, first: int, count: int) -> list[Line]:
        """Rows `first` to `first + count - 1`, fewer where the document ends."""

    # What a format may do besides; the defaults say "not here".

    def reflow(self, width: int) -> bool:  # noqa: ARG002
        """Fit the rows to `width` cells; whether anything changed."""
        return False

    def foldable(self, row: int) -> bool:  # noqa: ARG002
        """Whether `toggle` would do something."""
        return False

    def toggle(self, row: int) -> bool:  # noqa: ARG002
        """Fold or unfold what starts at `row`; whether anything changed."""
        return False

    def fold_below(self, depth: int) -> bool:  # noqa: ARG002
        """Fold everything at `depth` and deeper (a huge depth unfolds all); whether rows can be folded at all."""
        return False

    def parent(self, row: int) -> int | None:  # noqa: ARG002
        """The row of what encloses `row`."""
        return None

    def path(self, row: int) -> str | None:  # noqa: ARG002
        """Where the row is, as the filter language writes it (`.a.b[0]`); None where rows have no path."""
        return None

    def literal(self, row: int) -> str | None:  # noqa: ARG002
        """The value of the row as the filter language writes it after `==`; None for what it cannot compare with."""
        return None

    def find(self, needle: str, row: int, step: int) -> int | None:
        """The next row after `row` that has `needle`, whatever its case; with a `step` of -1 the one before.

        What is folded is looked at too, and unfolded. -1 is the row before the first, `height` the one behind the last.
        """
        wanted = needle.casefold()
        rows = range(row + step, self.height if step > 0 else -1, step)
        return next((one for one in rows if wanted in self._said(one).casefold()), None)

    def _said(self, row: int) -> str:
        return "".join(text for line in self.lines(row, 1) for _, text in line)

    @abstractmethod
    def value(self, row: int) -> bytes:
        """The bytes behind the row, for copying: exact, not cleaned."""


class View(ABC):
    """One format. Stateless; adding one is a file beside this one and an entry in `registry`."""

    name: ClassVar[str]
    title: str

    @property
    def ready(self) -> bool:
        """Whether opening takes only the time that the payload needs: nothing has to be read from a file first."""
        return True

    @abstractmethod
    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """How well this suits, 0 (never) to 1 (certainly), from a glance: not by parsing all of it."""

    @abstractmethod
    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> Document:
        """Read `data`; `meta` is what the protocol told about it.

        Raises:
            Unreadable: if it is in another format after all.
        """

    def render(self, data: bytes, limit: int) -> list[Line]:
        """The first `limit` rows of `data`."""
        return self.open(data).lines(0, limit)


def unfold(folded: set[int], parents: Sequence[int], node: int) -> bool:
    """Take out of `folded` all that encloses `node`; whether there was something. The parent of the outermost is -1."""
    count, around = len(folded), parents[node]
    while around >= 0:
        folded.discard(around)
        around = parents[around]
    return len(folded) != count


def content_type(meta: Mapping[str, Any]) -> str:
    """The media type the protocol told, lower case, without parameters; "" if none."""
    told = meta.get("content_type") or meta.get("content-type") or ""
    return str(told).partition(";")[0].strip().lower()


def is_text(data: bytes) -> bool:
    """Whether the first kilobytes are UTF-8 without control characters other than white space and ESC."""
    head = data[:2048]
    if head.isascii():
        text = head.decode("ascii")
    else:
        try:
            text = head.decode()
        except UnicodeDecodeError as error:
            if error.start < len(head) - 3 or len(data) <= len(head):
                return False
            text = head[: error.start].decode()
    return not any(char < " " and char not in "\t\n\r\x1b" for char in text)
