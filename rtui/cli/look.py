"""How the workbench looks in one run: flags that win over config.toml."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click
import msgspec

from rtui.cli.flags import Duration
from rtui.settings.config import Config, load_config
from rtui.settings.files import Problem


def holds_escape(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is GNU screen: with the mouse in use, it keeps `esc` to itself until the next key is pressed."""
    return bool(environment.get("STY"))


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the flags say; what is not said is left to config.toml."""

    theme: str = ""
    fps: int | None = None
    ascii: bool | None = None
    mouse: bool | None = None
    animations: bool | None = None
    present: float | None = None
    """Begin in presenter mode and go on after so many seconds, 0 by key."""

    def config(self) -> tuple[Config, list[Problem]]:
        """config.toml with what the flags change; in GNU screen the mouse is used only if a flag says so."""
        config, problems = load_config()
        keys = ("fps", "ascii", "mouse", "animations")
        said = {key: value for key in keys if (value := getattr(self, key)) is not None}
        if holds_escape():
            said.setdefault("mouse", False)
        return msgspec.structs.replace(config, **said), problems


def look_flags(command: Any) -> Any:
    """The flags of commands that open the workbench."""
    for option in (
        click.option(
            "--present-every", type=Duration(), metavar="TIME", help="Present, and go on by itself after this long."
        ),
        click.option("--present", is_flag=True, help="Begin in presenter mode: the session's steps, one by one."),
        click.option("--mouse/--no-mouse", default=None, help="Use the mouse, or leave it to the terminal."),
        click.option("--fps", type=click.IntRange(1, 60), metavar="N", help="Most screen updates per second."),
        click.option("--ascii/--no-ascii", default=None, help="Draw with ASCII characters only."),
        click.option("--reduced-motion", is_flag=True, help="Animate nothing; no cursor blinks. Always so over SSH."),
        click.option("--theme", type=Theme(), metavar="NAME", help="Theme for this run; `rtui themes` lists them."),
    ):
        command = option(command)
    return command


def look_of(values: Mapping[str, Any]) -> Look:
    """The flags' values among a command's."""
    every, present = values["present_every"], values["present"]
    return Look(
        theme=values["theme"] or "",
        fps=values["fps"],
        ascii=values["ascii"],
        mouse=values["mouse"],
        animations=False if values["reduced_motion"] else None,
        present=every if every is not None else 0.0 if present else None,
    )


class Theme(click.ParamType):  # type: ignore[type-arg]
    """The name of a theme that there is."""

    name = "theme"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; another one is refused with those that there are."""
        from rtui.settings.theme import list_themes

        names = sorted({entry.name for entry in list_themes() if entry.theme is not None})
        if value not in names:
            self.fail(f"there is no theme {value!r} (allowed: {', '.join(names)})", param, ctx)
        return str(value)
