"""Presenter mode: a session's steps shown to others, one by one."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from rtui.capture.journal import Journal
from rtui.core.fault import Fault
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind
from rtui.demo import websocket as demo
from rtui.runtime.check import Result, result
from rtui.runtime.tasks import spawn
from rtui.settings.config import Config
from rtui.settings.session import Session, View
from rtui.settings.session_model import Step
from rtui.workbench.app import Workbench
from rtui.workbench.panes.caption import Slide
from rtui.workbench.presentation import Clock, Presentation
from rtui.workbench.screens.dialog import Choose
from rtui.workbench.widgets.density import Density
from tests.workbench.conftest import running, until
from tests.workbench.test_density import shown

STEPS: tuple[dict[str, Any], ...] = (
    {"send": '{"n": 1}', "caption": "We say one."},
    {"expect": ".n==1", "caption": "One comes back.", "capture": {"one": ".n"}},
    {"send": '{"n": {{ one }}2}', "name": "twelve"},
)


class Stand:
    """A tab that is connected to the echo, in presenter mode."""

    def __init__(self, bench: Workbench, pilot: Pilot[Any]) -> None:
        self.bench, self.pilot, self.presenter = bench, pilot, bench.desk.presenter

    async def open(
        self, server: demo.Server, *steps: dict[str, Any], name: str = "shown", view: View | None = None
    ) -> None:
        session = Session(name=name, url=f"{server.url}/echo", steps=steps, view=view or View())
        sheet = self.bench.connect(session)
        assert sheet is not None
        connection = sheet.connection
        assert connection is not None
        await until(self.pilot, lambda: connection.state is State.OPEN, "open")

    async def begin(self, server: demo.Server, *steps: dict[str, Any], view: View | None = None) -> None:
        await self.open(server, *steps, view=view)
        await self.pilot.press("P")
        await until(self.pilot, lambda: self.presenter.on and self.slide.text, "the band")

    @property
    def slide(self) -> Slide:
        assert self.presenter.band is not None
        return self.presenter.band.slide

    async def shows(self, title: str) -> None:
        """The band's title is that; without a clock it is all of the title."""
        await until(self.pilot, lambda: self.slide.title == title, f"{title}, not {self.slide}")

    @property
    def messages(self) -> list[tuple[int, bytes]]:
        records = self.bench.catalog.records(range(1, self.bench.catalog.last + 1))
        return [(row.direction, row.payload) for row in records if row.kind == Kind.MESSAGE]


async def test_steps_are_carried_out_one_by_one(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS)
        assert stand.slide.title == "0/3"
        assert (stand.slide.text, stand.slide.next) == ("shown", "next: We say one.")
        assert stand.messages == []
        await pilot.press("full_stop")
        await stand.shows("1/3 · done")
        assert (stand.slide.text, stand.slide.next) == ("We say one.", "next: One comes back.")
        assert (Direction.OUT, b'{"n": 1}') in stand.messages
        await pilot.press("pagedown")
        await stand.shows("2/3 · done")
        await pilot.press("space")
        await stand.shows("3/3 · done")
        assert stand.slide.text == "twelve"
        assert "last step" in stand.slide.next
        assert (Direction.OUT, b'{"n": 12}') in stand.messages
        await pilot.press("full_stop")
        await stand.shows("0/3")


async def test_a_notification_stands_above_the_band(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS)
        bench.notify("something to know", timeout=60)
        await until(pilot, lambda: bench.desk.query("Toast") and bench.desk.query_one("Toast").region, "a notification")
        band = stand.presenter.band
        assert band is not None
        assert bench.desk.query_one("Toast").region.bottom == band.region.y
        await pilot.press("escape")
        composer = bench.desk.query_one("#composer")
        await until(pilot, lambda: bench.desk.query_one("Toast").region.bottom == composer.region.y, "above")


