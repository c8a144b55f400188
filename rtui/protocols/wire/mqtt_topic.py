"""Topic names and topic filters: what is legal, what matches; no I/O, no library (MQTT 5 §4.7, §1.5.4)."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 65535
SHARE: Final = "$share/"
# Brokers drop the connection over these, without a word why (§1.5.4: "SHOULD NOT").
_BAD: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def topic_flaw(topic: str) -> str:
    """Why nothing can be published to `topic`; "" if it can."""
    if "+" in topic or "#" in topic:
        return "+ and # are wildcards: a message goes to one topic (§4.7.1)"
    return _flaw(topic)


def filter_flaw(wanted: str) -> str:
    """Why `wanted` cannot be subscribed to; "" if it can."""
    if wanted.startswith(SHARE):
        name, slash, wanted = wanted[len(SHARE) :].partition("/")
        if not name or not slash or "+" in name or "#" in name:
            return "a shared subscription is $share/NAME/FILTER, its name without + and # (§4.8.2)"
    levels = wanted.split("/")
    for place, level in enumerate(levels):
        if "#" in level and (level != "#" or place != len(levels) - 1):
            return "# stands alone in the last level (§4.7.1.2)"
        if "+" in level and level != "+":
            return "+ stands alone in its level (§4.7.1.3)"
    return _flaw(wanted)


def _flaw(text: str) -> str:
    if not text:
        return "it is empty"
    if found := _BAD.search(text):
        return f"it contains U+{ord(found[0]):04X} at {found.start()}, over which brokers drop the connection (§1.5.4)"
    size = len(text.encode())
    return f"{size:,} bytes; {LONGEST:,} are allowed (§4.7.3)" if size > LONGEST else ""
