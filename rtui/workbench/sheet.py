"""What a tab is, without its looks: a view on the capture, and the connection behind it if there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from rtui.capture.lens import Lens
from rtui.capture.query import Filter, without

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection
    from rtui.settings.session import Session
    from rtui.workbench.widgets.column import Column

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
        self.connection = connection
        self.session = session
        """As the user wrote it: templates unrendered, so that it can be saved."""
        self.filter: Filter | None = None
        self.filter_text = ""
        self.columns: tuple[Column, ...] = ()
        """Those of its log; empty for the usual ones."""
        self.draft: Any = None
        """What stands in the composer, while another sheet is shown."""
        self.unsaved = False
        """Whether the session was changed in a form and not saved."""
        self.muted: set[int] = set()
        """Links that the timeline leaves out."""
        self.hidden: tuple[tuple[int, Filter], ...] = ()
        """What is not shown although it is recorded, by link: see `hide`."""
        self._make_lens = make_lens
        self._lens: Lens | None = None

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


class Sheets:
    """The tabs in order, and which one is shown."""

    def __init__(self) -> None:
        self._sheets: dict[int, Sheet] = {}
        self.current: Sheet | None = None

    def __iter__(self) -> Iterator[Sheet]:
        return iter(self._sheets.values())

    def __len__(self) -> int:
        return len(self._sheets)

    def get(self, key: int) -> Sheet | None:
        """The sheet of a link, or None."""
        return self._sheets.get(key)

    def add(self, sheet: Sheet) -> None:
        """Append; the timeline stays last."""
        timeline = self._sheets.pop(TIMELINE, None)
        self._sheets[sheet.key] = sheet
        if timeline is not None and sheet.key != TIMELINE:
            self._sheets[TIMELINE] = timeline

    def remove(self, sheet: Sheet) -> None:
        """Take a tab away; its neighbour is shown if it was the current one."""
        neighbour = self.beside(-1) if len(self) > 1 else None
        sheet.close()
        del self._sheets[sheet.key]
        if self.current is sheet:
            self.current = neighbour if neighbour is not sheet else next(iter(self), None)

    def beside(self, step: int) -> Sheet | None:
        """The sheet `step` tabs on, around the ends."""
        if not self._sheets:
            return None
        order = list(self._sheets.values())
        place = order.index(self.current) if self.current in order else 0
        return order[(place + step) % len(order)]
