"""What tells a newcomer what to do: first steps, the words of an empty log, and the tour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from textual.binding import Binding

from rtui.core.lifecycle import State
from rtui.protocols.base import Verb
from rtui.workbench.panes.card import FIRST_STEPS, IN_CAPTURE, PICK_ONE, TOUR, Tour

if TYPE_CHECKING:
    from rtui.workbench.screens.stage import Stage
    from rtui.workbench.sheet import Sheet

FIELD: Final = re.compile(r"[A-Za-z_][\w.]*(?:!=|[~<>=])")
"""A filter that begins so looks for these very characters; most who write it mean a field of the JSON."""


class Guide:
    """Words and pointers for the stage as it is now."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def first_words(self) -> str:
        """What stands where connections will be."""
        if self._stage.bench.opening:
            return "rtui — connecting"
        if self._stage.live_capture:
            return "rtui — no connection is open"
        catalog = self._stage.bench.catalog
        state = "opening" if catalog.links else "no connection was recorded in"
        return f"rtui — {state} {catalog.reader.path.name}"

    def first_steps(self) -> list[tuple[str, str]]:
        """What to do when nothing is open: keys and words."""
        bench, listed = self._stage.bench, self._stage.is_shown("sessions")
        if bench.opening:
            return []
        steps = [
            (bench.key_of(action), words)
            for action, words in FIRST_STEPS
            if (self._stage.live_capture and not (listed and action == "app.pane-sessions")) or action in IN_CAPTURE
        ]
        id_, key, words = PICK_ONE
        shown = bench.get_key_display(Binding(bench.keymap.get(id_, key), "", ""))
        return [(shown, words), *steps] if listed and self._stage.live_capture else steps

    def empty_words(self, sheet: Sheet) -> str:
        """What the log of `sheet` says when it is empty."""
        key_of, connection = self._stage.bench.key_of, sheet.connection
        if sheet.filter_text:
            field = FIELD.match(sheet.filter_text)
            meant = f"; for a field write .{field[0]}…" if field is not None else ""
            return f"nothing matches the filter — {key_of('app.clear-filter')} shows everything{meant}"
        if sheet.hidden:
            return f"nothing but what is muted — {key_of('app.subscriptions')} lists the subscriptions"
        if not self._stage.live_capture:
            return "nothing was recorded here"
        peer = connection.adapter.words.peer if connection is not None else "servers"
        return f"no messages yet — {key_of('app.compose')} writes one, or wait for the {peer}"

    def no_channels(self, sheet: Sheet, title: str) -> str:
        """What the tree of `sheet` says when it is empty; `title`: what channels are called there."""
        connection = sheet.connection
        if connection is None or Verb.SUBSCRIBE not in connection.adapter.verbs:
            return f"no {title} yet — they appear with the messages"
        words, key = connection.adapter.words, self._stage.bench.key_of("app.subscribe")
        if connection.state is not State.OPEN:
            return f"no {title} yet — not connected"
        if any(one.enabled for one in connection.subscriptions):
            return f"no {title} yet — nothing came so far; {key} asks for another {words.subscribed}"
        return f"no {title} yet — {key} asks the {words.peer} for a {words.subscribed}"

    # The tour

    def start(self) -> None:
        """From its beginning, unless it runs."""
        if not self._stage.query(Tour):
            tour = Tour(TOUR, id="tour")
            self._stage.mount(tour, before="#status")
            tour.focus()

    def go_on(self) -> None:
        """Let the tour have the keys again, if there is one to be seen."""
        for tour in self._stage.query(Tour):
            if tour.display:
                tour.focus()

    def point_at(self, pane: str) -> None:
        """A step is about `pane`: say how it is brought, if it is not shown."""
        self._point_nowhere()
        self._stage.pane(pane).add_class("-pointed")
        key = self._stage.bench.key_of(f"app.pane-{pane}")
        for tour in self._stage.query(Tour):
            tour.hint = "" if self._stage.is_shown(pane) else f"{key} brings it."
            tour.refresh(layout=True)

    def end(self) -> None:
        """For good."""
        self._stage.bench.state.tour_dismissed = True
        self._point_nowhere()
        self._stage.log_view.focus()

    def _point_nowhere(self) -> None:
        self._stage.query(".-pointed").remove_class("-pointed")
