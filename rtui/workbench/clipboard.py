"""Copying through the terminal, which works over SSH and in tmux, and never claims more than it knows.

OSC 52 has no answer: a terminal that ignores it looks the same as one that obeys. So the user is told "sent to the
terminal". tmux passes OSC 52 on by itself only with `set-clipboard on`; wrapped in its passthrough sequence
(tmux 3.3+, `allow-passthrough on`) it also reaches the outer terminal, so both are sent.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from typing import Final

LIMIT: Final = 74_000
"""Bytes of text that xterm, the strictest in wide use, takes (100,000 of base64)."""


def sequences(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """What to write to the terminal to put `text` on the clipboard."""
    encoded = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
    plain = f"\x1b]52;c;{encoded}\x07"
    if "TMUX" in environment:
        return plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return plain


def copy(text: str, what: str, write: Callable[[str], object], environment: Mapping[str, str] = os.environ) -> str:
    """Send `text` to the terminal's clipboard; returns the sentence for the user."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LIMIT:
        return f"{what} is too large for the clipboard of a terminal ({size:,} of {LIMIT:,} bytes): export it instead"
    write(sequences(text, environment))
    return f"{what} sent to the terminal ({size:,} {'byte' if size == 1 else 'bytes'})"
