"""The payload's editor: colours, brackets, and what is too large for it."""

from __future__ import annotations

import json
import time
from functools import partial

import pytest
from textual import events
from textual.widgets import Select

from rtui.protocols.websocket import WebSocket
from rtui.workbench.widgets import bracket
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.payload_ink import LONGEST, ink
from rtui.workbench.widgets.payload_text import (
    EDITABLE,
    LONGEST_LINE,
    Misplaced,
    describe,
    editable,
    encode,
    fits_editor,
)
from tests.waiting import eventually
from tests.workbench.widgets.test_composer import Listening, said, underlined

LARGE = json.dumps([{"id": number, "name": "sensor é", "v": 21.5} for number in range(120_000)], ensure_ascii=False)


def inked(line: str, kind: str, *, first: bool = False) -> list[tuple[str, str]]:
    return [(line[span.start : span.end], span.style) for span in ink(line, kind, first=first)]


def test_json_is_coloured_by_what_its_parts_are() -> None:
    assert inked('{"a\\"b" : [-1.5e3, "x", true], "c": null}', "json") == [
        ('"a\\"b"', "key"),
        ("-1.5e3", "number"),
        ('"x"', "string"),
        ("true", "null"),
        ('"c"', "key"),
        ("null", "null"),
    ]
    assert inked('"open', "json") == [('"open', "string")]


@pytest.mark.parametrize("kind", ["text", "json"])
def test_templates_are_coloured_in_every_text(kind: str) -> None:
    assert ("{{ symbol }}", "template") in inked('{"s": "{{ symbol }}"}', kind)
    assert ("{{ sym", "template") in inked("a {{ sym", kind)


@pytest.mark.parametrize(
    ("line", "kind", "first", "wrong"),
    [
        ("0xde ad g1", "hex", True, ["g"]),
        ("0xde", "hex", False, ["x"]),
        ("AQI=", "base64", True, []),
        ("AQ-I_", "base64", True, ["-", "_"]),
    ],
)
def test_wrong_digits_are_marked(line: str, kind: str, first: bool, wrong: list[str]) -> None:
    assert inked(line, kind, first=first) == [(char, "wrong") for char in wrong]


def test_bytes_in_the_notation_of_binary_formats_are_coloured_as_texts() -> None:
    assert inked("[h'01 ff', b64'AQ==', 1]", "json") == [
        ("h'01 ff'", "string"),
        ("b64'AQ=='", "string"),
        ("1", "number"),
    ]


@pytest.mark.parametrize(
    ("payload", "kind", "part"),
    [
        ("82a161c40201ffa17493ca3fc00000d40500d6ff00000001", "msgpack", "ext(5, h'00')"),
        ("a16161d8254101", "cbor", "37(h'01')"),
        ("bf6161f7ff", "cbor", "{_\n"),
        ("d9d9f7a161618101", "cbor", "55799({"),
        ("c40201ff", "hex", "c4 02 01 ff"),
        ("83a161ff", "hex", "83 a1 61 ff"),
    ],
)
def test_binary_messages_are_edited_in_words_that_give_the_same_bytes(payload: str, kind: str, part: str) -> None:
    text, found = editable(bytes.fromhex(payload))
    assert encode(text, found) == bytes.fromhex(payload)
    assert found == kind
    assert part in text


def test_a_packed_payload_that_is_empty_says_what_can_be_written() -> None:
    assert "h'01 ff'" in describe(" ", "msgpack")
    assert "37(h'01')" in describe("", "cbor")
    assert describe("[h'01']", "cbor") == "valid · 3B of CBOR"


def test_a_template_that_is_not_filled_in_is_told() -> None:
    assert describe('{"at": "{{ now() }}"}', "json") == (
        "valid JSON · 21B · {{ … }} goes as it stands: it is filled in only in saved messages"
    )
    assert "{{" not in describe('{"a": {"b": 1}}', "json")


def test_a_line_that_would_take_long_is_left_plain() -> None:
    assert inked('"' + "x" * LONGEST, "json") == []


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("0x 0g", "hex", 4),
        ("ab c", "hex", 4),
        ("AB!D", "base64", 2),
        ("ABC", "base64", 3),
        ("[1,", "json", 3),
        ("[h'0g']", "cbor", 4),
    ],
)
def test_the_wrong_place_is_told(text: str, kind: str, place: int) -> None:
    with pytest.raises(Misplaced) as caught:
        encode(text, kind)
    assert caught.value.place == place


LINES = ['{"a": ["}", 1],', ' "b": {', '  "c": [2]', " }}"]


