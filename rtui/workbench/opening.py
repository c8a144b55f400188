"""From a session as it was written to a connection: templates filled in, then to the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rtui.settings.secrets import Secrets
from rtui.settings.session import Session
from rtui.settings.template import Renderer, environment_for, resolve

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection, Hub


def open_session(hub: Hub, session: Session, secrets: Secrets, env_file: Path | None = None) -> Connection:
    """Connect `session`; `secrets` learns what must not be shown.

    Raises:
        Failure: if a template cannot be filled in or the URL is not usable.
        OptionErrors: if an option is wrong.
        SettingsError: if an environment file is.
    """
    renderer = Renderer(session.variables, environment_for(session, env_file), secrets)
    return hub.open(resolve(session, renderer), secrets, renderer)


def reopen_session(
    hub: Hub, connection: Connection, session: Session, secrets: Secrets, env_file: Path | None = None
) -> bool:
    """Connect again as `session` and the environment files say by now; False if that is of another protocol.

    Raises as `open_session` does.
    """
    renderer = Renderer(session.variables, environment_for(session, env_file), secrets)
    return hub.reopen(connection, resolve(session, renderer), secrets, renderer)
