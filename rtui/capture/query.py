"""The filter language, compiled to SQL. View, search, tail, check and export use it, so it means the same everywhere.

    expression := term (["and"] | "or") term …     "and" binds more tightly; "not" binds most
    term       := word | "text" | /regex/ | operator | .json.path [comparison value] | ( expression )

`compile_filter` raises nothing but `FilterError`, whatever the input.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from rtui.capture import moment, operator, pattern
from rtui.capture.meaning import Meaning, attach
from rtui.capture.operator import BY_CODE, OPERATORS, Clause, Value, Wrong, help_rows
from rtui.capture.pattern import BadPattern
from rtui.core import json_path
from rtui.core.json_path import BadPath, Step

__all__ = ["OPERATORS", "Filter", "FilterError", "compile", "compile_filter", "help_rows", "register", "without"]

MAX_LENGTH: Final = 4_000
MAX_TERMS: Final = 200
MAX_DEPTH: Final = 50

_SPACE: Final = re.compile(r"\s*")
_WORD: Final = re.compile(r"[^\s()]+")
_TERM: Final = re.compile(r"([A-Za-z]+)(:|[<>]=?|[!=]=|=)")
_KEYWORD: Final = re.compile(r"(and|or|not)(?=[\s()]|$)", re.IGNORECASE)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_REGEX: Final = re.compile(r"/((?:[^/\\]|\\.)+)/(i?)(?=[\s()]|$)", re.DOTALL)
_SIGN: Final = re.compile(r"[<>]=?|[!=]=|=|~")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


class FilterError(ValueError):
    """What is wrong, where, and what would be right."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.message = message
        self.position = position
        """Index of the character in the text."""
        self.hint = hint


class Filter(msgspec.Struct, frozen=True):
    """A compiled filter: a condition for WHERE, with its values."""

    sql: str
    params: tuple[Value, ...]
    """What to bind, once `sweep.bind` has found what some of them ask for."""
    text: str
    moves: bool = False
    """Whether a record may begin or cease to match when a later one answers it."""


def register(connection: sqlite3.Connection, meaning: Meaning | None = None) -> None:
    """Give the connection the functions that compiled filters call; `meaning` reads binary payloads for them."""
    pattern.register(connection)
    moment.register(connection)
    attach(connection, meaning)


