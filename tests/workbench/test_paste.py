from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END as END
from textual._xterm_parser import BRACKETED_PASTE_START as START
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

from rtui.workbench.paste import PasteParser
from rtui.workbench.terminal import driver_class

PASTES = st.text(st.characters(exclude_characters="\x1b"), max_size=20).map(lambda text: START + text + END)
KEYS = st.sampled_from(
    ["A", "é", "\r", "\x1b", "\x1b[A", "\x1b[1;5C", "\x1bX", "\x1b[I", "\x1b[<0;5;5M", "\x1b[201", "[200"]
)


def shown(messages: Iterable[Message]) -> list[tuple[object, ...]]:
    def words(one: Message) -> tuple[object, ...]:
        return (type(one), getattr(one, "key", None), getattr(one, "text", None), getattr(one, "character", None))

    return [words(one) for one in messages]


def parsed(parser: XTermParser, chunks: Iterable[str]) -> list[tuple[object, ...]]:
    return shown(token for chunk in chunks for token in parser.feed(chunk))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("\x1ba\x1ba", ["alt+a", "alt+a"]),
        ("x\x1ba\x1bsy", ["x", "alt+a", "alt+s", "y"]),
        ("\x1b[A\x1bt\x1b[A", ["up", "alt+t", "up"]),
        ("\x1bf\x1bt", ["ctrl+right", "alt+t"]),
        (f"{START}\x1ba\x1ba{END}", [None]),
    ],
)
def test_keys_with_alt_that_come_together_are_keys_and_type_nothing(text: str, keys: list[str | None]) -> None:
    found = parsed(PasteParser(), [text])
    assert [key for _, key, *_ in found] == keys


@given(st.lists(st.one_of(KEYS, PASTES), max_size=12), st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_it_tells_what_textuals_parser_tells(pieces: list[str], sizes: list[int]) -> None:
    stream, chunks = "".join(pieces), []
    for number in range(len(stream)):
        size = sizes[number % len(sizes)]
        if not stream:
            break
        chunks.append(stream[:size])
        stream = stream[size:]
    assert parsed(PasteParser(), chunks) == parsed(XTermParser(), chunks)


@pytest.mark.parametrize("size", [1, 2, 5, 7, 4096])
def test_pasted_escapes_are_text_and_no_keys(size: int) -> None:
    text = "red \x1b[31m and \x1b]52;c;aGk=\x07, then \x1b[200~ \x1b[201"
    stream = f"{START}{text}{END}"
    parser = PasteParser()
    tokens = [one for at in range(0, len(stream), size) for one in parser.feed(stream[at : at + size])]
    assert [one.text for one in tokens if isinstance(one, events.Paste)] == [text]
    assert len(tokens) == 1


def test_a_large_paste_costs_textuals_parser_only_its_brackets() -> None:
    parser = PasteParser()
    fed: list[str] = []
    inner = XTermParser.feed

    def counted(self: XTermParser, data: str) -> Iterable[Message]:
        fed.append(data)
        return inner(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(XTermParser, "feed", counted)
        chunks = [START, *["x" * 4096] * 300, END, "k"]
        tokens = [one for chunk in chunks for one in parser.feed(chunk)]
    assert [type(one) for one in tokens] == [events.Paste, events.Key]
    assert fed == [START, END, "k"]


def test_a_start_that_came_too_slowly_to_be_one_does_not_lose_the_paste() -> None:
    parser = PasteParser()
    list(parser.feed("\x1b[20"))
    parser._timeout_time = 0.0
    assert list(parser.tick()), "taken for keys"
    assert [one.text for one in parser.feed("0~text" + END) if isinstance(one, events.Paste)] == ["text"]


def test_the_driver_uses_it() -> None:
    assert driver_class() is not None
    assert vars(linux_driver)["XTermParser"] is PasteParser
