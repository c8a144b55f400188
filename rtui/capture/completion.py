"""What may come next in a filter: operators, channels and JSON paths that were seen, for the term at the cursor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from rtui.capture.operator import OPERATORS, Operator
from rtui.core import json_path
from rtui.core.json_path import BadPath, Step
from rtui.core.record import Kind

LIMIT: Final = 50
"""Candidates at once: nobody reads more."""
MAX_PATHS: Final = 500
MAX_DEPTH: Final = 8
MAX_PAYLOAD: Final = 65_536
MAX_PAYLOADS: Final = 2_097_152
"""Bytes of a payload, and of all payloads together, whose paths are worth the time."""
MAX_VALUE: Final = 60
"""Characters of a text that anybody would take from a list."""

_TERM: Final = re.compile(r'(?:[^\s()"]|"(?:[^"\\]|\\.)*(?:"|\\?$))+', re.DOTALL)
_REST: Final = re.compile(r'[^\s()"]*"?')
_NAMED: Final = re.compile(r"([A-Za-z]+)(:|==?)(.*)", re.DOTALL)
_NAME: Final = re.compile(r"[^\W\d][\w.:/-]*")
_PLAIN: Final = re.compile(r'[^\s()"]+')
_SIGN: Final = re.compile(r"([!=]=|=|~)(.*)", re.DOTALL)
_LEAD: Final = re.compile(r"[a-z]+[:<>=]?")


class Candidate(NamedTuple):
    """A term that could stand at the cursor, and a word about it."""

    text: str
    about: str = ""


class Completion(NamedTuple):
    """Candidates for the characters from `start` to `end`."""

    start: int
    end: int
    candidates: tuple[Candidate, ...]


_JOINING: Final = (
    Candidate("not", "what follows does not match"),
    Candidate("or", "either"),
    Candidate("and", "both; a space means the same"),
)


class Seen(NamedTuple):
    """What there is to complete with."""

    channels: Sequence[str] = ()
    paths: Sequence[Candidate] = ()
    values: Mapping[str, Sequence[str]] = {}
    """By path, as a filter has them. See `places_of` for both."""
    links: Sequence[str] = ()
    protocols: Sequence[str] = ()


def _lead(operator: Operator) -> str:
    found = _LEAD.match(operator.example)
    return found[0] if found and operator.takes else operator.code


LEADS: Final = {_lead(one): one for one in OPERATORS}
"""The operators by what is typed of them before a value."""


def complete(text: str, cursor: int, seen: Seen) -> Completion:
    """What the term that ends or goes on at `cursor` could become. Never raises."""
    start = next((found.start() for found in _TERM.finditer(text[:cursor]) if found.end() == cursor), cursor)
    rest = _REST.match(text, cursor)
    found = [one for one in _for_term(text[start:cursor], seen) if one.text != text[start:cursor]]
    return Completion(start, rest.end() if rest else cursor, tuple(found[:LIMIT]))


def _for_term(term: str, seen: Seen) -> list[Candidate]:
    if term.startswith("."):
        return ranked(term, seen.paths) or _compared(term, seen)
    named = _NAMED.fullmatch(term)
    if named is not None and (values := _VALUES.get(named[1].lower())) is not None:
        return values(named[2], named[3], seen)
    if term.startswith(('"', "/")):
        return []
    return _for_word(term, seen)


def _compared(term: str, seen: Seen) -> list[Candidate]:
    """What was seen at the path of the term, behind its sign."""
    try:
        steps, end = json_path.scan(term)
    except BadPath:
        return []
    found = _SIGN.fullmatch(term, end)
    values = seen.values.get(json_path.write(steps), ()) if found is not None else ()
    if found is None:
        return []
    return ranked(found[2], map(Candidate, values), lambda value: f"{term[:end]}{found[1]}{value}")


def _for_word(word: str, seen: Seen) -> list[Candidate]:
    """Operators that begin so; then channels and paths that hold the word."""
    terms = (*(Candidate(lead, one.help) for lead, one in LEADS.items()), *_JOINING)
    found = [one for one in terms if one.text.startswith(word.lower())]
    if word:
        found += _channels(":", word, seen)[: LIMIT // 2]
    return found + ranked(word, seen.paths)


def _channels(sign: str, typed: str, seen: Seen) -> list[Candidate]:
    return ranked(typed, [Candidate(name) for name in seen.channels], lambda name: _channel(sign, name))


def _channel(sign: str, name: str) -> str:
    """The term for exactly this channel: in a name, the signs of a pattern are none."""
    return f"ch{'=' if any(char in name for char in '+#*') else sign}{_quoted(name)}"


def _kinds(sign: str, typed: str, _seen: Seen) -> list[Candidate]:
    before, comma, last = typed.rpartition(",")
    words = [Candidate(kind.word) for kind in Kind if kind.word not in before.split(",")]
    return ranked(last, words, lambda word: f"kind{sign}{before}{comma}{word}")


def _links(sign: str, typed: str, seen: Seen) -> list[Candidate]:
    return ranked(typed, [Candidate(name) for name in seen.links], lambda name: f"link{sign}{_quoted(name)}")


def _protocols(sign: str, typed: str, seen: Seen) -> list[Candidate]:
    return ranked(typed, [Candidate(name) for name in seen.protocols], lambda name: f"proto{sign}{name}")


_VALUES: Final[dict[str, Callable[[str, str, Seen], list[Candidate]]]] = {
    "ch": _channels,
    "kind": _kinds,
    "link": _links,
    "proto": _protocols,
}


def ranked(
    typed: str, candidates: Iterable[Candidate], write: Callable[[str], str] = lambda text: text
) -> list[Candidate]:
    """Those that begin with what was typed, then those that hold it; as terms."""
    needle = typed.removeprefix('"').removesuffix('"').lower()
    first: list[Candidate] = []
    second: list[Candidate] = []
    for one in candidates:
        place = one.text.lower().find(needle)
        if place >= 0 and len(first) < LIMIT:
            (second if place else first).append(one)
    return [Candidate(write(one.text), one.about) for one in (*first, *second)[:LIMIT]]


def _quoted(value: str) -> str:
    """A value as the language takes it."""
    return value if _PLAIN.fullmatch(value) else _in_quotes(value)


def _in_quotes(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Places(NamedTuple):
    """What JSON payloads hold, and where."""

    paths: list[Candidate]
    """Each with an example of what stands there."""
    values: dict[str, list[str]]
    """Texts, numbers and the like, those of the first payloads first; see `Seen.values`."""


def places_of(payloads: Iterable[bytes]) -> Places:
    """The places in JSON payloads; of an array, its first item's."""
    found: dict[str, str] = {}
    values: dict[str, dict[str, None]] = {}
    for document in _documents(payloads):
        if len(found) >= MAX_PATHS:
            break
        for steps, value in islice(_places(document, ()), MAX_PATHS):
            path = json_path.write(steps)
            if path not in found:
                found[path] = _example(value)
            known = values.setdefault(path, {})
            if len(known) < LIMIT and (written := _written(value)):
                known[written] = None
    paths = [Candidate(path, example) for path, example in sorted(found.items())]
    return Places(paths, {path: list(known) for path, known in values.items()})


def _documents(payloads: Iterable[bytes]) -> Iterator[Any]:
    room = MAX_PAYLOADS
    for payload in payloads:
        if len(payload) > MAX_PAYLOAD or payload[:1] not in {b"{", b"["}:
            continue
        room -= len(payload)
        if room < 0:
            break
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield msgspec.json.decode(payload)


def _places(value: Any, steps: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    if steps:
        yield steps, value
    if len(steps) >= MAX_DEPTH:
        return
    if isinstance(value, list) and value:
        yield from _places(value[0], (*steps, 0))
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not any(char in key for char in '"\\\0'):  # the language cannot look these up
                yield from _places(inner, (*steps, key))


def _example(value: Any) -> str:
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    return msgspec.json.encode(value).decode()[:40]


def _written(value: Any) -> str:
    """A value as a filter compares with it: a text that could be read as something else in quotes. Empty for none."""
    if isinstance(value, dict | list):
        return ""
    if not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if not value or len(value) > MAX_VALUE or not value.isprintable():
        return ""
    is_plain = _NAME.fullmatch(value) is not None and value not in {"true", "false", "null"}
    return value if is_plain else _in_quotes(value)
