"""What the desk shows of its models: dressed anew when the tab changes, and asked for changes by the frame clock."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from rtui.capture.joined import AUTO
from rtui.capture.query import compile_filter
from rtui.core.clean import clean
from rtui.settings.template import template_names
from rtui.workbench.actions.call import open_calls
from rtui.workbench.actions.channel import retains
from rtui.workbench.panes.sidebar import Glyph, Sidebar
from rtui.workbench.panes.tabstrip import Tab, TabStrip
from rtui.workbench.vocabulary import vocabulary
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.filterbar import FilterBar
from rtui.workbench.widgets.log import MessageLog
from rtui.workbench.widgets.message import MessageView
from rtui.workbench.widgets.painted import retitle
from rtui.workbench.widgets.row import PLAIN, Look
from rtui.workbench.widgets.status import ConnectionHeader, StatusLine, sign
from rtui.workbench.widgets.tree import ChannelTree

if TYPE_CHECKING:
    from rtui.capture.channels import Node
    from rtui.capture.query import Filter
    from rtui.core.event import Offer
    from rtui.runtime.hub import Connection
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

SLOW: Final = 0.25
"""Seconds between looks at what changes by itself: clocks, rates, countdowns."""
EVERYTHING: Final = compile_filter("")
MESSAGE_PERIOD: Final = 0.25
"""Seconds between two messages in the message pane while it follows the newest one: nobody reads faster."""


class Picture:
    """Keeps the widgets of a desk in line with the current sheet."""

    def __init__(self, desk: Desk) -> None:
        """When every pane is mounted: the widgets are looked up once, not in each frame."""
        self._desk = desk
        self._strip = desk.query_one(TabStrip)
        self._header = desk.query_one(ConnectionHeader)
        self._status = desk.query_one(StatusLine)
        self.tree = desk.query_one(ChannelTree)
        self._log = desk.query_one(MessageLog)
        self.view = desk.query_one(MessageView)
        self.view.path_of = self._path_of
        self.composer = desk.query_one(Composer)
        self.filter_bar = desk.query_one(FilterBar)
        self.filter_bar.expression.history = desk.bench.state.expressions
        self.filter_bar.expression.seen = partial(vocabulary, desk)
        self.sidebar = desk.query_one(Sidebar)
        self._slow_at = self._message_at = 0.0
        self._revisions: tuple[int, ...] = ()
        self._shown: int | None = None
        self._heard: tuple[int, ...] = ()
        self._title: tuple[object, ...] = ()
        self._standing: tuple[object, ...] = ()
        self._offered: tuple[Offer, ...] = ()

    # When the tab changes

    def dress(self) -> None:
        """Every widget gets the model of the current sheet."""
        sheet = self._desk.sheets.current
        self.dress_log()
        self.tabs()
        if sheet is not None:
            self._dress_tree(sheet)
            self._dress_composer(sheet)
            self.view.enter(sheet.key, sheet.session.view.payload_view if sheet.session is not None else "")
            self.filter_bar.put(sheet.filter_text)
        self.slow()

    def dress_log(self) -> None:
        """The log shows the sheet's lens."""
        log, sheet = self._log, self._desk.sheets.current
        if sheet is not None:
            sheet.hide(self._hidden(sheet))
        log.show_source = sheet is not None and sheet.is_timeline
        log.set_columns(sheet.columns if sheet is not None else ())
        log.set_lens(sheet.lens if sheet is not None else None, self._desk.bench.catalog.links, self._look)
        self.message()

    def message(self) -> None:
        """The message pane shows the row under the cursor, if it is another one."""
        desk = self._desk
        if not desk.panes.visible("message"):
            return
        seq = self._log.cursor_seq
        if seq != self._shown:
            self._shown = seq
            record = desk.bench.catalog.record(seq)
            self.view.show(record, desk.bench.catalog.links.get(record.link) if record else None)

    def mute(self, node: Node) -> None:
        """Dim the rows of a channel and of what is below it, or show them as before."""
        muted = not node.muted
        for one in node.walk():
            one.muted = muted
        self._log.brush.strips.clear()
        self._log.repaint()

    def _dress_tree(self, sheet: Sheet) -> None:
        tree = self.tree
        connection = sheet.connection
        if connection is not None:
            tree.set_channels(connection.channels, connection.adapter.words)
            tree.retains = retains(connection.adapter)
            tree.sends = self._desk.sends
            tree.subscriptions = connection.subscriptions
        else:
            catalog = self._desk.bench.catalog
            tree.set_channels(catalog.channels(sheet.key), catalog.words(sheet.key))
            tree.retains = tree.sends = False
            tree.subscriptions = None

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
            composer.history = list(self._desk.bench.state.history.get(sheet.connection.name, ()))
            composer.draft = sheet.draft

    def _look(self, link: int, channel: str) -> Look:
        sheet = self._desk.sheets.get(link)
        if sheet is None or sheet.connection is None:
            return PLAIN
        return look_of(sheet.connection, channel)

    def _path_of(self, link: int) -> str:
        """Where the messages of a link hold the pieces of a text, as far as its protocol lets users say."""
        sheet = self._desk.sheets.get(link)
        if sheet is None or sheet.connection is None:
            return AUTO
        return getattr(sheet.connection.link.options, "joined", "") or AUTO

    def _hidden(self, shown: Sheet) -> tuple[tuple[int, Filter], ...]:
        """What the muted subscriptions of the sheet's connections bring, and all of muted connections."""
        sheets = self._desk.sheets if shown.is_timeline else (shown,)
        muted = tuple((link, EVERYTHING) for link in sorted(shown.muted))
        return muted + tuple(
            (sheet.key, found)
            for sheet in sheets
            if sheet.connection is not None
            for found in sheet.connection.subscriptions.hidden()
        )

    def _hear(self, sheet: Sheet) -> None:
        """Subscriptions were changed, muted, named or coloured: show the log accordingly."""
        revisions = tuple(one.connection.subscriptions.revision for one in self._desk.sheets if one.connection)
        if revisions == self._heard:
            return
        self._heard = revisions
        if self._hidden(sheet) != sheet.hidden:
            self.dress_log()
            self._log.hint = self._desk.guide.empty_words(filtered=bool(sheet.filter_text))
        else:
            self._log.repaint()

    # Every frame

    def frame(self, now: float) -> None:
        """What changed since the last one."""
        desk = self._desk
        if desk.sheets.current is None:
            return
        if desk.bench.pace.allows(now):
            self._log.tick()
            if self._log.follow and now - self._message_at >= MESSAGE_PERIOD:
                self._message_at = now
                self.message()
        else:
            desk.sheets.current.lens.refresh()  # a scan goes on meanwhile
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
        self._head(sheet)
        self._hear(sheet)
        self._take_offers(sheet)
        self._status.tick(desk.bench.catalog.journal)
        if desk.panes.visible("tree"):
            self.tree.tick()
        if desk.panes.visible("message"):
            self.view.tick()
        self.tabs()
        self._log_title(sheet)
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

    def _head(self, sheet: Sheet) -> None:
        link = self._desk.bench.catalog.links.get(sheet.key)
        if sheet.connection is None and link is not None:
            self._header.put([("text", clean(link.url)), ("dim", clean(link.protocol)), ("dim", "recorded")])
        elif not self._desk.live_capture:
            name = self._desk.bench.catalog.reader.path.name
            self._header.put([("text", clean(name)), ("dim", "all connections"), ("dim", "recorded")])
        else:
            self._header.tick(sheet.connection)

    def tabs(self) -> None:
        """The line of tabs."""
        desk = self._desk
        current = desk.sheets.current
        self._strip.show([self._tab(sheet) for sheet in desk.sheets], current.key if current is not None else None)

    def _tab(self, sheet: Sheet) -> Tab:
        glyphs = self._desk.bench.glyphs
        shown = self._desk.sheets.current
        muted = " (muted)" if shown is not None and sheet.key in shown.muted else ""
        name = sheet.name + ("*" if sheet.unsaved else "") + muted
        if sheet.connection is None:
            return Tab(sheet.key, "≡" if sheet.is_timeline and not self._desk.bench.config.ascii else "=", name)
        tone, glyph = sign(sheet.connection, glyphs)
        tone = "notice" if sheet.connection.stalled else tone
        return Tab(sheet.key, glyph, name, tone)

    def _log_title(self, sheet: Sheet) -> None:
        log = self._log
        scanned = "" if sheet.lens.done else f"{sheet.lens.progress:.0%} looked at"
        title = (scanned, log.frozen, log.follow, log.new_count, log.total, sheet.filter_text, len(sheet.hidden))
        if title == self._title:
            return
        self._title = title
        if log.frozen:
            place = f"frozen · {log.new_count:,} new"
        elif log.follow:
            place = "following"
        else:
            place = f"{log.new_count:,} new below" if log.new_count else "scrolled back"
        parts = ["log", place, f"{log.total:,}"]
        if scanned:
            parts.append(scanned)
        if sheet.hidden:
            parts.append(f"without {len(sheet.hidden)} muted")
        if sheet.filter_text:
            parts.append(f"filter: {clean(sheet.filter_text)}")
        retitle(log, " · ".join(parts))

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
        standing = tuple((connection.state, open_calls(connection)) for connection in connections)
        if standing != self._standing:
            self._standing = standing
            desk.refresh_bindings()


def look_of(connection: Connection, channel: str) -> Look:
    """How rows of `channel` stand out: by the first subscription that brings it and has a colour or an alias."""
    node = connection.channels.get(channel)
    exact = connection.subscriptions.get(channel)
    muted = node is not None and node.quiet
    watches = node.watches if node is not None else ()
    bringing = [one for one in connection.subscriptions if one.watch in watches] if watches else []
    for one in (*([exact] if exact is not None else []), *bringing):
        if one.colour or one.alias:
            name, badge = (one.alias, "") if one is exact else ("", one.alias)
            return Look(muted=muted, colour=one.colour, name=name, badge=badge)
    return Look(muted=muted) if muted else PLAIN
