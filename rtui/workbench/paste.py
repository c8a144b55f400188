"""What is pasted, read whole: Textual's parser takes it one character at a time, 4 seconds for 5 MB."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END as END
from textual._xterm_parser import BRACKETED_PASTE_START as START
from textual._xterm_parser import XTermParser
from textual.message import Message

_ALT: Final = re.compile(r"(?<!\x1b)\x1b([ac-eg-z])")
"""Alt and a letter. f and b are not among them: Textual has them as ctrl+right and ctrl+left."""


class PasteParser(XTermParser):
    """Textual's parser, which sees of each bracketed paste only its brackets.

    It would also take what follows an escape character in a pasted text for keys: here it is text like the rest.
    """

    def __init__(self, debug: bool = False) -> None:
        self._pasted: list[str] | None = None
        """The pieces of the paste that is being read; None between pastes."""
        self._edge = ""
        """The end of what came before: a bracket may come in two parts."""
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """See `Parser.feed`."""
        if not data:
            yield from super().feed(data)
        while data:
            bracket = START if self._pasted is None else END
            at = (self._edge + data).find(bracket)
            end = len(data) if at < 0 else at + len(bracket) - len(self._edge)
            yield from self._take(data[:end], whole=at >= 0)
            data = data[end:]

    def _take(self, piece: str, *, whole: bool) -> Iterator[Message]:
        """`piece` goes on inside or outside a paste; `whole`: it ends with the last character of a bracket."""
        self._edge = "" if whole else (self._edge + piece)[1 - len(START) :]
        if self._pasted is None:
            yield from self._keys(piece)
            self._pasted = [] if whole else None
            return
        self._pasted.append(piece)
        if whole:
            text = "".join(self._pasted).removesuffix(END)
            self._pasted = None
            yield from (token for token in super().feed(END) if not isinstance(token, events.Paste))
            yield events.Paste(text.replace("\x00", ""))

    def _keys(self, piece: str) -> Iterator[Message]:
        """Keys with alt at once: Textual waits for more, and takes the escape of the next one for the sign ^."""
        end = 0
        for found in _ALT.finditer(piece):
            if found.start() > end:  # nothing would mean the end of all
                yield from super().feed(piece[end : found.start()])
            yield from self._sequence_to_key_events(found[1], alt=True)
            end = found.end()
        if end < len(piece) or not piece:
            yield from super().feed(piece[end:])
