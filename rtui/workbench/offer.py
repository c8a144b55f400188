"""What a peer offers, as lists and editors need it. No widgets here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from rtui.core.event import Offer


def of(offers: Sequence[Offer], channel: str) -> Offer | None:
    """What is offered under exactly this name."""
    return next((one for one in offers if one.channel == channel), None)


def matching(offers: Sequence[Offer], part: str) -> list[Offer]:
    """Those whose names hold every word of `part`, whatever the case."""
    words = part.casefold().split()
    return [one for one in offers if all(word in one.channel.casefold() for word in words)]


def is_untouched(text: str, offers: Sequence[Offer]) -> bool:
    """Whether nothing was typed in `text`: it is empty or a template."""
    return not text.strip() or any(text == laid_out(one.template) for one in offers)


@lru_cache(maxsize=4096)
def laid_out(template: str) -> str:
    """A template with a line for each field; as it is, if it is no JSON."""
    try:
        return msgspec.json.format(template.encode(), indent=2).decode()
    except msgspec.DecodeError:
        return template


def start_of(template: str) -> tuple[int, int]:
    """Row and column where one begins to fill it in: within the first field if that is an empty text, else the top."""
    first = template.partition("\n")[2].partition("\n")[0]
    return (1, first.index('""') + 1) if '""' in first else (0, 0)
