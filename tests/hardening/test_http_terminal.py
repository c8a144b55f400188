"""Hostile text in everything that a web server says, on a terminal."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Cli
from tests.hardening.peer import Script, answers, listening
from tests.hardening.script import CHUNKED, EVENTS, JSON, chunk, head, serves, streams, whole
from tests.hardening.test_terminal import ATTACKS, BODY, CANARY, CARRIES, Terminal, assert_harmless

EVIL = [text.replace("\r", "").encode("utf-8", "surrogatepass") for text in ATTACKS]
EVIL_TEXT = f"\x9d0;{CANARY}\x9c\x9b{CANARY}m"
"""What a head may hold: bytes below 32 break it."""
EVIL_HEADER = f"X-Evil: {EVIL_TEXT}"
LAST = "the last of all"
EVENTS_OF_EVIL = b"".join(
    b"event: %b\nid: %b\ndata: %b\ndata: %b\n: %b\n\n" % (evil, evil, evil, json.dumps(evil.decode()).encode(), evil)
    for evil in EVIL
)


def events() -> Script:
    return streams(EVENTS_OF_EVIL + b"data: " + LAST.encode() + b"\n\n", last=b"", headers=(EVENTS, EVIL_HEADER))


def documents() -> Script:
    """A list of what is evil, and the end of it in another answer."""
    items = [{"id": text, text: [text]} for text in ATTACKS]
    body = json.dumps([*items, {"id": LAST}], ensure_ascii=False).encode()
    return serves(lambda _: whole(body, JSON, EVIL_HEADER, f'ETag: "{EVIL_TEXT}"'))


CASES = {
    "sse": (events, ["log_comments = true"]),
    "poll": (documents, ['items = "."', 'item_key = ".id"', 'every = "50ms"']),
}


@pytest.mark.parametrize("words", [(), ("tail", "--events", "--format", "text")], ids=["workbench", "tail"])
@pytest.mark.parametrize("protocol", CASES)
def test_what_a_stream_says_lets_nothing_through(cli: Cli, protocol: str, words: tuple[str, ...]) -> None:
    make, options = CASES[protocol]
    with listening(make()) as port:
        lines = ["[session]", f'url = "{protocol}+http://127.0.0.1:{port}/{CANARY}"', "[options]", *options]
        (cli.folder / "s.toml").write_text("\n".join(lines))
        terminal = Terminal(cli, (*words, "--no-capture", "s.toml"), (140, 40))
        try:
            terminal.until(LAST, CANARY)
            for keys in () if words else ("\x1b[A", "\x1b[A", "\r", "1", "2", "3", "4", "5", "6", "\x1b", "T"):
                terminal.press(keys)
                terminal.read(0.3)
            assert_harmless(terminal.text)
        finally:
            terminal.close()
        assert_harmless(terminal.text)


REFUSALS = {
    "status": whole(BODY, EVIL_HEADER, status=f"403 No {EVIL_TEXT}"),
    "type": whole(BODY, EVIL_HEADER, f"Content-Type: text/{EVIL_TEXT}"),
    "encoding": whole(BODY, EVENTS, EVIL_HEADER, f"Content-Encoding: {EVIL_TEXT}"),
    "redirect": whole(BODY, EVIL_HEADER, f"Location: http://{EVIL_TEXT}/", status="302 There"),
    "chunk": head(EVENTS, CHUNKED) + chunk(b"data: x\n\n") + f"\x1b]0;{CANARY}\x07\r\n".encode(),
    "head": head(EVENTS, f"X-Evil: \x1b]0;{CANARY}\x07"),
    "no HTTP": f"\x1b]0;{CANARY}\x07 hello\r\n\r\n".encode(),
}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_lets_nothing_through(cli: Cli, answer: bytes) -> None:
    with listening(answers(answer)) as port:
        common = (f"sse+http://127.0.0.1:{port}/{CANARY}", "--no-capture", "--no-reconnect")
        printed = Terminal(cli, ("tail", *common), (140, 40))
        try:
            text = printed.rest()
        finally:
            printed.close()
        assert "\x1b" not in text
        assert not CARRIES.search(text)
        drawn = Terminal(cli, common, (140, 40))
        try:
            drawn.until("closed", CANARY)
            drawn.read(0.5)
            assert_harmless(drawn.text)
        finally:
            drawn.close()
