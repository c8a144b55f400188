from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from textual.widget import Widget
from textual.widgets import Input, Label, Select

from rtui.core.event import Offer
from rtui.protocols.mqtt import Mqtt
from rtui.protocols.socketio import SocketIO
from rtui.protocols.websocket import WebSocket
from rtui.workbench.draft import Draft
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.payload_text import Refused, editable, encode
from rtui.workbench.widgets.send_fields import SendFields
from tests.waiting import eventually
from tests.workbench.widgets.fake import HOSTILE, SIZES, Host


class Listening(Host):
    sent: list[tuple[bytes, str, dict[str, Any]]]

    def on_mount(self) -> None:
        self.sent = []

    def on_composer_send_requested(self, event: Composer.SendRequested) -> None:
        self.sent.append((event.payload, event.channel, event.outgoing))


@pytest.mark.parametrize("size", SIZES)
async def test_typing_and_sending_keeps_the_text(size: tuple[int, int]) -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=size) as pilot:
        composer.set_protocol(WebSocket(), list)
        await pilot.pause()
        composer.area.focus()
        await pilot.press("h", "i", "ctrl+s")
        await pilot.press("!", "ctrl+j")
        await pilot.pause()
        assert app.sent == [(b"hi", "", {}), (b"hi!", "", {})]
        assert composer.area.text == "hi!"
        await pilot.press("x", "alt+up", "alt+up")
        assert composer.area.text == "hi"
        await pilot.press("alt+down", "alt+down")
        assert composer.area.text == "hi!x"


async def test_json_is_checked_while_typing_and_refused_with_its_place() -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        composer.query_one("#format", Select).value = "json"
        composer.set_text('{"a":\n x}')
        composer.area.focus()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.sent == []
        line = str(composer.query_one(".check").render())
        assert "line 2, column 2" in line
        assert composer.area.text == '{"a":\n x}'


async def test_what_becomes_of_a_payload_that_does_not_go_as_it_is_stands_below_it() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(SocketIO, list)
        await pilot.pause()
        composer.set_text('{"a":1}, 2')
        assert said(composer).endswith("not JSON: trailing characters at line 1, column 9 · 1 argument: a text")
        composer.set_text('[{"a":1}, 2]')
        assert said(composer) == "12B · valid JSON · 2 arguments"
        composer.set_text("")
        assert said(composer).startswith("type a message")


@pytest.mark.parametrize("kind", ["text", "json", "msgpack"])
async def test_an_event_without_arguments_is_sent_in_any_format(kind: str) -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(80, 24)) as pilot:
        composer.set_protocol(SocketIO, list)
        await pilot.pause()
        composer.draft = Draft("", kind, "ask", {})
        composer.action_send()
        await eventually(lambda: [sent[:2] for sent in app.sent] == [(b"", "ask")])


@pytest.mark.parametrize("kind", ["json", "cbor"])
async def test_where_nothing_means_nothing_it_is_told_how_to_send_it(kind: str) -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(80, 24)) as pilot:
        composer.set_protocol(Mqtt, list)
        await pilot.pause()
        composer.draft = Draft(" ", kind, "a/b", {})
        composer.action_send()
        await pilot.pause()
        assert app.sent == []
        assert "an empty message is sent as text" in said(composer)


@pytest.mark.parametrize("kept", ["nonsense", Select.NULL])
async def test_a_choice_that_does_not_fit_is_left_out(kept: object) -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        await pilot.pause()
        composer.draft = Draft("text", "text", "", {"type": kept})
        await pilot.pause()
        assert composer.query_one("#out-type", Select).value == "auto"
        assert composer.area.text == "text"


async def test_what_is_told_outlives_a_late_event_and_ends_with_typing() -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        composer.area.focus()
        await pilot.press("h")
        composer.tell("answers 1 of question")
        await eventually(lambda: composer._timer is not None)
        composer._check_typed()  # as a timer does that was due before
        assert str(composer.query_one(".check").render()) == "answers 1 of question"
        await pilot.press("i")
        await eventually(lambda: str(composer.query_one(".check").render()) == "2B")


