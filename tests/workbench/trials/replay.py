"""What is played: captures as if they came live."""

from __future__ import annotations

from rtui.protocols.playback import Playback
from rtui.workbench.screens.dialog import Prompt
from tests.protocols.recording import BEGIN, SECOND
from tests.workbench.scene import Scene, case

MINUTE = 60 * SECOND


def playback(at: Scene) -> Playback:
    found = at.desk.sure.adapter.playback
    assert found is not None
    return found


async def standing(at: Scene) -> Playback:
    """Its first row is in the log, and it goes no further."""
    await at.until(at.rows, "it plays")
    playback(at).pause(on=True)
    return playback(at)


@case("replay", "replay-pause")
async def _pause(at: Scene) -> None:
    await at.do()
    await at.until(lambda: playback(at).paused)
    await at.do()
    await at.until(lambda: not playback(at).paused)


@case("replay", "replay-step")
async def _step(at: Scene) -> None:
    await standing(at)
    await at.do()
    await at.until(lambda: len(at.rows()) == 2)
    assert playback(at).position == BEGIN + MINUTE


@case("replay", "replay-faster")
async def _faster(at: Scene) -> None:
    await at.do()
    await at.until(lambda: playback(at).speed == 2)


@case("replay", "replay-slower")
async def _slower(at: Scene) -> None:
    await at.do()
    await at.until(lambda: playback(at).speed == 0.5)


@case("replay", "replay-go")
async def _go(at: Scene) -> None:
    await standing(at)
    await at.do()
    await at.answer(Prompt, "+5:00")
    await at.until(lambda: playback(at).position == BEGIN + 5 * MINUTE)


@case("replay", "replay-start")
async def _start(at: Scene) -> None:
    (await standing(at)).seek(BEGIN + 3 * MINUTE)
    await at.until(lambda: playback(at).position == BEGIN + 3 * MINUTE)
    await at.do()
    await at.until(lambda: playback(at).position == BEGIN)


@case("replay", "replay-loop")
async def _loop(at: Scene) -> None:
    await at.do()
    await at.until(lambda: playback(at).loop)


@case("replay", "replay-silence")
async def _silence(at: Scene) -> None:
    await at.do()
    await at.until(lambda: playback(at).max_silence == 2)
    await at.until(lambda: len(at.rows()) > 2, "the minute after the first message does not last")
    await at.do()
    await at.until(lambda: playback(at).max_silence == 0)


@case("none", "replay")
async def _replay(at: Scene) -> None:
    from tests.protocols.recording import numbered, record

    file = at.folder / "made.rtui"
    record(file, numbered(3))
    await at.do()
    await at.answer(Prompt, str(file))
    await at.until(lambda: len(at.rows()) == 3, "it is played")
