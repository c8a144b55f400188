"""Where files live. Nothing is created here; `write_atomic` makes folders when it needs them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import rtui


def user_config() -> Path:
    """The folder of config.toml, keys.toml, themes/ and sessions/. RTUI_CONFIG_HOME overrides it."""
    if home := os.environ.get("RTUI_CONFIG_HOME"):
        return Path(home)
    from platformdirs import user_config_path

    return user_config_path("rtui", appauthor=False)


def user_state() -> Path:
    """The folder of captures, histories and window state. RTUI_STATE_HOME overrides it."""
    if home := os.environ.get("RTUI_STATE_HOME"):
        return Path(home)
    from platformdirs import user_state_path

    return user_state_path("rtui", appauthor=False)


def user_sessions() -> Path:
    """The user's own session files."""
    return user_config() / "sessions"


def user_themes() -> Path:
    """The user's own themes."""
    return user_config() / "themes"


def captures_folder() -> Path:
    """Where captures go unless `--capture` names a file."""
    return user_state() / "captures"


def packaged(what: Literal["themes", "sessions"]) -> Path:
    """The folder of samples that came with rtui: inside the wheel, or at the top of a source checkout."""
    package = Path(rtui.__file__).parent
    inside = package / "_data" / what
    return inside if inside.is_dir() else package.parent / what
