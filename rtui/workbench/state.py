"""What the workbench remembers about its user between runs: panes, theme, histories, what was open.

`state_file` reads and writes it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

HISTORY: Final = 50
"""Payloads remembered per session, and expressions in all."""
HISTORIES: Final = 40
"""Sessions whose payloads are remembered; the least recently used go first."""
LONGEST_PAYLOAD: Final = 16_384
LARGEST_HISTORY: Final = 512 * 1024
"""Bytes of all remembered payloads, as they are written: settings files may have twice as many."""
LONGEST_EXPRESSION: Final = 2_000


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
    """Cells by pane, of those that the user made wider, narrower, higher or lower."""
    filters: dict[str, str] = {}
    """The last filter by session."""
    columns: dict[str, list[str]] = {}
    """The columns of the log by session, of those that the user chose."""
    density: str = ""
    """Of the log's rows, once it was chosen."""
    history: dict[str, list[str]] = {}
    """Sent payloads by session, newest last."""
    expressions: list[str] = []
    """What was filtered by and searched for, newest last."""
    saved_filters: dict[str, str] = {}
    """Filters that the user keeps, by name."""

    def remember_payload(self, session: str, payload: str) -> None:
        """Put `payload` at the end of the session's history, once."""
        if not _fits(payload, LONGEST_PAYLOAD):
            return
        entries = self.history.pop(session, [])
        self.history[session] = [*(one for one in entries if one != payload), payload][-HISTORY:]
        bound_history(self.history)

    def remember_filter(self, session: str, text: str) -> None:
        """Keep the filter of a session; an empty one is forgotten."""
        self.filters.pop(session, None)
        if _fits(text, LONGEST_EXPRESSION):
            self.filters[session] = text
            forget_oldest(self.filters)

    def remember_columns(self, session: str, names: list[str]) -> None:
        """Keep the columns of a session; none are forgotten, and the session's own hold again."""
        self.columns.pop(session, None)
        if names:
            self.columns[session] = names
            forget_oldest(self.columns)

    def remember_expression(self, text: str) -> None:
        """Put what was asked for at the end of `expressions`, once. The list stays the same object."""
        if _fits(text, LONGEST_EXPRESSION):
            self.expressions[:] = [*(one for one in self.expressions if one != text), text][-HISTORY:]


def _fits(text: str, most: int) -> bool:
    """Whether it can be kept: JSON holds no lone surrogates."""
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
