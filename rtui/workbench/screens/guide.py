"""What tells a newcomer what to do: first steps, the words of an empty log, and the tour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtui.workbench.layout import PANES
from rtui.workbench.panes.card import FIRST_STEPS, IN_CAPTURE, TOUR, Tour

if TYPE_CHECKING:
    from rtui.workbench.screens.stage import Stage


class Guide:
    """Words and pointers for the stage as it is now."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def first_words(self) -> str:
        """What stands where connections will be."""
        if self._stage.live_capture:
            return "rtui — no connection is open"
        return f"rtui — no connection was recorded in {self._stage.bench.catalog.reader.path.name}"

    def first_steps(self) -> list[tuple[str, str]]:
        """What to do when nothing is open: keys and words."""
        return [
            (self._stage.bench.key_of(action), words)
            for action, words in FIRST_STEPS
            if self._stage.live_capture or action in IN_CAPTURE
        ]

    def empty_words(self, *, filtered: bool) -> str:
        """What an empty log says."""
        key_of, connection = self._stage.bench.key_of, self._stage.connection
        if filtered:
            return f"nothing matches the filter — {key_of('app.clear-filter')} shows everything"
        if self._stage.sheets.current is not None and self._stage.sheets.current.hidden:
            return f"nothing but what is muted — {key_of('app.subscriptions')} lists the subscriptions"
        if not self._stage.live_capture:
            return "nothing was recorded here"
        peer = connection.adapter.words.peer if connection is not None else "servers"
        return f"no messages yet — {key_of('app.compose')} writes one, or wait for the {peer}"

    # The tour

    def start(self) -> None:
        """From its beginning, unless it runs."""
        if not self._stage.query(Tour):
            tour = Tour(TOUR, id="tour")
            self._stage.mount(tour, before="#status")
            tour.focus()

    def point_at(self, pane: str) -> None:
        """A step is about `pane`: say how it is brought, if it is not shown."""
        for name in PANES:
            self._stage.pane(name).set_class(name == pane, "-pointed")
        key = self._stage.bench.key_of(f"app.pane-{pane}")
        for tour in self._stage.query(Tour):
            tour.hint = "" if self._stage.is_shown(pane) else f"{key} brings it."
            tour.refresh(layout=True)

    def end(self) -> None:
        """For good."""
        self._stage.bench.state.tour_dismissed = True
        for name in PANES:
            self._stage.pane(name).remove_class("-pointed")
        self._stage.log_view.focus()
