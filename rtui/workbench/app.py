"""The app: wiring between the hub, the capture, the desk and what is kept about the user. No behaviour of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from rtui.core.clean import clean, clean_block
from rtui.core.fault import Failure
from rtui.settings.config import Config
from rtui.settings.files import Problem, SettingsError
from rtui.settings.keymap import keymap_file, load_keymap
from rtui.settings.option import OptionErrors
from rtui.settings.paths import user_themes
from rtui.settings.preset import PRESETS
from rtui.settings.secrets import Secrets
from rtui.workbench import clipboard, recall
from rtui.workbench.bindings import default_keys, to_textual
from rtui.workbench.catalog import Catalog
from rtui.workbench.crash import Mortal
from rtui.workbench.heap import let_go, settle
from rtui.workbench.keeper import StateKeeper
from rtui.workbench.look import VARIABLES, all_themes, find_theme, to_theme
from rtui.workbench.opening import open_session, reopen_session
from rtui.workbench.output import Pace, allowance, frugal, hasten, is_remote
from rtui.workbench.panes.key_caps import press_of
from rtui.workbench.pump import Pump, top_rate
from rtui.workbench.screens.desk import Desk
from rtui.workbench.sheet import TIMELINE, Sheet
from rtui.workbench.slate import Slate
from rtui.workbench.state_file import load_state, state_file
from rtui.workbench.terminal import driver_class
from rtui.workbench.toast import make_room
from rtui.workbench.widgets.ascii import Ascii
from rtui.workbench.widgets.glyph import glyphs

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.driver import Driver
    from textual.notifications import SeverityLevel

    from rtui.capture.journal import Journal
    from rtui.capture.reader import Reader
    from rtui.settings.session import Session

GOODBYE: Final = 2.0
"""Seconds that connections may take to close when the user leaves."""


class DemoServers(Protocol):
    """The embedded servers that the samples connect to, in their child process."""

    @property
    def running(self) -> bool:
        """Whether they run."""

    async def start(self) -> None:
        """Start them; returns when they accept connections."""

    async def stop(self) -> None:
        """Stop them."""


def _action_provider() -> type[Provider]:
    """The palette's source, imported when the palette is opened."""
    from rtui.workbench.commands import ActionProvider

    return ActionProvider