async def test_options_of_the_protocol_are_sent_without_their_defaults() -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        await pilot.pause()
        composer.query_one("#out-type", Select).value = "binary"
        composer.area.focus()
        await pilot.press("a", "ctrl+s")
        await pilot.pause()
        assert app.sent == [(b"a", "", {"type": "binary"})]


async def test_a_draft_comes_back_whole_and_hostile_text_is_drawn_clean() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(80, 24)) as pilot:
        composer.set_text(HOSTILE)
        await pilot.pause()
        kept = composer.draft
        area = composer.area
        for y in range(area.size.height):
            assert area.render_line(y).text.isprintable()
        composer.draft = None
        assert composer.area.text == ""
        composer.draft = kept
        assert composer.draft == kept


async def test_loading_a_message_keeps_what_was_typed() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(80, 24)) as pilot:
        composer.set_text("typed")
        composer.load(b"\x1b]52;c", "", {})
        await pilot.pause()
        assert composer.payload() == b"\x1b]52;c"
        await pilot.press("alt+up")
        assert composer.area.text == "typed"


@pytest.mark.parametrize("payload", [b"", b"text", b"\xff\x00", HOSTILE.encode(), b"a\r\nb", b"{}\n"])
def test_an_edited_payload_is_the_same_bytes(payload: bytes) -> None:
    text, kind = editable(payload)
    assert encode(text, kind) == payload


@pytest.mark.parametrize(
    ("text", "kind"), [("0g", "hex"), ("abc", "hex"), ("a", "base64"), ("{", "json"), ("no", "file")]
)
def test_what_cannot_be_sent_is_refused(text: str, kind: str) -> None:
    with pytest.raises(Refused):
        encode(text, kind)


async def test_a_field_set_for_one_message_is_what_it_was_after_it() -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(120, 24)) as pilot:
        composer.set_protocol(SocketIO, list)
        await pilot.pause()
        composer.aim("question", {"answer": 3})
        composer.aim("question", {"answer": 7})
        assert composer.draft.fields["answer"] == "", "a draft that is kept answers nothing later"
        composer.set_text("[42]")
        await pilot.press("ctrl+s", "ctrl+s")
        await pilot.pause()
        assert app.sent == [(b"[42]", "question", {"answer": 7}), (b"[42]", "question", {})]


async def test_the_channel_is_completed_by_what_was_seen_meanwhile() -> None:
    composer, seen = Composer(), ["news\x1b[31m"]
    async with Listening(composer).run_test(size=(120, 24)) as pilot:
        composer.set_protocol(SocketIO, lambda: seen)
        channel = composer.query_one("#channel", Input)
        channel.focus()
        await pilot.press("n")
        await pilot.pause()
        assert channel._suggestion == "", "what a terminal would obey is not offered"
        seen.append("newsflash")
        await pilot.press("e")
        await eventually(lambda: channel._suggestion == "newsflash")
        await pilot.press("right")
        assert channel.value == "newsflash"


async def test_a_name_is_completed_by_any_part_of_it() -> None:
    composer, seen = Composer(), ["/chat,message", "/chat,join", "mess\x1b[31m"]
    async with Listening(composer).run_test(size=(120, 24)) as pilot:
        composer.set_protocol(SocketIO, lambda: seen)
        channel = composer.query_one("#channel", Input)
        channel.focus()
        await pilot.press("m", "e", "s")
        await eventually(lambda: channel._suggestion == "mes → /chat,message")
        await pilot.press("right")
        assert channel.value == "/chat,message"
        channel.value = ""
        await pilot.press(*"/chat,m")
        await eventually(lambda: channel._suggestion == "/chat,message")
        await pilot.press("right")
        assert channel.value == "/chat,message"


async def test_what_was_seen_can_be_chosen_from_a_list() -> None:
    composer = Composer()
    app = Choosing(composer, ())
    async with app.run_test(size=(120, 24)) as pilot:
        composer.set_protocol(SocketIO, lambda: ["news"])
        composer.query_one("#channel", Input).focus()
        await pilot.press("n", "down")
        await pilot.pause()
        assert app.asked == ["n"]


async def test_no_answer_is_proposed_where_none_is_asked_for() -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(120, 24)) as pilot:
        composer.set_protocol(SocketIO, list)
        await pilot.pause()
        assert composer.query_one("#out-answer", Input).placeholder == ""
        assert composer.outgoing() == {}


