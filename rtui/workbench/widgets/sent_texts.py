"""What was sent before, to step through and to send again."""

from __future__ import annotations

from typing import Final

MOST: Final = 200
"""Texts whose format is remembered."""


class SentTexts:
    """A way through payload texts, oldest first; past the newest stands what was being typed."""

    def __init__(self) -> None:
        self._place: int | None = None
        """The text that is shown; None while something new is typed."""
        self._unsent = ""
        self._kinds: dict[str, str] = {}
        """In which format texts were written: `01 ff` in hex is another message than in text."""

    def step(self, texts: list[str], by: int, typed: str, kind: str) -> str:
        """The text that many steps on from the one that is shown; `typed`, of a `kind`, is what stands there now."""
        if self._place is None:
            self._unsent = typed
            self._note(typed, kind)
            self._place = len(texts)
        self._place = min(max(self._place + by, 0), len(texts))
        return self._unsent if self._place == len(texts) else texts[self._place]

    def kind_of(self, text: str) -> str | None:
        """The format that a text was written in; None if that is not known."""
        return self._kinds.get(text)

    def leave(self) -> None:
        """What stands there now is something new."""
        self._place = None

    def keep(self, texts: list[str], text: str, kind: str) -> None:
        """Put a text at the end, unless it stands there or is empty."""
        if not text:
            return
        self._note(text, kind)
        if texts[-1:] != [text]:
            texts.append(text)

    def _note(self, text: str, kind: str) -> None:
        self._kinds.pop(text, None)
        self._kinds[text] = kind
        if len(self._kinds) > MOST:
            del self._kinds[next(iter(self._kinds))]
