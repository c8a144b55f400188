"""Which numbers were chosen to be drawn, by channel."""

from __future__ import annotations

from rtui.capture.past import Key


class Drawn:
    """Remembers for this run. Paths as the filter language writes them."""

    def __init__(self) -> None:
        self.latest: list[str] = []
        """Those that were chosen last: another channel may have them too."""
        self._chosen: dict[Key, list[str]] = {}

    def of(self, key: Key) -> list[str]:
        """Those of a channel; empty if nothing was chosen there."""
        return self._chosen.get(key, [])

    def note(self, key: Key, paths: list[str]) -> None:
        """These were chosen."""
        self._chosen[key] = self.latest = paths
