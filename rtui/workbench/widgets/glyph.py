"""The signs that carry meaning without colour, and what stands for them on a terminal that has only ASCII."""

from __future__ import annotations

from typing import Final

import msgspec

from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind


class Glyphs(msgspec.Struct, frozen=True, kw_only=True):
    """One cell each, but `ellipsis`, `dot` and the badges."""

    outward: str
    inward: str
    opened: str
    closed: str
    error: str
    notice: str
    reconnect: str
    gap: str
    subscribe: str
    ack: str
    ping: str
    mark: str
    selected: str
    cursor: str
    branch_open: str
    branch_shut: str
    leaf: str
    muted: str
    waiting: str
    idle: str
    reply: str
    retained: str
    dot: str
    dash: str
    ellipsis: str
    ascending: str
    bars: str
    """Heights of a sparkline, lowest first."""

    def of_kind(self, kind: int, direction: int) -> str:  # noqa: PLR0911 - a table
        """The sign in front of a row."""
        if kind == Kind.MESSAGE:
            return self._of_direction(direction)
        match kind:
            case Kind.OPEN:
                return self.opened
            case Kind.CLOSE:
                return self.closed
            case Kind.RECONNECT:
                return self.reconnect
            case Kind.GAP:
                return self.gap
            case Kind.SUBSCRIBE:
                return self.subscribe
            case Kind.ACK:
                return self.ack
            case Kind.PING:
                return self.ping
            case Kind.ERROR:
                return self.error
            case _:
                return self.notice

    def of_state(self, state: State) -> str:
        """The sign of a connection."""
        match state:
            case State.OPEN:
                return self.opened
            case State.CLOSED:
                return self.closed
            case State.WAITING:
                return self.reconnect
            case State.IDLE:
                return self.idle
            case _:
                return self.waiting

    def sparkline(self, values: list[float], width: int) -> str:
        """The last `width` values as bars, the tallest value full height."""
        shown = values[-width:]
        top = max(shown, default=0)
        if top <= 0:
            return self.bars[0] * len(shown)
        steps = len(self.bars) - 1
        return "".join(self.bars[min(steps, round(value / top * steps))] for value in shown)

    def _of_direction(self, direction: int) -> str:
        if direction == Direction.OUT:
            return self.outward
        return self.inward if direction == Direction.IN else self.notice


UNICODE: Final = Glyphs(
    outward="→",
    inward="←",
    opened="●",
    closed="✖",
    error="!",
    notice="~",
    reconnect="↻",
    gap="⋯",
    subscribe="◎",
    ack="✓",
    ping="◇",
    mark="◆",
    selected="▪",
    cursor="›",
    branch_open="▾",
    branch_shut="▸",
    leaf=" ",
    muted="⊘",
    waiting="◌",
    idle="○",
    reply="↩",
    retained="®",
    dot="·",
    dash="—",
    ellipsis="…",
    ascending="▴",
    bars="▁▂▃▄▅▆▇█",
)

ASCII: Final = Glyphs(
    outward=">",
    inward="<",
    opened="o",
    closed="x",
    error="!",
    notice="~",
    reconnect="@",
    gap=":",
    subscribe="s",
    ack="a",
    ping="p",
    mark="*",
    selected="+",
    cursor=">",
    branch_open="-",
    branch_shut="+",
    leaf=" ",
    muted="m",
    waiting="c",
    idle=".",
    reply="re",
    retained="R",
    dot="|",
    dash="-",
    ellipsis="...",
    ascending="^",
    bars="_.-=^#",
)


def glyphs(ascii_only: bool) -> Glyphs:
    """The table for a terminal."""
    return ASCII if ascii_only else UNICODE
