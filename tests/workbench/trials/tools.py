"""What goes to other tools and comes from them: command lines."""

from __future__ import annotations

from rtui.core.record import Direction
from rtui.settings.paths import user_sessions
from rtui.workbench.screens.address import Address
from rtui.workbench.screens.dialog import Choose, Confirm
from tests.workbench.scene import Scene, case


@case("calls", "copy-command")
async def _copy_command(at: Scene) -> None:
    at.desk.send(b'{"text": "a"}', "demo.Echo/Say")
    await at.until(lambda: at.rows(direction=Direction.OUT), "sent")
    await at.stand_on(at.rows(direction=Direction.OUT)[0])
    await at.do()
    assert "command" in at.toasts


@case("echo", "copy-command-of")
async def _copy_command_of(at: Scene) -> None:
    await at.talk("hello")
    await at.stand_on(at.rows(direction=Direction.OUT)[0])
    await at.do()
    await at.until(lambda: isinstance(at.screen, Choose), "the tools")
    assert isinstance(at.screen, Choose)
    labels = [choice.label for choice in at.screen._choices]
    assert labels == [
        "send · websocat", "send · wscat", "send · rtui send",
        "connect · websocat", "connect · wscat", "connect · rtui tail",
    ]  # fmt: skip
    await at.answer(Choose, "rtui send")
    assert "command" in at.toasts


@case("none", "import")
async def _import(at: Scene) -> None:
    (source := at.folder / "notes.txt").write_text("curl -N -H 'A: b' http://127.0.0.1:9/stream\n", encoding="utf-8")
    await at.do()
    await at.answer(Address, str(source))
    await at.until(lambda: isinstance(at.screen, Confirm), "what it found")
    await at.press("y")
    await at.until(lambda: list(user_sessions().rglob("127.0.0.1-stream.toml")), "a file")
