"""Server-sent events: how many a second, and how soon the first."""

from __future__ import annotations

import subprocess
import time
from functools import partial
from pathlib import Path
from shutil import which

from tests.benchmarks.blaster import SseBlaster
from tests.benchmarks.measure import Figure, Scale, by_turns
from tests.benchmarks.process import NODE, RTUI, SUBJECT, environment, folder, has_node, printed, run, stored

PROMPT = """
[session]
url = "{url}"
[reconnect]
first_delay = 0.01
max_delay = 0.01
"""


def sse(scale: Scale) -> list[Figure]:
    """Events into a capture and, by `rtui tail`, into a file; the bare library, curl and Node's client beside it."""
    count, few = scale.per_round(), scale.per_round(0.2)
    with folder() as place, SseBlaster() as blaster:

        def recorded() -> float:
            capture = place / f"{time.monotonic_ns()}.rtui"
            run((*SUBJECT, "recording", blaster.url(count), str(capture)), place)
            assert stored(capture) == count
            capture.unlink()
            return blaster.rate()

        def tailed() -> float:
            run((*RTUI, "tail", blaster.url(count), "--format", "ndjson"), place, "out")
            assert printed(place / "out") == count
            return blaster.rate()

        def library() -> float:
            run((*SUBJECT, "bare_sse", blaster.plain(few)), place)
            return blaster.rate()

        def curl() -> float:
            run(("curl", "-sN", "--noproxy", "*", blaster.plain(count)), place, "out")
            assert printed(place / "out", b"data:") == count
            return blaster.rate()

        def node() -> float:
            run(("node", str(NODE / "sse_tail.mjs"), blaster.plain(count)), place, "out")
            assert printed(place / "out") == count
            return blaster.rate()

        rivals = {"bare httpx-sse": library}
        if which("curl"):
            rivals["curl -N > file"] = curl
        if has_node("eventsource"):
            rivals["eventsource"] = node
        turns = by_turns(scale.rounds, recorded, tailed, *rivals.values())
        delays = {end: partial(delay, blaster, place, end, scale) for end in ("LF", "CR", "CRLF")}
        prompt = [
            Figure(
                name=f"first event, lines end with {end}: written to printed", unit="ms", values=measure(),
                budget=20, sense="at most",
            )
            for end, measure in delays.items()
        ]  # fmt: skip
    ours = {"record SSE events": turns[0], "tail SSE to a file": turns[1]}
    return [
        Figure(
            name=name, unit="msg/s", values=values, references=references, against=against,
            budget=budget(name, against), n=count,
        )
        for name, values in ours.items()
        for against, references in zip(rivals, turns[2:], strict=True)
    ] + prompt  # fmt: skip


def budget(name: str, against: str) -> float | None:
    """What is promised: against the library. The others do less (curl parses nothing) and show the distance."""
    if against != "bare httpx-sse":
        return None
    return 0.8 if name.startswith("record") else 1.0


def delay(blaster: SseBlaster, place: Path, end: str, scale: Scale) -> tuple[float, ...]:
    """Milliseconds from the server's write to a line on our standard output, of the first event of many streams."""
    times = 2 if scale.rounds == 1 else 20
    session = place / f"{end}.toml"
    session.write_text(PROMPT.format(url=blaster.prompt(end)))
    command = (*RTUI, "tail", str(session), "--format", "raw", "--count", str(times))
    with subprocess.Popen(
        command, env=environment(place), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        return tuple((time.monotonic_ns() - int(line)) / 1e6 for line in process.stdout)
