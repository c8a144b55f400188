from __future__ import annotations

from typing import ClassVar

import pytest
from textual.binding import BindingType
from textual.widgets import Input, Select

from rtui.protocols.mqtt import Mqtt
from rtui.protocols.websocket import WebSocket
from rtui.workbench.draft import Draft
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.send_fields import SendFields
from tests.waiting import eventually
from tests.workbench.widgets.fake import Host


async def test_tabs_are_gone_through_faster_than_fields_leave() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        await pilot.pause()
        for kind in (Mqtt, WebSocket, Mqtt, WebSocket):
            composer.set_protocol(kind, list)
        await pilot.pause()
        (choice,) = composer.query("#options Select").results(Select)
        choice.value = "binary"
        assert composer.draft.fields["type"] == "binary"


async def test_what_was_chosen_is_kept_by_a_tab_that_is_left_before_its_fields_are_there() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        await pilot.pause()
        composer.set_protocol(Mqtt, list)
        composer.draft = Draft("{}", "json", "plant/a", {"qos": "2", "retain": True})
        left = composer.draft
        composer.set_protocol(WebSocket, list)
        composer.draft = None
        assert (left.format, left.fields["qos"], left.fields["retain"]) == ("json", "2", True)
        await pilot.pause()
        composer.set_protocol(Mqtt, list)
        composer.draft = left
        await pilot.pause()
        assert composer.draft == left
        assert composer.query_one("#format", Select).value == "json"
        assert "2" in [choice.value for choice in composer.query("#options Select").results(Select)]


async def test_why_nothing_was_sent_stands_though_a_check_of_what_was_typed_comes_late() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(Mqtt, list)
        await pilot.pause()
        composer.query_one("#out-message_expiry", Input).value = "soon"
        composer.area.focus()
        await pilot.press("h", "i", "ctrl+s")
        assert "must be a duration" in line(composer)
        composer._check_typed()  # a timer that is stopped may have fired already
        assert "must be a duration" in line(composer)
        await pilot.press("!")
        composer._check_typed()
        assert line(composer) == "3B"


def line(composer: Composer) -> str:
    return str(composer.query_one(".check").render())


class Commanding(Host):
    BINDINGS: ClassVar[list[BindingType]] = [("s", "note", "Note"), ("question_mark", "note", "Note")]
    noted = 0

    def action_note(self) -> None:
        self.noted += 1


@pytest.mark.parametrize("field", ["#out-qos", "#out-retain", "#format"])
async def test_what_is_typed_on_a_choice_or_a_tick_goes_into_the_message_and_is_no_command(field: str) -> None:
    composer = Composer()
    app = Commanding(composer)
    async with app.run_test(size=(80, 24)) as pilot:
        composer.set_protocol(Mqtt, list)
        await pilot.pause()
        before = composer.draft
        composer.query_one(field).focus()
        await pilot.press("s", "question_mark", "1", "space", "h")
        assert composer.area.text == "s?1 h"
        assert app.focused is composer.area
        assert app.noted == 0
        assert (composer.draft.fields, composer.draft.format) == (before.fields, before.format)


async def test_keys_of_a_choice_and_of_a_tick_still_work() -> None:
    composer = Composer()
    async with Commanding(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(Mqtt, list)
        await pilot.pause()
        composer.query_one("#out-qos").focus()
        await pilot.press("enter", "down", "enter")
        composer.query_one("#out-retain").focus()
        await pilot.press("space")
        await eventually(lambda: (composer.draft.fields["qos"], composer.draft.fields["retain"]) == ("1", True))
        assert composer.area.text == ""


async def test_the_first_options_are_seen_again_when_the_cursor_has_left_them() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(60, 20)) as pilot:
        composer.set_protocol(Mqtt, list)
        await pilot.pause()
        row = composer.query_one(SendFields)
        composer.query_one("#out-user_properties").focus()
        await eventually(lambda: row.scroll_x > 0)
        await pilot.press("tab")
        assert composer.area.has_focus
        await eventually(lambda: row.scroll_x == 0)


async def test_where_to_send_is_one_key_away_and_typed_over() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(Mqtt, list)
        await pilot.pause()
        composer.draft = Draft("21.5", "text", "plant/a", {})
        composer.area.focus()
        await pilot.press("alt+c", "b", "enter", "!")
        assert (composer.draft.channel, composer.draft.payload) == ("b", "21.5!")
        composer.set_protocol(WebSocket, list)
        await pilot.pause()
        assert not composer.check_action("channel", ()), "nothing to name there"


async def test_an_earlier_payload_comes_back_in_its_format_and_leaves_the_rest_alone() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(Mqtt, list)
        await pilot.pause()
        composer.draft = Draft("01 ff", "hex", "plant/a", {"qos": "1"})
        composer.action_send()
        composer.draft = Draft("typed", "text", "plant/b", {"qos": "2"})
        await pilot.press("alt+up")
        assert (composer.draft.payload, composer.draft.format) == ("01 ff", "hex")
        await pilot.press("alt+down")
        assert (composer.draft.payload, composer.draft.format) == ("typed", "text")
        composer.put_back("01 ff")
        after = composer.draft
        assert (after.payload, after.format, after.channel, after.fields["qos"]) == ("01 ff", "hex", "plant/b", "2")
        assert composer.history == ["01 ff", "typed"]
        composer.put_back("of an earlier run")
        assert composer.draft.format == "hex", "of an unknown format: as it is"
