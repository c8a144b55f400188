"""Variables of API tools: `{{ _.host }}` of Insomnia and `{{host}}` of Postman become `{{ host }}` of ours.

Only the variables that a session uses come with it; one that the file does not define is told, for a session that
uses it says so when it is opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from rtui.settings.importing.base import Gatherer
from rtui.settings.importing.brace import identifier, translated
from rtui.settings.importing.document import Node

_PATH: Final = re.compile(r"(?:_\.)?([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|_\[\s*['\"]([^'\"]+)['\"]\s*\]")
_MADE: Final = {
    "$guid": "uuid()", "$randomUUID": "uuid()", "$timestamp": 'now("unix")', "$isoTimestamp": "now()",
    "%uuid 'v4'": "uuid()", "%uuid 'v1'": "uuid()", "%now 'iso-8601', ''": "now()", "%now 'unix', ''": 'now("unix")',
    "%now 'millis', ''": 'now("ms")', "%timestamp": 'now("unix")',
}  # fmt: skip
"""Values that are made anew each time, as theirs and as ours."""


class Unknown(NamedTuple):
    """What could not be translated."""

    tags: list[str]
    names: list[str]


class Variables:
    """The variables in reach of one request."""

    def __init__(self, known: Mapping[str, str]) -> None:
        """`known`: name there → value, which may use others."""
        self._known = dict(known)
        self.used: dict[str, str] = {}
        """Name here → value, of those that were used."""
        self.unknown = Unknown([], [])

    def text(self, text: str) -> str:
        """`text` with its variables as ours."""
        return translated(text, self._expression)

    def leave(self, where: str, gatherer: Gatherer) -> None:
        """Say what could not be translated."""
        for name in dict.fromkeys(self.unknown.names):
            gatherer.leave(where, f"the variable {name}", "it has no value in the file: give it under [variables]")
        for tag in dict.fromkeys(self.unknown.tags):
            gatherer.leave(where, f"the tag {tag}", "it stands there as text: rtui has no such function")

    def _expression(self, inside: str) -> str:
        if inside in _MADE:
            return _MADE[inside]
        found = _PATH.fullmatch(inside)
        name = (found[1] or found[2]) if found else inside
        if inside.startswith("%") or (found is None and name not in self._known):
            self.unknown.tags.append(inside.lstrip("%").split()[0] if inside.strip("% ") else inside)
            return ""
        ours = identifier(name)
        if name not in self._known:
            self.unknown.names.append(name)
        elif ours not in self.used:
            self.used[ours] = ""  # a value may use itself: stop there
            self.used[ours] = self.text(self._known[name])
        return ours


def flattened(data: Node, prefix: str = "") -> dict[str, str]:
    """An environment as name → text; what stands within another is called `outer.inner`."""
    found: dict[str, str] = {}
    for key, item in data.items():
        if isinstance(item.value, dict):
            found |= flattened(item, f"{prefix}{key}.")
        elif isinstance(item.value, bool):
            found[f"{prefix}{key}"] = "true" if item.value else "false"
        elif not isinstance(item.value, list):
            found[f"{prefix}{key}"] = item.text()
    return found
