"""Presenter mode: large rows, a caption for those who watch, steps on a key or by the clock, and the keys pressed."""

from __future__ import annotations

import asyncio
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Final

import msgspec

from rtui.workbench.presentation import Clock, Presentation
from rtui.workbench.widgets.density import Density

if TYPE_CHECKING:
    from textual.worker import Worker

    from rtui.runtime.check import Check
    from rtui.runtime.hub import Connection
    from rtui.workbench.panes.caption import Caption, Slide
    from rtui.workbench.panes.key_caps import KeyCaps
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

ASIDE: Final = frozenset({"sessions", "tree", "composer"})
"""Panes that are put away for the presentation, until they are asked for."""
EVERY: Final = 5.0
"""Seconds between two steps by the clock, if nobody says otherwise."""
NO_SESSION: Final = "Steps are carried out over a connection: go to the tab of one whose session has steps."


class Presenter:
    """Puts the desk into presenter mode and back. Each tab has a presentation of its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.band: Caption | None = None
        """There while the mode is on."""
        self.caps: KeyCaps | None = None
        """There while the keys pressed are shown."""
        self.density: Density | None = None
        """Of the rows while the mode is on; the user's own comes back."""
        self.clock = Clock(EVERY)
        self._made: dict[int, Presentation | str] = {}
        """By tab; a sentence where there is nothing to present."""
        self._steps: dict[int, object] = {}
        """By tab, the steps that it was made of."""
        self._work: dict[int, Worker[None]] = {}
        self._seen: tuple[object, ...] = ()
        self._kept: tuple[set[str], str | None, bool] = (set(), None, False)

    @property
    def on(self) -> bool:
        """Whether the mode is on."""
        return self.band is not None

    @property
    def presentation(self) -> Presentation | None:
        """That of the tab, if it has steps."""
        sheet = self._desk.sheets.current
        made = self._made.get(sheet.key) if sheet is not None else None
        return made if isinstance(made, Presentation) else None

    # The mode

    def start(self, every: float) -> None:
        """Begin with the program, in the first tab that has steps. `every` as for `begin`."""
        sheets = self._desk.sheets
        if sheets.current is None:
            self._desk.say("nothing is open that could be presented", severity="warning")
            return
        with_steps = (sheet for sheet in sheets if sheet.session is not None and sheet.session.steps)
        if sheets.current.session is None or not sheets.current.session.steps:
            self._desk.go_to(next(with_steps, sheets.current))
        self.begin(every)

    def begin(self, every: float = 0.0) -> None:
        """Make room, show the caption, and give it the focus. `every`: go on by the clock, in seconds."""
        from rtui.workbench.panes.caption import Caption

        if self.on:
            return
        desk = self._desk
        self._kept = (set(desk.panes.folded), desk.panes.zoomed, self.caps is not None)
        desk.panes.aside, desk.panes.zoomed = set(ASIDE), None
        self.density = Density.LARGE
        self.band = Caption()  # without an id: the one before may not have gone yet
        desk.mount(self.band, before="#status")
        self.show_keys(True)
        self._look_around()
        self.band.focus()
        self.dress()
        if every or self._wanted_every():
            self.clock.every = every or self._wanted_every()
            self.toggle_clock()

    def leave(self) -> None:
        """Everything as it was; a step that is being carried out is ended."""
        if self.band is None:
            return
        desk = self._desk
        for key in list(self._made):
            self._forget(key)
        self.clock.stop()
        self.clock.every = EVERY
        focused = self.band.has_focus
        self.band.remove()
        self.band = self.density = None
        folded, zoomed, shows_keys = self._kept
        desk.panes.aside.clear()
        desk.panes.folded, desk.panes.zoomed = folded, zoomed
        desk.keep_folded()
        self.show_keys(shows_keys)
        self._look_around()
        if focused:
            desk.log_view.focus()

    def show_keys(self, on: bool) -> None:
        """Show the keys pressed, or no longer."""
        from rtui.workbench.panes.key_caps import KeyCaps

        if on and self.caps is None:
            self.caps = KeyCaps()
            self._desk.mount(self.caps)
        elif not on and self.caps is not None:
            self.caps.remove()
            self.caps = None

    def dress(self) -> None:
        """The tab changed: it has a presentation of its own."""
        sheet = self._desk.sheets.current
        if self.band is None:
            return
        if sheet is not None and self._is_stale(sheet):
            self._forget(sheet.key)
            self._made[sheet.key] = self._make(sheet)
            self._steps[sheet.key] = sheet.session.steps if sheet.session is not None else ()
        self._wind_up()
        self._say()

    def _is_stale(self, sheet: Sheet) -> bool:
        """Whether the tab is new here, or its session has other steps by now."""
        steps = sheet.session.steps if sheet.session is not None else ()
        return sheet.key not in self._made or (self._steps[sheet.key] is not steps and self._steps[sheet.key] != steps)

    def _forget(self, key: int) -> None:
        self._made.pop(key, None)
        if work := self._work.pop(key, None):
            work.cancel()

    def _look_around(self) -> None:
        for tour in self._desk.query("Tour"):
            tour.display = not self.on  # it is about the workbench, and takes the room of the band
        self._desk.set_stage()
        self._desk.redraw(lambda picture: picture.fit_rows())
        self._desk.refresh_bindings()

    # The steps

    def go_on(self) -> None:
        """The next step; after looking back, the next caption; after the last step, the beginning."""
        one = self.presentation
        if one is None or one.look(1):
            pass
        elif one.over:
            one.begin()
        elif not one.running:
            self._carry_out(one)
        self._wind_up()
        self._say()

    def look_back(self) -> None:
        """The caption before. Nothing is undone."""
        if (one := self.presentation) is not None:
            one.look(-1)
        self._wind_up()
        self._say()

    def skip(self) -> None:
        """Leave a step out: the one that failed or is waiting, or else the next."""
        one, sheet = self.presentation, self._desk.sheets.current
        if one is None or sheet is None:
            return
        if one.running:
            self._work[sheet.key].cancel()
        one.skip()
        self._say()

    def toggle_clock(self) -> None:
        """Go on by the clock, or by key again."""
        if self.clock.on:
            self.clock.stop()
        else:
            self.clock.start(_now())
        self._say()

    def _wind_up(self) -> None:
        """Let the clock, if it runs, count from now."""
        if self.clock.on:
            self.clock.start(_now())

    def frame(self, now: float) -> None:
        """One tick: caps that were shown long enough, steps that were edited, and the clock."""
        if self.caps is not None:
            self.caps.frame(now)
        if self.band is None:
            return
        sheet = self._desk.sheets.current
        if sheet is not None and self._is_stale(sheet):
            self.dress()
        one = self.presentation
        if one is None or one.failed or one.over:
            self.clock.stop()
        elif self.clock.left(now) == 0 and not one.running:
            self.go_on()
        seen = (one, one.revision if one is not None else 0, self._seconds_left(now))
        if seen != self._seen:
            self._seen = seen
            self._say()

    def _carry_out(self, one: Presentation) -> None:
        sheet = self._desk.sheets.current
        if sheet is not None:
            run = self._desk.bench.run_worker
            self._work[sheet.key] = run(self._run(one), name="present", group="present", description="present")

    async def _run(self, one: Presentation) -> None:
        await one.go_on()
        self._wind_up()

    def _make(self, sheet: Sheet) -> Presentation | str:
        from rtui.runtime.step import check_steps
        from rtui.settings.files import SettingsError

        connection, session = sheet.connection, sheet.session
        if connection is None or session is None:
            return NO_SESSION
        if not session.steps:
            return f"{session.name} has no steps to present."
        try:
            steps = check_steps(msgspec.structs.replace(connection.session, steps=session.steps))
        except SettingsError as error:
            return str(error.problems[0])
        return Presentation(session.description or session.name, steps, partial(self._new_check, connection))

    def _new_check(self, connection: Connection) -> Check:
        from rtui.runtime.check import Check

        bench = self._desk.bench
        journal, renderer = bench.catalog.journal, connection.renderer
        assert journal is not None  # noqa: S101 - there is a connection
        assert renderer is not None  # noqa: S101 - `open_session` gave it one
        return Check(connection, journal, renderer, bench.secrets[connection.id], joined=True)

    # What is said

    def _say(self) -> None:
        if self.band is not None:
            self.band.show(self._slide())

    def _slide(self) -> Slide:
        from rtui.workbench.slide import Keys, nothing, slide_of

        desk = self._desk
        sheet, one = desk.sheets.current, self.presentation
        keys = Keys(desk.bench.key_of("app.present-next"), **{one: self._key(one) for one in Keys._fields[1:]})
        if sheet is None or one is None:
            made = self._made.get(sheet.key, NO_SESSION) if sheet is not None else NO_SESSION
            return nothing(str(made), keys, advise=made != NO_SESSION)
        secrets = desk.bench.secrets[sheet.key]
        return slide_of(one, keys, desk.bench.glyphs, self._seconds_left(_now()), secrets.mask)

    def _key(self, name: str) -> str:
        """How the first key of one of the band's bindings is written."""
        from rtui.workbench.panes.caption import KEYS

        bench, binding = self._desk.bench, next(one for one in KEYS if one.id == f"present.{name}")
        return bench.get_key_display(binding.with_key(bench.keymap.get(binding.id or "", binding.key).split(",")[0]))

    def _seconds_left(self, now: float) -> int | None:
        one = self.presentation
        left = self.clock.left(now)
        return None if left is None or one is None or one.running else ceil(left)

    def _wanted_every(self) -> float:
        session = self._desk.session
        return session.view.present_every if session is not None else 0.0


def _now() -> float:
    return asyncio.get_running_loop().time()
