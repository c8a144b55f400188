"""The services `Echo`, `Telemetry` and `Types` of the embedded gRPC server."""

from __future__ import annotations

import asyncio
import random
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from rtui.demo.grpc_host import LONGEST, TOP_RATE, Call, Service, asked, bounded
from rtui.demo.grpc_proto import made, message
from rtui.demo.story import paced, story

REPEATS: Final = 3
MOST_REPEATS: Final = 1_000_000
BIGGEST_PAD: Final = 1 << 20
UNKNOWN_FIELDS: Final = b"\xa0\x06\x2a\xaa\x06\x0dfrom tomorrow"
"""Fields 100 (42) and 101 ("from tomorrow") as a newer version of a message would have them."""


ITEM: Final = {"sku": "A-1", "qty": 2}
SCALARS: Final[Mapping[str, Any]] = {
    "double": float("nan"),
    "float": float("-inf"),
    "int32": -(2**31),
    "int64": 2**63 - 1,
    "uint32": 2**32 - 1,
    "uint64": 2**64 - 1,
    "sint32": -1,
    "sint64": -(2**63),
    "fixed32": 1,
    "fixed64": 2**63,
    "sfixed32": -2,
    "sfixed64": -(2**62),
    "bool": True,
    "string": "ä ✓ 王\n\t\"'\\",
    "bytes": bytes(range(256)),
    "level": 99,  # which the enum does not know
    "nickname": "",  # optional: there, although empty
    "number": 0,  # in a oneof: there, although 0
}
COMPOUNDS: Final[Mapping[str, Any]] = {
    "item": ITEM,
    "inner": {"string": "inside"},
    "numbers": [2**53 + 1, -1, 0],
    "words": ["", "two words", "\u2028"],
    "items": [ITEM, {}],
    "levels": [0, 1, 99],
    "labels": {"": "empty", "a.b": "dot", "ü": "umlaut"},
    "shelves": {-1: ITEM, 0: {}},
    "odds": {True: 0.1, False: -0.0},
    "empty": {},
}
WRAPPERS: Final[Mapping[str, Any]] = {
    "maybe_bool": {"value": False},
    "maybe_string": {"value": ""},
    "maybe_bytes": {"value": b"\xff"},
    "maybe_double": {"value": 1e308},
    "maybe_float": {"value": 0.1},
    "maybe_int32": {},
    "maybe_int64": {"value": -(2**53) - 1},
    "maybe_uint32": {"value": 7},
    "maybe_uint64": {"value": 2**64 - 1},
}
"""What a message of every type holds, but for the well-known types with a notation of their own."""


class Echo(Service):
    """Each of the four kinds of call."""

    async def say(self, call: Call) -> None:
        """One request, one reply."""
        request = await asked(call)
        await call.send_message(_echoed(request.text, 1))

    async def repeat(self, call: Call) -> None:
        """One request, several replies."""
        request = await asked(call)
        every = bounded(_seconds(request.every), 0, LONGEST)
        for number in range(1, int(bounded(request.times, REPEATS, MOST_REPEATS)) + 1):
            await call.send_message(_echoed(request.text, number))
            await asyncio.sleep(every)

    async def collect(self, call: Call) -> None:
        """Several requests, one reply when there are no more."""
        texts = [request.text async for request in call]
        total = sum(map(len, texts))
        await call.send_message(made("Collected", texts=texts, count=len(texts), characters=total))

    async def talk(self, call: Call) -> None:
        """A reply to each request, until there are no more."""
        number = 0
        async for request in call:
            number += 1
            await call.send_message(_echoed(request.text, number))

    async def metadata(self, call: Call) -> None:
        """What came as metadata; some goes back before and behind the reply."""
        began = time.monotonic()
        await asked(call)
        await call.send_initial_metadata(metadata=[("demo-server", "rtui"), ("demo-bin", bytes(range(4)))])
        await call.send_message(made("Headers", metadata=_texts(call.metadata or {})))
        took = f"{(time.monotonic() - began) * 1000:.3f}"
        await call.send_trailing_metadata(metadata={"demo-took-ms": took})


def _texts(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Metadata as it is written on the wire: values of `-bin` keys in base64."""
    return {key: b64encode(value).decode() if isinstance(value, bytes) else value for key, value in metadata.items()}


def _echoed(text: str, number: int) -> Any:
    one = made("Echoed", text=text, number=number)
    one.at.GetCurrentTime()
    return one


def _seconds(duration: Any) -> float:
    return float(duration.seconds + duration.nanos / 1e9)


class Telemetry(Service):
    """Streams that go on until somebody has had enough."""

    async def watch(self, call: Call) -> None:
        """The story, the same for the same seed."""
        request = await asked(call)
        rate = bounded(request.rate, 2, TOP_RATE)
        events = _events(request.seed or 1, frozenset(request.kinds))
        left = request.count or -1
        async for count in paced(max(0.01, rate)):
            for _ in range(count):
                await call.send_message(next(events))
                left -= 1
                if not left:
                    return

    async def burst(self, call: Call) -> None:
        """A flood at a steady rate."""
        request = await asked(call)
        rate, pad = bounded(request.rate, 1000, TOP_RATE), "." * min(BIGGEST_PAD, request.size)
        number = 0
        async for count in paced(max(0.01, rate)):
            for _ in range(count):
                number += 1
                await call.send_message(made("Numbered", number=number, pad=pad))
                if number == request.count:
                    return


def _events(seed: int, kinds: frozenset[int]) -> Iterator[Any]:
    """The story as messages; `kinds` are those wanted, none of them known = all."""
    number_of = message("WatchRequest").DESCRIPTOR.fields_by_name["kinds"].enum_type.values_by_name
    kinds &= {one.number for one in number_of.values() if one.number}  # a template asks for KIND_UNSPECIFIED
    for told in story(random.Random(seed)):  # noqa: S311 - a story, not a secret
        kind, number = told.pop("type"), told.pop("id")
        if kinds and number_of[kind.upper()].number not in kinds:
            continue
        if kind == "alert":
            told["level"] = told["level"].upper()
        elif kind == "heartbeat":
            told["uptime"] = timedelta(seconds=told["uptime"])
        event = made("Event", id=number, **{kind: made(kind.capitalize(), **told)})
        event.at.GetCurrentTime()
        yield event


class Types(Service):
    """Every type there is."""

    async def sample(self, call: Call) -> None:
        """A message with a telling value in every field."""
        await asked(call)
        await call.send_message(sample())

    async def mirror(self, call: Call) -> None:
        """The same back."""
        await call.send_message(await asked(call))

    async def newer(self, call: Call) -> None:
        """A message with fields that no schema here knows."""
        await asked(call)
        known = made("Item", sku="A-1", qty=2)
        await call.send_message(message("Item").FromString(known.SerializeToString() + UNKNOWN_FIELDS))


def sample() -> Any:
    """Limits, signs, what is no number, and what looks like something else in JSON."""
    one = made("Everything", **SCALARS, **COMPOUNDS, **WRAPPERS)
    _furnish(one)
    return one


def _furnish(one: Any) -> None:
    """The well-known types that have a notation of their own (proto3 JSON mapping)."""
    one.timestamp.FromJsonString("2026-11-20T23:59:01.123456789Z")
    one.duration.FromJsonString("-1.000000001s")
    one.mask.FromJsonString("item.sku,maybeInt32")
    one.struct.update({"text": "x", "list": [1, None, True], "inner": {"deep": 1.5}})
    one.value.string_value = "a value"
    one.list.extend(["one", 2, False])
    one.any.Pack(made("Item", sku="in an Any", qty=1))
