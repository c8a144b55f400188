"""The benchmarks, by the name that selects them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from shutil import which

from tests.benchmarks.blaster import Blaster, MqttBlaster, SocketIOBlaster
from tests.benchmarks.desk import demo, keys, line, load
from tests.benchmarks.grpc import grpc
from tests.benchmarks.large import large, make_capture
from tests.benchmarks.measure import Figure, Scale, by_turns
from tests.benchmarks.polling import polling
from tests.benchmarks.process import NODE, RTUI, SUBJECT, environment, folder, has_node, printed, rows, run
from tests.benchmarks.sse import sse
from tests.benchmarks.terminal import Terminal


def record(scale: Scale) -> list[Figure]:
    """A flood through hub, link and capture; the bare library loop beside it."""
    count = scale.per_round()
    with folder() as place, Blaster() as blaster:
        missing = 0

        def ours() -> float:
            nonlocal missing
            capture = place / f"{time.monotonic_ns()}.rtui"
            run((*SUBJECT, "recording", blaster.url(count), str(capture)), place)
            missing += count - rows(capture)
            capture.unlink()
            return blaster.rate()

        def theirs() -> float:
            run((*SUBJECT, "bare", blaster.url(count)), place)
            return blaster.rate()

        values, references = by_turns(scale.rounds, ours, theirs)
    return [
        Figure(
            name="record a flood", unit="msg/s", values=values, references=references, against="bare loop",
            budget=0.8, n=count, remark=f"{missing} missing",
        )
    ]  # fmt: skip


def tail(scale: Scale) -> list[Figure]:
    """`rtui tail` into a file; a loop that prints naively beside it."""
    count = scale.per_round()
    with folder() as place, Blaster() as blaster:

        def ours(*flags: str) -> float:
            run((*RTUI, "tail", blaster.url(count), "--format", "ndjson", *flags), place, "out")
            with (place / "out").open("rb") as file:
                assert sum(1 for _ in file) == count
            return blaster.rate()

        def theirs() -> float:
            run((*SUBJECT, "printing", blaster.url(count)), place, "out")
            return blaster.rate()

        kept, unkept, naive = by_turns(scale.rounds, ours, lambda: ours("--no-capture"), theirs)
    common = {"unit": "msg/s", "references": naive, "against": "printing loop", "budget": 1.0, "n": count}
    return [
        Figure(name="tail to a file", values=kept, **common),  # type: ignore[arg-type]
        Figure(name="tail to a file --no-capture", values=unkept, **common),  # type: ignore[arg-type]
    ]


def mqtt(scale: Scale) -> list[Figure]:
    """`rtui tail` on MQTT into a file; bare aiomqtt and, where there is one, mosquitto_sub beside it."""
    count, few = scale.per_round(), scale.per_round(0.05)
    found = []
    with folder() as place, MqttBlaster() as blaster:

        def ours(qos: str) -> float:
            limit = ("--count", str(count), "--format", "ndjson", "--qos", qos)
            run((*RTUI, "tail", blaster.url(count), *limit), place, "out")
            with (place / "out").open("rb") as file:
                assert sum(1 for _ in file) == count
            return blaster.rate()

        def library(qos: str) -> float:
            run((*SUBJECT, "bare_mqtt", blaster.url(few), str(few), qos), place)
            return blaster.rate()

        def program(qos: str) -> float:
            place_of = ("-h", "127.0.0.1", "-p", str(blaster.port), "-t", f"bench/{count}")
            run(("mosquitto_sub", *place_of, "-C", str(count), "-q", qos), place, "out")
            return blaster.rate()

        for qos in ("0", "1"):
            rivals = {"bare aiomqtt": library, **({"mosquitto_sub": program} if which("mosquitto_sub") else {})}
            turns = by_turns(scale.rounds, *(partial(one, qos) for one in (ours, *rivals.values())))
            for against, references in zip(rivals, turns[1:], strict=True):
                name = f"tail MQTT QoS {qos} to a file"
                found.append(
                    Figure(
                        name=name, unit="msg/s", values=turns[0], references=references, against=against,
                        budget=1.0, n=count,
                    )
                )  # fmt: skip
    return found


def socketio(scale: Scale) -> list[Figure]:
    """Events into a capture and, by `rtui tail`, into a file; the bare library and Node's client beside it."""
    count, few = scale.per_round(), scale.per_round(0.05)
    missing = 0
    with folder() as place, SocketIOBlaster() as blaster:

        def recorded() -> float:
            nonlocal missing
            capture = place / f"{time.monotonic_ns()}.rtui"
            run((*SUBJECT, "recording", blaster.url(count), str(capture), "transports=websocket"), place)
            missing += count - rows(capture)
            capture.unlink()
            return blaster.rate()

        def tailed() -> float:
            run((*RTUI, "tail", blaster.url(count), "--format", "ndjson", "--transports", "websocket"), place, "out")
            assert printed(place / "out") == count
            return blaster.rate()

        def library() -> float:
            run((*SUBJECT, "bare_socketio", blaster.plain(few)), place)
            return blaster.rate()

        def node() -> float:
            run(("node", str(NODE / "socketio_tail.mjs"), blaster.plain(count)), place, "out")
            assert printed(place / "out") == count
            return blaster.rate()

        rivals = {"bare python-socketio": library}
        if has_node("socket.io-client"):
            rivals["socket.io-client"] = node
        turns = by_turns(scale.rounds, recorded, tailed, *rivals.values())
    ours = {"record Socket.IO events": turns[0], "tail Socket.IO to a file": turns[1]}
    return [
        Figure(
            name=name, unit="msg/s", values=values, references=references, against=against,
            budget=0.8 if values is turns[0] else 1.0, n=count,
            remark=f"{missing} missing" if values is turns[0] else "",
        )
        for name, values in ours.items()
        for against, references in zip(rivals, turns[2:], strict=True)
    ] + acknowledged(scale)  # fmt: skip


