"""A session, or one message of it, as command lines: of the protocol's usual tools, and of rtui itself.

What a session reads from the environment stands in the lines as `$NAME`, and nobody's secret is looked up for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rtui.protocols import registry, rtui_shell
from rtui.protocols.base import Adapter
from rtui.protocols.shell import CommandLine, marked
from rtui.settings.message import compose
from rtui.settings.option import build
from rtui.settings.secrets import Secrets
from rtui.settings.session import SavedMessage, Session, connect_options
from rtui.settings.template import Renderer, resolve


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said in command lines."""

    adapter: type[Adapter]
    url: str
    options: Any
    """An instance of the adapter's `Options`."""
    subscriptions: dict[str, Any]
    """Channel → an instance of the adapter's `Subscription`."""
    target: str = ""
    """The session's file or name, where rtui can be given that instead of the options."""
    session: Session
    renderer: Renderer


class _Environment(dict[str, str]):
    """Has every variable, and for each only its mark."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return marked(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())


def subject(session: Session, target: str = "") -> Subject:
    """Make a session ready to be said.

    Raises:
        Failure: if a template or the URL is wrong.
        OptionErrors: if an option is.
    """
    renderer = Renderer(session.variables, _Environment(), Secrets())
    filled = resolve(msgspec.structs.replace(session, resolved=False), renderer)
    adapter, url = registry.for_url(filled.url, filled.protocol or None)
    named = {channel: build(adapter.Subscription, {}) for channel in adapter.channels(url)}
    wanted = {
        one.channel: build(adapter.Subscription, one.options, base=filled.base)
        for one in filled.subscriptions
        if one.enabled
    }
    return Subject(
        adapter=adapter,
        url=url,
        options=connect_options(filled, adapter.Options),
        subscriptions=named | wanted,
        target=target,
        session=session,
        renderer=renderer,
    )


def listening(one: Subject) -> list[CommandLine]:
    """Lines that connect and print what comes; that of rtui is the last."""
    found = list(one.adapter.listen_commands(one.url, one.options, one.subscriptions))
    own = rtui_shell.tail(one.target or one.url, *_own(one))
    return [*found, own]


def _own(one: Subject) -> tuple[Any, Mapping[str, Any]]:
    """Options and subscriptions that rtui has to be told; a file has its own, and so has a URL its channels."""
    if one.target:
        return None, {}
    named = set(one.adapter.channels(one.url))
    return one.options, {channel: how for channel, how in one.subscriptions.items() if channel not in named}


def sending(one: Subject, channel: str, payload: bytes, outgoing: Any = None) -> list[CommandLine]:
    """Lines that send the payload; that of rtui is the last. None where the protocol cannot send."""
    found = list(one.adapter.send_commands(one.url, one.options, channel, payload, outgoing))
    own = rtui_shell.send(one.adapter, one.target or one.url, _own(one)[0], channel, payload, outgoing=outgoing)
    return found if own is None else [*found, own]


def saved(one: Subject, message: SavedMessage) -> list[CommandLine]:
    """Lines that send a saved message.

    Raises:
        Failure: if its template, payload or file is wrong.
        OptionErrors: if its options are.
    """
    composed = compose(message, one.renderer, one.session.base, _unpacked)
    outgoing = build(one.adapter.Outgoing, composed.outgoing(one.adapter.Outgoing), base=one.session.base)
    return sending(one, composed.channel, composed.payload, outgoing)


def _unpacked(_text: bytes, _channel: str, _type: str) -> bytes:
    raise ValueError("message types are known only to a running session")
