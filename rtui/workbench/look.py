"""From `settings.theme` to Textual: theme files become `Theme` objects, and our variables get defaults."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from textual.theme import Theme

from rtui.core.clean import clean
from rtui.settings.config import Config, config_file
from rtui.settings.files import Problem, SettingsError, load_toml
from rtui.settings.option import nearest
from rtui.settings.paths import packaged, user_themes
from rtui.settings.theme import ThemeSpec, list_themes, load_theme

VARIABLES: Final = {
    "rt-in": "#9ece6a",
    "rt-out": "#7aa2f7",
    "rt-error": "#f7768e",
    "rt-notice": "#e0af68",
    "rt-key": "#7dcfff",
    "rt-string": "#9ece6a",
    "rt-number": "#ff9e64",
    "rt-null": "#bb9af7",
    "rt-dim": "#737aa2",
    "rt-mark": "#e0af68",
}
"""Our own variables, for themes that do not set them."""

FALLBACK: Final = Theme(
    name="plain",
    primary="#7aa2f7",
    secondary="#9aa5ce",
    accent="#e0af68",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#c8d0e8",
    background="#15161e",
    surface="#1a1b26",
    panel="#24263a",
    variables=VARIABLES,
)
"""Used when no theme file can be."""


def to_theme(spec: ThemeSpec) -> Theme:
    """The Textual theme of a checked `spec`."""
    colours: dict[str, Any] = spec.colours
    return Theme(name=spec.name, dark=spec.dark, ansi=spec.ansi, variables=dict(spec.variables), **colours)


def find_theme(*names: str) -> tuple[Theme, list[Problem]]:
    """The first of `names` that is a theme, else the default; and why others are not. Empty names are none."""
    problems: list[Problem] = []
    for name in dict.fromkeys((*filter(None, names), Config().theme)):
        theme, wrong = _find(name)
        problems += wrong
        if theme is not None:
            return theme, problems
    return FALLBACK, problems


def _find(name: str) -> tuple[Theme | None, list[Problem]]:
    """The theme called `name`, reading no other file if its file is named like it."""
    problems: list[Problem] = []
    for folder in (user_themes(), packaged("themes")):
        path = folder / f"{name}.toml"
        try:
            if "/" not in name and path.is_file():
                return to_theme(load_theme(path)), problems
        except SettingsError as error:
            problems += error.problems
    for entry in list_themes():
        if entry.name == name and entry.theme is not None:
            return to_theme(entry.theme), problems
    return None, problems or [_unknown(name)]


def _unknown(name: str) -> Problem:
    """Where such a name stands: in config.toml, or in the state, which the user cannot mend by hand."""
    near = nearest(name, [entry.name for entry in list_themes()])
    message = f"there is no theme called {clean(name)!r}" + (f"; did you mean {near!r}?" if near else "")
    with suppress(SettingsError):
        source = load_toml(config_file())
        if source.data.get("theme") == name:
            return source.problem(("theme",), message)
    return Problem("theme", 0, "", f"{message}; choose one with f9")


def all_themes() -> tuple[list[ThemeSpec], list[Problem]]:
    """Every usable theme, and what is wrong with the others."""
    entries = list_themes()
    usable = [entry.theme for entry in entries if entry.theme is not None]
    return usable, [problem for entry in entries for problem in entry.problems]
