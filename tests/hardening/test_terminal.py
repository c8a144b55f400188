from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.hardening.peer import PING, TEXT, answers, closing, frame, listening, sends
from tests.waiting import PATIENCE

CANARY = "Zq7"
"""In every attack: where it stands in the output behind anything but ordinary text, the attack went through."""
ATTACKS = (
    f"\x1b]52;c;{CANARY}\x07",
    f"\x1b]0;{CANARY}\x1b\\",
    f"\x1bP{CANARY}\x1b\\",
    f"\x1b[{CANARY}m",
    f"\x1b_{CANARY}\x1b\\",
    f"\x9d0;{CANARY}\x9c",
    f"\x9b{CANARY}m",
    f"\u202e{CANARY}\u2066\u2069\u200b\u200e\U000e0041",
    f"\x08\x08\r{CANARY}\x7f\x05",
    f"[bold]{CANARY}[/] [/]",
)
FORBIDDEN = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\u2028\u2029\U000e0041\x05\x7f"
# An escape sequence that carries the canary: OSC, DCS, APC, PM and SOS up to their end, or CSI.
CARRIES = re.compile(rf"\x1b[\]PX^_][^\x07\x1b]*{CANARY}|\x1b\[[0-9;?]*{CANARY}|\x9b|\x9d|\x90|\x9c")


