"""What `rtui doctor` finds in the user's own files. None of them is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from rtui.cli.diagnosis import Finding
from rtui.settings.config import config_file, load_config
from rtui.settings.files import Problem, SettingsError
from rtui.settings.keymap import keymap_file, load_keymap, old_terminal_sends
from rtui.settings.session import list_sessions, load_session
from rtui.settings.theme import list_themes

GROUP: Final = "files"


def files(*, old_terminal: bool = False) -> Iterator[Finding]:
    """One finding for each kind of file, or for each thing that is wrong there.

    `old_terminal`: it does not tell all keys apart.
    """
    from rtui.workbench.bindings import default_keys
    from rtui.workbench.state_file import load_state, state_file

    config, problems = load_config()
    yield from _found(config_file(), problems, "the default is used")
    keys = keymap_file()
    keymap, problems = load_keymap(keys, default_keys(config.keys))
    yield from _found(keys, problems, "the default is used")
    if old_terminal:
        yield from _unsent(keymap)
    yield from _found(state_file(), load_state(state_file(), aside=False)[1], "that part is forgotten")
    themes = [entry for entry in list_themes() if entry.source == "user"]
    wrong = [problem for entry in themes for problem in entry.problems]
    yield from _several("themes", len(themes), wrong, "such a theme cannot be chosen")
    sessions = [entry.path for entry in list_sessions() if entry.source != "packaged"]
    yield from _several("sessions", len(sessions), list(_session_problems(sessions)), "such a session cannot be opened")


def _unsent(keymap: Mapping[str, str]) -> Iterator[Finding]:
    """Keys of the user's that never arrive."""
    for action, keys in keymap.items():
        for key in filter(None, keys.split(",")):
            if (sent := old_terminal_sends(key)) != key:
                cost = f"this terminal sends {sent} for it" if sent else "this terminal cannot send it"
                yield Finding(group=GROUP, name="keys.toml", state="less", value=f"{action}: {key}", cost=cost)


def _found(path: Path, problems: Iterable[Problem], cost: str) -> Iterator[Finding]:
    fine = str(path) if path.exists() else "none, which is fine"
    yield from list(_told(path.name, problems, cost)) or [Finding(group=GROUP, name=path.name, value=fine)]


def _several(name: str, count: int, problems: Iterable[Problem], cost: str) -> Iterator[Finding]:
    fine = f"{count:,} of your own, in order" if count else "none of your own"
    yield from list(_told(name, problems, cost)) or [Finding(group=GROUP, name=name, value=fine)]


def _told(name: str, problems: Iterable[Problem], cost: str) -> Iterator[Finding]:
    for problem in problems:
        yield Finding(group=GROUP, name=name, state="less", value=str(problem), cost=cost)


def _session_problems(paths: Iterable[Path]) -> Iterator[Problem]:
    from rtui.cli.target import declares_for
    from rtui.runtime.step import check_steps

    for path in paths:
        try:
            check_steps(load_session(path, declares_for))
        except SettingsError as error:
            yield from error.problems
