"""Patterns of the filter language: topic filters, globs, regular expressions, and folding of case."""

from __future__ import annotations

import re
import sqlite3
import time
import warnings
from functools import lru_cache
from typing import Final

from rtui.capture.effort import Measured

MAX_REGEX: Final = 1_000
SEARCHED: Final = 1 << 20
"""Characters of a payload that a regular expression looks at."""


class BadPattern(ValueError):
    """A regular expression that cannot be used."""


def register(connection: sqlite3.Connection) -> None:
    """Give the connection the functions that compiled filters call."""
    for name, count, function in (
        ("rtui_topic", 2, topic),
        ("rtui_regexp", 2, regexp),
        ("rtui_contains", 2, contains),
    ):
        connection.create_function(name, count, function, deterministic=True)
    connection.create_function("rtui_now", 0, time.time_ns)


def has_levels(text: str) -> bool:
    """Whether `text` is a topic filter: + as a whole level, or # as the last one."""
    levels = text.split("/")
    return "+" in levels or levels[-1] == "#"


def topic(wanted: str, channel: str) -> bool:
    """Whether the topic filter matches: MQTT 5.0, 4.7 "Topic Names and Topic Filters", without the rule for $."""
    return topic_expression(wanted).fullmatch(channel) is not None


@lru_cache(maxsize=512)
def topic_expression(wanted: str) -> re.Pattern[str]:
    """A topic filter as an expression: ten times as fast as comparing level by level."""
    wants = wanted.split("/")
    rest = wants[-1] == "#"
    levels = ["[^/]*" if level == "+" else re.escape(level) for level in (wants[:-1] if rest else wants)]
    # "a/#" matches "a" too (4.7.1.2).
    below = ("(?:/.*)?" if levels else ".*") if rest else ""
    return re.compile("/".join(levels) + below, re.DOTALL)


def glob(text: str) -> str:
    """`text`, in which only * is special, as SQLite's GLOB."""
    return text.replace("[", "[[]").replace("?", "[?]")


def loose_glob(text: str) -> str:
    """A glob that whatever the topic filter matches also matches, so that most rows need no closer look."""
    head = re.split(r"(?:^|/)(?:\+|#)(?:/|$)", text, maxsplit=1)[0]
    return glob(head).replace("*", "[*]") + "*"


def checked(expression: str, flags: str) -> str:
    """The expression with its flags inside, once it is known to compile and not to take for ever.

    Raises:
        BadPattern: it does not compile, or may take for ever (see `effort`).
    """
    if len(expression) > MAX_REGEX:
        raise BadPattern(f"longer than {MAX_REGEX} characters")
    source = f"(?i){expression}" if "i" in flags else expression
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(source)
            _measured(source)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        raise BadPattern(str(error)) from None
    return source


@lru_cache(maxsize=128)
def _measured(source: str) -> Measured:
    return Measured(source)


def regexp(source: str, value: bytes | str | None) -> bool:
    """Whether the expression finds something in the beginning of `value`."""
    text = _text(value)
    return _measured(source).finds(text[:SEARCHED])


def contains(needle: str, value: bytes | str | None) -> bool:
    """Whether `needle` is in `value`, by Unicode's folding of case."""
    return needle.casefold() in _text(value).casefold()


def _text(value: bytes | str | float | None) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)
