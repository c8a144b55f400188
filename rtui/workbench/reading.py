"""What one half of the desk shows of its tab: the log, its title, and the line above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rtui.capture.query import compile_filter
from rtui.core.clean import clean
from rtui.workbench.widgets.density import Density
from rtui.workbench.widgets.painted import retitle
from rtui.workbench.widgets.row import PLAIN, Look
from rtui.workbench.widgets.status import named

if TYPE_CHECKING:
    from rtui.capture.lens import Lens
    from rtui.capture.query import Filter
    from rtui.runtime.hub import Connection
    from rtui.workbench.panes.half import Half
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet
    from rtui.workbench.widgets.log import MessageLog
    from rtui.workbench.widgets.row import Piece
    from rtui.workbench.widgets.status import ConnectionHeader

EVERYTHING: Final = compile_filter("")


class Reading:
    """Keeps a half in line with its sheet."""

    def __init__(self, desk: Desk, half: Half) -> None:
        self.half = half
        self._desk = desk
        self._heard: tuple[int, ...] = ()
        self._title: tuple[object, ...] = ()
        self._left: int | None = None
        """The row that the cursor was on before a filter changed, until the lens has come to it."""

    def show(self, sheet: Sheet | None) -> None:
        """Show a sheet from its end, unless it is the one that is there: then all stays as it stands."""
        if sheet is not self.half.sheet:
            self.half.sheet = sheet
            self.dress()
            self._left = None

    def dress(self) -> None:
        """The log gets the lens of the sheet. Who has scrolled back stays there, as far as the rows are still shown."""
        log, sheet = self.half.rows, self.half.sheet
        if not log.follow:
            self._left = log.cursor_seq
        if sheet is not None:
            sheet.hide(self._hidden(sheet))
            log.hint = self._desk.guide.empty_words(sheet)
        log.show_source = sheet is not None and sheet.is_timeline
        log.set_columns(sheet.columns if sheet is not None else ())
        self.fit_rows()
        log.set_lens(sheet.lens if sheet is not None else None, self._desk.bench.catalog.links, self._look)

    def fit_rows(self) -> None:
        """Rows take the room that the tab, or else the user, wants for them; all have it large while presenting."""
        sheet, bench = self.half.sheet, self._desk.bench
        own = sheet.density if sheet is not None else None
        usual = Density.named(bench.state.density or bench.config.density)
        lines = (sheet.large_lines if sheet is not None else 0) or bench.config.large_lines
        self.half.rows.set_density(self._desk.presenter.density or own or usual, lines)

    def slow(self) -> None:
        """What changes without a message: subscriptions, and how much there is."""
        sheet = self.half.sheet
        if sheet is not None:
            self._hear(sheet)
            self._come_back(sheet)
            self._entitle(sheet)

    def _come_back(self, sheet: Sheet) -> None:
        """To the row that was left, or to the next that is shown; a lens is filled from its end."""
        log, lens, left = self.half.rows, sheet.lens, self._left
        if left is None:
            return
        if log.follow and not lens.done and (not lens.seqs or lens.seqs[0] > left):
            return
        if log.follow and self._is_on_its_way(left):
            return
        lens.refresh()
        self._left = None
        if log.follow and lens.newest is not None and lens.newest >= left:
            log.go_to(left)

    def _is_on_its_way(self, seq: int) -> bool:
        """Whether a row will be stored in a moment: filters look at those that are."""
        journal = self._desk.bench.catalog.journal
        return journal is not None and journal.committed < seq and not journal.trouble

    def head(self, header: ConnectionHeader) -> None:
        """`header` tells how the connection is."""
        desk, sheet = self._desk, self.half.sheet
        if sheet is None:
            return
        catalog = desk.bench.catalog
        link = catalog.links.get(sheet.key)
        name = sheet.title if desk.panes.paired else ""
        recorded: list[Piece] = [("dim", "recorded"), *([("dim", catalog.recorded)] if catalog.recorded else [])]
        if sheet.connection is None and link is not None:
            header.put(named([("address", clean(link.url)), ("dim", clean(link.protocol)), *recorded], name))
        elif not desk.live_capture:
            header.put([("text", clean(catalog.reader.path.name)), ("dim", "all connections"), *recorded])
        else:
            header.tick(sheet.connection, name)

    def _look(self, link: int, channel: str) -> Look:
        sheet = self._desk.sheets.get(link)
        if sheet is None or sheet.connection is None:
            return PLAIN
        return look_of(sheet.connection, channel)

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
            self.dress()
        else:
            self.half.rows.repaint()

    def _entitle(self, sheet: Sheet) -> None:
        log = self.half.rows
        scanned = _scanned(sheet.lens)
        unanswered = _unanswered(sheet)
        counts = (log.new_count, log.total, len(log.picks.selected), unanswered, len(sheet.hidden))
        title = (scanned, log.frozen, log.follow, sheet.filter_text, counts)
        if title == self._title:
            return
        self._title = title
        log.title_parts = _parts(sheet, log, scanned, unanswered)
        retitle(log, " · ".join(text for text, _ in log.title_parts))


def _scanned(lens: Lens) -> str:
    """How far a filter has come, and what is in its way."""
    if lens.trouble:
        return f"not all can be read: {clean(lens.trouble)}"
    return "" if lens.done else f"{lens.progress:.0%} looked at"


def _parts(sheet: Sheet, log: MessageLog, scanned: str, unanswered: int) -> list[tuple[str, str]]:
    """What the title of a log says, and what a click on each part of it does."""
    parts = [("log", ""), (_place(log), "follow"), (f"{log.total:,}", "")]
    if selected := len(log.picks.selected):
        parts.append((f"{selected:,} selected", "deselect"))
    if unanswered:
        parts.append((f"{unanswered:,} unanswered", "screen.do('app.unanswered')"))
    if scanned:
        parts.append((scanned, ""))
    if sheet.hidden:
        switches = "app.sources" if sheet.is_timeline else "app.subscriptions"
        parts.append((f"without {len(sheet.hidden)} muted", f"screen.do('{switches}')"))
    if sheet.filter_text:
        parts.append((f"filter: {clean(sheet.filter_text)}", "screen.do('app.filter')"))
    return parts


def _place(log: MessageLog) -> str:
    if log.frozen:
        return f"frozen · {log.new_count:,} new"
    if log.follow:
        return "following"
    return f"{log.new_count:,} new below" if log.new_count else "scrolled back"


def _unanswered(sheet: Sheet) -> int:
    """How many requests of a tab have no answer, as far as its capture was looked at."""
    lens = sheet.unanswered
    if lens is None:
        return 0
    lens.refresh()
    return len(lens.seqs)


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
