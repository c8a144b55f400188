"""The panes around the current tab: what is mounted when, folded, zoomed, focused.

What the first paint can do without is neither imported nor mounted before it: see `Stage.mount_rest`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.css.query import DOMQuery
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from rtui.core.clean import clean
from rtui.protocols.base import Verb
from rtui.workbench import sizing
from rtui.workbench.edge import Edges
from rtui.workbench.layout import PANES, Layout
from rtui.workbench.panes.card import Tour, Welcome
from rtui.workbench.panes.half import Half
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.patchwork import Patchwork
from rtui.workbench.screens.guide import Guide
from rtui.workbench.sheet import Sheets
from rtui.workbench.widgets.footer import KeyLine
from rtui.workbench.widgets.status import ConnectionHeader, StatusLine

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection
    from rtui.workbench.app import Workbench
    from rtui.workbench.picture import Picture
    from rtui.workbench.widgets.log import MessageLog
    from rtui.workbench.widgets.tree import ChannelTree


class Stage(Screen[None]):
    """What can be seen of the desk. It knows panes, and no actions."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """Textual's own. There a change of focus paints the whole screen anew; the widgets that look different do that."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(id="desk")
        self._compositor = Patchwork()
        self.bench = bench
        self.sheets: Sheets = Sheets()
        self.panes = Layout()
        self.edges = Edges(self)
        self.picture: Picture | None = None
        """None until every pane is mounted."""
        self.guide = Guide(self)
        self.halves = [Half(glyphs=bench.glyphs, current=True)]
        """The places for tabs, in the order of `Sheets.shown`. The second one is mounted late and seen in a split."""

    def compose(self) -> ComposeResult:
        """The frame. What the first paint can do without is mounted after it."""
        yield TabStrip(id="tabs")
        with Horizontal(id="body"), Vertical(id="work"):
            yield ConnectionHeader(glyphs=self.bench.glyphs, id="header")
            with Horizontal(id="columns"), Vertical(id="reading"), Container(id="halves"):
                yield self.halves[0]
            yield Welcome(self.guide.first_words, self.guide.first_steps, id="welcome")
        yield StatusLine(glyphs=self.bench.glyphs, id="status")
        yield KeyLine(ascii_only=self.bench.config.ascii, id="keys")

    async def mount_rest(self) -> None:
        """Import and mount what came too late for the first paint."""
        from rtui.workbench.panes.sidebar import Sidebar
        from rtui.workbench.widgets.composer import Composer
        from rtui.workbench.widgets.filterbar import FilterBar
        from rtui.workbench.widgets.message import MessageView
        from rtui.workbench.widgets.tree import ChannelTree

        await self.query_one("#body").mount(_titled(Sidebar(id="sessions"), "sessions"), before=0)
        tree = _titled(ChannelTree(glyphs=self.bench.glyphs, id="tree"), "channels")
        await self.query_one("#columns").mount(tree, before=0)
        panes = (
            _titled(MessageView(past=self.bench.catalog.past, glyphs=self.bench.glyphs, id="message"), "message"),
            _titled(Composer(id="composer"), "compose"),
        )
        reading = self.query_one("#reading")
        await reading.mount(FilterBar(id="filter"), before=0)
        await reading.mount(*panes)
        second = Half(glyphs=self.bench.glyphs)
        await self.query_one("#halves").mount(second)
        second.rows.time_mode = self.log_view.time_mode
        self.halves.append(second)

    @property
    def connection(self) -> Connection | None:
        """The connection of the tab."""
        return self.sheets.current.connection if self.sheets.current is not None else None

    @property
    def sends(self) -> bool:
        """Whether the protocol of the tab has messages to send."""
        return self.connection is not None and Verb.SEND in self.connection.adapter.verbs

    @property
    def live_capture(self) -> bool:
        """Whether something is recorded, so that connections can be opened."""
        return self.bench.hub is not None

    @property
    def sure_picture(self) -> Picture:
        """The picture, where nothing happens before every pane is mounted: in actions and in what late panes say."""
        assert self.picture is not None  # noqa: S101
        return self.picture

    def on_resize(self, event: events.Resize) -> None:
        """Fold and unfold."""
        self.panes.resize(event.size.width, event.size.height)
        self.set_stage()

    def set_stage(self) -> None:
        """Bring the screen in line with the layout and with whether there is anything to show.

        No classes: when one changes, Textual styles everything below the widget anew, and a zoom took 110 ms.
        """
        self.panes.pair(self.sheets.is_split)
        if self.panes.zoomed == "composer" and not self.sends:
            self.panes.zoomed = None  # another tab's; here it would leave nothing on the screen
        empty = self.sheets.current is None
        for pane in PANES:
            for widget in self._frames(pane):
                widget.display = self.is_shown(pane)
        self.query_one("#work").display = self.panes.zoomed != "sessions"
        self.query_one("#columns").display = not empty
        self.query_one("#header").display = not empty and not self.panes.paired
        welcome = self.query_one(Welcome)
        welcome.display = empty
        if empty:
            welcome.retell()
        self.query_one("#reading").display = self.panes.zoomed != "tree"
        self._set_halves()
        self.redraw(lambda picture: picture.message())  # the pane may have come into view
        sizing.apply(self)

    def _set_halves(self) -> None:
        """Two halves, or one. The one that stays after a split becomes the first: its log goes on as it was."""
        if len(self.halves) > 1 and self.sheets.shown and self.halves[1].sheet is self.sheets.shown[0]:
            self.halves.reverse()
            self.query_one("#halves").move_child(self.halves[0], before=self.halves[1])
        for place, half in enumerate(self.halves):
            half.stand(paired=self.panes.paired, current=half is self.half, second=place > 0)
        self.redraw(lambda picture: picture.heads())

    def is_shown(self, pane: str) -> bool:
        """Whether a pane is on the screen."""
        if pane == "sessions" and self.sheets.current is None:
            return "sessions" not in self.panes.folded  # nothing else to look at
        if pane in {"tree", "composer"} and self.is_merged:
            return False
        if pane == "composer" and not self.sends:
            return False
        return self.panes.visible(pane)

    @property
    def is_merged(self) -> bool:
        """Whether the timeline is shown."""
        return self.sheets.current is not None and self.sheets.current.is_timeline

    def pane(self, name: str) -> Widget:
        """The widget of a pane."""
        return self.log_view if name == "log" else self.query_one(f"#{name}")

    def _frames(self, pane: str) -> DOMQuery[Widget]:
        """What there is of a pane before all are mounted; both logs are one."""
        return self.query("#halves" if pane == "log" else f"#{pane}")

    @property
    def half(self) -> Half:
        """The half of the current tab."""
        return self.halves[self.sheets.place]

    @property
    def log_view(self) -> MessageLog:
        """The log of the current tab."""
        return self.half.rows

    @property
    def tree_view(self) -> ChannelTree | None:
        """The channels, once they are there."""
        return self.picture.tree if self.picture is not None else None

    @property
    def sure_tree(self) -> ChannelTree:
        """The channels, where an action's `when` has seen that they are there."""
        return self.sure_picture.tree

    def pane_shown(self, name: str) -> bool:
        """Whether a pane is about the current tab, on the screen or not."""
        return self.sheets.current is not None and not (name == "tree" and self.is_merged)

    def press_pane(self, name: str) -> None:
        """The key of a pane; see `Layout.press`."""
        self._focus_pane(self.panes.press(name, focused=self.pane(name).has_focus_within))

    def show_pane(self, name: str) -> None:
        """Bring a pane back and go to it."""
        self._focus_pane(self.panes.press(name, focused=False))

    def action_back(self) -> None:
        """To the log, from any pane; while the tour is shown, from there on with it."""
        self.show_pane("log")
        self.guide.go_on()

    def zoom(self) -> None:
        """The focused pane alone, or all of them again."""
        self._focus_pane(self.panes.zoom(self.focused_pane))

    @property
    def focused_pane(self) -> str:
        """The name of the pane with the focus."""
        return next((name for name in PANES for widget in self._frames(name) if widget.has_focus_within), "log")

    def _focus_pane(self, name: str) -> None:
        self.set_stage()
        self.keep_folded()
        widget = self.pane(name)
        if name != "sessions" and self.sheets.current is None:
            self.focus_sessions()
        elif name == "composer":
            self.sure_picture.composer.first_gap.focus()
        elif widget.can_focus:
            self.set_focus(widget)
        else:
            first = next((inner for inner in widget.query("*") if inner.focusable), None)
            if first is not None:
                first.focus()

    def focus_sessions(self) -> None:
        """Where nothing is open, the keys are for the list of sessions; without it for nothing but the desk."""
        self.set_focus(self.pane("sessions") if self.is_shown("sessions") and self.picture is not None else None)

    def keep_folded(self) -> None:
        """Have the next run begin with what is put away now."""
        if self.live_capture:
            self.bench.state.folded = sorted(self.panes.folded)

    # The mouse on the lines between panes

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of a line."""
        self.edges.press(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag it."""
        self.edges.move(event)

    def on_mouse_up(self) -> None:
        """Let go of it."""
        self.edges.release()

    def on_click(self, event: events.Click) -> None:
        """Two clicks put it where it was at first."""
        self.edges.click(event)

    # The tour

    def start_tour(self) -> None:
        """The tour from its beginning."""
        self.guide.start()

    @on(Tour.Reached)
    def _tour_reached(self, event: Tour.Reached) -> None:
        self.guide.point_at(event.pane)

    @on(Tour.Left)
    def _tour_left(self) -> None:
        self.guide.end()

    def redraw(self, part: Callable[[Picture], None]) -> None:
        """Draw a part anew, once there is something to draw on."""
        if self.picture is not None:
            part(self.picture)


def _titled(widget: Widget, title: str) -> Widget:
    widget.add_class("pane")
    widget.border_title = Text(clean(title))
    return widget