def acknowledged(scale: Scale) -> list[Figure]:
    """The latency of acknowledgements as shown, less what the server measured for itself."""
    times = 5 if scale.rounds == 1 else 100
    server = [sys.executable, "-m", "tests.benchmarks.socketio_delay"]
    with folder() as place, subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = f"socketio+http://127.0.0.1:{json.loads(process.stdout.readline())['port']}/"
        asking = ("--to", "ask", "1", "--ack", "--times", str(times), "--every", "5ms", "--transports", "websocket")
        lines = run((*RTUI, "send", url, *asking, "--format", "ndjson"), place).splitlines()
        process.communicate()
    acks = [json.loads(line) for line in lines]
    assert len(acks) == times
    extra = tuple(ack["latency_ms"] - ack["data"][0] for ack in acks)
    return [
        Figure(name="ack latency shown - measured in the server", unit="ms", values=extra, budget=2, sense="at most")
    ]


def workbench(scale: Scale) -> list[Figure]:
    """The same flood into the workbench, drawing to a terminal of 140×40."""
    count = scale.per_round()
    sizes: list[float] = []
    with folder() as place, Blaster() as blaster:
        missing = 0

        def ours() -> float:
            nonlocal missing
            capture = place / f"{time.monotonic_ns()}.rtui"
            command = (*RTUI, blaster.url(count), "--capture", str(capture))
            rate: list[float] = []
            waiter = threading.Thread(target=lambda: rate.append(blaster.rate()), daemon=True)
            waiter.start()
            with Terminal(command, environment(place)) as terminal:
                terminal.until(terminal.painted)
                before, began = terminal.bytes, time.monotonic()
                terminal.read(scale.patience)  # something is drawn, however soon the flood is over
                terminal.until(lambda: bool(rate))
                sizes.append((terminal.bytes - before) / (time.monotonic() - began) / 1000)
            missing += count - rows(capture)
            return rate[0]

        def theirs() -> float:
            run((*SUBJECT, "bare", blaster.url(count)), place)
            return blaster.rate()

        values, references = by_turns(scale.rounds, ours, theirs)
    return [
        Figure(
            name="workbench under a flood", unit="msg/s", values=values, references=references, against="bare loop",
            budget=0.8, n=count, remark=f"{missing} missing",
        ),
        Figure(
            name="terminal output under a flood", unit="kB/s", values=tuple(sizes), budget=120, sense="at most", n=count
        ),
    ]  # fmt: skip


