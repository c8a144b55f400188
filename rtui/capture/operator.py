"""The operators of the filter language: one small class each, with its example, its help and the SQL it means.

Every clause is 0 or 1, never NULL, so that `not` means what it says. Values are bound, never spliced.
"""

# ruff: noqa: D101, D102, ARG002 - `help` says what there is to say of an operator, and some take no value
from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple, TypeAlias

from rtui.capture import exchange, meaning, pattern
from rtui.capture.moment import OF_NEWEST, moment, on_day
from rtui.capture.sweep import CHANNELS, EITHER, ROWS, Channels, Rows, Test
from rtui.core.record import Direction, Kind

Value: TypeAlias = int | float | str | bytes | Rows | Channels

COMPARISONS: Final = {">": ">", ">=": ">=", "<": "<", "<=": "<=", "=": "=", "==": "=", "!=": "<>"}
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_MEASURE: Final = re.compile(r"(\d+(?:\.\d+)?)([a-zA-Z]*)", re.ASCII)
_DURATIONS: Final = {"us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9, "d": 86400e9}
_SIZES: Final = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_TOP: Final = 2**63 - 1
_TEXT: Final = "CAST(payload AS TEXT)"


class Clause(NamedTuple):
    """A condition on a record."""

    sql: str
    params: tuple[Value, ...] = ()
    moves: bool = False
    """Whether a record may begin or cease to match when a later one answers it."""


class Wrong(ValueError):
    """A value that an operator cannot take: message, hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Operator:
    """A term of the language: `code` alone, `code:value` or `code>value`."""

    code: ClassVar[str]
    example: ClassVar[str]
    help: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset({":"})
    """What may stand between code and value; empty for an operator without value."""

    def clause(self, sign: str, value: str) -> Clause:
        """The condition.

        Raises:
            Wrong: `value` is not what the operator takes.
        """
        raise NotImplementedError


class In(Operator):
    code, example, help, takes = "in", "in", "received", frozenset()

    def clause(self, sign: str, value: str) -> Clause:
        return Clause("direction = ?", (int(Direction.IN),))


class Out(Operator):
    code, example, help, takes = "out", "out", "sent", frozenset()

    def clause(self, sign: str, value: str) -> Clause:
        return Clause("direction = ?", (int(Direction.OUT),))


class Reply(Operator):
    code, example, help, takes = "reply", "reply", "answers another message", frozenset()

    def clause(self, sign: str, value: str) -> Clause:
        return Clause("reply_to IS NOT NULL")


class Unanswered(Operator):
    code, example, takes = "unanswered", "unanswered", frozenset()
    help = "asked for an answer that has not come: ack, JSON-RPC, QoS 1 and 2, response topic, ping, call"

    def clause(self, sign: str, value: str) -> Clause:
        return Clause(f"({exchange.ASKS} AND NOT {exchange.ANSWERED})", moves=True)


class Answered(Operator):
    code, example, help, takes = "answered", "answered", "asked for an answer, and got it", frozenset()

    def clause(self, sign: str, value: str) -> Clause:
        return Clause(f"({exchange.ASKS} AND {exchange.ANSWERED})", moves=True)


class Thread(Operator):
    code, example, help = "thread", "thread:12", "row 12 and every row that answers it or goes on with it"

    def clause(self, sign: str, value: str) -> Clause:
        if not (value.isascii() and value.isdecimal() and int(value) <= _TOP):
            raise Wrong(f"{value!r} is not the number of a row", f"such as {self.example}")
        return Clause("(seq = ? OR coalesce(reply_to, 0) = ?)", (int(value),) * 2)


class Channel(Operator):
    code, example, help = "ch", "ch:sensors/+/temp", "the channel; + is one level, # the rest, * anything; ch=… exactly"
    takes = frozenset({":", "=", "=="})

    def clause(self, sign: str, value: str) -> Clause:
        if sign != ":":
            return Clause("channel = ?", (value,))
        if pattern.has_levels(value):
            return _on_topic(value)
        if "*" in value:
            return Clause("channel GLOB ?", (pattern.glob(value),))
        return Clause("channel = ?", (value,))


class Protocol(Operator):
    code, example, help = "proto", "proto:websocket", "the connection's protocol"

    def clause(self, sign: str, value: str) -> Clause:
        return Clause("link IN (SELECT id FROM links WHERE protocol = lower(?))", (value,))


class Link(Operator):
    code, example, help = "link", "link:plant", "the connection's name"

    def clause(self, sign: str, value: str) -> Clause:
        return Clause("link IN (SELECT id FROM links WHERE name = ?)", (value,))


class KindOf(Operator):
    code, example, help = "kind", "kind:error,gap", "what the row is: " + ", ".join(kind.word for kind in Kind)

    def clause(self, sign: str, value: str) -> Clause:
        known = {kind.word: int(kind) for kind in Kind}
        words = value.lower().split(",")
        for word in words:
            if word not in known:
                raise Wrong(f"no kind {word!r}", "known: " + ", ".join(known))
        numbers = tuple(sorted({known[word] for word in words}))
        return Clause(f"kind IN ({','.join('?' * len(numbers))})", numbers)


class Size(Operator):
    code, example, help, takes = "size", "size>1k", "bytes of the payload; k, M, G", frozenset(COMPARISONS)

    def clause(self, sign: str, value: str) -> Clause:
        number, unit = _measure(value, "a size such as 500, 64k or 16M")
        factor = _SIZES.get(unit.lower())
        if factor is None:
            raise Wrong(f"no size unit {unit!r}", "known: k, M, G")
        return Clause(f"length(payload) {COMPARISONS[sign]} ?", (_bounded(number * factor),))


class Latency(Operator):
    code, example, help = "latency", "latency>10ms", "time from the message to this answer"
    takes = frozenset(COMPARISONS)

    def clause(self, sign: str, value: str) -> Clause:
        return Clause(f"(latency IS NOT NULL AND latency {COMPARISONS[sign]} ?)", (_duration(value),))


class Age(Operator):
    code, example, help, takes = "age", "age<5m", "time since; us, ms, s, m, h, d", frozenset({">", ">=", "<", "<="})

    def clause(self, sign: str, value: str) -> Clause:
        return Clause(f"(SELECT rtui_now()) - time {sign} ?", (_duration(value),))


class Time(Operator):
    code, example, help = "time", "time>12:01:02", "clock time on the day of the newest row, or a date and time"
    takes = frozenset({">", ">=", "<", "<="})

    def clause(self, sign: str, value: str) -> Clause:
        if (known := moment(value)) is not None:
            return Clause(f"time {sign} ?", (known,))
        if on_day(time.time_ns(), value) is None:
            raise Wrong(f"{value!r} is no time", "such as 12:01:02 or 2026-11-20T23:59:01Z")
        return Clause(f"time {sign} {OF_NEWEST}", (value,))


OPERATORS: Final[tuple[Operator, ...]] = (
    In(), Out(), Channel(), Protocol(), Link(), KindOf(), Size(), Age(), Time(), Latency(), Reply(),
    Unanswered(), Answered(), Thread(),
)  # fmt: skip
BY_CODE: Final = {operator.code: operator for operator in OPERATORS}


def contains(needle: str) -> Clause:
    """`needle` in payload or channel, whatever the case."""
    if _is_cased_beyond_ascii(needle):
        test = Test("contains", needle)
        return Clause(EITHER, (Rows(test), Channels(test)))
    folded = _ascii_lower(needle)
    return Clause(f"(instr(lower({_TEXT}), ?) > 0 OR instr(lower(channel), ?) > 0)", (folded,) * 2)


def matches(expression: str, flags: str) -> Clause:
    """The regular expression finds something in payload or channel."""
    source = pattern.checked(expression, flags)
    test = Test("finds", source)
    text, folded = pattern.needle(source)
    where, param = (f"instr(lower({_TEXT}), ?) > 0", text) if folded else ("instr(payload, ?) > 0", text.encode())
    rows = Rows(test, where, (param,)) if text else Rows(test)
    return Clause(EITHER, (rows, Channels(test)))


def _on_topic(wanted: str) -> Clause:
    """The channel matches a topic filter; Python is called only for what SQL cannot tell."""
    topic = pattern.topic_globs(wanted)
    if not topic.exact:
        return Clause(CHANNELS, (Channels(Test("topic", wanted)),))
    sign = ">=" if wanted.endswith("#") else "="
    like = " OR ".join(["channel GLOB ?"] * len(topic.globs))
    sql = f"({like}) AND length(channel) - length(replace(channel, '/', '')) {sign} ?"
    return Clause(f"({sql})", (*topic.globs, topic.slashes))


def json_exists(path: str) -> Clause:
    """The payload is JSON and has something at `path`."""
    return _json("json_type({text}, ?) IS NOT NULL", path)


def json_compare(path: str, sign: str, value: str, *, quoted: bool) -> Clause:
    """What is at `path` compares with `value`: by number with numbers, by text with texts, never across."""
    same = COMPARISONS[sign] if sign != "!=" else "="
    if not quoted and value in {"true", "false", "null"}:
        if same != "=":
            raise Wrong(f"{value} has no order", "use == or !=")
        equal = _json("json_type({text}, ?) = ?", path, value)
    elif not quoted and _NUMBER.fullmatch(value):
        condition = f"json_type({{text}}, ?) IN ('integer', 'real') AND json_extract({{text}}, ?) {same} ?"
        equal = _json(condition, path, path, _number(value))
    else:
        equal = _json(f"json_type({{text}}, ?) = 'text' AND json_extract({{text}}, ?) {same} ?", path, path, value)
    if sign != "!=":
        return equal
    exists = json_exists(path)
    return Clause(f"({exists.sql} AND NOT {equal.sql})", exists.params + equal.params)


def json_contains(path: str, needle: str) -> Clause:
    """The text at `path` contains `needle`, whatever the case."""
    if _is_cased_beyond_ascii(needle):
        return _json_passes(path, Test("contains", needle))
    folded = _ascii_lower(needle)
    return _json("json_type({text}, ?) = 'text' AND instr(lower(json_extract({text}, ?)), ?) > 0", path, path, folded)


def json_matches(path: str, expression: str, flags: str) -> Clause:
    """The regular expression finds something in the text at `path`."""
    return _json_passes(path, Test("finds", pattern.checked(expression, flags)))


def _json_passes(path: str, test: Test) -> Clause:
    """The text at `path` passes."""
    has_text = _json("json_type({text}, ?) = 'text'", path)
    read, meant = (f"json_extract({text}, ?)" for text in (_TEXT, meaning.JSON))
    text = f"CASE WHEN json_valid({_TEXT}) THEN {read} ELSE {meant} END"
    return Clause(ROWS, (Rows(test, has_text.sql, has_text.params, text, (path, path)),))


def _json(condition: str, *params: Value) -> Clause:
    """`condition` on the payload as JSON, or on the JSON that it means; 0 if there is none.

    SQLite's functions raise on what is not valid.
    """
    read, meant = (f"coalesce({condition.format(text=text)}, 0)" for text in (_TEXT, meaning.JSON))
    packed = f"WHEN {meaning.PACKED} THEN {meant}"
    return Clause(f"CASE WHEN json_valid({_TEXT}) THEN {read} {packed} ELSE 0 END", params * 2)


def _ascii_lower(text: str) -> str:
    return text.translate(_LOWER)


_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _is_cased_beyond_ascii(text: str) -> bool:
    return any(not char.isascii() and (char.casefold() != char or char.upper() != char) for char in text)


def _number(value: str) -> int | float:
    number = float(value)
    if "." in value or "e" in value.lower() or not -_TOP <= number <= _TOP:
        return number
    whole = int(value)
    return whole if -_TOP <= whole <= _TOP else number


def _measure(value: str, wanted: str) -> tuple[float, str]:
    found = _MEASURE.fullmatch(value.replace("µ", "u"))
    if found is None:
        raise Wrong(f"{value!r} is not {wanted}")
    return float(found[1]), found[2]


def _duration(value: str) -> int:
    number, unit = _measure(value, "a time such as 500ms, 10s or 5m")
    factor = _DURATIONS.get(unit)
    if factor is None:
        raise Wrong(f"{value!r} needs a unit" if not unit else f"no unit of time {unit!r}", "known: us ms s m h d")
    return _bounded(number * factor)


def _bounded(number: float) -> int:
    return _TOP if number >= _TOP else int(number)


@lru_cache(maxsize=1)
def help_rows() -> list[tuple[str, str]]:
    """Example and meaning of every kind of term."""
    return [
        ("word", "the payload or the channel contains it, whatever the case"),
        ('"two words"', "the same, with spaces or reserved words"),
        ("/reg[ex]+/", "a regular expression finds something; /…/i ignores the case"),
        *((operator.example, operator.help) for operator in OPERATORS),
        (".v>30", "a number in JSON, MessagePack, CBOR, protobuf of a known type: == != > >= < <="),
        ('.user.name=="bob"', "a text in one of these; true, false and null too"),
        (".user.name~bob", "a text in one of these contains it; ~/…/ for a regular expression"),
        ('.a."b c"[0].d', "exists; quoted keys, positions, [-1] is the last"),
        ("a b   a or b   not a   ( )", "and, or, not, groups"),
    ]
