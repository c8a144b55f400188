"""Patterns of the filter language: topic filters, globs, regular expressions, and folding of case."""

from __future__ import annotations

import re
import sqlite3
import time
import warnings
from collections.abc import Iterator
from functools import lru_cache
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, Final, NamedTuple

from rtui.capture.effort import Measured
from rtui.capture.joint import Joint

MAX_REGEX: Final = 1_000
SEARCHED: Final = 1 << 20
"""Characters of a payload that a regular expression looks at."""
_UNSURE: Final = re.compile("[iks]")
"""Letters that are also the lower case of one beyond ASCII: İ or ı, the sign of kelvin, the long s."""


class BadPattern(ValueError):
    """A regular expression that cannot be used."""


def register(connection: sqlite3.Connection) -> None:
    """Give the connection the function that compiled filters call."""
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


class Topic(NamedTuple):
    """What SQLite's GLOB can tell of a topic filter. Its * stands for slashes too, so these are counted besides."""

    globs: tuple[str, ...]
    """The channel matches one of them."""
    slashes: int
    """How many the channel has, or has at least if the filter ends in #."""
    exact: bool
    """Whether this says it all."""


def topic_globs(wanted: str) -> Topic:
    """The globs of a topic filter.

    Where + is followed by nothing but other + or the end, as many slashes as the filter has leave none for its stars.
    """
    wants = wanted.split("/")
    rest = wants[-1] == "#"
    levels = wants[:-1] if rest else wants
    base = "/".join("*" if level == "+" else glob(level).replace("*", "[*]") for level in levels)
    if not rest:
        return Topic((base,), len(levels) - 1, exact=True)
    fixed_after = "+" in levels and any(level != "+" for level in levels[levels.index("+") :])
    globs = (base, f"{base}/*") if levels else ("*",)
    return Topic(globs, max(len(levels) - 1, 0), exact=not fixed_after)


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


class Needle(NamedTuple):
    """ASCII text that stands in all that an expression finds."""

    text: str
    """"" if there is none that is sure."""
    folded: bool
    """Whether its case is ignored; then it is in lower case."""


def needle(source: str) -> Needle:
    """What to look for before the engine is asked: that takes a tenth of the time."""
    tree = _parser.parse(source)
    folded = bool(tree.state.flags & re.IGNORECASE)
    runs = (part for run in _literals(tree) for part in (_UNSURE.split(run.lower()) if folded else [run]))
    return Needle(max(runs, key=len), folded)


def _literals(tree: Any) -> Iterator[str]:
    """The runs of plain characters that stand in every match, among them an empty one."""
    run = ""
    for op, value in tree:
        if op is _constants.LITERAL and value < 0x80:  # noqa: PLR2004 - ASCII: the same byte in every payload
            run += chr(value)
            continue
        yield run
        run = ""
        if op is _constants.SUBPATTERN and not value[1]:  # no flags of its own
            yield from _literals(value[3])
        elif op in {_constants.MAX_REPEAT, _constants.MIN_REPEAT} and value[0] > 0:
            yield from _literals(value[2])
    yield run


@lru_cache(maxsize=128)
def joint(source: str) -> Joint:
    """The expression, to be asked about joined rows."""
    measured = _measured(source)
    return Joint(measured.source, measured.repeats)


def regexp(source: str, value: bytes | str) -> bool:
    """Whether the expression finds something in the beginning of `value`."""
    text = _text(value)
    return _measured(source).finds(text if len(text) <= SEARCHED else text[:SEARCHED])


def contains(needle: str, value: bytes | str) -> bool:
    """Whether `needle` is in `value`, by Unicode's folding of case."""
    return needle.casefold() in _text(value).casefold()


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")