async def test_what_holds_without_an_option_stands_in_its_field() -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(120, 24)) as pilot:
        composer.set_protocol(SocketIO, list)
        await pilot.pause()
        assert composer.query_one("#out-ack_timeout", Input).placeholder == "10s"
        assert composer.query_one("#out-attachments", Input).placeholder != "[]"


ADD = Offer(channel="shop.v1.Cart/Add", kind="unary", template='{"item":"","count":0}', signature="Add(Item) → Cart")
WATCH = Offer(channel="shop.v1.Cart/Watch", kind="server stream", template='{"cart":""}')
CLEAR = Offer(channel="shop.v1.Cart/Clear", kind="unary", template="{}")


class Choosing(Listening):
    """A composer over a peer that says what it has."""

    def __init__(self, composer: Composer, offers: tuple[Offer, ...]) -> None:
        super().__init__(composer)
        self.composer = composer
        self.offers = offers
        self.asked: list[str] = []

    def on_mount(self) -> None:
        super().on_mount()
        self.composer.set_protocol(SocketIO, lambda: [one.channel for one in self.offers], lambda: self.offers)

    def on_composer_channels_requested(self, event: Composer.ChannelsRequested) -> None:
        self.asked.append(event.part)


def offering(*offers: Offer) -> tuple[Composer, Choosing]:
    composer = Composer()
    return composer, Choosing(composer, offers)


async def test_choosing_a_channel_puts_its_template_in_but_never_over_what_was_typed() -> None:
    composer, app = offering(ADD, WATCH)
    async with app.run_test(size=(120, 24)) as pilot:
        composer.aim(ADD.channel)
        await pilot.pause()
        assert json.loads(composer.area.text) == {"item": "", "count": 0}
        assert composer.draft.format == "json"
        await pilot.press(*"abc")
        assert json.loads(composer.area.text)["item"] == "abc", "one can type at once"
        await pilot.press("backspace", "backspace", "backspace")
        await eventually(lambda: "unary: Add(Item) → Cart" in said(composer))
        composer.aim(WATCH.channel)
        await pilot.pause()
        assert json.loads(composer.area.text) == {"cart": ""}, "a template is nobody's work"
        composer.set_text('{"cart":"mine"}')
        composer.aim(ADD.channel)
        await pilot.pause()
        assert composer.area.text == '{"cart":"mine"}'
        await pilot.press("alt+t")
        assert json.loads(composer.area.text) == {"item": "", "count": 0}
        await pilot.press("alt+up")
        assert composer.area.text == '{"cart":"mine"}', "what stood there is in the history"


async def test_offers_that_come_late_fill_an_empty_composer_only() -> None:
    composer, app = offering()
    async with app.run_test(size=(120, 24)) as pilot:
        composer.aim(ADD.channel)
        await pilot.pause()
        assert composer.area.text == ""
        assert not composer.check_action("template", ())
        app.offers = (ADD, WATCH)
        composer.suggest(WATCH.channel)
        assert json.loads(composer.area.text) == {"item": "", "count": 0}, "the channel that was typed counts"
        composer.draft = None
        composer.suggest(WATCH.channel)
        assert composer.draft.channel == WATCH.channel
        composer.draft = None
        composer.set_text("typed")
        composer.suggest(WATCH.channel)
        assert composer.area.text == "typed"


async def test_any_part_of_a_name_is_completed_if_it_means_one_channel_and_listed_otherwise() -> None:
    composer, app = offering(ADD, WATCH, CLEAR)
    async with app.run_test(size=(120, 24)) as pilot:
        channel = composer.query_one("#channel", Input)
        channel.focus()
        await pilot.press(*"cart", "enter")
        await pilot.pause()
        assert app.asked == ["cart"]
        assert channel.value == "cart"
        await pilot.press("space", *"wat", "enter")
        await pilot.pause()
        assert channel.value == WATCH.channel
        assert composer.area.has_focus
        channel.focus()
        await pilot.press("down")
        await pilot.click(".channel-label")
        await pilot.pause()
        assert app.asked == ["cart", WATCH.channel, WATCH.channel]


