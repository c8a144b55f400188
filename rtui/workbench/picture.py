"""What the desk shows of its models: dressed anew when the tab changes, and asked for changes by the frame clock."""

from __future__ import annotations

from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from rtui.capture.joined import AUTO
from rtui.settings.template import template_names
from rtui.workbench.actions.call import open_calls
from rtui.workbench.actions.channel import retains
from rtui.workbench.kept_drawn import KeptDrawn
from rtui.workbench.kept_types import KeptTypes
from rtui.workbench.panes.sidebar import Glyph, Sidebar
from rtui.workbench.panes.tabstrip import Tab, TabStrip
from rtui.workbench.reading import Reading
from rtui.workbench.vocabulary import vocabulary
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.filterbar import FilterBar
from rtui.workbench.widgets.message import MessageView
from rtui.workbench.widgets.status import ConnectionHeader, StatusLine, sign
from rtui.workbench.widgets.tree import ChannelTree

if TYPE_CHECKING:
    from rtui.capture.channels import Node
    from rtui.core.event import Offer
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

SLOW: Final = 0.25
"""Seconds between looks at what changes by itself: clocks, rates, countdowns."""
MESSAGE_PERIOD: Final = 0.25
"""Seconds between two messages in the message pane while it follows the newest one: nobody reads faster."""


