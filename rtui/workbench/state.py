"""What the workbench remembers about its user between runs: panes, theme, histories, what was open.

`state_file` reads and writes it.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

import msgspec

from rtui.settings.session_model import ProtobufTypes
from rtui.workbench.draft import Draft

HISTORY: Final = 50
"""Payloads remembered per session, and expressions in all."""
HISTORIES: Final = 40
"""Sessions whose payloads are remembered; the least recently used go first."""
LONGEST_PAYLOAD: Final = 16_384
LARGEST_HISTORY: Final = 512 * 1024
"""Bytes of all remembered payloads, as they are written: settings files may have twice as many."""
LONGEST_EXPRESSION: Final = 2_000
LONGEST_DRAFT: Final = 65_536
LARGEST_DRAFTS: Final = 128 * 1024
"""Bytes of all messages that were being written, as they are kept; the least recent go first."""


class State(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is kept. Missing keys have these defaults."""

    theme: str = ""
    folded: list[str] = []
    """Panes that were put away."""
    tour_dismissed: bool = False
    opened: list[str] = []
    """Session files, and URLs of unsaved sessions, whose tabs were open when the workbench was left."""
    split: list[str] = []
    """Those of the two tabs that were shown side by side, the left or upper one first; "" is the timeline."""
    half: int = 0
    """Which of the two was the current one."""
    sizes: dict[str, int] = {}
    """Cells by pane, of those that the user made wider, narrower, higher or lower; under "split" the share of the first
    half in hundredths."""
    filters: dict[str, str] = {}
    """The last filter by session."""
    columns: dict[str, list[str]] = {}
    """The columns of the log by session, of those that the user chose."""
    density: str = ""
    """Of the log's rows, once it was chosen."""
    types: dict[str, ProtobufTypes] = {}
    """Message types that were chosen, by session without a file; of captures, by connection."""
    drawn: dict[str, dict[str, list[str]]] = {}
    """The numbers that were chosen for a chart, by session and channel."""
    history: dict[str, list[str]] = {}
    """Sent payloads by session, newest last."""
    drafts: dict[str, Draft] = {}
    """By session: what stood in the composer and was not sent, or was sent and left there."""
    expressions: list[str] = []
    """What was filtered by and searched for, newest last."""
    saved_filters: dict[str, str] = {}
    """Filters that the user keeps, by name."""

    def copy(self) -> State:
        """Another one, that has nothing in common with this one."""
        return msgspec.convert(msgspec.to_builtins(self), State)

    def remember_payload(self, session: str, payload: str) -> None:
        """Put `payload` at the end of the session's history, once."""
        if not fits(payload, LONGEST_PAYLOAD):
            return
        entries = self.history.pop(session, [])
        self.history[session] = [*(one for one in entries if one != payload), payload][-HISTORY:]
        bound_history(self.history)

    def remember_filter(self, session: str, text: str) -> None:
        """Keep the filter of a session; an empty one is forgotten."""
        self.filters.pop(session, None)
        if fits(text, LONGEST_EXPRESSION):
            self.filters[session] = text
            forget_oldest(self.filters)

    def remember_columns(self, session: str, names: list[str]) -> None:
        """Keep the columns of a session; none are forgotten, and the session's own hold again."""
        self.columns.pop(session, None)
        if names:
            self.columns[session] = names
            forget_oldest(self.columns)

    def remember_draft(self, session: str, draft: Draft) -> bool:
        """Keep what is being written; an empty one is forgotten. Returns whether it is small enough to be kept."""
        self.drafts.pop(session, None)
        texts = (draft.payload, draft.channel)
        if not any(texts):
            return True
        small = all(not text or fits(text, LONGEST_DRAFT) for text in texts)
        if small:
            self.drafts[session] = draft
            while len(self.drafts) > 1 and len(msgspec.json.encode(self.drafts)) > LARGEST_DRAFTS:
                del self.drafts[next(iter(self.drafts))]
        return small

    def carry(self, old: str, new: str) -> None:
        """What is kept of the session `old` is kept of `new` too: it was saved or renamed so."""
        small: tuple[dict[str, Any], ...] = (self.filters, self.columns, self.types, self.drawn)
        for by_session in (*small, self.history, self.drafts):
            if old in by_session:
                by_session[new] = deepcopy(by_session[old])
        for by_session in small:
            forget_oldest(by_session)
        bound_history(self.history)

    def remember_expression(self, text: str) -> None:
        """Put what was asked for at the end of `expressions`, once. The list stays the same object."""
        if fits(text, LONGEST_EXPRESSION):
            self.expressions[:] = [*(one for one in self.expressions if one != text), text][-HISTORY:]


def fits(text: str, most: int) -> bool:
    """Whether it says something and can be kept: JSON holds no lone surrogates."""
    return 0 < len(text) <= most and text.encode(errors="ignore").decode() == text


def forget_oldest(by_session: dict[str, Any]) -> None:
    """Keep the `HISTORIES` sessions that were used last."""
    while len(by_session) > HISTORIES:
        del by_session[next(iter(by_session))]


def bound_history(history: dict[str, list[str]]) -> None:
    """Forget sessions until there are few enough, and payloads few enough to be read again."""
    forget_oldest(history)
    sizes = {name: len(msgspec.json.encode(payloads)) for name, payloads in history.items()}
    while len(history) > 1 and sum(sizes.values()) > LARGEST_HISTORY:
        del history[oldest := next(iter(history))], sizes[oldest]
    for payloads in history.values():
        while len(payloads) > 1 and len(msgspec.json.encode(payloads)) > LARGEST_HISTORY:
            del payloads[0]
