"""Conditional requests (RFC 9110 §13): what an answer says of its version goes back with the next request. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SENT_AS: Final = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_LONGEST: Final = 1024


class Validators:
    """The validators of one link, kept in its memory over reconnects."""

    def __init__(self, memory: dict[str, Any], *, on: bool, method: str, given: Mapping[str, str]) -> None:
        """`given` are the user's own headers: those win."""
        # For other methods these headers mean something else: do it only if (RFC 9110 §13.1.2).
        self._on = on and method in {"GET", "HEAD"}
        self._given = {name.lower() for name in given}
        self._memory = memory

    def headers(self, of: str) -> dict[str, str]:
        """What the request for `of` carries; validators belong to one URL."""
        known, headers = self._memory.get("validators", ("", {}))
        return dict(headers) if self._on and known == of else {}

    def learn(self, of: str, answered: Mapping[str, str]) -> None:
        """Take what a full answer for `of` says; `answered` has lower-case names, empty where there is none."""
        if self._on:
            usable = {
                sent: value
                for name, sent in SENT_AS.items()
                if (value := answered.get(name, "")) and self._may_send(sent, value)
            }
            self._memory["validators"] = (of, usable)

    def _may_send(self, name: str, value: str) -> bool:
        return name.lower() not in self._given and value.isascii() and value.isprintable() and len(value) <= _LONGEST