class Picture:
    """Keeps the widgets of a desk in line with the sheets that are shown."""

    def __init__(self, desk: Desk) -> None:
        """When every pane is mounted: the widgets are looked up once, not in each frame."""
        self._desk = desk
        self._strip = desk.query_one(TabStrip)
        self._header = desk.query_one("#header", ConnectionHeader)
        self._status = desk.query_one(StatusLine)
        self.tree = desk.query_one(ChannelTree)
        self._readings = {half: Reading(desk, half) for half in desk.halves}
        self.view = desk.query_one(MessageView)
        self.view.path_of = self._path_of
        self.types = KeptTypes(desk)
        self.view.type_of = self.types.decodings.view
        self.view.drawn = KeptDrawn(desk)
        self.tree.meant = self.types.last_of
        for half in desk.halves:
            half.rows.brush.meant = self.types.shown
        desk.bench.catalog.reader.understand(self.types.decodings)
        self.composer = desk.query_one(Composer)
        self.filter_bar = desk.query_one(FilterBar)
        self.filter_bar.expression.history = desk.bench.state.expressions
        self.filter_bar.expression.seen = partial(vocabulary, desk)
        self.sidebar = desk.query_one(Sidebar)
        self._slow_at = self._message_at = 0.0
        self._has_played = False
        self._revisions: tuple[int, ...] = ()
        self._shown: int | None = None
        self._shown_of: Sheet | None = None
        self._standing: tuple[object, ...] = ()
        self._offered: tuple[Offer, ...] = ()

    # When the tab changes

    def dress(self) -> None:
        """Every widget gets the model of the current sheet."""
        sheet = self._desk.sheets.current
        for half, shown in zip_longest(self._desk.halves, self._desk.sheets.shown):
            self._readings[half].show(shown)
        self.message()
        self.tabs()
        if sheet is not None:
            self._dress_tree(sheet)
            self._dress_composer(sheet)
            self.view.enter(sheet.key, sheet.session.view.payload_view if sheet.session is not None else "")
            self.filter_bar.put(sheet.filter_text)
        self.slow()

    def dress_log(self) -> None:
        """The current log shows its sheet anew."""
        self._readings[self._desk.half].dress()
        self.message()

    def dress_logs(self) -> None:
        """Every log shows its sheet anew."""
        for reading in self._readings.values():
            reading.dress()
        self.message()

    def fit_rows(self) -> None:
        """Another density was chosen: all rows stay where they are."""
        for reading in self._readings.values():
            reading.fit_rows()

    def message(self) -> None:
        """The message pane shows the row under the cursor, if it is another one."""
        desk = self._desk
        if not desk.panes.visible("message"):
            return
        seq = desk.log_view.cursor_seq
        sheet = desk.half.sheet
        if seq != self._shown:
            newest = desk.log_view.follow and sheet is self._shown_of
            self._shown, self._shown_of = seq, sheet
            record = desk.bench.catalog.record(seq)
            link = desk.bench.catalog.links.get(record.link) if record else None
            self.view.show(record, link, newest=newest)

    def mute(self, node: Node) -> None:
        """Dim the rows of a channel and of what is below it, or show them as before."""
        muted = not node.muted
        for one in node.walk():
            one.muted = muted
        for half in self._desk.halves:
            half.rows.brush.strips.clear()
            half.rows.repaint()

    def _dress_tree(self, sheet: Sheet) -> None:
        tree = self.tree
        connection = sheet.connection
        if connection is not None:
            tree.set_channels(connection.channels, connection.adapter.words)
            tree.retains = retains(connection.adapter)
            tree.sends = self._desk.sends
            tree.subscriptions = connection.subscriptions
            tree.brings = lambda wanted: connection.standing(wanted) == "granted"
        else:
            catalog = self._desk.bench.catalog
            tree.set_channels(catalog.channels(sheet.key), catalog.words(sheet.key))
            tree.retains = tree.sends = False
            tree.subscriptions = None
        tree.hint = self._desk.guide.no_channels(sheet, tree.title)

    def _dress_composer(self, sheet: Sheet) -> None:
        if sheet.connection is not None:
            composer = self.composer
            connection = sheet.connection
            composer.set_protocol(
                connection.adapter,
                connection.channels.names,
                lambda: connection.offered,
                lambda: template_names(connection.session.variables),
            )
            composer.kind.types = partial(self.types.of, connection.id)
            composer.history = list(self._desk.bench.state.history.get(sheet.name, ()))
            composer.draft = sheet.draft

    def _path_of(self, link: int) -> str:
        """Where the messages of a link hold the pieces of a text, as far as its protocol lets users say."""
        sheet = self._desk.sheets.get(link)
        if sheet is None or sheet.connection is None:
            return AUTO
        return getattr(sheet.connection.link.options, "joined", "") or AUTO

    # Every frame

    def frame(self, now: float) -> None:
        """What changed since the last one."""
        desk = self._desk
        if desk.sheets.current is None:
            return
        if desk.bench.pace.allows(now):
            for half in desk.halves:
                half.rows.tick()
            if desk.log_view.follow and now - self._message_at >= MESSAGE_PERIOD:
                self._message_at = now
                self.message()
        else:
            for sheet in desk.sheets.shown:
                sheet.lens.refresh()  # a scan goes on meanwhile
        if desk.panes.visible("message"):
            self.view.keep_up()
        revisions = tuple(sheet.connection.revision for sheet in desk.sheets if sheet.connection is not None)
        if revisions != self._revisions or now - self._slow_at >= SLOW:
            self._revisions, self._slow_at = revisions, now
            self.slow()

    def slow(self) -> None:
        """Header, tabs, tree, status: a few times a second, or when a connection changed."""
        desk = self._desk
        sheet = desk.sheets.current
        if sheet is None:
            return
        self.heads()
        self._tick_replay()
        for reading in self._readings.values():
            reading.slow()
        self._take_offers(sheet)
        self._status.tick(desk.bench.catalog.journal)
        if desk.panes.visible("tree"):
            self.tree.tick()
        if desk.panes.visible("message"):
            self.view.tick()
        self.tabs()
        self._note_states()

    def _take_offers(self, sheet: Sheet) -> None:
        """The peer told what it has: into tree and composer with it."""
        connection = sheet.connection
        offered = connection.offered if connection is not None else ()
        if offered is self._offered:
            return
        self._offered = offered
        self.tree.offered = {one.channel: one for one in offered}
        if connection is not None:
            named = (name for name in connection.adapter.channels(connection.link.url) if name in self.tree.offered)
            self.composer.suggest(next(named, ""))
        self._desk.refresh_bindings()

    def heads(self) -> None:
        """How each connection is, above its log; how the current one is, above everything, while it is alone."""
        if not self._desk.panes.paired:
            self._readings[self._desk.half].head(self._header)
            return
        for half, reading in self._readings.items():
            reading.head(half.header)

    def _tick_replay(self) -> None:
        """The line of what is played, imported with the first tab that plays something."""
        connection = self._desk.connection
        self._has_played = self._has_played or (connection is not None and connection.adapter.playback is not None)
        if self._has_played:
            from rtui.workbench.replaying import tick

            tick(self._desk)

    def tabs(self) -> None:
        """The line of tabs."""
        desk = self._desk
        current, other = desk.sheets.current, desk.sheets.other
        self._strip.show(
            [self._tab(sheet) for sheet in desk.sheets],
            current.key if current is not None else None,
            other.key if other is not None else None,
        )

    def _tab(self, sheet: Sheet) -> Tab:
        glyphs = self._desk.bench.glyphs
        shown = self._desk.sheets.current
        muted = " (muted)" if shown is not None and sheet.key in shown.muted else ""
        name = sheet.title + ("*" if sheet.unsaved else "") + muted
        if sheet.connection is None:
            return Tab(sheet.key, "≡" if sheet.is_timeline and not self._desk.bench.config.ascii else "=", name)
        tone, glyph = sign(sheet.connection, glyphs)
        if sheet.connection.adapter.playback is not None:
            name = f"REPLAY {name}"
        tone = "notice" if sheet.connection.stalled else tone
        return Tab(sheet.key, glyph, name, tone)

    def _note_states(self) -> None:
        """The sidebar marks connected sessions; actions may be possible now that were not."""
        desk = self._desk
        states: dict[str, Glyph] = {}
        for sheet in desk.sheets:
            if sheet.connection is not None and sheet.session is not None and sheet.session.path is not None:
                tone, glyph = sign(sheet.connection, desk.bench.glyphs)
                states[str(sheet.session.path)] = (glyph, desk.bench.theme_variables[f"rt-{tone}"])
        self.sidebar.mark(states)
        connections = [sheet.connection for sheet in desk.sheets if sheet.connection is not None]
        standing = tuple((one.state, open_calls(one), one.subscriptions.revision) for one in connections)
        if standing != self._standing:
            self._standing = standing
            if shown := desk.sheets.current:
                self.tree.hint = desk.guide.no_channels(shown, self.tree.title)
            desk.refresh_bindings()
