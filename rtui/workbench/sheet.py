"""What a tab is, without its looks: a view on the capture, and the connection behind it if there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from rtui.capture.lens import Lens
from rtui.capture.query import Filter, compile_filter, without

if TYPE_CHECKING:
    from pathlib import Path

    from rtui.runtime.hub import Connection
    from rtui.settings.session import Session
    from rtui.workbench.draft import Draft
    from rtui.workbench.widgets.column import Column
    from rtui.workbench.widgets.density import Density

UNANSWERED: Final = compile_filter("unanswered")
TIMELINE: Final = 0
"""The key of the sheet that merges all connections; links are numbered from 1."""


class Sheet:
    """One tab. Its lens is made when it is first looked at."""

    def __init__(
        self,
        key: int,
        name: str,
        make_lens: Callable[[int | None, Filter | None], Lens],
        *,
        connection: Connection | None = None,
        session: Session | None = None,
    ) -> None:
        self.key = key
        self.name = name
        """The session's: what is kept between runs is kept under it."""
        self.title = name
        """What users read on the tab and wherever rows name their connection: no two have the same."""
        self.connection = connection
        self.session = session
        """As the user wrote it: templates unrendered, so that it can be saved."""
        self.filter: Filter | None = None
        self.filter_text = ""
        self.columns: tuple[Column, ...] = ()
        """Those of its log; empty for the usual ones."""
        self.large_lines = session.view.large_lines if session is not None else 0
        """Lines of a large row that its session asks for; 0 for the user's number."""
        self.density: Density | None = None
        """That of its session; None for the user's usual one."""
        self.draft: Draft | None = None
        """What stands in the composer, while another sheet is shown."""
        self.several: frozenset[int] = frozenset()
        """The links that a message was sent to together the last time."""
        self.unsaved = False
        """Whether the session was changed in a form and not saved."""
        self.muted: set[int] = set()
        """Links that the timeline leaves out."""
        self.hidden: tuple[tuple[int, Filter], ...] = ()
        """What is not shown although it is recorded, by link: see `hide`."""
        self._make_lens = make_lens
        self._lens: Lens | None = None
        self._unanswered: Lens | None = None

    @property
    def is_timeline(self) -> bool:
        """Whether it merges all connections."""
        return self.key == TIMELINE

    @property
    def lens(self) -> Lens:
        """The rows."""
        if self._lens is None:
            self._lens = self._make_lens(None if self.is_timeline else self.key, without(self.filter, self.hidden))
        return self._lens

    @property
    def unanswered(self) -> Lens | None:
        """The requests that have no answer, whatever the filter says; None while nothing was asked."""
        asked = self.connection is None or self.connection.link.ledger.issued
        if self._unanswered is None and asked:
            self._unanswered = self._make_lens(None if self.is_timeline else self.key, UNANSWERED)
        return self._unanswered

    def narrow(self, found: Filter | None, text: str) -> None:
        """Show only what matches; the lens is made anew."""
        self.filter = found
        self.filter_text = text
        self.close()

    def hide(self, hidden: tuple[tuple[int, Filter], ...]) -> bool:
        """Leave out what each link has muted; False if nothing changes, else the lens is made anew."""
        if hidden == self.hidden:
            return False
        self.hidden = hidden
        self.close()
        return True

    def close(self) -> None:
        """Let go of the lens and of any scan it runs."""
        if self._lens is not None:
            self._lens.cancel()
            self._lens = None

    def end(self) -> None:
        """Let go of everything: the tab is closed."""
        self.close()
        if self._unanswered is not None:
            self._unanswered.cancel()
            self._unanswered = None


class Sheets:
    """The tabs in order, and which are shown: one, or two in the halves of a split."""

    def __init__(self) -> None:
        self._sheets: dict[int, Sheet] = {}
        self.shown: list[Sheet] = []
        """At most two, the left or upper one first."""
        self.place = 0
        """Which of them is the current one: keys and panes are about it."""
        self._before: Sheet | None = None

    def __iter__(self) -> Iterator[Sheet]:
        return iter(self._sheets.values())

    def __len__(self) -> int:
        return len(self._sheets)

    def get(self, key: int) -> Sheet | None:
        """The sheet of a link, or None."""
        return self._sheets.get(key)

    def of_file(self, path: Path) -> Sheet | None:
        """The sheet whose session the file `path` holds, or None."""
        return next((sheet for sheet in self if sheet.session is not None and sheet.session.path == path), None)

    @property
    def current(self) -> Sheet | None:
        """The one that keys and panes are about."""
        return self.shown[self.place] if self.shown else None

    @property
    def is_split(self) -> bool:
        """Whether two are shown."""
        return len(self.shown) > 1

    @property
    def other(self) -> Sheet | None:
        """What the other half of a split shows."""
        return self.shown[1 - self.place] if self.is_split else None

    def add(self, sheet: Sheet) -> None:
        """Append; the timeline stays last."""
        timeline = self._sheets.pop(TIMELINE, None)
        self._sheets[sheet.key] = sheet
        if timeline is not None and sheet.key != TIMELINE:
            self._sheets[TIMELINE] = timeline

    def go(self, sheet: Sheet) -> None:
        """Make `sheet` the current one: in the half that shows it already, else in place of the current one."""
        if sheet in self.shown:
            self.place = self.shown.index(sheet)
        else:
            self._before = self.current
            self.shown[self.place : self.place + 1] = [sheet]

    def split(self, sheet: Sheet) -> None:
        """Show `sheet` beside the current one, in place of what is there; it becomes the current one."""
        if self.is_split and sheet not in self.shown:
            self.place = 1 - self.place
        if self.is_split or not self.shown or sheet is self.current:
            self.go(sheet)
        else:
            self.shown.append(sheet)
            self.place = 1

    def swap(self) -> None:
        """The two halves change places; the current one stays the current one."""
        if self.is_split:
            self.shown.reverse()
            self.place = 1 - self.place

    def unsplit(self) -> None:
        """Show the current one alone."""
        self._before = self.other or self._before
        self.shown, self.place = self.shown[self.place : self.place + 1], 0

    def remove(self, sheet: Sheet) -> None:
        """Take a tab away. What was shown beside it is alone now; what was alone gives way to its neighbour."""
        neighbour = self.beside(-1)
        sheet.end()
        del self._sheets[sheet.key]
        if sheet is self._before:
            self._before = None
        if sheet in self.shown:
            self.shown.remove(sheet)
            self.place = 0
            if not self.shown and neighbour is not None and neighbour is not sheet:
                self.shown = [neighbour]

    def close(self, sheet: Sheet) -> None:
        """Take a tab away, and with the last one the timeline, which has nothing left to merge."""
        self.remove(sheet)
        if set(self._sheets) == {TIMELINE}:
            self.remove(self._sheets[TIMELINE])

    def beside(self, step: int) -> Sheet | None:
        """The sheet `step` tabs on, around the ends and past what the other half shows."""
        order = [sheet for sheet in self if sheet is not self.other]
        place = order.index(self.current) if self.current in order else 0
        return order[(place + step) % len(order)] if order else None

    def companion(self) -> Sheet | None:
        """What is best shown beside the current one: what was there before it, or else its neighbour."""
        found = self._before or self.beside(1)
        return found if found is not self.current else None
