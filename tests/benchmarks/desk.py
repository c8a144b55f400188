"""The workbench as its user meets it: how soon a key shows, what goes over the line, what it costs meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.benchmarks.blaster import Blaster
from tests.benchmarks.large import make_capture
from tests.benchmarks.line import SSH
from tests.benchmarks.measure import Figure, Scale
from tests.benchmarks.process import RTUI, environment, folder
from tests.benchmarks.terminal import Terminal

LETTERS = [chr(0x0531 + number).encode() for number in range(38)]
"""Armenian capitals, which no stream contains."""
GAP = 0.15
ENDLESS = 10**9
ROUND_TRIP = 0.1
LINE = (sys.executable, "-m", "tests.benchmarks.line", "--delay", "50ms", "--rate", "1mbit", "--")
STEADY = {
    "websocket": "/burst?rate=700",
    "sse": "/burst?rate=200",
    "socketio": "/?rate=90",
    "mqtt": "/plant/%23",
    "polling": "/price?every=1",
    "grpc": "/demo.Telemetry/Watch",
}
"""What is opened at each of the embedded servers: together about 1,000 messages a second."""
ACTIONS = {
    "cursor": b"\x1b[A",
    "page": b"\x1b[5~",
    "tab": b"]",
    "palette": b"\x10",
    "letter in the palette": b"t",
    "palette closed": b"\x1b",
    "zoom": b"\x1b[18~",
    "zoom back": b"\x1b[18~",
    "filter": b"/",
    "letter in the filter": "Ա".encode(),
    "filter closed": b"\x15\x1b",
    "theme": b"\x1b[20~",
    "another theme": b"\x1b[B",
    "theme closed": b"\x1b",
}
"""Keys that are pressed one after another."""


@contextmanager
def six(place: Path) -> Iterator[list[str]]:
    """The embedded servers, and a URL of each protocol."""
    serve = (*RTUI, "serve", "--port-base", "0")
    with subprocess.Popen(serve, env=environment(place), stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        ready = {line["protocol"]: line["url"] for line in (json.loads(server.stdout.readline()) for _ in range(7))}
        yield [ready[name] + path for name, path in STEADY.items()]
        server.terminate()


def typed(terminal: Terminal, keys: int, patience: float) -> tuple[list[float], int]:
    """Milliseconds from each of `keys` letters in the filter to the screen, and how many never came."""
    terminal.press(b"/")
    _watch(terminal, 1.0)
    found = []
    for number in range(keys):
        letter = LETTERS[number % len(LETTERS)]
        found.append(terminal.answer(letter, letter, patience))
        _watch(terminal, GAP)
    return [1000 * one for one in found if one is not None], found.count(None)


def _watch(terminal: Terminal, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        terminal.read(left)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def keys(scale: Scale) -> list[Figure]:
    """From a key to the screen: in a flood, with six protocols at 1,000 messages a second, and over a line."""
    count, figures = 5 if scale.rounds == 1 else 40, []
    with folder() as place, Blaster() as blaster, six(place) as urls:
        make_capture(place / "quiet.rtui", 5_000, links=2)
        flood = (*RTUI, blaster.url(ENDLESS), "--no-capture")
        quiet = (*LINE, *RTUI, str(place / "quiet.rtui"))
        for name, command, start, budget in (
            ("key to screen in a flood, p95", flood, 0.0, 50),
            ("key to screen at 1,000/s over six protocols, p95", (*RTUI, *urls, "--no-capture"), 0.0, 25),
            ("key to screen over a line of 100 ms, beyond that, p95", quiet, ROUND_TRIP, 50),
        ):
            values, missed = [], 0
            for _ in range(scale.rounds):
                with Terminal(command, environment(place)) as terminal:
                    terminal.until(terminal.painted)
                    _watch(terminal, scale.warm)
                    latencies, lost = typed(terminal, count, scale.patience)
                values.append(_p95(latencies) - 1000 * start)
                missed += lost
            remark = f"{missed} missing"
            figures.append(
                Figure(
                    name=name, unit="ms", values=tuple(values), budget=budget, sense="at most", n=count, remark=remark
                )
            )
    return figures


def line(scale: Scale) -> list[Figure]:
    """What goes to the terminal: in a flood at the rate for SSH, and for each action at rest."""
    with folder() as place, Blaster() as blaster:
        remote = {**environment(place), "SSH_CONNECTION": SSH}
        with Terminal((*RTUI, blaster.url(ENDLESS), "--no-capture"), remote) as terminal:
            flooded = _rate(terminal, scale)
        make_capture(place / "quiet.rtui", 5_000, links=2)
        with Terminal((*RTUI, str(place / "quiet.rtui")), remote) as terminal:
            terminal.until(partial(terminal.shows, b'"value"'))
            terminal.settle(1.0)
            costs = {name: _cost(terminal, key, scale.patience) for name, key in ACTIONS.items()}
    budgets = {"cursor": 1_500.0, "letter in the filter": 5_000.0}
    return [
        Figure(name="terminal output in a flood over SSH", unit="kB/s", values=(flooded,), budget=30, sense="at most")
    ] + [
        Figure(name=f"terminal output, {name}", unit="B", values=(cost,), budget=budgets.get(name), sense="at most")
        for name, cost in costs.items()
    ]


def _cost(terminal: Terminal, key: bytes, patience: float) -> float:
    """Bytes until all that follows is drawn."""
    before = terminal.bytes
    terminal.press(key)
    terminal.read(patience)  # every one of them draws something, on a busy machine later
    terminal.settle()
    return terminal.bytes - before


def _rate(terminal: Terminal, scale: Scale) -> float:
    """kB/s that are written."""
    terminal.until(terminal.painted)
    _watch(terminal, scale.warm)
    before = terminal.bytes
    terminal.read(scale.patience)  # something is, on a busy machine later
    _watch(terminal, scale.span)
    return (terminal.bytes - before) / scale.span / 1000


def demo(scale: Scale) -> list[Figure]:
    """How long `rtui demo` takes until it is seen, and until a message is."""
    painted, alive = [], []
    with folder() as place:
        for _ in range(scale.rounds):
            with Terminal((*RTUI, "demo", "--no-capture"), environment(place)) as terminal:
                painted.append(terminal.until(terminal.painted))
                alive.append(terminal.until(partial(terminal.shows, b'"type"')))
                terminal.press(b"\x11")
                terminal.settle(1.0)
    return [
        Figure(name="rtui demo, first paint", unit="s", values=tuple(painted), budget=2, sense="at most"),
        Figure(name="rtui demo, first message", unit="s", values=tuple(alive), budget=2, sense="at most"),
    ]


def load(scale: Scale) -> list[Figure]:
    """What the workbench takes of the machine: idle, and at 1,000 messages a second over six protocols."""
    seconds = 1.0 if scale.rounds == 1 else 10.0
    idle, busy, start = [], [], []
    with folder() as place, six(place) as urls:
        quiet = urls[0].partition("/burst")[0] + "/silent"
        for _ in range(scale.rounds):
            with Terminal((*RTUI, quiet, "--no-capture"), environment(place)) as terminal:
                idle.append(_cpu(terminal, seconds))
                start.append(_memory(terminal.pid))
            with Terminal((*RTUI, *urls, "--no-capture"), environment(place)) as terminal:
                busy.append(_cpu(terminal, seconds))
    return [
        Figure(name="CPU, idle and connected", unit="%", values=tuple(idle), budget=3, sense="at most"),
        Figure(name="CPU, 1,000/s over six protocols", unit="%", values=tuple(busy), budget=25, sense="at most"),
        Figure(name="memory after the start", unit="MB", values=tuple(start), budget=90, sense="at most"),
    ]


def _cpu(terminal: Terminal, seconds: float) -> float:
    """Of one core, in percent, once all is there."""
    terminal.until(terminal.painted)
    _watch(terminal, 3.0)
    before = _busy(terminal.pid)
    _watch(terminal, seconds)
    return 100 * (_busy(terminal.pid) - before) / seconds


def _busy(pid: int) -> float:
    """Seconds that a process has run, with its threads that have ended: what they took must not be missing later."""
    return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3), which is finer than the ticks of /proc


def _memory(pid: int) -> float:
    """Resident, in MB."""
    lines: Mapping[str, str] = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    )
    return int(lines["VmRSS"].split()[0]) / 1024
