"""Which numbers the user chose for the charts, kept between runs by session and channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rtui.capture.past import Key
from rtui.workbench.state import fits, forget_oldest
from rtui.workbench.widgets.drawn import Drawn

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

LONGEST: Final = 500
"""Characters of a channel or a path that is kept."""


class KeptDrawn(Drawn):
    """Remembers for the next run too."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def of(self, key: Key) -> list[str]:
        """See `Drawn`."""
        return super().of(key) or self._desk.bench.state.drawn.get(self._name(key), {}).get(key.channel, [])

    def note(self, key: Key, paths: list[str]) -> None:
        """See `Drawn`."""
        super().note(key, paths)
        name, kept = self._name(key), self._desk.bench.state.drawn
        if name and all(fits(text, LONGEST) for text in (key.channel or ".", *paths)):
            channels = kept.pop(name, {})
            channels.pop(key.channel, None)
            channels[key.channel] = paths
            forget_oldest(channels)
            kept[name] = channels
            forget_oldest(kept)

    def _name(self, key: Key) -> str:
        """What the session of a link is remembered by."""
        sheet, row = self._desk.sheets.get(key.link), self._desk.bench.catalog.links.get(key.link)
        return sheet.name if sheet is not None else row.name if row is not None else ""
