"""What may come next in a filter: operators, channels and JSON paths that were seen, for the term at the cursor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from rtui.capture.operator import OPERATORS, Operator
from rtui.core import json_path
from rtui.core.json_path import Step
from rtui.core.record import Kind

LIMIT: Final = 50
"""Candidates at once: nobody reads more."""
MAX_PATHS: Final = 500
MAX_DEPTH: Final = 8
MAX_PAYLOAD: Final = 65_536
MAX_PAYLOADS: Final = 2_097_152
"""Bytes of a payload, and of all payloads together, whose paths are worth the time."""

_TERM: Final = re.compile(r'(?:[^\s()"]|"(?:[^"\\]|\\.)*(?:"|\\?$))+', re.DOTALL)
_REST: Final = re.compile(r'[^\s()"]*"?')
_NAMED: Final = re.compile(r"([A-Za-z]+)(:|==?)(.*)", re.DOTALL)
_PLAIN: Final = re.compile(r'[^\s()"]+')
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
    """See `paths_of`."""
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
        return _ranked(term, seen.paths)
    named = _NAMED.fullmatch(term)
    if named is not None and (values := _VALUES.get(named[1].lower())) is not None:
        return values(named[2], named[3], seen)
    if term.startswith(('"', "/")):
        return []
    return _for_word(term, seen)


def _for_word(word: str, seen: Seen) -> list[Candidate]:
    """Operators that begin so; then channels and paths that hold the word."""
    terms = (*(Candidate(lead, one.help) for lead, one in LEADS.items()), *_JOINING)
    found = [one for one in terms if one.text.startswith(word.lower())]
    if word:
        found += _channels(":", word, seen)[: LIMIT // 2]
    return found + _ranked(word, seen.paths)


def _channels(sign: str, typed: str, seen: Seen) -> list[Candidate]:
    return _ranked(typed, [Candidate(name) for name in seen.channels], lambda name: _channel(sign, name))


def _channel(sign: str, name: str) -> str:
    """The term for exactly this channel: in a name, the signs of a pattern are none."""
    return f"ch{'=' if any(char in name for char in '+#*') else sign}{_quoted(name)}"


def _kinds(sign: str, typed: str, _seen: Seen) -> list[Candidate]:
    before, comma, last = typed.rpartition(",")
    words = [Candidate(kind.word) for kind in Kind if kind.word not in before.split(",")]
    return _ranked(last, words, lambda word: f"kind{sign}{before}{comma}{word}")


def _links(sign: str, typed: str, seen: Seen) -> list[Candidate]:
    return _ranked(typed, [Candidate(name) for name in seen.links], lambda name: f"link{sign}{_quoted(name)}")


def _protocols(sign: str, typed: str, seen: Seen) -> list[Candidate]:
    return _ranked(typed, [Candidate(name) for name in seen.protocols], lambda name: f"proto{sign}{name}")


_VALUES: Final[dict[str, Callable[[str, str, Seen], list[Candidate]]]] = {
    "ch": _channels,
    "kind": _kinds,
    "link": _links,
    "proto": _protocols,
}


def _ranked(
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
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def paths_of(payloads: Iterable[bytes]) -> list[Candidate]:
    """The places in JSON payloads, each with an example of what stands there; of an array, its first item's."""
    found: dict[str, str] = {}
    room = MAX_PAYLOADS
    for payload in payloads:
        if len(payload) > MAX_PAYLOAD or payload[:1] not in {b"{", b"["}:
            continue
        room -= len(payload)
        if room < 0 or len(found) >= MAX_PATHS:
            break
        try:
            document = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        for steps, value in islice(_places(document, ()), MAX_PATHS):
            found.setdefault(json_path.write(steps), _example(value))
    return [Candidate(path, example) for path, example in sorted(found.items())]


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
