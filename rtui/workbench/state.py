"""What the workbench remembers about its user between runs: panes, theme, histories, what was open.

One small JSON file, written whole or not at all. A broken one, or one that something else wrote, costs a notification
and the defaults, never the start; it is kept beside the new one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from rtui.core.fault import Failure
from rtui.settings.files import Problem, SettingsError, read_settings, write_atomic
from rtui.settings.paths import user_state

HISTORY: Final = 50
"""Payloads remembered per session, and expressions in all."""
HISTORIES: Final = 40
"""Sessions whose payloads are remembered; the least recently used go first."""
LONGEST_PAYLOAD: Final = 16_384


class State(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is kept. Unknown keys of a newer version are ignored, missing ones have these defaults."""

    theme: str = ""
    folded: list[str] = []
    """Panes that were put away."""
    tour_dismissed: bool = False
    opened: list[str] = []
    """Session files, and URLs of unsaved sessions, whose tabs were open when the workbench was left."""
    sizes: dict[str, int] = {}
    """Cells by pane, of those that the user made wider, narrower, higher or lower."""
    filters: dict[str, str] = {}
    """The last filter by session."""
    columns: dict[str, list[str]] = {}
    """The columns of the log by session, of those that the user chose."""
    history: dict[str, list[str]] = {}
    """Sent payloads by session, newest last."""
    expressions: list[str] = []
    """What was filtered by and searched for, newest last."""
    saved_filters: dict[str, str] = {}
    """Filters that the user keeps, by name."""

    def remember_payload(self, session: str, payload: str) -> None:
        """Put `payload` at the end of the session's history, once."""
        if not payload or len(payload) > LONGEST_PAYLOAD:
            return
        entries = self.history.pop(session, [])
        self.history[session] = [*(one for one in entries if one != payload), payload][-HISTORY:]
        _forget_oldest(self.history)

    def remember_filter(self, session: str, text: str) -> None:
        """Keep the filter of a session; an empty one is forgotten."""
        self.filters.pop(session, None)
        if text:
            self.filters[session] = text
            _forget_oldest(self.filters)

    def remember_columns(self, session: str, names: list[str]) -> None:
        """Keep the columns of a session; none are forgotten, and the session's own hold again."""
        self.columns.pop(session, None)
        if names:
            self.columns[session] = names
            _forget_oldest(self.columns)

    def remember_expression(self, text: str) -> None:
        """Put what was asked for at the end of `expressions`, once. The list stays the same object."""
        if text:
            self.expressions[:] = [*(one for one in self.expressions if one != text), text][-HISTORY:]


def _forget_oldest(by_session: dict[str, Any]) -> None:
    while len(by_session) > HISTORIES:
        del by_session[next(iter(by_session))]


def state_file() -> Path:
    """Where the state is kept."""
    return user_state() / "workbench.json"


def load_state(path: Path) -> tuple[State, list[Problem]]:
    """The state at `path`, or the defaults and what is wrong with the file. Never raises."""
    if not path.exists():
        return State(), []
    try:
        text = read_settings(path)
        state = msgspec.json.decode(text, type=State)
    except SettingsError as error:
        _put_aside(path)
        return State(), error.problems
    except (msgspec.DecodeError, RecursionError) as error:
        return State(), [_refused(path, f"is not a state file ({error})")]
    if state == State() and msgspec.json.decode(text):
        return State(), [_refused(path, "is not a state file of rtui")]
    return state, []


def _refused(path: Path, why: str) -> Problem:
    kept = _put_aside(path)
    return Problem(str(path), 1, "", f"{why}; starting afresh{f', it is kept as {kept.name}' if kept else ''}")


def _put_aside(path: Path) -> Path | None:
    """Rename what is in the way of the next save; None if that cannot be done."""
    kept = path.with_name(f"{path.name}.bak")
    try:
        return path.replace(kept)
    except OSError:
        return None


def save_state(state: State, path: Path) -> str:
    """Write `state` to `path`; returns what went wrong, or nothing: leaving must not fail over this."""
    try:
        write_atomic(path, msgspec.json.encode(state))
    except Failure as failure:
        return failure.fault.sentence()
    return ""