def compile_filter(text: str) -> Filter:
    """Compile `text`; an empty one matches everything.

    Raises:
        FilterError: it is not in the language.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"longer than {MAX_LENGTH:,} characters", MAX_LENGTH)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FilterError("half a character (a lone surrogate)", error.start) from None
    clause = _Parser(text).parse()
    return Filter(clause.sql, clause.params, text, clause.moves)


def without(shown: Filter | None, hidden: Sequence[tuple[int, Filter]]) -> Filter | None:
    """`shown` less the rows of each link in `hidden` that its filter matches."""
    if not hidden:
        return shown
    shown = shown or Filter("1", (), "")
    sql = " OR ".join(f"(link = ? AND {one.sql})" for _, one in hidden)
    params = [value for link, one in hidden for value in (link, *one.params)]
    moves = any(one.moves for one in (shown, *(one for _, one in hidden)))
    return Filter(f"({shown.sql} AND NOT ({sql}))", (*shown.params, *params), shown.text, moves)


compile = compile_filter  # noqa: A001 - query.compile reads well at its callers


def _join(word: str, clauses: list[Clause]) -> Clause:
    if len(clauses) == 1:
        return clauses[0]
    sql = "(" + f" {word} ".join(clause.sql for clause in clauses) + ")"
    params = tuple(value for clause in clauses for value in clause.params)
    return Clause(sql, params, any(clause.moves for clause in clauses))


class _Parser:
    """Recursive descent over one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._terms = 0

    def parse(self) -> Clause:
        """All of the text."""
        self._skip_space()
        if self._at == len(self._text):
            return Clause("1")
        clause = self._either()
        if self._at < len(self._text):
            raise FilterError("nothing to close", self._at, "one ) too many")
        return clause

    # Combinations

    def _either(self) -> Clause:
        clauses = [self._all()]
        while self._take_keyword("or"):
            clauses.append(self._all())
        return _join("OR", clauses)

    def _all(self) -> Clause:
        clauses = [self._one()]
        while not self._ends():
            self._take_keyword("and")
            clauses.append(self._one())
        return _join("AND", clauses)

    def _ends(self) -> bool:
        return self._at >= len(self._text) or self._text[self._at] == ")" or self._sees_keyword("or")

    def _one(self) -> Clause:
        if self._at >= len(self._text):
            raise FilterError("something is missing at the end", self._at)
        if self._take_keyword("not"):
            inner = self._deeper(self._one)
            return inner._replace(sql=f"(NOT {inner.sql})")
        if self._text[self._at] == "(":
            return self._group()
        if self._text[self._at] == ")" or self._sees_keyword("and") or self._sees_keyword("or"):
            raise FilterError("a term is missing here", self._at)
        return self._counted_term()

    def _group(self) -> Clause:
        start = self._at
        self._advance(1)
        clause = self._deeper(self._either)
        if self._at >= len(self._text):
            raise FilterError("this ( is not closed", start)
        self._advance(1)
        return clause

    def _deeper(self, parse: Callable[[], Clause]) -> Clause:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError(f"nested more than {MAX_DEPTH} deep", self._at)
        clause = parse()
        self._depth -= 1
        return clause

    # Terms

    def _counted_term(self) -> Clause:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise FilterError(f"more than {MAX_TERMS} terms", self._at)
        start = self._at
        try:
            return self._term()
        except Wrong as error:
            raise FilterError(str(error), start, error.hint) from None
        except BadPattern as error:
            raise FilterError(f"bad regular expression: {error}", start) from None

    def _term(self) -> Clause:
        first = self._text[self._at]
        if first == '"':
            return operator.contains(self._quoted())
        if first == "/":
            return operator.matches(*self._regex())
        if first == "." and len(self._text) > self._at + 1:
            return self._json_term()
        return self._named_term() or self._bare_word()

    def _named_term(self) -> Clause | None:
        found = _TERM.match(self._text, self._at)
        if found is None:
            return None
        code, sign = found[1].lower(), found[2]
        known = BY_CODE.get(code)
        if known is None:
            self._suspect_typo(code)
            return None
        if sign not in known.takes:
            raise Wrong(f"{code!r} does not take {sign!r}", f"such as {known.example}")
        self._at = found.end()
        value, _ = self._value(known.example)
        return known.clause(sign, value)

    def _suspect_typo(self, code: str) -> None:
        """`chn:a` is more likely a mistyped operator than a text to look for; `https:` is not."""
        near = difflib.get_close_matches(code, [known.code for known in OPERATORS if known.takes], 1, 0.75)
        if near:
            raise Wrong(f"no operator {code!r}", f'did you mean {near[0]}? To look for the text, quote it: "…"')

    def _bare_word(self) -> Clause:
        found = _WORD.match(self._text, self._at)
        word = found[0] if found else self._text[self._at]
        known = BY_CODE.get(word.lower())
        if known is not None and known.takes:
            raise Wrong(f"{word!r} needs a value", f'such as {known.example}; to look for the word, quote it: "{word}"')
        self._advance(len(word))
        return operator.contains(word) if known is None else known.clause("", "")

    def _json_term(self) -> Clause:
        path = self._json_path()
        sign = _SIGN.match(self._text, self._at)
        if sign is None:
            if self._at < len(self._text) and self._text[self._at] not in " \t\r\n()":
                raise FilterError("not part of a JSON path", self._at, 'quote unusual keys: ."a key"')
            self._skip_space()
            return operator.json_exists(path)
        self._at = sign.end()
        return self._json_comparison(path, sign[0])

    def _json_comparison(self, path: str, sign: str) -> Clause:
        if sign == "~" and self._text.startswith("/", self._at):
            return operator.json_matches(path, *self._regex())
        value, quoted = self._value(".v>30")
        if sign == "~":
            return operator.json_contains(path, value)
        return operator.json_compare(path, sign, value, quoted=quoted)

    def _json_path(self) -> str:
        """SQLite's form of the path that starts here: `$."a"[0]`."""
        start = self._at
        try:
            steps, self._at = json_path.scan(self._text, start)
        except BadPath as error:
            raise FilterError(error.message, error.position, error.hint) from None
        return "$" + "".join(self._step(step, start) for step in steps)

    def _step(self, step: Step, start: int) -> str:
        if isinstance(step, int):
            return f"[{step}]" if step >= 0 else f"[#{step}]"
        if any(char in '"\\\0' or "\ud800" <= char <= "\udfff" for char in step):
            raise FilterError("keys with quotes or backslashes cannot be looked up", start)
        return f'."{step}"'

    # Values and tokens

    def _value(self, example: str) -> tuple[str, bool]:
        """The value that starts here, and whether it was quoted."""
        if self._text.startswith('"', self._at):
            return self._quoted(), True
        found = _WORD.match(self._text, self._at)
        if found is None:
            raise FilterError("a value is missing", self._at, f"such as {example}")
        self._advance(len(found[0]))
        return found[0], False

    def _quoted(self) -> str:
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            raise FilterError("the quote is not closed", self._at)
        self._advance(found.end() - self._at)
        return _ESCAPE.sub(r"\1", found[1])

    def _regex(self) -> tuple[str, str]:
        found = _REGEX.match(self._text, self._at)
        if found is None:
            raise FilterError(
                "no regular expression", self._at, 'write /…/ or /…/i; to look for a path, quote it: "/a/b"'
            )
        self._advance(found.end() - self._at)
        return found[1].replace("\\/", "/"), found[2]

    def _sees_keyword(self, word: str) -> bool:
        found = _KEYWORD.match(self._text, self._at)
        return found is not None and found[1].lower() == word

    def _take_keyword(self, word: str) -> bool:
        if not self._sees_keyword(word):
            return False
        self._advance(len(word))
        return True

    def _advance(self, count: int) -> None:
        self._at += count
        self._skip_space()

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
