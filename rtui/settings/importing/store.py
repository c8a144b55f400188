"""Imported sessions as files: checked, under names of their own, without secrets, each whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from rtui.core.fault import Failure
from rtui.settings.env_file import read_env
from rtui.settings.files import make_private_folder, read_settings, storage_failure, write_atomic
from rtui.settings.importing.base import Harvest, Left, free_name
from rtui.settings.importing.hide import hide
from rtui.settings.option import check, declared, flatten
from rtui.settings.session import DeclaresFor, Session, save_session
from rtui.settings.session_model import Declares, to_data
from rtui.settings.withhold import secrets_of, withhold

_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}")
_UNFIT: Final = re.compile(r"[^\w.+-]+")
_LONGEST_NAME: Final = 80
_ENV: Final = ".env"


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is going to be a file."""

    session: Session
    path: Path
    declares: Declares | None
    withheld: dict[str, str]
    """Environment variable → what it stands for."""
    hidden: dict[str, str]
    """Environment variable → secret, of those that `hide` took out; for `.env`, and nowhere else."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that an import is going to write."""

    title: str
    planned: tuple[Planned, ...]
    left: tuple[Left, ...]


def plan(harvest: Harvest, root: Path, declares_for: DeclaresFor, *, folder: str = "", name: str = "") -> Plan:
    """Check each session and choose its file below `root`; `name` is for the file of a single one.

    What an option or a channel cannot be is left out, and told.
    """
    left = list(harvest.left)
    taken: set[str] = set()
    planned = []
    for found in harvest.found:
        vetted = _vetted(found.session, declares_for, left)
        if vetted is not None:
            session, declares = vetted
            stem = _free(root, _parts(folder, found.folder), _slug(name or session.name), taken)
            planned.append(_planned(session, root / f"{stem}.toml", declares))
    return Plan(title=harvest.title, planned=tuple(planned), left=tuple(left))


def _planned(session: Session, path: Path, declares: Declares | None) -> Planned:
    hidden = hide(session, path.stem, declares)
    data = to_data(hidden.session)
    return Planned(
        session=hidden.session,
        path=path,
        declares=declares,
        withheld=hidden.names | withhold(data, {}, declares, path.stem)[1],
        hidden=hidden.values,
    )


def _vetted(session: Session, declares_for: DeclaresFor, left: list[Left]) -> tuple[Session, Declares | None] | None:
    """The session with what its protocol allows; None if there is no such protocol or address."""
    where = session.name
    try:
        hidden = session.url.startswith("{{") and not session.protocol
        declares = None if hidden else declares_for(_TEMPLATE.sub("x", session.url), session.protocol)
    except Failure as failure:
        left.append(Left(where, "the session", failure.fault.sentence()))
        return None
    if declares is None:
        return session, None
    subscriptions = []
    for one in session.subscriptions:
        if flaw := declares.subscription_flaw(one.channel):
            left.append(Left(where, f"the subscription {one.channel!r}", flaw))
        else:
            options = _fitting(declares.Subscription, one.options, where, left)
            subscriptions.append(msgspec.structs.replace(one, options=options))
    messages = [
        msgspec.structs.replace(one, options=_fitting(declares.Outgoing, one.options, where, left))
        for one in session.messages
    ]
    options = _fitting(declares.Options, session.options, where, left)
    kept = msgspec.structs.replace(
        session, options=options, subscriptions=tuple(subscriptions), messages=tuple(messages)
    )
    return kept, declares


def _fitting(shape: type[msgspec.Struct], values: Mapping[str, Any], where: str, left: list[Left]) -> dict[str, Any]:
    """Those of `values` that the protocol takes."""
    wrong = {error.key.partition(".")[0]: error for error in check(shape, values)}
    left += [Left(where, error.key, error.message) for error in wrong.values()]
    kept = flatten(shape, {key: value for key, value in values.items() if key not in wrong})
    usual = {one.key: one.default for one in declared(shape)}
    return {key: value for key, value in kept.items() if value != usual[key]}


def _parts(*folders: str) -> str:
    return "/".join(_slug(part) for folder in folders for part in folder.split("/") if part.strip(". "))


def _slug(name: str) -> str:
    plain = _TEMPLATE.sub("", name)
    return _UNFIT.sub("-", plain).strip("-. ")[:_LONGEST_NAME] or "session"


def _free(root: Path, folder: str, stem: str, taken: set[str]) -> str:
    """A name that no file has, and no other session of this import; told apart without regard to case."""
    start = f"{folder}/" if folder else ""
    there = {f"{start}{path.stem}".lower() for path in _files(root / folder)}
    name = free_name(f"{start}{stem}".lower(), taken | there)
    taken.add(name)
    return f"{start}{stem}{name[len(start) + len(stem) :]}"


def _files(folder: Path) -> Iterable[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix == ".toml"]
    except OSError:
        return []


def text_of(one: Planned) -> str:
    """The file as it would be."""
    from rtui.settings.session_save import toml_of

    return toml_of(withhold(to_data(one.session), {}, one.declares, one.path.stem)[0])


def write(one: Planned) -> Path:
    """Write the session; returns the file, which has another number if its name was taken since.

    Raises:
        Failure: kind "storage"; there is then no file.
    """
    path = _reserved(one.path)
    try:
        save_session(msgspec.structs.replace(one.session, path=None, stored=None), path, one.declares)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def write_secrets(one: Planned, path: Path) -> list[str]:
    """Put the secrets of a session that was written to `path` into the `.env` beside it.

    Returns the names that stand for something else there, and still do.

    Raises:
        Failure: kind "storage".
        SettingsError: if there is a `.env` that cannot be read.
    """
    secrets = one.hidden | secrets_of(to_data(one.session), one.declares, path.stem)
    return add_secrets(path.parent / _ENV, secrets) if secrets else []


def _reserved(wish: Path) -> Path:
    """A new, empty file: whoever comes first has the name."""
    for path in _candidates(wish):
        try:
            make_private_folder(path.parent)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        except (OSError, ValueError) as error:
            raise storage_failure(path, error) from error
        return path
    raise AssertionError  # pragma: no cover - the candidates have no end


def _candidates(wish: Path) -> Iterator[Path]:
    yield wish
    number = 1
    while True:
        number += 1
        yield wish.with_name(f"{wish.stem}-{number}{wish.suffix}")


def add_secrets(path: Path, secrets: Mapping[str, str]) -> list[str]:
    """Put what is not there yet into a `.env`; returns the names that stand for something else there."""
    known = read_env(path) if path.exists() else {}
    before = read_settings(path) if path.exists() else ""
    lines = [f"{name}={_quoted(value)}\n" for name, value in secrets.items() if name not in known]
    start = before if not before or before.endswith("\n") else f"{before}\n"
    if lines:
        write_atomic(path, (start + "".join(lines)).encode("utf-8", "replace"))
    return [name for name, value in secrets.items() if known.get(name, value) != value]


_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _quoted(value: str) -> str:
    return '"' + "".join(_ESCAPES.get(char, char) for char in value) + '"'
