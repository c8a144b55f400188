from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from rtui.workbench.clipboard import LIMIT, copy, sequences


def test_osc_52_carries_the_text() -> None:
    sent = sequences("héllo", {})
    assert sent.startswith("\x1b]52;c;")
    assert base64.b64decode(sent.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode() == "héllo"


def test_in_tmux_it_is_sent_wrapped_too() -> None:
    plain = sequences("x", {})
    assert sequences("x", {"TMUX": "/tmp/1"}) == plain + "\x1bPtmux;\x1b" + plain + "\x1b\\"


def test_it_never_claims_that_it_copied() -> None:
    written: list[str] = []
    assert copy("abc", "payload", written.append, {}) == "payload sent to the terminal (3 bytes)"
    assert len(written) == 1


def test_what_no_terminal_takes_is_not_sent() -> None:
    written: list[str] = []
    assert "too large" in copy("x" * (LIMIT + 1), "payload", written.append, {})
    assert written == []
    copy("x" * LIMIT, "payload", written.append, {})
    assert len(written) == 1


@given(st.text())
def test_whatever_the_text_only_our_own_sequence_is_written(text: str) -> None:
    inner = sequences(text, {})[len("\x1b]52;c;") : -1]
    assert set(inner) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
