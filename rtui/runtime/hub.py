"""The owner of all connections. The workbench and the command line reach connections through here alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from rtui.capture.channels import Channels
from rtui.capture.journal import Journal
from rtui.capture.meter import Meter
from rtui.core.words import numbered
from rtui.protocols import registry
from rtui.protocols.base import Adapter
from rtui.runtime.connection import GOODBYE, Connection
from rtui.runtime.link import Link
from rtui.runtime.tasks import Spawner, spawn
from rtui.settings.option import build
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session, connect_options
from rtui.settings.template import Renderer

__all__ = ["GOODBYE", "Connection", "Finder", "Hub"]

Finder: TypeAlias = Callable[[str, str | None], tuple[Callable[[], Adapter], str]]
"""From a URL and a protocol's name (or None) to the adapter and the URL it understands."""


class Hub:
    """Opens, lists and closes connections. Knows no front end: it is handed a spawner."""

    def __init__(self, journal: Journal, spawner: Spawner = spawn, find: Finder = registry.for_url) -> None:
        self.journal = journal
        self.connections: list[Connection] = []
        self._spawner = spawner
        self._find = find

    def open(
        self, session: Session, secrets: Secrets, renderer: Renderer | None = None, *, retry_first: bool = True
    ) -> Connection:
        """Bring a session to life: its templates rendered, except those of its messages (`renderer` does these).

        Raises:
            Failure: if the URL or an option is not usable.
            OptionErrors: if the options do not fit the protocol.
        """
        make, url = self._find(session.url, session.protocol or None)
        adapter = make()
        options = connect_options(session, adapter.Options)
        secrets.add_url(url)
        secrets.add_options(options)
        shown = secrets.mask_url(url)
        name = numbered(session.name, {one.name for one in self.connections})
        link = Link(
            link_id=self.journal.add_link(name, adapter.name, shown, {}),
            url=url,
            options=options,
            journal=self.journal,
            channels=Channels(adapter.words.separator),
            meter=Meter(),
            secrets=secrets,
        )
        connection = Connection(session, adapter, link, url=shown, renderer=renderer, retry_first=retry_first)
        connection.name = name
        for wanted in session.subscriptions:
            connection.wish(wanted)
        for channel in adapter.channels(url):
            if channel not in connection.subscriptions:
                connection.subscriptions.want(channel)
        self.connections.append(connection)
        connection.start(self._spawner)
        return connection

    def reopen(
        self, connection: Connection, session: Session, secrets: Secrets, renderer: Renderer | None = None
    ) -> bool:
        """Connect again as `session` says by now: `open` in the place of an earlier one, whose rows and counts go on.

        False, and nothing is done, if its protocol is another one by now. Raises as `open` does, and changes nothing.
        """
        make, url = self._find(session.url, session.protocol or None)
        adapter = make()
        if adapter.name != connection.adapter.name:
            return False
        options = connect_options(session, adapter.Options)
        for wanted in session.subscriptions:
            build(adapter.Subscription, wanted.options)
        secrets.add_url(url)
        secrets.add_options(options)
        connection.url = secrets.mask_url(url)
        connection.renew(session, renderer, url, options)
        connection.reconnect()
        return True

    async def close_all(self, deadline: float = GOODBYE) -> None:
        """Close every connection properly within `deadline` seconds, then without a goodbye."""
        for connection in self.connections:
            connection.close()
        try:
            async with asyncio.timeout(deadline):
                for connection in self.connections:
                    await connection.wait_closed()
        except TimeoutError:
            for connection in self.connections:
                connection.abort()
            for connection in self.connections:
                await connection.wait_closed()
