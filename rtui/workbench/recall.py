"""What is brought back from the last run and kept for the next: the tabs, and filter and columns of each session."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rtui.capture.query import Filter, FilterError, compile_filter
from rtui.settings.secrets import mask_url
from rtui.settings.session import Session, load_session, session_from_url
from rtui.workbench.actions.session import declares_for
from rtui.workbench.widgets.column import Column, ColumnError, choose

if TYPE_CHECKING:
    from rtui.workbench.sheet import Sheet


def targets(sheets: Iterable[Sheet]) -> list[str]:
    """What leads to the sessions of these tabs again: their files, and URLs that say everything and hide nothing."""
    sessions = [sheet.session for sheet in sheets if sheet.session is not None]
    return [target for session in sessions if (target := _target(session))]


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


def _as_listed(path: Path) -> Path:
    """`path` as the sidebar has it: files in ./sessions are named from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here / "sessions") else path


def _target(session: Session) -> str:
    if session.path is not None:
        return str(session.path.absolute())
    plain = not session.options and not session.protocol and mask_url(session.url) == session.url
    return session.url if plain else ""
