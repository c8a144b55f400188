"""gRPC: messages a second of a server stream, and round trips a second of a conversation."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.blaster import GrpcBlaster
from tests.benchmarks.measure import Figure, Scale, by_turns
from tests.benchmarks.process import NODE, RTUI, folder, has_node, printed, run, stored
from tests.protoset import protoset

RIVAL: Final = (sys.executable, "-m", "tests.benchmarks.grpc_rival")
READS: Final = "bare grpclib"
PRINTS: Final = "printing grpclib"
FORMS: Final = {"Packed": "packed frames", "Single": "a frame each"}


def grpc(scale: Scale) -> list[Figure]:
    """A flood into a capture and, by `rtui tail`, into a file, in two forms; then a conversation."""
    with folder() as place, GrpcBlaster() as blaster:
        figures = [figure for method in FORMS for figure in Streams(scale, place, blaster, method).figures()]
        return figures + trips(scale, place, blaster)


class Streams:
    """One method of the blaster, read by us and by others."""

    def __init__(self, scale: Scale, place: Path, blaster: GrpcBlaster, method: str) -> None:
        self.scale = scale
        self.place = place
        self.blaster = blaster
        self.method = method
        self.count = scale.per_round(0.4)
        self.protoset = str(protoset(GrpcBlaster.proto, place / "bench.protoset"))

    def recorded(self) -> float:
        capture = self.place / f"{time.monotonic_ns()}.rtui"
        run((*RIVAL, "rtui_stream", *self._asked(), str(capture), self.protoset), self.place)
        assert stored(capture) == self.count
        capture.unlink()
        return self.blaster.rate()

    def tailed(self) -> float:
        words = ("--protoset", self.protoset, "--count", str(self.count), "--data", f'{{"count":{self.count}}}')
        run((*RTUI, "tail", self.blaster.url_of(self.method), *words, "--format", "ndjson"), self.place, "out")
        assert printed(self.place / "out") == self.count
        return self.blaster.rate()

    def library(self, name: str, share: float = 1.0) -> float:
        run((*RIVAL, name, *self._asked(share)), self.place, "rival")
        return self.blaster.rate()

    def node(self) -> float:
        run(("node", str(NODE / "grpc_tail.mjs"), *self._asked()), self.place, "out")
        assert printed(self.place / "out") == self.count
        return self.blaster.rate()

    def figures(self) -> list[Figure]:
        """Budgets are against loops that do the same: one that only reads, and one that prints."""
        rivals: dict[str, Callable[[], float]] = {
            READS: partial(self.library, "grpclib_stream"),
            PRINTS: partial(self.library, "grpclib_print", 0.1),
            "grpcio.aio": partial(self.library, "grpcio_stream", 0.1),
        }
        if has_node("@grpc/proto-loader"):
            rivals["grpc-js > file"] = self.node
        kept, tailed, *others = by_turns(self.scale.rounds, self.recorded, self.tailed, *rivals.values())
        budgets = {"record a gRPC stream": (kept, {READS: 0.8}), "tail it to a file": (tailed, {PRINTS: 1.0})}
        return [
            Figure(
                name=f"{name}, {FORMS[self.method]}", unit="msg/s", values=values, references=references,
                against=against, budget=budget.get(against), n=self.count,
            )
            for name, (values, budget) in budgets.items()
            for against, references in zip(rivals, others, strict=True)
        ]  # fmt: skip

    def _asked(self, share: float = 1.0) -> tuple[str, str, str]:
        return str(self.blaster.port), self.method, str(max(100, int(self.count * share)))


def trips(scale: Scale, place: Path, blaster: GrpcBlaster) -> list[Figure]:
    """Each message waits for the answer to the one before it."""
    count = max(20, scale.per_round(0.01))
    compiled = str(protoset(GrpcBlaster.proto, place / "bench.protoset"))

    def ours() -> float:
        capture = place / f"{time.monotonic_ns()}.rtui"
        return float(run((*RIVAL, "rtui_trips", str(blaster.port), str(count), str(capture), compiled), place))

    def theirs(name: str) -> float:
        return float(run((*RIVAL, name, str(blaster.port), str(count)), place))

    rivals = {"grpcio.aio": "grpcio_trips", READS: "grpclib_trips"}
    values, *others = by_turns(scale.rounds, ours, *(partial(theirs, name) for name in rivals.values()))
    return [
        Figure(
            name="round trips of a conversation", unit="1/s", values=values, references=references, against=against,
            n=count, budget=0.8 if against == "grpcio.aio" else None,
        )
        for against, references in zip(rivals, others, strict=True)
    ]  # fmt: skip
