"""The options of other tools, as each writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec


class Grammar(msgspec.Struct, frozen=True, kw_only=True):
    """Which options a tool has. Of several spellings, one name is used further on."""

    values: Mapping[str, str]
    """Spelling → name, of options with a value behind them."""
    switches: Mapping[str, str]
    clusters: bool = True
    """Whether `-sN` is `-s -N`, and `-XPOST` is `-X POST`."""
    single: bool = False
    """Whether one dash is as good as two, as Go's `flag` has it."""


class Option(msgspec.Struct, frozen=True):
    """One option that was given."""

    name: str
    """As the grammar calls it; empty if the grammar does not know it."""
    spelled: str
    value: str = ""


class Line(msgspec.Struct, frozen=True):
    """A command line that was taken apart."""

    options: tuple[Option, ...]
    arguments: tuple[str, ...]

    def last(self, name: str, default: str = "") -> str:
        """The value of the option that was given last, which is the one that counts for most tools."""
        return next((one.value for one in reversed(self.options) if one.name == name), default)

    def all(self, name: str) -> list[str]:
        """Every value of an option that can be repeated."""
        return [one.value for one in self.options if one.name == name]

    def has(self, name: str) -> bool:
        """Whether the option was given."""
        return any(one.name == name for one in self.options)


def table(text: str) -> dict[str, str]:
    """`-H,--header -k,--insecure` as spelling → name: the last spelling without its dashes."""
    groups = [group.split(",") for group in text.split()]
    return {spelling: group[-1].lstrip("-") for group in groups for spelling in group}


def names(text: str) -> frozenset[str]:
    """The words of `text` as a set."""
    return frozenset(text.split())


def parse(words: list[str], grammar: Grammar) -> Line:
    """Take the words behind the command's name apart."""
    options: list[Option] = []
    arguments: list[str] = []
    iterator = iter(words)
    for word in iterator:
        if word == "--":
            arguments += iterator
        elif len(word) > 1 and word.startswith("-"):
            options += _options(word, grammar, iterator)
        else:
            arguments.append(word)
    return Line(tuple(options), tuple(arguments))


def _options(word: str, grammar: Grammar, behind: Iterator[str]) -> list[Option]:
    if grammar.single and word.startswith("--"):
        word = word[1:]
    spelled, equals, value = word.partition("=")
    if word in grammar.switches:
        return [Option(grammar.switches[word], word)]
    if spelled in grammar.values:
        return [Option(grammar.values[spelled], spelled, value if equals else next(behind, ""))]
    if spelled in grammar.switches:
        return [Option(grammar.switches[spelled], spelled, value)]
    if grammar.clusters and not word.startswith("--"):
        return _cluster(word, grammar, behind)
    return [Option("", spelled)]


def _cluster(word: str, grammar: Grammar, behind: Iterator[str]) -> list[Option]:
    found: list[Option] = []
    for place, letter in enumerate(word[1:], start=1):
        spelled = f"-{letter}"
        if spelled in grammar.switches:
            found.append(Option(grammar.switches[spelled], spelled))
        elif spelled in grammar.values:
            rest = word[place + 1 :]
            return [*found, Option(grammar.values[spelled], spelled, rest or next(behind, ""))]
        else:
            return [*found, Option("", spelled)]
    return found