class Workbench(Mortal):
    """The realtime workbench."""

    TITLE = "rtui"
    CSS_PATH = "workbench.tcss"
    COMMANDS: ClassVar = {_action_provider}
    ENABLE_COMMAND_PALETTE = False
    """Its key would hold in dialogs too, and could not be changed: `app.palette` is an action like the others."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+q",
            "quit",
            "Quit",
            id="app.quit-anywhere",
            tooltip="Leave, also from a dialog",
            show=False,
            priority=True,
        ),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]

    def __init__(
        self,
        *,
        reader: Reader,
        journal: Journal | None = None,
        targets: Sequence[Session] = (),
        config: Config | None = None,
        problems: Sequence[Problem] = (),
        demo: DemoServers | None = None,
        env_file: Path | None = None,
        theme: str = "",
        present: float | None = None,
    ) -> None:
        """`reader` reads what `journal` records, or a capture that was opened; then there is no journal.

        `targets` are connected at the start; `problems` (of config.toml) are told. `theme` is for
        this run; without one it is the one chosen last, or the one of config.toml. `present`: begin in presenter mode
        and go on by itself after so many seconds, 0 by key.
        """
        self.config = config or Config()
        self.pace = Pace(allowance())
        self.slate = Slate()
        self.state, self._problems = load_state(state_file())
        self.keeper = StateKeeper(self.state)
        hasten()
        let_go()
        super().__init__()
        self._problems += problems
        self._asked_theme = theme
        self._present = present
        self._begin_theme()
        self.catalog = Catalog(reader, journal)
        self.demo = demo
        self.demonstration = demo is not None and demo.running
        """Whether this run is about the embedded servers, not about what the user connects to."""
        self.glyphs = glyphs(self.config.ascii)
        self.keymap: dict[str, str] = {}
        self.hub = self._make_hub(journal)
        self._targets = list(targets)
        self.opening = bool(targets) or (self.live and bool(self.state.opened))
        """Whether connections are about to be opened: until then there is nothing that the user should do."""
        self._env_file = env_file
        self._leaving = False
        self.farewell = ""
        """What to tell there after any end: what could not be kept for the next run."""
        self.sequel: Sequence[Session] = ()
        """What is to be opened when this has ended: the replay of the capture that it shows."""
        if self.config.ascii:
            self._filters.append(Ascii())
        if self.console.color_system == "standard":
            from rtui.workbench.widgets.colourless import fewer

            self._filters.append(fewer(os.environ.get("TERM", ""), lambda: self.theme_variables["surface"]))
            self.set_class(True, "-few", update=False)
        self.desk = Desk(self)
        self.pump = Pump(self.desk.frame, top=top_rate(self.config.fps), on_error=self.end_with)
        self.still = not self.config.animations or is_remote()
        """Whether nothing moves by itself, not even a cursor."""
        if self.still:
            self.animation_level = "none"
        self.set_class(is_remote(), "-line", update=False)

    def _make_hub(self, journal: Journal | None) -> Any:
        if journal is None:
            return None
        from rtui.runtime.hub import Hub

        return Hub(journal, self._spawn)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> Any:
        """Connections are workers of the app: those of a widget die with it, and their last messages with them."""
        return self.run_worker(work, name=name, group=name, description=name, exit_on_error=False)

    # Start

    def get_driver_class(self) -> type[Driver]:
        """The terminal, and how much it is sent."""
        return frugal(driver_class() or super().get_driver_class(), self.slate, self.pace)

    def get_key_display(self, binding: Binding) -> str:
        """How a key is written."""
        shown = super().get_key_display(binding)
        return binding.key if self.config.ascii and not shown.isascii() else shown

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Textual has no event for a key that a binding took: tell it where the keys pressed are shown."""
        caps = self.desk.presenter.caps
        press = press_of(self.desk, key) if caps is not None and not priority else None
        done = await super()._check_bindings(key, priority)
        if done and press is not None and caps is not None:
            caps.note(*press, asyncio.get_running_loop().time())
        return done

    @property
    def is_open(self) -> bool:
        """See `Patient`: whether every pane is mounted, and what is to be opened at the start has its tab."""
        return self.desk.picture is not None and not self.opening

    def get_default_screen(self) -> Screen[None]:
        """The desk."""
        return self.desk

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our variables, for Textual's own themes."""
        return VARIABLES

    def _begin_theme(self) -> None:
        """The theme, before the style sheet is read: set later, it would be read twice."""
        theme, problems = find_theme(self._asked_theme, self.state.theme, self.config.theme)
        self._problems += problems
        self.register_theme(theme)
        self.set_reactive(App.theme, theme.name)
        self.set_class(theme.dark, "-dark-mode", update=False)
        self._variables = self.get_css_variables()
        self.stylesheet.set_variables(self._variables)

    def refresh_css(self, animate: bool = True) -> None:
        """Apply another theme. Textual also asks for it at the start, when nothing has changed: 40 ms saved."""
        if (variables := self.get_css_variables()) != self._variables:
            self._variables = variables
            super().refresh_css(animate)

    def on_load(self) -> None:
        """Keys, before any is pressed. Without a file of them, the widgets that it may name are not imported."""
        file = keymap_file()
        self.keymap = dict(PRESETS[self.config.keys])
        if file.exists():
            changed, problems = load_keymap(file, default_keys(self.config.keys))
            self.keymap |= changed
            self._problems += problems
        if self.keymap:
            self.set_keymap(to_textual(self.keymap))

    def on_mount(self) -> None:
        """A terminal that goes away is a user who leaves."""
        self.app_resume_signal.subscribe(self, self.repaint)
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                loop.add_signal_handler(getattr(signal, name), self.leave_at_once)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A blinking cursor moves by itself."""
        widget: Any = event.widget
        if self.still and hasattr(widget, "cursor_blink"):
            widget.cursor_blink = False

    def on_resize(self) -> None:
        """Terminals do as they like with what stood on them."""
        self.slate.forget()

    def repaint(self, _app: object = None) -> None:
        """All of it: after `fg` and after an editor the terminal is empty, and another program may have written on it.

        Textual would paint only what changes, and `Slate` leave out what it believes to be there.
        """
        self.slate.forget()
        for screen in self.screen_stack:
            screen.refresh(layout=True)
            for widget in screen.walk_children():
                widget.refresh()

    async def desk_ready(self) -> None:
        """Every pane is there: connect, tell what is wrong, start the clock."""
        if user_themes().is_dir():
            self._problems += (await asyncio.to_thread(all_themes))[1]
        if self._leaving:
            return  # meanwhile
        self._tell_problems()
        if self.catalog.journal is None:
            self._open_capture()
        for session in self._targets:
            self.connect(session, show=session is self._targets[0])
        if self.live and not self._targets:
            recall.reopen_tabs(self)
        self.opening = False
        settle()
        self.pump.start()
        if self._present is not None:
            self.desk.presenter.start(self._present)
        elif self.demonstration and self.config.tour and not self.state.tour_dismissed:
            self.desk.start_tour()

    @property
    def live(self) -> bool:
        """Whether this run connects to what the user wants: it is neither a capture nor the demonstration."""
        return self.hub is not None and not self.demonstration

    def _open_capture(self) -> None:
        for link in self.catalog.links.values():
            self.desk.add_sheet(Sheet(link.id, link.name, self.catalog.lens), show=False)
        self.desk.go_to(self.desk.sheets.get(TIMELINE) or self.desk.sheets.current)
        self.run_worker(self._verify(), name="verify", group="verify", description="verify")

    async def _verify(self) -> None:
        """Say that the capture is damaged: SQLite steps over such places as if nothing had been there."""
        reader = self.catalog.reader.fork()
        try:
            await asyncio.to_thread(reader.verify)
        except Failure as failure:
            self.tell_error(failure)
        finally:
            reader.interrupt()
            reader.close()

    def _tell_problems(self) -> None:
        """One notification per broken file."""
        if self._problems:
            from rtui.workbench.trouble import texts

            for text in texts(self._problems):
                self.notify(text, title="defaults are used", severity="warning", timeout=15)
        self._problems = []

    # Connections

    def connect(self, session: Session, *, show: bool = True) -> Sheet | None:
        """Connect `session` in a tab of its own; what prevents it is told."""
        if self.hub is None:
            self.notify("a capture is open: connections need a run that records", severity="warning")
            return None
        session = recall.with_types(self.state, session)
        secrets = Secrets()
        try:
            connection = open_session(self.hub, session, secrets, self._env_file)
        except (Failure, SettingsError, OptionErrors) as error:
            self.tell_error(error)
            return None
        self.secrets[connection.id] = secrets
        name = connection.session.name
        sheet = Sheet(connection.id, name, self.catalog.lens, connection=connection, session=session)
        sheet.title = self.catalog.add_link(connection)
        found, text, trouble = recall.filter_of(self.state.filters.get(session.name), session)
        sheet.narrow(found, text)
        sheet.columns, wrong = recall.columns_of(self.state.columns.get(session.name), session)
        sheet.density = recall.density_of(session)
        sheet.draft = recall.draft_of(self.state, connection)
        for one in filter(None, (trouble, wrong)):
            self.notify(one, severity="warning")
        self.desk.add_sheet(sheet, show=show)
        return sheet

    def reconnect(self, sheet: Sheet) -> None:
        """Connect a tab again as its session says by now; what prevents it is told."""
        connection, session = sheet.connection, sheet.session
        if connection is None or session is None:
            return
        try:
            done = reopen_session(self.hub, connection, session, self.secrets[connection.id], self._env_file)
        except (Failure, SettingsError, OptionErrors) as error:
            self.tell_error(error)
            return
        if not done:
            self.desk.go_to(sheet)
            self.desk.close_tab()
            self.desk.connect(session)

    # Talking to the user

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - never, whatever the caller thinks
    ) -> None:
        """A notification. Its text is cleaned and never parsed: `[/x]` in a server's reason would end the app."""
        super().notify(clean_block(message), title=clean(title), severity=severity, timeout=timeout, markup=False)
        make_room(self)

    def tell_error(self, error: Exception) -> None:
        """What went wrong, in the words of the error."""
        if isinstance(error, Failure):
            fault = error.fault
            text = "\n".join(filter(None, (fault.cause, fault.hint)))
            self.notify(text or fault.title, title=fault.title if text else "", severity="error", timeout=8)
        else:
            self.notify(str(error), severity="error", timeout=8)

    def copy(self, text: str, what: str) -> None:
        """Send `text` to the terminal's clipboard and say so."""
        driver = self._driver
        if driver is not None:
            self.notify(clipboard.copy(text, what, driver.write))

    def action_help_quit(self) -> None:
        """See `App.action_help_quit`, whose words have markup in them."""
        self.notify(f"{self.key_of('app.quit')} leaves; ctrl+c does not, so that it is not pressed by mistake")

    def key_of(self, action: str) -> str:
        """How the first key of an action is written; empty if it has none."""
        from rtui.workbench.bindings import ACTIONS

        key = self.keymap.get(action, ACTIONS[action].keys).split(",")[0]
        return self.get_key_display(ACTIONS[action].binding().with_key(key)) if key else ""

    async def choose_theme(self) -> None:
        """A list of themes; each is shown while the cursor is on it."""
        from rtui.workbench.screens.dialog import Choice, Choose

        before, shown = self.theme, self.current_theme
        specs, self._problems = await asyncio.to_thread(all_themes)
        self._tell_problems()
        for spec in specs:
            self.register_theme(to_theme(spec))
        if self.current_theme != shown:  # its file has changed
            self.mutate_reactive(Workbench.theme)
        choices = [Choice(spec.name, spec.name, spec.description) for spec in specs]
        preview = partial(setattr, self, "theme")
        picked = await self.push_screen_wait(Choose("theme", choices, current=before, preview=preview))
        self.theme = picked or before
        if picked:
            self.state.theme = picked if picked != self.config.theme else ""

    def action_command_palette(self) -> None:
        """Every action by name."""
        from textual.command import CommandPalette

        self.push_screen(CommandPalette())

    # Leaving

    async def action_quit(self) -> None:
        """Close every connection properly, then leave; a second time leaves at once."""
        if self._leaving:
            self.exit(0)
            return
        self.run_worker(self._leave(), name="leave", group="leave", description="leave", exclusive=True)

    async def _leave(self) -> None:
        from rtui.workbench.screens.dialog import Confirm

        unsaved = [sheet.title for sheet in self.desk.sheets if sheet.unsaved]
        told = f"Not saved: {', '.join(map(clean, unsaved))}\n{self.key_of('app.save')} in its tab saves a session."
        if unsaved and not await self.push_screen_wait(Confirm("quit", told, yes="Leave anyway", no="Stay")):
            return
        self._leaving = True
        self.keep()
        if self.hub is not None and (count := self._count_live()):
            self.notify(
                f"closing {count} {'connection' if count == 1 else 'connections'} · ctrl+q again to leave at once"
            )
            await self.hub.close_all(GOODBYE)
        self.exit(0)

    def leave_at_once(self) -> None:
        """SIGTERM, SIGHUP: properly, but without a question."""
        for sheet in self.desk.sheets:
            sheet.unsaved = False
        self.run_worker(self._leave(), name="leave", group="leave", description="leave")

    def _count_live(self) -> int:
        from rtui.core.lifecycle import State

        return sum(connection.state is not State.CLOSED for connection in self.hub.connections)

    def keep(self) -> None:
        """Keep what is kept between runs."""
        self.desk.keep_filter()
        if self.live and not self.opening:  # until then those of the last run are still to be opened
            recall.remember_tabs(self.state, self.desk.sheets)
        lost = self.remember_drafts(self.desk.sheets)
        unsaved = self.keeper.save()
        trouble = f"tabs, filters, histories and drafts are not kept: {unsaved}" if unsaved else ""
        self.farewell = "\n".join(filter(None, (lost, trouble)))

    def remember_drafts(self, sheets: Iterable[Sheet]) -> str:
        """Keep what is being written in these tabs; returns which could not be kept, and why."""
        self.desk.keep_draft()
        connected = (sheet for sheet in sheets if sheet.connection is not None)
        told = (recall.remember_draft(self.state, sheet, self.secrets[sheet.key]) for sheet in connected)
        return "\n".join(filter(None, told))

    async def _shutdown(self) -> None:
        """No more frames, then see `Mortal`."""
        self.pump.stop()
        await super()._shutdown()
