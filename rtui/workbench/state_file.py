"""The file that keeps `State`: one small JSON object, written whole or not at all.

Nothing in it is lost. A file that is no state is kept beside the new one. What a newer version wrote, a value that
does not fit and what another rtui wrote meanwhile stay: only what changed in this run is put in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from rtui.core.fault import Failure
from rtui.settings.files import Problem, SettingsError, make_private_folder, read_settings, write_atomic
from rtui.settings.paths import user_state
from rtui.workbench.state import HISTORY, State, bound_history, forget_oldest

Table: TypeAlias = dict[str, Any]

_FIELDS: Final = {one.name: one.type for one in msgspec.structs.fields(State)}
_BYTE: Final = re.compile(r"byte (\d+)")


def state_file() -> Path:
    """Where the state is kept."""
    return user_state() / "workbench.json"


def load_state(path: Path, *, aside: bool = True) -> tuple[State, list[Problem]]:
    """The state at `path`, with defaults for what is wrong in it, and what that is. Never raises.

    What is no state at all is put `aside`, or left where it is.
    """
    table, text, problems = _read(path, _put_aside if aside else _left)
    fitting: Table = {}
    for name, kind in _FIELDS.items():
        if name in table:
            try:
                fitting[name] = msgspec.convert(table[name], kind)
            except msgspec.ValidationError as error:
                what = str(error).partition(" - at ")[0].replace("`", "").lower()
                problems.append(Problem(str(path), _line_of(name, text), name, f"{what}; the default is used"))
    return State(**fitting), problems


def save_state(state: State, path: Path, before: State | None = None) -> str:
    """Put into `path` what changed since it was `before` (the defaults).

    Returns what went wrong, or nothing: leaving must not fail over this.
    """
    began, now = _table(before or State()), _table(state)
    try:
        make_private_folder(path.parent)
        with _alone(path.parent):
            found, _, _ = _read(path, _put_aside)
            table = _merged_tables("", found, began, now)
            _bound(table)
            write_atomic(path, msgspec.json.format(msgspec.json.encode(table), indent=1))
    except Failure as failure:
        return failure.fault.sentence()
    except OSError as error:
        return f"Cannot write {path}: {error.strerror}"
    except UnicodeEncodeError as error:
        return f"Cannot write {path}: {error.object[error.start : error.end]!a} is no text"
    return ""


def _table(state: State) -> Table:
    """The fields that are not the defaults."""
    table: Table = msgspec.to_builtins(state)
    return table


# Reading


def _read(path: Path, refused: Callable[[Path, int, str], Problem]) -> tuple[Table, str, list[Problem]]:
    """What the file holds, its text, and why it was `refused` if it was."""
    if not path.exists():
        return {}, "", []
    try:
        text = read_settings(path)
    except SettingsError as error:
        return {}, "", [refused(path, problem.line, problem.message) for problem in error.problems]
    try:
        table = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return {}, "", [refused(path, _line_at(str(error), text), f"is not a state file ({error})")]
    if not isinstance(table, dict) or (table and not table.keys() & _FIELDS.keys()):
        return {}, "", [refused(path, 1, "is not a state file of rtui")]
    return table, text, []


def _line_at(error: str, text: str) -> int:
    found = _BYTE.search(error)
    return text.encode().count(b"\n", 0, int(found[1])) + 1 if found else 1


def _line_of(name: str, text: str) -> int:
    return text.count("\n", 0, max(text.find(f'"{name}"'), 0)) + 1


def _left(path: Path, line: int, why: str) -> Problem:
    return Problem(str(path), line, "", why)


def _put_aside(path: Path, line: int, why: str) -> Problem:
    """Rename what is in the way of the next save, to a name that nothing has."""
    names = (path.with_name(f"{path.name}.bak{number or ''}") for number in count())
    kept = next(name for name in names if not name.exists())
    try:
        path.replace(kept)
    except OSError:
        return Problem(str(path), line, "", f"{why}; starting afresh")
    return Problem(str(path), line, "", f"{why}; starting afresh, it is kept as {kept.name}")


# Merging


def _merged_tables(kind: str, theirs: Table, before: Mapping[str, Any], mine: Mapping[str, Any]) -> Table:
    """`theirs` with what leads from `before` to `mine`; what changed here goes last. `kind`: the field, "" = all."""
    table = dict(theirs)
    for name in [*mine, *(before.keys() - mine.keys())]:
        if before.get(name) != mine.get(name):
            value = _merged(kind or name, table.pop(name, None), before.get(name), mine.get(name))
            if value:
                table[name] = value
    return table


def _merged(kind: str, theirs: Any, before: Any, mine: Any) -> Any:
    if theirs == before:
        return mine
    shape = type(mine if mine is not None else before)
    theirs, before, mine = (one if isinstance(one, shape) else shape() for one in (theirs, before, mine))
    if shape is dict:
        return _merged_tables(kind, theirs, before, mine)
    if shape is list and kind in _LISTS:
        return _LISTS[kind](theirs, before, mine)
    return mine


def _union(theirs: list[str], before: list[str], mine: list[str]) -> list[str]:
    """A set of names: each side's additions, without what was taken away here."""
    kept = [one for one in theirs if one in mine or one not in before]
    return kept + [one for one in mine if one not in before and one not in theirs]


def _recent(theirs: list[str], before: list[str], mine: list[str]) -> list[str]:
    """Newest last, each once: what was used here since comes after what was used there."""
    old = iter(before)
    used = next((at for at, one in enumerate(mine) if one not in old), len(mine))  # from there on not in the old order
    return [*(one for one in theirs if one not in mine[used:]), *mine[used:]][-HISTORY:]


_LISTS: Final[dict[str, Callable[[list[str], list[str], list[str]], list[str]]]] = {
    "opened": _union,
    "folded": _union,
    "history": _recent,
    "expressions": _recent,
}


def _bound(table: Table) -> None:
    """Two histories together may be too much for one file."""
    for name in ("history", "filters", "columns", "types", "drawn"):
        if isinstance(table.get(name), dict):
            forget_oldest(table[name])
    try:
        history = msgspec.convert(table.get("history", {}), dict[str, list[str]])
    except msgspec.ValidationError:
        return  # a newer version's: it stays as it is
    bound_history(history)
    if history:
        table["history"] = history


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps other rtui from saving meanwhile, where the system has such locks.

    A terminal that is closed ends all that run in it at once.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
