"""Themes: TOML files with every colour checked before one is applied, since Textual ends on a bad one.

[theme]     name, dark, description
[colours]   Textual's base colours, all required
[messages]  ours: in out error notice key string number null dim mark; `in` becomes the variable `rt-in`
[variables] any further theme variable of Textual that is a colour, such as border or footer-key-foreground
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from rtui.settings.colour import parse_colour
from rtui.settings.files import Located, Problem, SettingsError, load_toml
from rtui.settings.option import OptionErrors, build, option, unknown_key
from rtui.settings.paths import packaged, user_themes

BASE_COLOURS: Final = (
    "primary",
    "secondary",
    "accent",
    "warning",
    "error",
    "success",
    "foreground",
    "background",
    "surface",
    "panel",
    "boost",
)
MESSAGE_COLOURS: Final = ("in", "out", "error", "notice", "key", "string", "number", "null", "dim", "mark")

_TABLES: Final = ("theme", "colours", "messages", "variables")
_VARIABLE: Final = re.compile(r"[a-z][a-z0-9-]*")


class ThemeHead(msgspec.Struct, frozen=True, kw_only=True):
    """The table [theme]."""

    name: Annotated[str, option("Name; the file's name if left out")] = ""
    dark: Annotated[bool, option("Whether text is light on dark", kind="flag")]
    description: Annotated[str, option("One line about it")] = ""


class ThemeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A checked theme: the arguments of Textual's `Theme`, without Textual."""

    name: str
    dark: bool
    colours: dict[str, str]
    """A value for each of `BASE_COLOURS`: "#rrggbb" or an ANSI name."""
    variables: dict[str, str]
    """A value for "rt-" + each of `MESSAGE_COLOURS`, and further variables."""
    description: str = ""

    @property
    def ansi(self) -> bool:
        """Whether it uses the terminal's own colours."""
        return any(value.startswith("ansi_") for value in (*self.colours.values(), *self.variables.values()))


class ThemeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A theme file, usable or not."""

    name: str
    path: Path
    source: Literal["user", "packaged"]
    theme: ThemeSpec | None
    problems: tuple[Problem, ...] = ()


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two "#rrggbb" colours, 1 to 21 (WCAG 2.2, "contrast ratio"); text needs 4.5 for AA."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)  # noqa: PLR2004
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def load_theme(path: Path) -> ThemeSpec:
    """Read the theme at `path`.

    Raises:
        SettingsError: with every missing, unknown and wrong entry at once.
    """
    reader = _Reader(load_toml(path))
    theme = reader.theme()
    if reader.problems:
        raise SettingsError(sorted(reader.problems, key=lambda problem: problem.line or sys.maxsize))
    return theme


def list_themes() -> list[ThemeEntry]:
    """Every theme by name; the user's hide packaged ones of the same name, unless they are broken."""
    found: dict[str, ThemeEntry] = {}
    folders: tuple[tuple[Literal["user", "packaged"], Path], ...] = (
        ("packaged", packaged("themes")),
        ("user", user_themes()),
    )
    for source, folder in folders:
        for path in sorted(folder.glob("*.toml")):
            entry = _entry(path, source)
            if entry.theme is None and entry.name in found:
                entry = msgspec.structs.replace(entry, name=f"{entry.name} ({source})")
            found[entry.name] = entry
    return sorted(found.values(), key=lambda entry: (entry.name, entry.source))


def _entry(path: Path, source: Literal["user", "packaged"]) -> ThemeEntry:
    try:
        theme = load_theme(path)
    except SettingsError as error:
        return ThemeEntry(name=path.stem, path=path, source=source, theme=None, problems=tuple(error.problems))
    return ThemeEntry(name=theme.name, path=path, source=source, theme=theme)


class _Reader:
    """Collects problems instead of stopping at the first."""

    def __init__(self, source: Located) -> None:
        self.problems: list[Problem] = []
        self._source = source

    def theme(self) -> ThemeSpec:
        for key in self._source.data:
            if key not in _TABLES:
                self.problems.append(self._source.problem((key,), unknown_key(key, _TABLES), _TABLES))
        head = self._head()
        ours = self._colours("messages", MESSAGE_COLOURS)
        return ThemeSpec(
            name=head.name or self._source.path.stem,
            dark=head.dark,
            description=head.description,
            colours=self._colours("colours", BASE_COLOURS),
            variables={f"rt-{name}": colour for name, colour in ours.items()} | self._colours("variables", None),
        )

    def _head(self) -> ThemeHead:
        try:
            return build(ThemeHead, self._table("theme"))
        except OptionErrors as wrong:
            self.problems += self._source.option_problems(("theme",), wrong.errors)
            return ThemeHead(dark=True)

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self._source.data.get(name, {})
        if isinstance(table, Mapping):
            return table
        self.problems.append(self._source.problem((name,), "must be a table"))
        return {}

    def _colours(self, name: str, known: tuple[str, ...] | None) -> dict[str, str]:
        """The colours of one table: exactly the `known` ones, or any that are named like a variable."""
        table = self._table(name)
        colours: dict[str, str] = {}
        for key, value in table.items():
            if error := _key_error(key, known):
                self.problems.append(self._source.problem((name, key), error, known or ()))
                continue
            try:
                colours[key] = parse_colour(value if isinstance(value, str) else repr(value))
            except ValueError as wrong:
                self.problems.append(self._source.problem((name, key), str(wrong)))
        if missing := [key for key in known or () if key not in table]:
            self.problems.append(self._source.problem((name,), f"missing: {', '.join(missing)}"))
        return colours


def _key_error(key: str, known: tuple[str, ...] | None) -> str:
    if known is not None:
        return "" if key in known else unknown_key(key, known)
    return "" if _VARIABLE.fullmatch(key) and not key.startswith("rt-") else "is not the name of a theme variable"
