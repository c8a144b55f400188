"""What the workbench remembers about its user between runs: panes, theme, histories, what was open.

One small JSON file, written whole or not at all. A broken one costs a notification and the defaults, never the start.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from rtui.core.fault import Failure
from rtui.settings.files import Problem, SettingsError, read_settings, write_atomic
from rtui.settings.paths import user_state

HISTORY: Final = 50
"""Payloads remembered per session."""
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
    """Sessions (names as in the sidebar) that were connected when the workbench was left."""
    filters: dict[str, str] = {}
    """The last filter by session."""
    history: dict[str, list[str]] = {}
    """Sent payloads by session, newest last."""

    def remember_payload(self, session: str, payload: str) -> None:
        """Put `payload` at the end of the session's history, once."""
        if not payload or len(payload) > LONGEST_PAYLOAD:
            return
        entries = self.history.pop(session, [])
        self.history[session] = [*(one for one in entries if one != payload), payload][-HISTORY:]
        while len(self.history) > HISTORIES:
            del self.history[next(iter(self.history))]


def state_file() -> Path:
    """Where the state is kept."""
    return user_state() / "workbench.json"


def load_state(path: Path) -> tuple[State, list[Problem]]:
    """The state at `path`, or the defaults and what is wrong with the file. Never raises."""
    if not path.exists():
        return State(), []
    try:
        return msgspec.json.decode(read_settings(path), type=State), []
    except SettingsError as error:
        return State(), error.problems
    except (msgspec.DecodeError, RecursionError) as error:
        return State(), [Problem(str(path), 1, "", f"is not a state file ({error}); starting afresh")]


def save_state(state: State, path: Path) -> str:
    """Write `state` to `path`; returns what went wrong, or nothing: leaving must not fail over this."""
    try:
        write_atomic(path, msgspec.json.encode(state))
    except Failure as failure:
        return failure.fault.sentence()
    return ""
