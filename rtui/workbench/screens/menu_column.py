"""Columns for a menu that is longer than the screen: groups stay whole, and the cursor goes from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList

if TYPE_CHECKING:
    from textual.widgets.option_list import Option

Group = TypeVar("Group")


class MenuColumn(OptionList):
    """One column. Up and down go on in the next one, left and right to the row beside."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "beside(-1)", "Left", show=False),
        Binding("right", "beside(1)", "Right", show=False),
    ]

    def __init__(self, rows: Sequence[Option]) -> None:
        super().__init__(*rows, compact=True)
        self._choices = [place for place, row in enumerate(rows) if not row.disabled]

    def action_cursor_down(self) -> None:
        """The next row, of the next column behind the last; from the last of all to the first."""
        if self.highlighted == self._choices[-1]:
            self._other(1).point_at(0)
        else:
            super().action_cursor_down()

    def action_cursor_up(self) -> None:
        """The row before."""
        if self.highlighted == self._choices[0]:
            other = self._other(-1)
            other.point_at(other.option_count)
        else:
            super().action_cursor_up()

    def action_beside(self, step: int) -> None:
        """The row beside; behind the last column comes the first."""
        other = self._other(step)
        if other is not self:
            other.point_at(self.highlighted or 0)

    def point_at(self, line: int) -> None:
        """Put the cursor of the menu on the row of `line`, or on the nearest one."""
        for one in self._columns:
            if one is not self:
                one.highlighted = None
        self.focus()
        self.highlighted = min(self._choices, key=lambda place: abs(place - line))

    def _other(self, step: int) -> MenuColumn:
        columns = self._columns
        return columns[(columns.index(self) + step) % len(columns)]

    @property
    def _columns(self) -> list[MenuColumn]:
        return list(self.screen.query(MenuColumn))


def columns(groups: Sequence[Sequence[Group]], height: int, most: int) -> list[Sequence[Sequence[Group]]]:
    """The groups in as few columns as hold them in `height` lines, those as even as they can be.

    One column, which will scroll, where more than `most` would be needed. A group has a line for its heading.
    """
    for count in range(1, most + 1):
        for lines in range(sum(map(_lines, groups)) // count, height + 1):
            filled = _filled(groups, lines)
            if filled is not None and len(filled) <= count:
                return filled
    return [groups]


def _filled(groups: Sequence[Sequence[Group]], lines: int) -> list[Sequence[Sequence[Group]]] | None:
    """Columns of at most `lines`, filled in order; None if a group is longer."""
    found: list[list[Sequence[Group]]] = []
    room = 0
    for group in groups:
        if _lines(group) > lines:
            return None
        if _lines(group) > room:
            found.append([])
            room = lines
        found[-1].append(group)
        room -= _lines(group)
    return list(found)


def _lines(group: Sequence[Group]) -> int:
    return len(group) + 1
