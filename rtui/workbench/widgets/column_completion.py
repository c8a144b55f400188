"""What may come next among the columns of the log: names, and places in the messages seen. Pure, no Textual."""

from __future__ import annotations

from typing import Final

from rtui.capture.completion import Candidate, Completion, Seen, ranked
from rtui.workbench.widgets.column import CELLS, PAYLOAD, WORD

NAMES: Final = tuple(Candidate(name) for name in (*CELLS, PAYLOAD))


def complete_columns(text: str, cursor: int, seen: Seen) -> Completion:
    """What the word that ends or goes on at `cursor` could become: nothing that is a column already. Never raises."""
    word = next((found for found in WORD.finditer(text) if found.start() <= cursor <= found.end()), None)
    start, end = word.span() if word is not None else (cursor, cursor)
    taken = set(WORD.findall(text))
    found = ranked(text[start:cursor], [*NAMES, *seen.paths])
    return Completion(start, end, tuple(one for one in found if one.text not in taken))