async def test_leaving_brings_everything_back(journal: Journal, server: demo.Server) -> None:
    async with running(journal, config=Config(animations=False, density="compact")) as (bench, pilot):
        stand, panes = Stand(bench, pilot), bench.desk.panes
        await stand.open(server, *STEPS)
        await pilot.press("f5", "f5", "f4")
        before = (set(panes.folded), panes.zoomed, [panes.visible(name) for name in ("sessions", "tree", "composer")])
        assert "message" in panes.folded
        log = bench.desk.log_view
        assert shown(bench) is Density.COMPACT
        await pilot.press("P")
        assert shown(bench) is Density.LARGE
        assert not any(panes.visible(name) for name in ("sessions", "tree", "composer"))
        await pilot.press("f3")  # asked for
        assert panes.visible("tree")
        await pilot.press("f4", "f3", "f3", "v", "P")
        assert shown(bench) is Density.COMPACT, "after large"
        assert stand.presenter.band is not None
        assert stand.presenter.band.has_focus
        await pilot.press("escape")
        await until(pilot, lambda: not bench.desk.query("Caption") and not bench.desk.query("KeyCaps"), "gone")
        after = (set(panes.folded), panes.zoomed, [panes.visible(name) for name in ("sessions", "tree", "composer")])
        assert after == before
        assert bench.state.folded == ["message"]
        assert bench.state.density == ""
        assert bench.desk.focused is log
        assert "Next step" not in [binding.binding.description for binding in bench.desk.active_bindings.values()]


