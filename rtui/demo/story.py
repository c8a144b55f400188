"""What several embedded servers tell: the story of a small shop, a pace, an image, and text that attacks terminals."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

TICK: Final = 0.005
"""Seconds between two writes of a fast stream: timers are not finer in practice."""
CATCH_UP: Final = 20
"""Ticks' worth of messages that a stalled stream may send at once when it goes on; the rest is let go."""

EPOCH: Final = 1_767_225_600.0
"""2026-01-01T00:00Z: when what is numbered by the time was at 0."""

HOSTILE: Final = (
    "clear the screen: \x1b[2J\x1b[H and turn red: \x1b[31mred\x1b[0m",
    "write your clipboard: \x1b]52;c;cm0gLXJmIH4=\x07",
    "rename the window: \x1b]0;owned\x07 and C1 controls: \x9b31m \x9d0;owned\x9c",
    "bidi: user\u202e gnp.exe \u2066isolated\u2069",
    "zero width: pass\u200bword\u2060 and tags: \U000e0041\U000e0042",
    "markup: [bold red]not bold[/] [/] [@click=app.quit]quit[/]",
    "many marks: Z" + "\u0351\u036b\u0343" * 40,
    "line ends: one\rtwo\u2028three\x0bfour\x00five",
    json.dumps({"type": "\x1b[5mblink", "\u202ekey": "[/x]"}),
)

# One pixel, so that a viewer of images has something real to decode.
PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c63f8cfc0f01f0005000180b1c1ae0f0000000049454e44ae426082"
)


async def paced(rate: float) -> AsyncIterator[int]:
    """How many messages are due now, again and again, at `rate` a second over any time: no drift."""
    loop = asyncio.get_running_loop()
    interval = max(TICK, 1 / rate)
    began, sent = loop.time() - 1 / rate, 0
    most = max(1, int(rate * interval * CATCH_UP))
    while True:
        due = int((loop.time() - began) * rate + 1e-6) - sent
        if due > most:
            sent += due - most
            due = most
        if due:
            sent += due
            yield due
        await asyncio.sleep(max(0.0, began + max((sent + 1) / rate, sent / rate + TICK) - loop.time()))


def story(chance: random.Random) -> Iterator[dict[str, Any]]:
    """A small shop and its machine room, the same for the same seed."""
    prices = {"ACME": 42.0, "GLOBEX": 108.5, "INITECH": 7.25}
    number = 0
    while True:
        number += 1
        kind = chance.choices(("order", "trade", "sensor", "heartbeat", "alert"), (4, 5, 6, 2, 1))[0]
        if kind == "order":
            items = [
                {"sku": f"A-{chance.randint(100, 999)}", "qty": chance.randint(1, 5)}
                for _ in range(chance.randint(1, 3))
            ]
            yield {
                "type": kind,
                "id": number,
                "customer": chance.choice(("ann", "bob", "çelik", "王芳")),
                "items": items,
            }
        elif kind == "trade":
            symbol = chance.choice(list(prices))
            prices[symbol] = round(max(0.5, prices[symbol] * chance.gauss(1, 0.004)), 2)
            yield {
                "type": kind,
                "id": number,
                "symbol": symbol,
                "price": prices[symbol],
                "size": chance.randint(1, 900),
            }
        elif kind == "sensor":
            rack = f"r{chance.randint(1, 4)}"
            yield {
                "type": kind,
                "id": number,
                "rack": rack,
                "temp": round(chance.gauss(23, 2), 1),
                "fan": chance.randint(900, 2400),
            }
        elif kind == "alert":
            level, text = chance.choice(
                (("warning", "disk 91 % full"), ("critical", "rack r3 is 31.2 °C"), ("info", "backup done"))
            )
            yield {"type": kind, "id": number, "level": level, "text": text}
        else:
            yield {"type": kind, "id": number, "uptime": number}
