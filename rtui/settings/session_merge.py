"""Two sides of one session: what its file says by now, and what was changed here since the file was read."""

from __future__ import annotations

from copy import deepcopy

import msgspec

from rtui.settings.files import parse_toml
from rtui.settings.session import DeclaresFor, Session, parse_session
from rtui.settings.session_model import to_data
from rtui.settings.session_save import merge


def is_changed(session: Session) -> bool:
    """Whether it differs from what its file held."""
    return to_data(session) != session.stored


def mine_over(mine: Session, theirs: Session) -> Session:
    """`mine` as it is, on the file as it is now: saving makes the file say what `mine` says."""
    return msgspec.structs.replace(mine, stored=theirs.stored)


def both(mine: Session, theirs: Session, declares_for: DeclaresFor) -> Session:
    """`theirs` with what was changed here on top: the same merge that saving makes.

    Raises:
        SettingsError: if the two do not fit together, as options of another protocol.
    """
    import tomli_w

    data = deepcopy(theirs.stored or {})
    merge(data, mine.stored or {}, to_data(mine))
    path = mine.path or theirs.path
    assert path is not None  # noqa: S101 - there are two sides only where there is a file
    merged = parse_session(parse_toml(tomli_w.dumps(data), path), declares_for)
    return msgspec.structs.replace(merged, stored=theirs.stored)