@pytest.mark.parametrize(("one", "other"), [((0, 0), (3, 2)), ((0, 6), (0, 13)), ((1, 6), (3, 1)), ((2, 7), (2, 9))])
def test_a_bracket_finds_its_partner(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert bracket.partner(LINES, *one) == other
    assert bracket.partner(LINES, *other) == one


@pytest.mark.parametrize("place", [(0, 8), (0, 1), (3, 9), (9, 0)])
def test_no_bracket_has_no_partner(place: tuple[int, int]) -> None:
    assert bracket.partner(LINES, *place) is None
    assert bracket.partner(["["], 0, 0) is None


async def test_colours_of_the_theme_are_drawn_also_where_the_cursor_is() -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        composer.area.focus()
        await pilot.press(*'{"a": 1}')
        strip = composer.area.render_line(0)
        colours = {segment.text: segment.style.color for segment in strip if segment.style is not None}
        for text, name in (('"a"', "key"), ("1", "number")):
            assert colours[text] == composer.area.get_component_rich_style(f"payload--{name}").color
        assert colours['"a"'] != colours["1"]


async def test_lines_are_indented_as_json_is_typed() -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        composer.area.focus()
        await pilot.press("left_curly_bracket", "right_curly_bracket", "left", "enter")
        assert composer.area.text == "{\n  \n}"
        await pilot.press(*'"a":[', "enter", "1", "enter", "right_square_bracket")
        assert composer.area.text == '{\n  "a":[\n    1\n  ]\n}'
        await pilot.press("ctrl+z")
        composer.set_text("  plain")
        composer.area.move_cursor((0, 7))
        await pilot.press("enter", "x")
        assert composer.area.text == "  plain\nx", "only JSON is indented"


async def test_hex_is_underlined_where_it_is_none_and_the_cursor_goes_there() -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        composer.query_one("#format", Select).value = "hex"
        composer.set_text("00 zz\n11 0y")
        wrong = [(0, "z"), (0, "z"), (1, "y")]
        await eventually(lambda: [(y, char) for y, text in underlined(composer) for char in text] == wrong)
        composer.area.focus()
        await pilot.press("ctrl+s")
        assert composer.area.cursor_location == (0, 3)
        assert app.sent == []


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("x" * LONGEST_LINE, True),
        ("x" * (LONGEST_LINE + 1), False),
        ("y\n" * (EDITABLE // 2), True),
        ("y\n" * (EDITABLE // 2 + 1), False),
    ],
)
def test_what_the_editor_takes(text: str, fits: bool) -> None:
    assert fits_editor(text) is fits


async def paste(composer: Composer, text: str) -> None:
    composer.app.post_message(events.Paste(text))
    wanted = len(composer.area.content) + len(text)
    await eventually(lambda: len(composer.area.content) == wanted)


async def test_a_paste_of_five_megabytes_is_held_whole_and_sent_whole() -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(120, 30)) as pilot:
        composer.set_protocol(WebSocket, list)
        composer.area.focus()
        await pilot.press("x")
        before = "x"
        assert len(LARGE) > 5_000_000
        await paste(composer, LARGE)
        await eventually(lambda: "too large to edit" in said(composer))
        shown = composer.area.text
        assert len(shown) < 2_000
        assert shown.startswith(before + LARGE[:100])
        assert shown.endswith(LARGE[-100:])
        worst = 0.0
        for key in ("down", "right", "z", "q", "enter"):
            began = time.thread_time()
            await pilot.press(key)
            worst = max(worst, time.thread_time() - began)
        assert worst < 1.0, "laid out whole, each of these took many seconds"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.sent == [((before + LARGE).encode(), "", {})]
        kept = composer.draft
        assert kept.payload == before + LARGE
        await pilot.press("backspace")
        assert composer.area.text == before, "the paste is taken back"
        await pilot.press("y", "ctrl+up")
        await eventually(lambda: composer.area.content == before + LARGE)
        composer.draft = None
        assert (composer.area.text, composer.area.read_only) == ("", False)
        composer.draft = kept
        assert composer.draft == kept


async def test_more_is_put_at_the_end_of_what_is_held() -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(80, 24)):
        composer.set_protocol(WebSocket, list)
        composer.area.focus()
        await paste(composer, "a" * (EDITABLE + 1))
        await paste(composer, "b")
        assert composer.payload() == b"a" * (EDITABLE + 1) + b"b"


async def test_a_large_text_in_a_format_is_checked_when_it_is_sent() -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        composer.query_one("#format", Select).value = "json"
        composer.area.focus()
        await paste(composer, LARGE[:-1])
        await pilot.press("ctrl+s")
        await eventually(partial(_says, composer, "not JSON"))
        assert app.sent == []


def _says(composer: Composer, words: str) -> bool:
    return words in said(composer)
