"""keys.toml: other keys for actions, checked before Textual sees them: it takes unknown ids and clashes in silence.

    [keys]
    "log.follow" = "end, G"      # keys separated by commas; a list works too
    "app.quit" = "ctrl+q"
    "log.freeze" = ""            # no key

The first part of an id is its scope: two actions of one scope cannot share a key, nor can any share one with `app`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rtui.settings.files import Located, Problem, SettingsError, load_toml
from rtui.settings.option import nearest, unknown_key
from rtui.settings.paths import user_config

_MODIFIERS: Final = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_NAMES: Final = """
enter escape tab space backspace delete insert home end pageup pagedown up down left right
comma plus minus underscore slash backslash question_mark exclamation_mark colon semicolon full_stop
equals_sign less_than_sign greater_than_sign left_square_bracket right_square_bracket left_curly_bracket
right_curly_bracket left_parenthesis right_parenthesis vertical_line tilde grave_accent circumflex_accent
at number_sign dollar_sign percent_sign ampersand asterisk apostrophe quotation_mark
"""
_NAMED: Final = frozenset(_NAMES.split())
"""The names that Textual gives to keys of more than one letter."""
_OLD_TWINS: Final = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+h": "backspace",
    "alt+f": "ctrl+right",
    "alt+b": "ctrl+left",
}
"""Keys whose bytes are those of another one."""
_MOVING: Final = frozenset({"home", "end", "pageup", "pagedown", "up", "down", "left", "right", "insert", "delete"})
_CONTROLS: Final = frozenset({"space", "at", "backslash", "right_square_bracket", "circumflex_accent", "underscore"})
_FUNCTION_KEY: Final = re.compile(r"f(?:[1-9]|1\d|2[0-4])")
_GLOBAL: Final = "app"


def keymap_file() -> Path:
    """Where the user's keys are looked for."""
    return user_config() / "keys.toml"


def load_keymap(path: Path, known: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """The remapped keys by action id, as `App.set_keymap` takes them, and what was left out and why.

    `known` maps the id of every action to its default keys ("f2,ctrl+s"). Never raises; a missing file is no problem.
    """
    try:
        if not path.exists():
            return {}, []
        source = load_toml(path)
    except SettingsError as error:
        return {}, error.problems
    except OSError as error:
        return {}, [Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]
    reader = _Reader(source, known)
    return reader.keymap(), sorted(reader.problems, key=lambda problem: problem.line)


class _Reader:
    def __init__(self, source: Located, known: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._known = known
        self._places: dict[str, tuple[str, ...]] = {}

    def keymap(self) -> dict[str, str]:
        keymap: dict[str, str] = {}
        for place, value in self._entries((), self._source.data):
            action = ".".join(place[1:] if place[0] == "keys" else place)
            self._places[action] = place
            if action not in self._known:
                near = nearest(action, self._known)
                self._report(action, f"unknown action; did you mean {near!r}?" if near else "unknown action")
            elif (keys := self._keys(action, value)) is not None:
                keymap[action] = keys
        return self._without_clashes(keymap)

    def _entries(self, place: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Every value with its place: ids may be quoted, dotted or split into tables."""
        for key, value in table.items():
            if isinstance(value, Mapping):
                yield from self._entries((*place, key), value)
            else:
                yield (*place, key), value

    def _report(self, action: str, message: str) -> None:
        self.problems.append(self._source.problem(self._places[action], message))

    def _keys(self, action: str, value: object) -> str | None:
        """The keys of one entry, joined as Textual wants them; None if one is not a key."""
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            self._report(action, 'must be keys as text, such as "f2, ctrl+s"')
            return None
        keys = [part.strip() for part in parts if part.strip()]
        wrong = [(key, error) for key in keys if (error := key_error(key))]
        for key, error in wrong:
            self._report(action, f"{key[:40]!r} is not a key: {error}")
        return None if wrong else ",".join(keys)

    def _without_clashes(self, keymap: dict[str, str]) -> dict[str, str]:
        """Entries whose key another action has keep their default, and are reported."""
        accepted = dict(keymap)
        for action in keymap:
            for other, key in self._clashes(action, dict(self._known) | accepted):
                self._report(action, f"{key!r} is already the key of {other!r}")
                accepted.pop(action, None)
        return accepted

    @staticmethod
    def _clashes(action: str, keys: Mapping[str, str]) -> list[tuple[str, str]]:
        mine = _split(keys[action])
        others = (other for other in keys if other != action and _share_focus(action, other))
        return [(other, key) for other in others for key in _split(keys[other]) if key in mine]


def _split(keys: str) -> list[str]:
    return [_plain(key.strip()) for key in keys.split(",") if key.strip()]


def _plain(key: str) -> str:
    """One spelling per key: "shift+a" is "A"."""
    *modifiers, name = key.split("+")
    if modifiers == ["shift"] and len(name) == 1:
        return name.upper()
    return "+".join((*sorted(modifiers), name))


def _share_focus(one: str, other: str) -> bool:
    scopes = {one.partition(".")[0], other.partition(".")[0]}
    return len(scopes) == 1 or _GLOBAL in scopes


def key_error(key: str) -> str:
    """Why `key` is not the name of a key, or empty."""
    *modifiers, name = key.split("+") if key != "+" else ["plus"]
    unknown = [modifier for modifier in modifiers if modifier not in _MODIFIERS]
    if unknown:
        return unknown_key(unknown[0], _MODIFIERS).replace("key", "modifier")
    if len(name) == 1 and name.isprintable():
        return ""
    if name in _NAMED or _FUNCTION_KEY.fullmatch(name):
        return ""
    near = nearest(name, _NAMED)
    return f"did you mean {near!r}?" if near else "no key has this name"


def old_terminal_sends(key: str) -> str | None:
    """What a terminal without the Kitty keyboard protocol sends for `key`: itself, another key, or nothing (None)."""
    *modifiers, name = key.split("+")
    if key in _OLD_TWINS:
        return _OLD_TWINS[key]
    if not modifiers or name in _MOVING or _FUNCTION_KEY.fullmatch(name):
        return None if {"super", "hyper", "meta"} & {*modifiers} else key
    return key if _has_bytes({*modifiers}, name) else None


def _has_bytes(modifiers: set[str], name: str) -> bool:
    """Of a key that writes something: ctrl goes with letters and a few signs, shift with tab and letters."""
    if "ctrl" in modifiers:
        letter = len(name) == 1 and name.isascii() and name.isalpha()
        return modifiers <= {"ctrl", "alt"} and (letter or name in _CONTROLS)
    return modifiers <= {"alt", "shift"} and ("shift" not in modifiers or name == "tab" or len(name) == 1)
