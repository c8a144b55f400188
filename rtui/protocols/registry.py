"""Which protocols there are, by name and by URL. The only place that imports concrete adapters, and it does so late.

Built-in adapters are named here; others register under the entry-point group `rtui.protocols`, where the entry's
name is the protocol's name and its value the `Adapter` subclass. Names are known without importing anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from rtui.core.fault import Failure, Fault
from rtui.protocols.base import Adapter

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "rtui.protocols"
REPLAY: Final = "replay"
"""The protocol, and the scheme, of a capture that is played: what follows is no host but a file."""

BUILT_IN: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "websocket": ("rtui.protocols.websocket:WebSocket", ("ws", "wss")),
        "mqtt": ("rtui.protocols.mqtt:Mqtt", ("mqtt", "mqtts", "mqtt+ws", "mqtt+wss")),
        "socketio": ("rtui.protocols.socketio:SocketIO", ("socketio+http", "socketio+https")),
        "sse": ("rtui.protocols.sse:Sse", ("sse+http", "sse+https")),
        "polling": ("rtui.protocols.polling:Polling", ("poll+http", "poll+https")),
        "longpoll": ("rtui.protocols.polling:LongPolling", ("longpoll+http", "longpoll+https")),
        "grpc": ("rtui.protocols.grpc:Grpc", ("grpc", "grpcs")),
        REPLAY: ("rtui.protocols.replay:Replay", (REPLAY,)),
    }
)
"""Name → where the class is, and its URL schemes (so that a URL finds its adapter without importing the others)."""


def names() -> list[str]:
    """Every protocol that can be used, built-in ones first."""
    return [*BUILT_IN, *sorted(name for name in _plugins() if name not in BUILT_IN)]


@cache
def adapter(name: str) -> type[Adapter]:
    """The adapter class called `name`.

    Raises:
        Failure: if there is none, or a plugin cannot be loaded.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name][0].partition(":")
        return cast("type[Adapter]", getattr(import_module(module), attribute))
    if (entry := _plugins().get(name)) is not None:
        return _load(entry)
    raise Failure(_unknown("protocol", name, names()))


def for_url(url: str, protocol: str | None = None) -> tuple[type[Adapter], str]:
    """The adapter for `url` and the URL as that adapter wants it.

    A URL without a scheme (`localhost:8080/path`) is taken as `ws://` (`wss://` for port 443). With `protocol`, a plain
    `http(s)` URL gets that protocol's own scheme.

    Raises:
        Failure: kind `usage`, with the nearest known scheme or protocol as a hint.
    """
    url = url.strip()
    if is_replay(url) or protocol == REPLAY:
        return _player(url if is_replay(url) else f"{REPLAY}:{url}")
    if protocol:
        found = adapter(protocol)
        return found, _checked(_as_scheme(url, found.schemes))
    url = _with_scheme(url)
    scheme = url.partition(":")[0].lower()
    for name, group in _schemes().items():
        if scheme in group:
            return adapter(name), _checked(scheme + url[len(scheme) :])
    carried = [each for name in carried_by(url) for each in _schemes()[name] if each.endswith(f"+{scheme}")]
    raise Failure(_ambiguous(scheme, carried) if carried else _unknown("URL scheme", scheme, schemes()))


def carried_by(url: str) -> list[str]:
    """The protocols that a URL may be of whose scheme alone does not tell (`http`, `https`); empty for any other."""
    scheme = _with_scheme(url.strip()).partition(":")[0].lower()
    found = _schemes()
    if any(scheme in group for group in found.values()):
        return []
    return [name for name, group in found.items() if any(each.endswith(f"+{scheme}") for each in group)]


def is_replay(url: str) -> bool:
    """Whether `url` names a capture to be played."""
    return url[: len(REPLAY) + 1].lower() == f"{REPLAY}:"


def schemes() -> list[str]:
    """Every URL scheme that `for_url` takes."""
    return [each for group in _schemes().values() for each in group]


def _schemes() -> dict[str, tuple[str, ...]]:
    plugins = {name: adapter(name).schemes for name in _plugins() if name not in BUILT_IN}
    return {**{name: schemes for name, (_, schemes) in BUILT_IN.items()}, **plugins}


def _player(url: str) -> tuple[type[Adapter], str]:
    """The adapter that plays what `url` names. What cannot be read is told when it is opened, not here."""
    from rtui.protocols.replay import Replay
    from rtui.protocols.wire.replay_address import recorded_protocol

    try:
        name = recorded_protocol(url)
        return Replay.recorded(adapter(name)), url
    except Failure:  # also of a protocol whose plugin is not installed here
        return Replay, url


@cache
def _plugins() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _load(entry: EntryPoint) -> type[Adapter]:
    try:
        loaded = entry.load()
    except Exception as error:
        cause = f"{entry.value}: {type(error).__name__}: {error}"
        raise Failure(Fault(kind="usage", side="us", title="Plugin cannot be loaded", cause=cause)) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Adapter)):
        cause = f"{entry.value} is not an rtui.protocols.base.Adapter"
        raise Failure(Fault(kind="usage", side="us", title="Plugin cannot be used", cause=cause))
    return loaded


def _with_scheme(url: str) -> str:
    if "://" in url:
        return url
    authority = url.partition("/")[0]
    word, colon, port = authority.partition(":")
    if colon and not port.isdecimal() and word.lower() in schemes():
        raise Failure(_bad_url(f"{word}: stands without its two slashes", f"Write {word}://host:port/path"))
    return ("wss://" if authority.endswith(":443") else "ws://") + url


def _as_scheme(url: str, wanted: tuple[str, ...]) -> str:
    if "://" not in url:
        return f"{wanted[0]}://{url}"
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme in wanted:
        return f"{scheme}://{rest}"
    if scheme in {"http", "https"}:
        secure = scheme == "https"
        # Schemes come in pairs, plain first: ("ws", "wss"), ("mqtt", "mqtts", …).
        return f"{wanted[1 if secure and len(wanted) > 1 else 0]}://{rest}"
    raise Failure(_unknown("URL scheme", scheme, list(wanted)))


def _checked(url: str) -> str:
    if any(ord(character) <= 0x20 or character == "\x7f" for character in url):  # noqa: PLR2004 - space and below
        raise Failure(_bad_url("it contains a space or a control character", "Percent-encode it, such as %20"))
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Failure(_bad_url(str(error), "Write scheme://host:port/path")) from error
    if not parts.hostname:
        raise Failure(_bad_url("there is no host in it", "Write scheme://host:port/path"))
    return url


def _bad_url(cause: str, hint: str) -> Fault:
    return Fault(kind="usage", side="us", title="Not a usable URL", cause=cause, hint=hint)


def _ambiguous(scheme: str, carried: list[str]) -> Fault:
    hint = f"Write {', '.join(f'{each}://' for each in carried)}, or give --protocol"
    title, cause = "The protocol is not clear", f"{scheme}:// alone may be several"
    return Fault(kind="usage", side="us", title=title, cause=cause, hint=hint)


def _unknown(what: str, given: str, known: list[str]) -> Fault:
    near = get_close_matches(given, known, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return Fault(
        kind="usage",
        side="us",
        title=f"Unknown {what}",
        cause=given or "(empty)",
        hint=f"{hint}Known: {', '.join(known)}",
    )
