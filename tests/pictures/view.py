"""The README's pictures: what each shows."""

from __future__ import annotations

from typing import Final

from tests.pictures.recording import REPEAT, REPEATED
from tests.pictures.stage import Stage, View

WIDE: Final = (140, 40)
USUAL: Final = (112, 32)
SMALL: Final = (80, 24)
LATEST: Final = float("inf")
DEVICE: Final = "plant/aachen/press-1/telemetry"


async def workbench(stage: Stage) -> None:
    """The course of one device of the plant, charted."""
    await stage.go_to("plant")
    stage.desk.load_composer(b'{"power": 0.8}', "plant/aachen/press-1/set")
    await stage.pick(f"ch={DEVICE}")
    await stage.press("f5", "v", "f4")


async def topics(stage: Stage) -> None:
    """The tree of topics, one of them in the log and in the message pane."""
    await stage.go_to("plant")
    await stage.stand_on(DEVICE)
    await stage.press("f3", "equals_sign")


async def chart(stage: Stage) -> None:
    """Several numbers of one device over time, each in its own range."""
    await stage.go_to("plant")
    stage.desk.put_filter(f"ch={DEVICE}")
    await stage.press("f5", "v", "f7", "v", "down", "space", "down", "down", "space", "v", "o")


async def call(stage: Stage) -> None:
    """A method that streams: its request, its answers with their latency, its end."""
    await stage.go_to("calls")
    stage.desk.load_composer(REPEAT, REPEATED)
    before = stage.bench.catalog.last
    await stage.press("ctrl+s")
    await stage.until(lambda: stage.bench.catalog.last > before, "the call and all that came of it")
    await stage.settle()
    await stage.pick(f"ch={REPEATED} in kind:message")
    await stage.press("f4")


async def tokens(stage: Stage) -> None:
    """The answer of an AI server, joined while it comes."""
    await stage.go_to("tokens")
    await stage.press("f5", "t", "f7")


async def timeline(stage: Stage) -> None:
    """All connections in one order."""
    await stage.press("T", "f5", "f5", "f4")


async def split(stage: Stage) -> None:
    """Two tabs side by side."""
    await stage.go_to("news")
    await stage.go_to("ticker")
    await stage.press("f5", "f5", "f4", "vertical_line")


async def present(stage: Stage) -> None:
    """The second step of a session, presented."""
    await stage.go_to("echo")
    await stage.press("P")
    presenter = stage.desk.presenter
    steps = presenter.presentation
    assert steps is not None
    await stage.press("full_stop")
    await stage.until(lambda: len(steps.results) == 1, "a step")
    await stage.press("full_stop")
    await stage.until(lambda: len(steps.results) == 2, "the next")
    assert presenter.caps is not None
    presenter.caps.frame(LATEST)
    presenter.caps.note(".", "Next step", LATEST)  # else it is gone when two seconds are over


async def small(stage: Stage) -> None:
    """What stays in the smallest terminal that is still usual."""
    await stage.go_to("ticker")
    await stage.press("f4")


VIEWS: Final = {
    "workbench": View("rtui demo", WIDE, 28.9, workbench),
    "topics": View("MQTT: topics, one of them, and its newest message", USUAL, 29.0, topics),
    "chart": View("The numbers of a message over time", USUAL, 29.9, chart),
    "call": View("gRPC: a call and its answers", USUAL, 29.9, call),
    "tokens": View("Tokens of a stream, joined", USUAL, 9.5, tokens),
    "timeline": View("The timeline of all connections", USUAL, 26.6, timeline),
    "split": View("Two tabs side by side", USUAL, 29.0, split),
    "present": View("A session, presented", USUAL, 29.9, present),
    "small": View("80 columns, 24 rows", SMALL, 29.0, small),
}
