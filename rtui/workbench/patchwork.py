"""What a frame paints: the widgets where something has changed, and of them the lines between the first and the last.

Textual asks every widget within the rectangle around all changes for all of its lines. A tab's counter above and the
status line below make that the whole screen: 6 to 8 % of the CPU at 1,000 messages a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class Patchwork(Compositor):
    """A compositor whose partial updates look at what has changed only."""

    def __init__(self) -> None:
        super().__init__()
        self._patches: list[Region] = []
        """Where something has changed, while that is painted."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """See `Compositor.render_partial_update`."""
        self._patches = _bands(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._patches = []

    def _get_renders(self, crop: Region | None = None) -> Iterator[tuple[Region, Region, list[Strip]]]:
        if not self._patches:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            if changed := [patch for one in self._patches if (patch := one.intersection(seen))]:
                _, y, _, height = Region.from_union(changed)
                lines = Region(seen.x, y, seen.width, height)
                yield region, lines, widget.render_lines(lines.translate((-region.x, -region.y)))


def _bands(regions: Iterable[Region]) -> list[Region]:
    """The regions, those of one column of the screen made one: rows of a log come one by one."""
    bands: dict[tuple[int, int], Region] = {}
    for region in regions:
        key = (region.x, region.width)
        bands[key] = bands[key].union(region) if key in bands else region
    return list(bands.values())
