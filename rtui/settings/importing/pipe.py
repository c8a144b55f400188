"""What a command gets to read, where the text itself says it: `echo TEXT |`, `printf %s TEXT |`, here documents."""

from __future__ import annotations

from typing import Final

from rtui.settings.importing.base import Gatherer
from rtui.settings.importing.brace import filled, is_substituted
from rtui.settings.importing.shell import Command

_PLAIN: Final = {"%s": "", "%s\\n": "", "%s\n": ""}
"""Formats of printf that add nothing but the end of the line."""


def piped(command: Command, where: str, gatherer: Gatherer) -> list[str]:
    """The messages that the command reads; none, with a word on it, where they come from a file or a program."""
    if command.document is not None:
        return [filled(command.document)]
    if command.before is None:
        return []
    text = _printed(command.before)
    if text is None or is_substituted(text):
        gatherer.leave(where, f"{command.before[0]} | …", "what a program prints is not known without running it")
        return []
    return [filled(text)]


def _printed(words: list[str]) -> str | None:
    name, *rest = words
    if name == "echo":
        while rest and rest[0] in {"-n", "-E"}:
            rest.pop(0)
        return None if rest and rest[0] == "-e" else " ".join(rest)
    if name != "printf" or not rest:
        return None
    if rest[0] in _PLAIN:
        return rest[1] if len(rest) > 1 else ""
    return rest[0] if len(rest) == 1 and not set(rest[0]) & {"%", "\\"} else None
