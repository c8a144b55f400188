"""The [[steps]] of a session as they are run: read and checked whole, before anything is connected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from rtui.capture.query import FilterError, compile_filter
from rtui.core import json_path
from rtui.core.fault import Failure, Fault
from rtui.core.json_path import BadPath
from rtui.settings.files import Problem, SettingsError, load_toml
from rtui.settings.option import build, has_template, nearest
from rtui.settings.session import RESERVED_NAMES, SavedMessage, Session
from rtui.settings.session_model import STEP_VERBS, Step
from rtui.settings.toml_lines import KeyPath

SAVED: Final = "@"
"""Before the name of a saved message in `send`. Twice, it is the first character of a payload."""


def read_steps(session: Session) -> tuple[Step, ...]:
    """The steps of `session`.

    Raises:
        Failure: kind "usage", if it has none.
        SettingsError: as `check_steps` does.
    """
    if not session.steps:
        hint = "Write [[steps]] into its file: send, expect, sleep, close, reconnect."
        cause = f"{session.name} has no steps"
        raise Failure(Fault(kind="usage", side="us", title="Nothing to check", cause=cause, hint=hint))
    return check_steps(session)


def check_steps(session: Session) -> tuple[Step, ...]:
    """The steps of `session`, which may be none.

    Raises:
        SettingsError: with every filter, JSON path and name of a message or variable that is wrong.
    """
    steps = tuple(build(Step, values) for values in session.steps)
    wrong: list[tuple[KeyPath, str]] = [
        (("steps", index, *key), text) for index, step in enumerate(steps) for key, text in _wrong(step, session)
    ]
    if wrong:
        raise SettingsError(_located(session, wrong))
    return steps


def verb_of(step: Step) -> str:
    """The one of the `STEP_VERBS` that the step has."""
    return next(verb for verb in STEP_VERBS if getattr(step, verb) is not None)


def label(step: Step) -> str:
    """What the step is called, in one line: its name, its caption, or its verb and what it was given."""
    return step.name or " ".join(step.caption.split()) or deed(step)


def deed(step: Step) -> str:
    """Its verb and what it was given, templates as they are written."""
    verb = verb_of(step)
    value = getattr(step, verb)
    if verb == "sleep":
        return f"{verb} {value:g}s"
    return verb if value is True else f"{verb} {value}"


def message_of(step: Step, session: Session) -> SavedMessage:
    """What a `send` sends: a saved message with the step's channel and options over its own, or a payload."""
    text = step.send or ""
    name = _saved_name(text)
    if name is None:
        payload = text.removeprefix(SAVED) if text.startswith(SAVED) else text
        return SavedMessage(
            name=label(step), channel=step.to, payload=payload, format=step.format, type=step.type, options=step.options
        )
    saved = next(one for one in session.messages if one.name == name)
    return msgspec.structs.replace(saved, channel=step.to or saved.channel, options=saved.options | step.options)


def _saved_name(send: str) -> str | None:
    return send[1:] if send.startswith(SAVED) and not send.startswith(SAVED * 2) else None


def _wrong(step: Step, session: Session) -> Iterator[tuple[tuple[str, ...], str]]:
    name = _saved_name(step.send or "")
    known = [one.name for one in session.messages]
    if name is not None and name not in known:
        near = nearest(name, known)
        hint = (
            f"; did you mean {SAVED}{near}?" if near else f"; a payload that begins with {SAVED} is written {SAVED * 2}"
        )
        yield ("send",), f"no saved message {name!r}{hint}"
    if step.expect is not None and not has_template(step.expect):
        try:
            compile_filter(step.expect)
        except FilterError as error:
            yield ("expect",), f"{error} (at character {error.position + 1})"
    for variable, path in step.capture.items():
        yield from ((("capture", variable), text) for text in _wrong_capture(variable, path))


def _wrong_capture(variable: str, path: str) -> Iterator[str]:
    if not variable.isidentifier() or variable in RESERVED_NAMES:
        yield "cannot be a variable's name: letters, digits and _ only, not a function"
    try:
        json_path.read(path)
    except BadPath as error:
        yield str(error)


def _located(session: Session, wrong: Sequence[tuple[KeyPath, str]]) -> list[Problem]:
    if session.path is None:
        return [Problem(session.name, 0, ".".join(map(str, key)), text) for key, text in wrong]
    source = load_toml(session.path)
    return [source.problem(key, text) for key, text in wrong]
