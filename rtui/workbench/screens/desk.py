"""The one screen that stays: panes around the current tab, one set of widgets whose models are swapped.

What a user can do is declared in `actions`; this class gives those functions what they need and wires the widgets'
messages. Connections belong to the hub, never to a widget.

What the first paint can do without is neither imported nor mounted before it: see `Stage.mount_rest`. So the messages
of those widgets are handled by methods that bear Textual's names for them, which need no import of their classes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType

from rtui.capture.query import compile_filter
from rtui.core.fault import Failure
from rtui.settings.files import SettingsError
from rtui.settings.option import OptionErrors
from rtui.settings.session import Session
from rtui.settings.session_list import list_sessions
from rtui.workbench.actions.call import choose_channel
from rtui.workbench.actions.channel import clear_retained, compose_to
from rtui.workbench.actions.log import toggle_mute
from rtui.workbench.actions.session import ENTRY_VERBS, connect_entries
from rtui.workbench.actions.split import put_beside
from rtui.workbench.actions.subscription import end, switch
from rtui.workbench.bindings import ACTIONS, desk_bindings
from rtui.workbench.hunt import Hunt
from rtui.workbench.layout import PANES
from rtui.workbench.panes.card import Welcome
from rtui.workbench.panes.half import Half
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.presenter import Presenter
from rtui.workbench.screens.writing import Writing
from rtui.workbench.sheet import TIMELINE, Sheet, Sheets
from rtui.workbench.toast import make_room
from rtui.workbench.widgets.footer import KeyLine
from rtui.workbench.widgets.log import MessageLog
from rtui.workbench.widgets.row import TimeMode
from rtui.workbench.widgets.status import StatusLine

if TYPE_CHECKING:
    from textual.widget import Widget

    from rtui.capture.query import Filter
    from rtui.core.record import Record
    from rtui.workbench.app import DemoServers, Workbench
    from rtui.workbench.panes.replay_bar import ReplayBar
    from rtui.workbench.panes.sidebar import Sidebar
    from rtui.workbench.widgets.composer import Composer
    from rtui.workbench.widgets.message import MessageView, Mode
    from rtui.workbench.widgets.tree import ChannelTree


class Desk(Writing):
    """Sessions, tabs, tree, log, message, composer, status."""

    AUTO_FOCUS = ""  # a log that shows no tab has no keys; `turn` goes to it with the first
    BINDINGS: ClassVar[list[BindingType]] = [*desk_bindings(), Binding("escape", "back", "Back", show=False)]

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._early: list[str] = []
        """Actions asked for before that."""
        self.reloads = 0
        """How often the folders of sessions were read again: what a thread reads meanwhile may be older."""
        self.hunt = Hunt(self)
        self.presenter = Presenter(self)

    # Layout

    def on_mount(self) -> None:
        """Show what there is room for, then bring in the rest."""
        self.panes.folded = {pane for pane in self.bench.state.folded if pane in PANES}
        if not self.live_capture:
            self.panes.folded.add("sessions")  # a capture cannot connect
        self.log_view.time_mode = TimeMode(self.bench.config.time)
        self.set_stage()
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """Mount the rest; only then is anything connected or carried out."""
        from rtui.workbench.disk import DiskWatch
        from rtui.workbench.keeper import StateWatch
        from rtui.workbench.picture import Picture

        await self.mount_rest()
        self.picture = Picture(self)
        self.query_one(KeyLine).title_of = self._hint
        self.set_stage()
        self.reload_sessions()
        self._dress()
        await self.bench.desk_ready()
        self.query_one(Welcome).retell()
        if self.sheets.current is None:
            self.focus_sessions()
        self.start(DiskWatch(self).run(), "watch session files")
        self.start(StateWatch(self).run(), "keep the state")
        for action in self._early:
            self.perform(action)

    # Actions

    def action_do(self, action: str) -> None:
        """Carry out an action of the table."""
        self.perform(action)

    def perform(self, action: str) -> None:
        """Carry out `action`. Questions and waiting happen in a worker; what goes wrong becomes a notification."""
        if self.picture is None:
            self._early.append(action)
            return
        one = ACTIONS[action]
        if not one.when(self):
            return
        try:
            work = one.run(self)
        except (Failure, SettingsError, OptionErrors, OSError) as error:
            self.tell_error(error)
        else:
            if work is not None:
                self.start(work, one.title)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Actions that cannot be done now are neither run nor shown."""
        if action == "do" and parameters:
            return ACTIONS[str(parameters[0])].when(self)
        if action == "back" and self.sheets.current is None:
            return False  # there is no log to go back to
        return super().check_action(action, parameters)

    def _hint(self, binding: Binding) -> str:
        """What the footer says of a key."""
        action = ACTIONS.get(binding.id or "")
        return action.hint(self) if action is not None else binding.description

    def on_click(self, event: events.Click) -> None:
        """The right button asks what can be done there."""
        from rtui.workbench.screens.menu import on_right_click

        on_right_click(self, event)

    # Tabs

    @property
    def session(self) -> Session | None:
        """The session of the tab, as it was written."""
        return self.sheets.current.session if self.sheets.current is not None else None

    @property
    def demo(self) -> DemoServers | None:
        """The embedded servers, if they belong to this run."""
        return self.bench.demo

    def add_sheet(self, sheet: Sheet, *, show: bool = True) -> None:
        """A new tab. From the second on there is a timeline."""
        self.sheets.add(sheet)
        if len(self.sheets) > 1 and self.sheets.get(TIMELINE) is None:
            self.sheets.add(Sheet(TIMELINE, "timeline", self.bench.catalog.lens))
        if show or self.sheets.current is None:
            self.go_to(sheet)
        self.redraw(lambda picture: picture.tabs())

    def go_to(self, sheet: Sheet | None) -> None:
        """Show a tab in the current half, or go to the half that shows it."""
        if sheet is not None:
            self.turn(lambda sheets: sheets.go(sheet))

    def turn(self, change: Callable[[Sheets], None]) -> None:
        """Show other tabs, or another as the current one: the widgets stay, their models change."""
        self.keep_filter()
        self.keep_draft()
        change(self.sheets)
        self._dress()
        if self.sheets.current is not None and (self.focused is None or self.focused.id == "log"):
            self.set_focus(self.log_view)  # at once: a focus that comes later could find another half current
        elif self.sheets.current is None:
            self.focus_sessions()

    def watch_focused(self, focused: Widget | None) -> None:
        """The tab of a log that gets the focus is the current one."""
        if focused is not None and focused is not self.log_view and isinstance(half := focused.parent, Half):
            self.go_to(half.sheet)

    def go_beside(self, step: int) -> None:
        """Show the tab `step` to the right."""
        self.go_to(self.sheets.beside(step))

    def go_to_timeline(self) -> None:
        """Show all connections, or what was shown before."""
        self.go_to(self.sheets.get(TIMELINE) if not self.is_merged else self.sheets.beside(1))

    def go_to_session(self, path: Path) -> bool:
        """Go to the log of a session file's tab; False if it has none."""
        sheet = self.sheets.of_file(path)
        if sheet is not None:
            self.go_to(sheet)
            self.show_pane("log")
        return sheet is not None

    def close_tab(self) -> None:
        """Take the tab away and end its connection."""
        sheet = self.sheets.current
        if sheet is None:
            return
        if trouble := self.bench.remember_drafts([sheet]):
            self.say(trouble, severity="warning")
        if sheet.connection is not None:
            sheet.connection.close()
        self.turn(lambda sheets: sheets.close(sheet))

    def _dress(self) -> None:
        """Give the widgets the models of the current tab."""
        self.set_stage()
        if self.picture is not None:
            self.picture.dress()
            self.presenter.dress()
        self.title_composer()
        self.refresh_bindings()

    def frame(self, now: float) -> None:
        """One tick of the clock."""
        make_room(self.bench)
        if self.picture is not None:
            self.picture.frame(now)
            self.presenter.frame(now)

    def keep_filter(self) -> None:
        """Apply what was typed into the filter, which else waits for a pause, to the tab that it was typed for."""
        if self.picture is not None and self.sheets.current is not None:
            self.picture.filter_bar.apply()
            self.on_filter_bar_changed()

    def keep_draft(self) -> None:
        """Note what stands in the composer, of the tab that it belongs to."""
        if self.picture is not None and self.sheets.current is not None and self.connection is not None:
            self.sheets.current.draft = self.picture.composer.draft

    def on_replay_bar_toggled(self) -> None:
        """Stop what is played, or go on."""
        self.perform("app.replay-pause")

    def on_replay_bar_wanted(self, event: ReplayBar.Wanted) -> None:
        """Go on from the place that was clicked."""
        from rtui.workbench.replaying import go_to_share

        go_to_share(self, event.share)

    @on(TabStrip.Selected)
    def _tab_selected(self, event: TabStrip.Selected) -> None:
        self.go_to(self.sheets.get(event.key))

    @on(TabStrip.SplitWanted)
    def _tab_split(self, event: TabStrip.SplitWanted) -> None:
        if (sheet := self.sheets.get(event.key)) is not None:
            put_beside(self, sheet)

    @on(TabStrip.MuteToggled)
    def _tab_muted(self, event: TabStrip.MuteToggled) -> None:
        toggle_mute(self, event.key)

    # Sessions

    def reload_sessions(self) -> None:
        """Read the folders of sessions again."""
        self.reloads += 1
        self.sure_picture.sidebar.load(list_sessions())

    def connect(self, session: Session) -> None:
        """Connect a session in a tab of its own, and go to its log."""
        if self.bench.connect(session) is not None:
            self.show_pane("log")

    def on_sidebar_asked(self, event: Sidebar.Asked) -> None:
        """Do what the user asked for with an entry."""
        self.start(ENTRY_VERBS[event.verb](self, event.entry), f"{event.verb} session")

    def on_sidebar_looked_at(self, event: Sidebar.LookedAt) -> None:
        """Say at the bottom what a session is."""
        self.query_one(StatusLine).tell(event.about)

    def on_sidebar_picked(self, event: Sidebar.Picked) -> None:
        """Connect what is picked."""
        self.start(connect_entries(self, event.entries), "connect sessions")

    # Reading

    @property
    def has_row(self) -> bool:
        """Whether the log has a row."""
        return self.picture is not None and self.log_view.cursor_seq is not None

    @property
    def has_filter(self) -> bool:
        """Whether the tab is filtered."""
        return self.sheets.current is not None and bool(self.sheets.current.filter_text)

    def selected_records(self) -> list[Record]:
        """The selected rows, or the one under the cursor."""
        return self.bench.catalog.records(self.log_view.selected_seqs())

    def open_filter(self) -> None:
        """Put the focus into the filter."""
        self.panes.zoomed = None if self.panes.zoomed != "log" else "log"
        self.set_stage()
        self.sure_picture.filter_bar.open()

    def put_filter(self, text: str) -> None:
        """Put an expression into the filter's input and apply it."""
        self.sure_picture.filter_bar.put(text)

    def set_filter(self, found: Filter | None, text: str) -> None:
        """Narrow the tab's log."""
        sheet = self.sheets.current
        if sheet is not None and text != sheet.filter_text:
            sheet.narrow(found, text)
            if sheet.session is not None:
                self.bench.state.remember_filter(sheet.session.name, text)
            self.redraw(lambda picture: picture.dress_log())
            self.refresh_bindings()

    @on(MessageLog.ErrorWanted)
    def _error_wanted(self, event: MessageLog.ErrorWanted) -> None:
        self.hunt.go(compile_filter("kind:error,close,gap"), event.step, "error")

    @on(MessageLog.Highlighted)
    @on(MessageLog.FollowChanged)
    def _row_changed(self) -> None:
        self.redraw(lambda picture: picture.message())
        self.refresh_bindings()

    @on(MessageLog.Opened)
    def _row_opened(self) -> None:
        self.show_pane("message")
        self.redraw(lambda picture: picture.message())

    @on(MessageLog.NothingFound)
    def _nothing_found(self, event: MessageLog.NothingFound) -> None:
        self.say(event.text)

    def on_filter_bar_changed(self) -> None:
        """Narrow the log. The bar is asked what holds: the message may come late, when it is about another tab."""
        bar = self.sure_picture.filter_bar
        self.set_filter(bar.filter, bar.applied)

    def on_filter_bar_closed(self) -> None:
        """Back to the rows; what was asked for can be recalled."""
        if self.sheets.current is not None:
            self.bench.state.remember_expression(self.sheets.current.filter_text)
        self.set_focus(self.log_view)

    def on_channel_tree_filter_requested(self, event: ChannelTree.FilterRequested) -> None:
        """Narrow the log to a channel."""
        self.put_filter(event.expression)

    def on_channel_tree_mute_toggled(self, event: ChannelTree.MuteToggled) -> None:
        """Dim the rows of a channel, or no longer."""
        self.redraw(lambda picture: picture.mute(event.node))

    def on_channel_tree_subscription_toggled(self, event: ChannelTree.SubscriptionToggled) -> None:
        """Switch a subscription off or on."""
        if self.sheets.current is not None:
            switch(self.sheets.current, event.channel)

    def on_channel_tree_unsubscribe_requested(self, event: ChannelTree.UnsubscribeRequested) -> None:
        """End a subscription."""
        if self.sheets.current is not None:
            end(self.sheets.current, event.channel)

    def on_channel_tree_copy_requested(self, event: ChannelTree.CopyRequested) -> None:
        """Copy a channel's name."""
        self.copy(event.channel, "name")

    def on_channel_tree_compose_requested(self, event: ChannelTree.ComposeRequested) -> None:
        """Write to a channel."""
        compose_to(self, event.channel)

    def on_channel_tree_clear_requested(self, event: ChannelTree.ClearRequested) -> None:
        """Clear what is retained at a channel and below."""
        self.start(clear_retained(self, event.node), "clear retained")

    def show_message_as(self, mode: Mode) -> None:
        """Bring the message pane and show the row in a mode."""
        self.show_pane("message")
        self.redraw(lambda picture: picture.message())
        self.sure_picture.view.action_mode(mode)

    def on_message_view_filter_requested(self, event: MessageView.FilterRequested) -> None:
        """Narrow the log further, to messages with a value."""
        sheet = self.sheets.current
        before = sheet.filter_text.strip() if sheet is not None else ""
        self.put_filter(f"({before}) and {event.expression}" if before else event.expression)

    def on_message_view_copy_requested(self, event: MessageView.CopyRequested) -> None:
        """Copy a part of a message."""
        self.copy(event.text, event.what)

    # Writing

    def on_composer_channels_requested(self, event: Composer.ChannelsRequested) -> None:
        """Let the user choose from what the peer offers."""
        self.start(choose_channel(self, event.part), "choose")
