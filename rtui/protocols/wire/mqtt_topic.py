"""Topic names and topic filters: what is legal, what matches; no I/O, no library (MQTT 5 §4.7, §1.5.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from rtui.capture import pattern
from rtui.capture.quote import quoted

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


def matcher(wanted: str) -> Callable[[str], bool]:
    """Tells whether a subscription to `wanted` brings a topic (§4.7, §4.8.2)."""
    wanted = plain_filter(wanted)
    matches = pattern.topic_expression(wanted).fullmatch
    if wanted[:1] in {"+", "#"}:
        # §4.7.2: a wildcard never stands for a first level that begins with $.
        return lambda topic: topic[:1] != "$" and matches(topic) is not None
    return lambda topic: matches(topic) is not None


def expression(wanted: str) -> str:
    """The display filter for what `matcher` knows."""
    wanted = plain_filter(wanted)
    if not pattern.has_levels(wanted):
        return f"ch={quoted(wanted)}"
    system = ' not ch:"$*"' if wanted[:1] in {"+", "#"} else ""
    return f"ch:{quoted(wanted)}{system}"


def plain_filter(wanted: str) -> str:
    """The filter of a subscription, shared or not."""
    return wanted.split("/", 2)[-1] if wanted.startswith(SHARE) else wanted


def _flaw(text: str) -> str:
    if not text:
        return "it is empty"
    if found := _BAD.search(text):
        return f"it contains U+{ord(found[0]):04X} at {found.start()}, over which brokers drop the connection (§1.5.4)"
    size = len(text.encode())
    return f"{size:,} bytes; {LONGEST:,} are allowed (§4.7.3)" if size > LONGEST else ""
