"""The decoder and npm `eventsource-parser` say the same of many thousand streams."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rtui.core.event import Received
from rtui.protocols.wire.sse_decoder import Decoder

MODULES = os.environ.get("RTUI_NODE_MODULES", "")
SCRIPT = Path(__file__).parents[2] / "node" / "sse_parse.mjs"
ENDS = ("\n", "\r", "\r\n")
LINES = (
    *(
        "",
        "",
        "",
        "data",
        "data:",
        "data: ",
        "data:  two",
        "data: x:y",
        "data:\t",
        "data: č🎉",
        "data:\u2028",
        " data: x",
    ),
    *("event", "event:", "event: e", "event:e ", "event: b:c", "event: č", "id", "id:", "id: 7", "id: a\0b", "id:č"),
    *(":", ": note", ":data: x", "retry: 10", "retry: +5", "retry", "other: x", "Data: x", "data : x", "\ufeffdata: x"),
)
STREAMS = 5_000

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        not shutil.which("node") or not MODULES or not Path(MODULES, "eventsource-parser").is_dir(),
        reason="needs node and RTUI_NODE_MODULES=…/node_modules with the package eventsource",
    ),
]


def stream(chance: random.Random) -> bytes:
    """Some lines with ends of every kind; a comment last, because that parser waits for what follows a CR."""
    text = "".join(chance.choice(LINES) + chance.choice(ENDS) for _ in range(chance.randrange(1, 14)))
    return (chance.choice(("", "", "\ufeff")) + text + ":\n").encode()


def decoded(data: bytes, cuts: list[int]) -> list[list[Any]]:
    decoder = Decoder(max_line=1 << 20, max_size=1 << 20)
    events = [event for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) for event in decoder.feed(data[a:b])]
    return [[one.channel, one.payload.decode(), (one.meta or {}).get("id")] for one in events if type(one) is Received]


def test_they_agree() -> None:
    chance = random.Random(9)
    streams = [stream(chance) for _ in range(STREAMS)]
    given = json.dumps([base64.b64encode(one).decode() for one in streams])
    output = subprocess.run(["node", str(SCRIPT)], input=given, capture_output=True, text=True, check=True).stdout
    theirs = json.loads(output)
    for data, wanted in zip(streams, theirs, strict=True):
        cuts = sorted(chance.randrange(len(data)) for _ in range(chance.randrange(4)))
        assert decoded(data, cuts) == wanted, (data, cuts)
    assert sum(map(len, theirs)) > STREAMS / 5, "they are not all empty"