class Terminal:
    """A program on a pseudo terminal; answers nothing, reads everything."""

    def __init__(self, cli: Cli, words: tuple[str, ...], size: tuple[int, int], **env: str) -> None:
        self.shown = b""
        self._parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.process = subprocess.Popen(
            cli.command(*words),
            stdin=child,
            stdout=child,
            stderr=child,
            cwd=cli.folder,
            env=cli.environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | env,
            start_new_session=True,
        )
        os.close(child)

    def read(self, seconds: float) -> bool:
        """Whether something came in that time."""
        if not select.select([self._parent], [], [], seconds)[0]:
            return False
        try:
            self.shown += os.read(self._parent, 65_536)
        except OSError:  # Linux: the other side was closed
            time.sleep(seconds)
            return False
        return True

    def until(self, *words: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while not all(word in self.text for word in words):
            assert time.monotonic() < deadline, f"{words} not in {self.text[-2000:]!r}"
            self.read(0.1)
        return self.text

    def rest(self) -> str:
        """What it shows until it ends."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        while self.read(0.05):
            pass
        return self.text

    @property
    def text(self) -> str:
        return self.shown.decode("utf-8", "replace")

    def press(self, keys: str) -> None:
        os.write(self._parent, keys.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.rest()
            self.process.kill()
        self.process.wait()
        os.close(self._parent)


def assert_harmless(text: str) -> None:
    assert CANARY in text
    assert not CARRIES.search(text), CARRIES.search(text)
    assert not [char for char in FORBIDDEN if char in text]


def hostile_frames() -> bytes:
    texts = [frame(TEXT, attack.encode("utf-8", "surrogatepass")) for attack in ATTACKS]
    import json

    texts += [
        frame(TEXT, json.dumps({"type": attack, attack: attack}, ensure_ascii=False).encode()) for attack in ATTACKS
    ]
    return b"".join(texts) + frame(PING, b"\x1b]52;c;" + CANARY.encode() + b"\x07")


@pytest.mark.parametrize("size", [(140, 40), (80, 24)], ids=str)
def test_the_workbench_lets_nothing_through(cli: Cli, size: tuple[int, int]) -> None:
    name = f"a\x1b]0;{CANARY}\x07\u202eb"
    with listening(sends(hostile_frames())) as port:
        (cli.folder / "s.toml").write_text(
            "[session]\n"
            + f'name = "{name}"\nurl = "ws://127.0.0.1:{port}/{CANARY}"\n'.replace("\x1b", "\\u001b").replace(
                "\x07", "\\u0007"
            )
            + "[options]\nlog_pings = true\n",
            encoding="utf-8",
        )
        terminal = Terminal(cli, ("--no-capture", "s.toml"), size)
        try:
            terminal.until("␛]52;c;", CANARY)
            for keys in ("\x1b[A", "\x1b[A", "\r", "1", "2", "3", "4", "\x1b", "?", "\x1b", "T"):
                terminal.press(keys)
                terminal.read(0.3)
            assert_harmless(terminal.text)
        finally:
            terminal.close()
        assert_harmless(terminal.text)


def test_the_workbench_shows_how_it_ended_without_harm(cli: Cli) -> None:
    reason = f"\x1b]52;c;{CANARY}\x07\u202e".encode()
    with listening(sends(hostile_frames(), closing(4000, reason))) as port:
        terminal = Terminal(cli, ("--no-capture", "--no-reconnect", f"ws://127.0.0.1:{port}/"), (140, 40))
        try:
            terminal.until("4000", CANARY)
            assert_harmless(terminal.text)
        finally:
            terminal.close()


BODY = "".join(ATTACKS).encode()
REFUSED = b"HTTP/1.1 403 %s\r\nX-Evil: %s\r\nContent-Length: %d\r\n\r\n%s"


@pytest.mark.parametrize("words", [("tail",), ()], ids=["tail", "workbench"])
@pytest.mark.parametrize("header", [b"fine " + CANARY.encode(), b"\x1b]0;" + CANARY.encode() + b"\x07"])
def test_a_refusal_lets_nothing_through(cli: Cli, words: tuple[str, ...], header: bytes) -> None:
    with listening(answers(REFUSED % (b"No " + CANARY.encode(), header, len(BODY), BODY))) as port:
        terminal = Terminal(cli, (*words, f"ws://127.0.0.1:{port}/", "--no-capture", "--no-reconnect"), (140, 40))
        try:
            terminal.until("403", CANARY)
            assert_harmless(terminal.text)
        finally:
            terminal.close()


@pytest.mark.parametrize("form", ["text", "ndjson", "raw"])
def test_tail_on_a_terminal_lets_nothing_through(cli: Cli, form: str) -> None:
    reason = f"\x1b]52;c;{CANARY}\x07\u202e".encode()
    with listening(sends(hostile_frames(), closing(4000, reason))) as port:
        words = ("tail", f"ws://127.0.0.1:{port}/", "--no-capture", "--no-reconnect", "--events", "--format", form)
        terminal = Terminal(cli, words, (80, 24))
        try:
            text = terminal.rest()
        finally:
            terminal.close()
    assert_harmless(text)
    assert "\x1b" not in text


def test_export_and_listings_on_a_terminal(cli: Cli) -> None:
    with listening(sends(hostile_frames(), closing(1000))) as port:
        url = f"ws://127.0.0.1:{port}/"
        assert cli.run("tail", url, "--capture", "a.rtui").returncode == 0
    folder = cli.folder / f"b\x1b]0;{CANARY}\x07\u202e"
    folder.mkdir()
    path = Path(folder / "a.rtui")
    (cli.folder / "a.rtui").rename(path)
    for words in (("export",), ("export", "--format", "raw"), ("captures", "show")):
        terminal = Terminal(cli, (*words, str(path)), (80, 24))
        text = terminal.rest()
        terminal.close()
        assert terminal.process.returncode == 0
        assert "\x1b" not in text
        assert not [char for char in FORBIDDEN if char in text]


def test_what_is_being_written_outlives_a_kill(cli: Cli) -> None:
    with listening(sends(frame(TEXT, b"hello"))) as port:
        url = f"ws://127.0.0.1:{port}/"
        first = Terminal(cli, ("--no-capture", url), (140, 40))
        try:
            first.until("following", "type a message")
            while "Editor" not in first.text:  # a key of the composer; before the link is open, there is no sending
                first.press("s")
                for _ in range(50):
                    if "Editor" not in first.text:
                        first.read(0.1)
            first.press("half a thought")
            kept = cli.folder / "state"
            deadline = time.monotonic() + PATIENCE
            while not any(b"half a thought" in one.read_bytes() for one in kept.rglob("workbench.json")):
                assert time.monotonic() < deadline, first.text[-2000:]
                first.read(0.1)
            first.process.kill()
        finally:
            first.close()
        second = Terminal(cli, ("--no-capture", url), (140, 40))
        try:
            second.until("half a thought")
        finally:
            second.close()
