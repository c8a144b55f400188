"""What an adapter reported while a session ran, as lines of text: one event each, and what was asked in between."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import msgspec

from rtui.core.event import (
    Acknowledged,
    Closed,
    Event,
    Measured,
    Notice,
    Offered,
    Opened,
    Progressed,
    Received,
    Sent,
    Stalled,
    Subscribed,
    Unsubscribed,
)
from rtui.demo import lab
from rtui.protocols import registry

FOLDER: Final = Path(__file__).parent / "recordings"
REPEATED: Final = "demo.Echo/Repeat"
REPEAT: Final = b'{"text": "hello", "times": 4, "every": "0.2s"}'
"""The method that a picture calls, and its request."""
USUAL: Final = {
    name: f"{registry.BUILT_IN[name][1][0]}://127.0.0.1:{lab.PORT_BASE + place}" for name, place in lab.OFFSETS.items()
}
"""Where the servers of `rtui demo` are, by protocol, unless something else is there."""
EVENTS: Final[Mapping[str, type[Any]]] = {
    kind.__name__: kind
    for kind in (
        *(Acknowledged, Closed, Measured, Notice, Offered, Opened, Progressed, Received, Sent, Stalled),
        *(Subscribed, Unsubscribed),
    )
}


class Asked(msgspec.Struct, frozen=True):
    """From here on follows what came of a command that the user gave after the recording proper."""

    command: int


Happened: TypeAlias = Event | Closed | Asked


class Step(NamedTuple):
    """One thing that happened."""

    at: float
    """Seconds since the recording began."""
    what: Happened


class Recording(NamedTuple):
    """What happened on one connection."""

    name: str
    start: int
    """When it began: nanoseconds since the epoch."""
    steps: Sequence[Step]

    @property
    def watched(self) -> Sequence[Step]:
        """What came before the user asked for anything."""
        return self.steps[: next(self._asked(), len(self.steps))]

    @property
    def reactions(self) -> list[tuple[Step, Sequence[Step]]]:
        """What was asked after that, each with what came of it."""
        places = [*self._asked(), len(self.steps)]
        return [(self.steps[place], self.steps[place + 1 : after]) for place, after in pairwise(places)]

    def _asked(self) -> Iterator[int]:
        return (place for place, step in enumerate(self.steps) if isinstance(step.what, Asked))


def load(name: str) -> Recording:
    """The recording of a session."""
    head, *lines = map(msgspec.json.decode, (FOLDER / f"{name}.jsonl").read_bytes().splitlines())
    return Recording(name, head["start"], [_read(line) for line in lines])


def save(recording: Recording, urls: Mapping[str, str]) -> None:
    """Write it to where `load` finds it, as if the servers had been where they usually are, and not at `urls`."""
    lines = [{"start": recording.start}, *map(_written, recording.steps)]
    encode = msgspec.json.Encoder(enc_hook=str, decimal_format="string").encode
    text = b"".join(encode(line) + b"\n" for line in lines)
    for protocol, url in urls.items():
        text = text.replace(_peer(url), _peer(USUAL[protocol]))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{recording.name}.jsonl").write_bytes(text)


def _peer(url: str) -> bytes:
    """Host and port of a URL, as they stand in JSON."""
    return f'"{urlsplit(url).netloc}"'.encode()


def _written(step: Step) -> dict[str, Any]:
    kind = type(step.what)
    given = {
        field.name: value
        for field in msgspec.structs.fields(kind)
        if (value := getattr(step.what, field.name)) != field.default
    }
    payload = given.pop("payload", None)
    return {"at": step.at, "is": kind.__name__, **given, **(_in_letters(payload) if payload is not None else {})}


def _in_letters(payload: bytes) -> dict[str, str]:
    """A payload as text if it is that, so that it can be read, else in base64."""
    try:
        return {"text": payload.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(payload).decode()}


def _read(line: dict[str, Any]) -> Step:
    at, kind = line.pop("at"), line.pop("is")
    if "text" in line and kind in {"Received", "Sent", "Acknowledged"}:
        line["payload"] = line.pop("text").encode()
    elif "base64" in line:
        line["payload"] = base64.b64decode(line.pop("base64"))
    what = Asked if kind == "Asked" else EVENTS[kind]
    return Step(at, msgspec.convert(line, what, builtin_types=(bytes,)))