def startup(scale: Scale) -> list[Figure]:
    """How long until something is seen."""
    with folder() as place, Blaster() as blaster:

        def timed(*command: str) -> float:
            began = time.monotonic()
            run(command, place)
            return 1000 * (time.monotonic() - began)

        def first_line() -> float:
            began = time.monotonic()
            command = (*RTUI, "tail", blaster.url(1), "--format", "ndjson")
            with subprocess.Popen(command, env=environment(place), stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                process.stdout.readline()
                return time.monotonic() - began

        def paint(*command: str) -> float:
            with Terminal(command, environment(place)) as terminal:
                return terminal.until(terminal.painted)

        rounds = 2 * scale.rounds - 1
        helped, passed = by_turns(rounds, lambda: timed(*RTUI, "--help"), lambda: timed(sys.executable, "-c", "pass"))
        (lines,) = by_turns(rounds, first_line)
        ours, blank = by_turns(scale.rounds, lambda: paint(*RTUI), lambda: paint(*SUBJECT, "blank"))
    return [
        Figure(
            name="rtui --help", unit="ms", values=helped, references=passed, against="python -c pass",
            budget=4, sense="at most",
        ),
        Figure(name="rtui tail, first message", unit="s", values=lines, budget=0.5, sense="at most"),
        Figure(
            name="rtui, first paint", unit="s", values=ours, references=blank, against="empty app",
            budget=1.5, sense="at most",
        ),
    ]  # fmt: skip


def query(scale: Scale) -> list[Figure]:
    """Filters over a large capture: until the first rows, and until all."""
    from rtui.capture.query import compile_filter
    from rtui.capture.reader import Reader

    figures = []
    with folder() as place:
        make_capture(place / "large.rtui", scale.rows)
        reader = Reader(place / "large.rtui")
        for text in ("hall-7", ".value>45", "ch:nowhere or hall-7 .value>49", "/hall-[78]/", r"/hall-\d+/"):
            first: list[float] = []

            def scan(text: str = text, first: list[float] = first) -> float:
                began = time.monotonic()
                chunks = reader.scan(compile_filter(text))
                next(chunks)
                first.append(time.monotonic() - began)
                for _ in chunks:
                    pass
                return time.monotonic() - began

            (whole,) = by_turns(scale.rounds, scan)
            common = {"unit": "s", "sense": "at most", "n": scale.rows}
            figures.append(Figure(name=f"filter {text}, first", values=tuple(first), budget=0.1, **common))  # type: ignore[arg-type]
            figures.append(Figure(name=f"filter {text}, all", values=whole, budget=1.0, **common))  # type: ignore[arg-type]
        reader.close()
    return figures


def memory(scale: Scale) -> list[Figure]:
    """Peak memory of a recording of many messages less that of few."""
    few, many = scale.rows // 10, scale.rows
    with folder() as place, Blaster() as blaster:

        def peak(count: int) -> float:
            report = json.loads(
                run((*SUBJECT, "recording", blaster.url(count), str(place / f"{time.monotonic_ns()}")), place)
            )
            blaster.rate()
            return float(report["kilobytes"]) / 1024

        small, large = by_turns(min(scale.rounds, 3), lambda: peak(few), lambda: peak(many))
    growth = tuple(b - a for a, b in zip(small, large, strict=True))
    return [
        Figure(
            name=f"memory, {many:,} messages instead of {few:,}", unit="MiB", values=growth, budget=40, sense="at most",
            n=many, remark=f"peak {max(large):.0f} MiB",
        )
    ]  # fmt: skip


BENCHMARKS: dict[str, Callable[[Scale], list[Figure]]] = {
    "record": record,
    "tail": tail,
    "mqtt": mqtt,
    "socketio": socketio,
    "sse": sse,
    "polling": polling,
    "grpc": grpc,
    "workbench": workbench,
    "keys": keys,
    "line": line,
    "demo": demo,
    "load": load,
    "large": large,
    "startup": startup,
    "query": query,
    "memory": memory,
}