async def test_the_mode_can_be_left_and_entered_at_once(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.open(server, *STEPS)
        for _ in range(3):
            stand.presenter.begin()
            stand.presenter.leave()
        stand.presenter.begin()
        await until(
            pilot, lambda: len(bench.desk.query("Caption")) == len(bench.desk.query("KeyCaps")) == 1, "one each"
        )
        await pilot.press("full_stop")
        await stand.shows("1/3 · done")


async def test_the_tour_waits_until_the_presentation_is_over(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        bench.desk.start_tour()
        await stand.begin(server, *STEPS)
        assert not bench.desk.query_one("#tour").display
        await pilot.press("P")
        assert bench.desk.query_one("#tour").display


async def test_captions_can_be_looked_at_again_without_doing_anything(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS)
        await pilot.press("full_stop")
        await stand.shows("1/3 · done")
        await pilot.press("pagedown")
        await stand.shows("2/3 · done")
        done = len(stand.messages)
        await pilot.press("pageup")
        await stand.shows("1/3 · done")
        assert "looking back" in stand.slide.next
        await pilot.press("pageup", "pageup", "pageup")
        await stand.shows("0/3")
        await pilot.press("pagedown", "pagedown")
        await stand.shows("2/3 · done")
        assert len(stand.messages) == done


async def test_a_step_that_fails_is_told_and_tried_again(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, {"expect": "tardy", "within": "50ms"}, {"send": "after"})
        await pilot.press("full_stop")
        await stand.shows("1/2 · failed")
        assert "No message matched" in stand.slide.trouble
        assert "Press . to try again, x to skip" in stand.slide.trouble
        assert bench.desk.connection is not None
        bench.desk.connection.send(b"tardy")
        await until(pilot, lambda: (Direction.IN, b"tardy") in stand.messages, "echoed")
        await pilot.press("full_stop")
        await stand.shows("1/2 · done")
        assert stand.slide.trouble == ""


async def test_a_step_that_waits_leaves_the_keys_alone_and_can_be_skipped(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, {"expect": "never", "within": "1h"}, {"send": "after"})
        await pilot.press("full_stop")
        await stand.shows("1/2 · waiting")
        assert "expect never" in stand.slide.next
        await pilot.press("full_stop", "f4", "t", "P")
        assert stand.slide.title == "1/2 · waiting"
        await pilot.press("x")
        await stand.shows("1/2 · skipped")
        await pilot.press("full_stop")
        await stand.shows("2/2 · done")
        await pilot.pause()
        assert stand.slide.title == "2/2 · done"


async def test_leaving_ends_a_step_that_waits(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, {"expect": "never", "within": "1h"})
        await pilot.press("full_stop")
        await stand.shows("1/1 · waiting")
        await pilot.press("escape")
        await until(pilot, lambda: not [one for one in bench.workers if one.group == "present"], "ended")


async def test_the_clock_goes_on_by_itself_to_the_end(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS, view=View(present_every=0.05))
        await until(pilot, lambda: stand.slide.title == "3/3 · done", "the end")
        assert not stand.presenter.clock.on


async def test_the_clock_is_started_and_stopped_by_a_key_and_counts_down(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS)
        stand.presenter.clock.every = 3600.0
        await pilot.press("a")
        await until(pilot, lambda: stand.slide.title.startswith("0/3 · next in"), "it counts")
        first = stand.slide.title
        await until(pilot, lambda: stand.slide.title != first, "down")
        await pilot.press("a")
        await stand.shows("0/3")
        assert stand.messages == []


async def test_the_clock_stops_where_a_step_fails(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        failing = {"expect": "never", "within": "20ms"}
        await stand.begin(server, failing, {"send": "x"}, view=View(present_every=0.05))
        await stand.shows("1/2 · failed")
        await until(pilot, lambda: not stand.presenter.clock.on, "stopped")
        assert stand.messages == []


async def test_page_keys_belong_to_the_log_while_it_has_the_focus(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS)
        await pilot.press("f4", "pagedown", "pageup", "a", "x")
        assert stand.slide.title == "0/3"
        assert stand.messages == []
        await pilot.press("escape", "P")  # from elsewhere back to the caption, which is not left
        assert stand.presenter.band is not None
        assert stand.presenter.band.has_focus
        await pilot.press("P")
        assert not stand.presenter.on


async def test_a_session_without_steps_is_told_what_its_file_needs(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.open(server)
        stand.presenter.begin()
        await until(pilot, lambda: stand.presenter.on and stand.slide.text, "the band")
        assert stand.slide.text == "shown has no steps to present."
        assert "[[steps]]" in stand.slide.next
        assert stand.presenter.caps is not None
        assert shown(bench) is Density.LARGE
        await pilot.press("pagedown", "pageup", "x", "a", "escape")
        assert not stand.presenter.on


async def test_the_key_goes_to_a_tab_that_has_steps(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.open(server, *STEPS, name="with")
        await stand.open(server, name="without")
        await pilot.press("P")
        await until(pilot, lambda: stand.presenter.on and stand.slide.title == "0/3", "the band")
        assert bench.desk.session is not None
        assert bench.desk.session.name == "with"


async def test_the_key_offers_sessions_that_have_steps(journal: Journal, server: demo.Server, tmp_path: Path) -> None:
    mine = tmp_path / "config" / "sessions"
    mine.mkdir(parents=True)
    for name, steps in (("stepping", '[[steps]]\nsend = "one"\n'), ("plain", "")):
        (mine / f"{name}.toml").write_text(f'[session]\nurl = "{server.url}/echo"\n{steps}')
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.open(server)
        await pilot.press("P")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "which one")
        offered = [str(one.prompt).split()[0] for one in bench.screen.query_one(OptionList).options]
        assert "stepping" in offered
        assert "plain" not in offered
        await pilot.press(*"stepping", "enter")
        await until(pilot, lambda: stand.presenter.on and stand.slide.title == "0/1", "the band")


async def test_wrong_steps_are_named(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, {"send": "@nobody"})
        assert "no saved message 'nobody'" in stand.slide.text


async def test_a_session_that_is_edited_is_presented_anew(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, {"expect": "never", "within": "1h"})
        await pilot.press("full_stop")
        await stand.shows("1/1 · waiting")
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert sheet.session is not None
        sheet.session = msgspec.structs.replace(sheet.session, steps=STEPS)
        await stand.shows("0/3")
        await until(pilot, lambda: not [one for one in bench.workers if one.group == "present"], "ended")


async def test_the_clock_goes_on_from_where_one_looks_back(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS)
        await pilot.press("full_stop")
        await stand.shows("1/3 · done")
        await pilot.press("pageup")
        await stand.shows("0/3")
        clock, presentation = stand.presenter.clock, stand.presenter.presentation
        assert presentation is not None
        clock.every = 3600.0
        await pilot.press("a")
        await until(pilot, lambda: stand.slide.title.startswith("0/3 · next in"), "it counts")
        stand.presenter.frame(asyncio.get_running_loop().time() + clock.every)
        assert (presentation.shown, presentation.reached) == (1, 1), "the caption that was reached"
        await until(pilot, lambda: stand.slide.title.startswith("1/3 · done · next in"), "and on")


async def test_a_click_on_the_band_is_a_step_on(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS)
        await pilot.click("Caption")
        await stand.shows("1/3 · done")
        await pilot.click("Caption", button=3)
        assert stand.slide.title == "1/3 · done"


async def test_each_tab_has_a_place_of_its_own(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.open(server, {"send": "other", "caption": "The other."}, name="other")
        await stand.begin(server, *STEPS)
        await pilot.press("full_stop")
        await stand.shows("1/3 · done")
        await pilot.press("left_square_bracket", "full_stop")
        await stand.shows("1/1 · done")
        assert stand.slide.text == "The other."
        await pilot.press("right_square_bracket")
        assert stand.slide.title == "1/3 · done"
        await pilot.press("T")
        assert "go to the tab of one" in stand.slide.text
        assert stand.slide.next == ""


async def test_what_the_file_says_is_made_safe_and_secrets_are_masked(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.open(server, {"expect": "hunter22", "within": "20ms", "caption": "[/x]\x1b[31m\nsecond"})
        assert bench.desk.connection is not None
        bench.secrets[bench.desk.connection.id].add("hunter22")
        bench.desk.connection.close()
        await bench.desk.connection.wait_closed()
        await pilot.press("P", "full_stop")
        await stand.shows("1/1 · failed")
        drawn = [strip.text for strip in bench.screen._compositor.render_strips()]
        assert any("[/x]␛[31m" in line for line in drawn)
        assert any("second" in line for line in drawn)
        assert not any("hunter22" in line for line in drawn)


async def test_a_program_that_begins_as_a_presentation_begins_where_there_are_steps(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.open(server, *STEPS, name="full")
        await stand.open(server, name="bare")
        stand.presenter.start(3600.0)
        assert bench.desk.sheets.current is not None
        assert bench.desk.sheets.current.name == "full"
        await until(pilot, lambda: re.fullmatch(r"0/3 · next in 3[56]\d\d s", stand.slide.title), "the clock runs")


async def test_the_program_can_begin_in_presenter_mode(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", present=0.0) as (bench, _):
        assert bench.desk.presenter.on
        assert not bench.desk.presenter.clock.on


async def test_a_black_screen_ends_with_any_key(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS)
        await pilot.press("b")
        await until(pilot, lambda: bench.screen is not bench.desk, "black")
        assert not "".join(strip.text for strip in bench.screen._compositor.render_strips()).strip()
        await pilot.press("full_stop")
        await until(pilot, lambda: bench.screen is bench.desk, "back")
        assert stand.slide.title == "0/3"


@pytest.mark.parametrize("size", [(60, 20), (20, 5)])
async def test_it_fits_where_there_is_little_room(journal: Journal, server: demo.Server, size: tuple[int, int]) -> None:
    async with running(journal, size=size) as (bench, pilot):
        stand = Stand(bench, pilot)
        await stand.begin(server, *STEPS)
        await pilot.press("full_stop")
        await stand.shows("1/3 · done")
        band = stand.presenter.band
        assert band is not None
        assert band.region.bottom <= size[1]
        await pilot.resize_terminal(140, 40)
        assert stand.slide.title == "1/3 · done"


# Without a screen


class FakeCheck:
    """Steps that pass when told to."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.doors: list[asyncio.Future[Result]] = []

    async def take(self, number: int, step: Step) -> Result:
        self.asked.append(number)
        self.doors.append(asyncio.get_running_loop().create_future())
        return await self.doors[-1]


async def test_what_was_skipped_while_it_waited_has_no_result_later() -> None:
    steps, check = [Step(send="a"), Step(send="b")], FakeCheck()
    one = Presentation("title", steps, lambda: check)  # type: ignore[arg-type, return-value]
    first = spawn(one.go_on(), "first")
    await asyncio.sleep(0)
    assert one.running
    one.skip()
    assert (one.running, one.outcome(1), one.upcoming) == (False, "skipped", 2)
    second = spawn(one.go_on(), "second")
    await asyncio.sleep(0)
    fault = Fault(kind="closed", side="them", title="gone")
    check.doors[0].set_result(result(1, steps[0], "failed", fault))
    await first
    assert (one.running, one.outcome(1)) == (True, "skipped")
    check.doors[1].set_result(result(2, steps[1], "passed"))
    await second
    assert (one.over, one.outcome(2), check.asked) == (True, "passed", [1, 2])


def test_the_clock_counts_from_its_start() -> None:
    clock = Clock(5.0)
    assert clock.left(0.0) is None
    clock.start(10.0)
    assert clock.left(12.0) == 3.0
    assert clock.left(99.0) == 0.0
    clock.stop()
    assert not clock.on
