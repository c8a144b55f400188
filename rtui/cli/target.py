"""From TARGET and flags to a session that can be opened."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from rtui.cli.flags import Given
from rtui.core.fault import Failure, Fault
from rtui.protocols import registry
from rtui.protocols.base import Adapter
from rtui.settings.option import declared, nearest
from rtui.settings.secrets import Secrets
from rtui.settings.session import (
    Session,
    SessionSubscription,
    connect_options,
    find_session,
    list_sessions,
    load_session,
    session_from_url,
)
from rtui.settings.template import Renderer, environment_for, resolve

SQLITE: Final = b"SQLite format 3\0"
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}")


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """A session ready to be opened, its templates filled in."""

    session: Session
    adapter: type[Adapter]
    secrets: Secrets
    renderer: Renderer


def is_capture(target: str) -> bool:
    """Whether `target` is the file of a capture."""
    try:
        with Path(target).open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except (OSError, ValueError):
        return False


def declares_for(url: str, protocol: str) -> type[Adapter]:
    """The adapter that a session file speaks of.

    Raises:
        Failure: if there is none.
    """
    return registry.for_url(url, protocol or None)[0]


def load(target: str, given: Given, commands: Collection[str] = ()) -> Session:
    """The session that TARGET names, with what the command line adds; its templates are not filled in yet.

    `commands`: what may have been meant where TARGET names nothing.

    Raises:
        Failure: if there is no such thing.
        SettingsError: if its file is wrong.
    """
    session = _found(target, given, commands)
    return msgspec.structs.replace(
        session,
        protocol=given.protocol or session.protocol,
        options=merged(session.options, given, _keys(session, given)),
        reconnect=session.reconnect if given.reconnect else msgspec.structs.replace(session.reconnect, enabled=False),
        variables=session.variables | given.variables,
    )


def stored(target: str) -> Session:
    """The session of a name or a file.

    Raises:
        Failure: if there is no such thing.
        SettingsError: if its file is wrong.
    """
    if (path := Path(target)).is_file() and not is_capture(target):
        return load_session(path, declares_for)
    if found := find_session(target):
        return load_session(found, declares_for)
    raise _no_target(
        f"{target}: no session or session file", f"{_meant(target, ())}`rtui sessions` lists the sessions."
    )


def adapter_of(session: Session) -> type[Adapter]:
    """The protocol of a session whose templates are not filled in.

    Raises:
        Failure: if there is none.
    """
    return declares_for(_TEMPLATE.sub("x", session.url), session.protocol)


def resolved(session: Session, given: Given) -> Resolved:
    """Fill in the templates and check the options.

    Raises:
        Failure: if a template cannot be filled in or the URL is not usable.
        OptionErrors: if an option is wrong.
        SettingsError: if an environment file is.
    """
    secrets = Secrets()
    env = environment_for(session, Path(given.env_file) if given.env_file else None)
    renderer = Renderer(session.variables, env, secrets)
    filled = resolve(session, renderer)
    adapter, url = registry.for_url(filled.url, filled.protocol or None)
    secrets.add_url(url)
    secrets.add_options(connect_options(filled, adapter.Options))
    return Resolved(session=filled, adapter=adapter, secrets=secrets, renderer=renderer)


def _keys(session: Session, given: Given) -> Container[str]:
    """The options that the session's protocol has; nobody asks as long as the environment gives none."""
    if not given.defaults:
        return ()
    protocol = given.protocol or session.protocol
    found = declares_for(_TEMPLATE.sub("x", session.url), protocol)
    return {one.key for one in declared(found.Options)}


def merged(stored: Mapping[str, Any], given: Given, known: Container[str]) -> dict[str, Any]:
    """Environment below session file below flags; of tables, such as headers, the entries are merged.

    The environment is for all protocols: of it, only what is `known` to this one.
    """
    defaults = {key: value for key, value in given.defaults.items() if key in known}
    options: dict[str, Any] = {**defaults, **stored}
    for key, value in given.options.items():
        before = options.get(key)
        options[key] = {**before, **value} if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return options


def apart(session: Session, capture: str | None) -> None:
    """Refuse to record a replay into what it plays.

    Raises:
        Failure: kind "usage".
    """
    if not capture or not registry.is_replay(session.url):
        return
    from rtui.protocols.wire.replay_address import parse

    if parse(session.url).path.absolute().resolve() == Path(capture).absolute().resolve():
        cause, hint = f"{capture} is what is played", "Give --capture another file"
        raise Failure(
            Fault(kind="usage", side="us", title="A capture is not recorded into itself", cause=cause, hint=hint)
        )


def unsubscribed(session: Session, adapter: type[Adapter]) -> Session:
    """The session without what it would subscribe to when it opens."""
    off = {one.channel: msgspec.structs.replace(one, enabled=False) for one in session.subscriptions}
    named = {channel: SessionSubscription(channel=channel, enabled=False) for channel in adapter.channels(session.url)}
    return msgspec.structs.replace(session, subscriptions=tuple({**named, **off}.values()))


def _found(target: str, given: Given, commands: Collection[str]) -> Session:
    if "://" in target or registry.is_replay(target):
        return session_from_url(target, protocol=given.protocol or "")
    path = Path(target)
    if path.suffix == ".toml" or (path.is_file() and not is_capture(target)):
        return load_session(path, declares_for)
    if found := find_session(target):
        return load_session(found, declares_for)
    if is_capture(target):
        hint = f"Play it with: rtui replay {target}, print it with: rtui export {target}"
        raise _no_target(f"{target} is a capture, which nobody answers", hint)
    if _is_address(target):
        return session_from_url(registry.for_url(target, given.protocol)[1], protocol=given.protocol or "")
    lists = "`rtui sessions` lists the sessions" + (", `rtui --help` the commands." if commands else ".")
    hint = f"{_meant(target, commands)}{lists}"
    raise _no_target(f"{target}: no session, session file or URL", hint)


def _meant(target: str, commands: Collection[str]) -> str:
    """A question, or nothing: the session of the nearest name, with its folder or without, or the nearest command."""
    names = [entry.name for entry in list_sessions()]
    known = {name.rpartition("/")[2]: name for name in reversed(names)} | {name: name for name in names}
    known |= {command: f"the command `{command}`" for command in commands}
    near = nearest(target, known)
    return f"Did you mean {known[near]}? " if near else ""


def _is_address(target: str) -> bool:
    """`localhost:8080/path`: no scheme, but a port."""
    port = target.partition("/")[0].rpartition(":")[2]
    return ":" in target and port.isdecimal()


def _no_target(cause: str, hint: str) -> Failure:
    return Failure(Fault(kind="usage", side="us", title="Nothing to connect to", cause=cause, hint=hint))