async def test_where_nothing_is_offered_nothing_is_listed() -> None:
    composer, app = offering()
    async with app.run_test(size=(120, 24)) as pilot:
        channel = composer.query_one("#channel", Input)
        channel.focus()
        await pilot.press(*"cart", "down")
        await pilot.click(".channel-label")
        await pilot.press("enter")
        await pilot.pause()
        assert app.asked == []
        assert composer.area.has_focus


def said(composer: Composer) -> str:
    return str(composer.query_one(".check").render())


def underlined(composer: Composer) -> list[tuple[int, str]]:
    area = composer.area
    lines = [(y, segment) for y in range(area.size.height) for segment in area.render_line(y)]
    return [(y, segment.text) for y, segment in lines if segment.style is not None and segment.style.underline]


def _marks(composer: Composer, expected: list[tuple[int, str]]) -> bool:
    return underlined(composer) == expected


@pytest.mark.parametrize("kind", ["json", "text"])
async def test_the_place_where_json_goes_wrong_is_marked_until_it_is_mended(kind: str) -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(80, 24)):
        composer.set_protocol(WebSocket, list)
        composer.query_one("#format", Select).value = kind
        composer.area.focus()
        for text, marked in (('{"é":\n x}', [(1, "x")]), ('{"é":\n 1}', []), ('["a"', [(0, '"')]), ("x", [])):
            composer.set_text(text)
            expected = [(0, "x")] if (text, kind) == ("x", "json") else marked
            await eventually(partial(_marks, composer, expected))
        composer.query_one("#format", Select).value = "hex"
        await eventually(partial(_marks, composer, [(0, "x")]))
        composer.query_one("#format", Select).value = "file"
        await eventually(partial(_marks, composer, []))


async def test_a_refused_send_puts_the_cursor_where_json_goes_wrong() -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        composer.query_one("#format", Select).value = "json"
        composer.set_text('{"é":\n x}\n\n')
        composer.area.focus()
        await pilot.press("ctrl+s")
        assert composer.area.cursor_location == (1, 1)


async def test_a_variable_is_completed_between_its_braces_and_nowhere_else() -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(120, 24)) as pilot:
        composer.set_protocol(WebSocket, list, names=lambda: ("symbol", "side", "uuid()", "env."))
        area = composer.area
        area.focus()
        for text, rest in (
            ("{{ ", "symbol }}"),
            ("{{ si", "de }}"),
            ("{{ a }} {{u", "uid() }}"),
            ("{{ e", "nv."),
            ("{{ x", ""),
            ("sy", ""),
            ("{{ a }} sy", ""),
        ):
            composer.set_text(text)
            assert area.suggestion == rest, text
        composer.set_text("{{ s")
        await eventually(lambda: "symbol, side" in str(composer.query_one(".check").render()))
        await pilot.press("i", "right")
        assert area.text == "{{ side }}"
        composer.set_text("{{ s }}")
        area.move_cursor((0, 4))
        assert area.suggestion == "ymbol"
        area.move_cursor((0, 3))
        assert area.suggestion == ""


@pytest.mark.parametrize("size", SIZES)
async def test_every_option_of_a_send_can_be_gone_to_and_seen_with_its_name(size: tuple[int, int]) -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=size) as pilot:
        composer.set_protocol(Mqtt(), list)
        await pilot.pause()
        fields = composer.query_one(SendFields)
        names = [label for label in fields.query(Label) if not label.has_class("more")]
        inputs = [one for one in fields.children if one.focusable]
        assert len(names) == len(inputs) == 9
        assert fields.has_class("-more")
        for name, field in [*zip(names, inputs, strict=True), *reversed(list(zip(names, inputs, strict=True)))]:
            field.focus()
            await eventually(lambda one=name, it=field: whole(one) and whole(it))  # type: ignore[misc]
        inputs[-1].focus()
        await eventually(lambda: not fields.has_class("-more"))


def whole(widget: Widget) -> bool:
    """Whether nothing of it is cut, and something can be typed into it."""
    assert isinstance(widget.parent, Widget)
    return widget.parent.region.contains_region(widget.region) and widget.size.width >= 3
