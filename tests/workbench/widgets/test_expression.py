from __future__ import annotations

from textual.widgets import Input, OptionList

from rtui.capture.completion import Candidate, Seen
from rtui.workbench.widgets.expression import Expression
from rtui.workbench.widgets.filterbar import HELP, FilterBar
from tests.workbench.widgets.fake import HOSTILE, Host

SEEN = Seen(channels=["sensors/r1/temp", "sensors/r1/humid"], paths=[Candidate(".v", "21.5")])


class Asked(Host):
    submitted = ""

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.submitted = event.value


def expression(*history: str, seen: Seen = SEEN) -> Expression:
    one = Expression(history=history)
    one.seen = lambda: seen
    return one


async def test_tab_puts_in_the_only_candidate_and_typing_goes_on_behind_it() -> None:
    one = expression()
    async with Asked(one).run_test(size=(80, 24)) as pilot:
        await pilot.press(*"in lat", "tab", "1", "s")
        assert one.input.value == "in latency>1s"
        assert not one.is_open


async def test_several_candidates_are_chosen_from_and_enter_submits_only_afterwards() -> None:
    one = expression()
    app = Asked(one)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"ch:", "tab")
        assert one.choices.display
        await pilot.press("down", "enter")
        assert (one.input.value, app.submitted) == ("ch:sensors/r1/humid", "")
        assert not one.choices.display
        await pilot.press("enter")
        await pilot.pause()
        assert app.submitted == "ch:sensors/r1/humid"


async def test_typing_narrows_the_list_and_escape_closes_only_it() -> None:
    one = expression()
    async with Asked(one).run_test(size=(80, 24)) as pilot:
        await pilot.press(*"ch:", "down", *"temp")
        await pilot.pause()
        assert one.choices.option_count == 1
        await pilot.press("escape")
        assert not one.is_open
        assert one.input.has_focus
        assert one.input.value == "ch:temp"


async def test_a_click_takes_a_candidate() -> None:
    one = expression()
    async with Asked(one).run_test(size=(80, 24)) as pilot:
        await pilot.press(*"ch:", "tab")
        await pilot.pause()
        await pilot.click(OptionList, offset=(2, 1))
        await pilot.pause()
        assert one.input.value == "ch:sensors/r1/humid"
        assert one.input.has_focus


async def test_up_and_down_walk_the_history_and_come_back_to_what_was_typed() -> None:
    one = expression("old", "new")
    async with Asked(one).run_test(size=(80, 24)) as pilot:
        await pilot.press("x")
        seen = []
        for key in ("up", "up", "up", "down", "down"):
            await pilot.press(key)
            seen.append(one.input.value)
        assert seen == ["new", "old", "old", "new", "x"]


async def test_what_a_peer_called_its_channels_is_drawn_harmlessly() -> None:
    one = expression(seen=Seen(channels=[HOSTILE, "plain"]))
    async with Asked(one).run_test(size=(80, 24)) as pilot:
        await pilot.press(*"ch:", "tab")
        await pilot.pause()
        assert one.choices.option_count == 2
        assert all(one.choices.render_line(y).text.isprintable() for y in range(2))
        await pilot.press("enter")
        assert one.input.render_line(0).text.isprintable()


async def test_the_list_needs_no_room_of_its_own() -> None:
    bar = FilterBar()
    async with Host(bar).run_test(size=(80, 24)) as pilot:
        bar.open()
        await pilot.pause()
        height = bar.region.height
        await pilot.press("down")
        await pilot.pause()
        assert bar.expression.choices.region.height == 10
        assert bar.region.height == height


async def test_a_click_on_the_line_of_help_opens_the_list() -> None:
    bar = FilterBar()
    async with Host(bar).run_test(size=(80, 24)) as pilot:
        bar.open()
        await pilot.pause()
        assert bar.explanation == HELP
        await pilot.click("FilterBar > Static")
        await pilot.pause()
        assert bar.expression.is_open


async def test_leaving_closes_the_list_first() -> None:
    bar = FilterBar()
    async with Host(bar).run_test(size=(80, 24)) as pilot:
        bar.open()
        await pilot.press("down", "escape")
        assert bar.display
        await pilot.press("escape")
        assert not bar.display
