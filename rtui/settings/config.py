"""config.toml, how the workbench behaves. A bad file never stops rtui: wrong keys are told and left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from rtui.settings.files import Problem, SettingsError, load_toml
from rtui.settings.option import OptionErrors, build, option
from rtui.settings.paths import user_config
from rtui.settings.preset import PRESETS


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The user's preferences. `capture_max_size` may also be written `max_size` in a table [capture]."""

    theme: Annotated[str, option("Theme by name")] = "dark"
    keys: Annotated[str, option("Keys to start from; keys.toml changes single ones", choices=tuple(PRESETS))] = (
        "default"
    )
    fps: Annotated[int, option("Most screen updates per second", kind="integer", minimum=1, maximum=60)] = 30
    ascii: Annotated[bool, option("Draw with ASCII characters only", kind="flag")] = False
    mouse: Annotated[bool, option("Use the mouse", kind="flag")] = True
    animations: Annotated[bool, option("Animate, and let cursors blink; never over SSH", kind="flag")] = True
    time: Annotated[
        str, option("Time column of the log at first", choices=("absolute", "relative", "delta"), section="Log")
    ] = "absolute"
    density: Annotated[
        str,
        option("Room for a row of the log at first", choices=("compact", "normal", "large"), section="Log"),
    ] = "normal"
    large_lines: Annotated[
        int, option("Lines of a large row of the log", kind="integer", minimum=2, maximum=8, section="Log")
    ] = 4
    editor: Annotated[str, option("Editor command; empty = $VISUAL or $EDITOR", section="Log")] = ""
    tour: Annotated[bool, option("Offer the tour in `rtui demo`", kind="flag")] = True
    capture_max_size: Annotated[
        int, option("Remove the oldest captures beyond this; 0 = never", kind="size", section="Capture")
    ] = 2 * 1024**3
    capture_max_age: Annotated[
        float, option("Remove captures older than this; 0 = never", kind="duration", section="Capture")
    ] = 30 * 86_400.0


def config_file() -> Path:
    """Where the configuration is looked for."""
    return user_config() / "config.toml"


def load_config(path: Path | None = None) -> tuple[Config, list[Problem]]:
    """The configuration and what is wrong with its file. Wrong keys keep their defaults; no file is no problem."""
    path = path or config_file()
    try:
        if not path.exists():
            return Config(), []
        source = load_toml(path)
    except SettingsError as error:
        return Config(), error.problems
    except OSError as error:
        return Config(), [Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]
    try:
        return build(Config, source.data), []
    except OptionErrors as wrong:
        usable = _without(source.data, {error.key for error in wrong.errors})
        return build(Config, usable), source.option_problems((), wrong.errors)


def _without(values: Mapping[str, Any], wrong: set[str], group: str = "") -> dict[str, Any]:
    """`values` without the keys at the paths `wrong`, in group tables too."""
    return {
        key: _without(value, wrong, f"{group}{key}.") if isinstance(value, Mapping) else value
        for key, value in values.items()
        if f"{group}{key}" not in wrong
    }
