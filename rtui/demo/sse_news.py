"""`/news` of the embedded SSE server: a ticker whose events have numbers, so that nothing is lost between two visits.

What an event says is a function of its number and the seed, and its number one of the time: a server that was started
anew goes on where the clock is, and tells those who come back what they missed.
"""

from __future__ import annotations

import json
import random
import time
from typing import Final

from rtui.demo.story import EPOCH

KEPT: Final = 1000
"""Events that are still told to who missed them."""
PREVIEW: Final = 3
"""Events that a first visit begins with, so that it begins at once."""

_PLACES: Final = ("Porto", "Aachen", "Ålesund", "Łódź", "Kyōto", "Valparaíso")
_WHO: Final = ("The harbour", "A lighthouse keeper", "The night train", "The observatory", "王芳", "The brass band")
_WHAT: Final = ("reports calm seas", "is late again", "has a new bell", "counts 41 swifts", "asks for more tea")
_WEATHER: Final = ("sun", "rain", "fog", "snow", "wind")


def event(number: int, seed: int) -> tuple[str, str]:
    """Type ("" = unnamed) and data of an event."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - a story, not a secret
    place = chance.choice(_PLACES)
    match chance.choices(("", "weather", "quote", "story"), (5, 3, 4, 1))[0]:
        case "weather":
            degrees = round(chance.gauss(12, 8), 1)
            return "weather", _json(place=place, sky=chance.choice(_WEATHER), degrees=degrees)
        case "quote":
            symbol = chance.choice(("ACME", "GLOBEX", "INITECH"))
            return "quote", _json(symbol=symbol, price=round(chance.gauss(100, 4), 2), volume=chance.randint(1, 900))
        case "story":
            lines = [f"{who} of {place} {chance.choice(_WHAT)}." for who in chance.sample(_WHO, 3)]
            return "story", "\n".join(lines)
        case _:
            return "", _json(headline=f"{chance.choice(_WHO)} {chance.choice(_WHAT)}", place=place)


def newest(rate: float) -> int:
    """The number of the last event that is due by now."""
    return int((time.time() - EPOCH) * rate)


def first(last_id: str, rate: float) -> int:
    """The number to begin with after the event `last_id` ("" = a first visit).

    What is older than what is kept is not skipped: the reader goes on from there at the usual pace.
    """
    if not (last_id.isascii() and last_id.isdecimal() and len(last_id) <= 18):  # noqa: PLR2004 - what fits 64 bits
        return max(1, newest(rate) - PREVIEW + 1)
    return int(last_id) + 1


def missed(begin: int, rate: float) -> range:
    """The events from `begin` that are told at once."""
    end = newest(rate) + 1
    return range(begin, end) if 0 < end - begin <= KEPT else range(0)


def _json(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False)
