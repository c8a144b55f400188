"""What is brought back from the last run and kept for the next: the tabs; filter, columns and draft of each session."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rtui.capture.query import Filter, FilterError, compile_filter
from rtui.core.clean import clean
from rtui.core.fault import Failure
from rtui.protocols import registry
from rtui.settings.files import SettingsError
from rtui.settings.option import declared
from rtui.settings.secrets import Secrets, mask_url
from rtui.settings.session import Session, load_session, session_from_url
from rtui.workbench.actions.session import declares_for
from rtui.workbench.draft import Draft
from rtui.workbench.state import LONGEST_EXPRESSION, fits
from rtui.workbench.widgets.column import Column, ColumnError, choose
from rtui.workbench.widgets.density import Density
from rtui.workbench.widgets.payload_text import FORMATS

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection
    from rtui.workbench.app import Workbench
    from rtui.workbench.sheet import Sheet, Sheets
    from rtui.workbench.state import State


def targets(sheets: Iterable[Sheet]) -> list[str]:
    """What leads to the sessions of these tabs again: their files, and URLs that say everything and hide nothing."""
    sessions = [sheet.session for sheet in sheets if sheet.session is not None]
    return [target for session in sessions if (target := _target(session))]


def remember_tabs(state: State, sheets: Sheets) -> None:
    """Keep which tabs are open, and which two of them are side by side."""
    state.opened = targets(sheets)
    halves = [name for sheet in sheets.shown if (name := _kept_as(sheet)) is not None]
    state.split = halves if len(halves) == 2 else []  # noqa: PLR2004 - halves
    state.half = sheets.place if state.split else 0


def reopen_tabs(bench: Workbench) -> None:
    """Connect the tabs of the last run, and split the desk as it was."""
    state = bench.state
    for target in state.opened:
        try:
            bench.connect(session_of(target), show=target == state.opened[0])
        except (Failure, SettingsError) as error:
            bench.tell_error(error)
    halves = _halves(state.split, bench.desk.sheets)
    if halves is not None:
        left, right = halves
        bench.desk.turn(lambda sheets: sheets.go(left))
        bench.desk.turn(lambda sheets: sheets.split(right))
        bench.desk.go_to(right if state.half else left)


def _halves(kept: list[str], sheets: Sheets) -> tuple[Sheet, Sheet] | None:
    """The two tabs that were side by side, if both are open again; two of one session are taken in their order."""
    found: list[Sheet] = []
    for target in kept:
        alike = [sheet for sheet in sheets if _kept_as(sheet) == target and sheet not in found]
        found += alike[:1]
    return (found[0], found[1]) if len(found) == 2 else None  # noqa: PLR2004 - halves


def _kept_as(sheet: Sheet) -> str | None:
    """What stands for a tab in `State.split`; None if nothing leads to it again."""
    if sheet.is_timeline:
        return ""
    return (_target(sheet.session) or None) if sheet.session is not None else None


def session_of(target: str) -> Session:
    """The session that a target of `targets` leads to.

    Raises:
        SettingsError: if its file is gone or wrong.
        Failure: if its protocol is not known.
    """
    return session_from_url(target) if "://" in target else load_session(_as_listed(Path(target)), declares_for)


def filter_of(kept: str | None, session: Session) -> tuple[Filter | None, str, str]:
    """The filter to begin with, its text, and what is wrong with the session's own.

    `kept` is that of the last run, None if it had none.
    """
    text = session.view.filter if kept is None else kept
    try:
        return (compile_filter(text) if text else None), text, ""
    except FilterError as error:
        return None, "", f"the filter of {session.name} is not used: {error}"


def columns_of(kept: list[str] | None, session: Session) -> tuple[tuple[Column, ...], str]:
    """The columns of the log to begin with, and what is wrong with them. `kept` as for `filter_of`."""
    try:
        return choose(kept or session.view.columns), ""
    except ColumnError as error:
        return (), f"the columns of {session.name} are not used: {error}"


def with_types(state: State, session: Session) -> Session:
    """`session` with the message types that were chosen for it, if it has no file that would have them."""
    kept = state.types.get(session.name)
    if kept is None or session.path is not None or session.view.protobuf is not None:
        return session
    return msgspec.structs.replace(session, view=msgspec.structs.replace(session.view, protobuf=kept))


def density_of(session: Session) -> Density | None:
    """The room for rows that a session asks for; None if it leaves that to the user."""
    return Density.named(session.view.density) if session.view.density else None


def remember_draft(state: State, sheet: Sheet, secrets: Secrets) -> str:
    """Keep what is being written in a tab, without what must not be shown; returns why it cannot be, or nothing."""
    if sheet.connection is None or sheet.draft is None:
        return ""
    private = {one.key for one in declared(sheet.connection.adapter.Outgoing) if one.secret}
    typed = {key: value for key, value in sheet.draft.fields.items() if key not in private}
    fields: dict[str, Any] = {key: value for key, value in typed.items() if isinstance(value, bool)}
    for key, value in typed.items():
        if isinstance(value, str) and fits(value, LONGEST_EXPRESSION):
            fields[key] = secrets.mask(value)
    payload, channel = secrets.mask(sheet.draft.payload), secrets.mask(sheet.draft.channel)
    if state.remember_draft(sheet.name, Draft(payload, sheet.draft.format, channel, fields, sheet.draft.type)):
        return ""
    return f"The message being written to {clean(sheet.name)} is too large to be kept: {len(payload):,} characters"


def draft_of(state: State, connection: Connection) -> Draft | None:
    """What was being written to a session, as far as its protocol still has such fields."""
    kept = state.drafts.get(connection.session.name)
    if kept is None or kept.format not in FORMATS:
        return None
    known = {one.key for one in declared(connection.adapter.Outgoing)}
    fields = {key: value for key, value in kept.fields.items() if key in known and isinstance(value, str | bool)}
    return Draft(kept.payload, kept.format, kept.channel, fields, kept.type)


def _as_listed(path: Path) -> Path:
    """`path` as the sidebar has it: files in ./sessions are named from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here / "sessions") else path


def _target(session: Session) -> str:
    if registry.is_replay(session.url):
        return ""  # what was looked at once is not played at every start
    if session.path is not None:
        return str(session.path.absolute())
    plain = not session.options and not session.protocol and mask_url(session.url) == session.url
    return session.url if plain else ""
