"""What the namespaces of the embedded Socket.IO server share: its tasks, how events are handled, what is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias

from rtui.runtime.tasks import spawn

Handler: TypeAlias = Callable[..., Awaitable[Any]]
"""Takes the client's id in the namespace and the arguments of the event; what it returns is the acknowledgement."""

EVERYBODY: Final = "everybody"
"""A room that every client of a namespace is in."""


class Crew:
    """The tasks of a server. The library's own are among them: some would sleep on after the server is gone."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> asyncio.Task[Any]:
        """Run `work`, until it ends or the crew is dismissed."""
        task = spawn(work(*arguments), f"demo {work.__name__}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def dismiss(self) -> None:
        """End what still runs."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Play:
    """The server as its namespaces see it."""

    def __init__(self, server: Any, crew: Crew) -> None:
        self.server = server
        """`socketio.AsyncServer`, which has no types."""
        self.crew = crew
        self.began = time.monotonic()
        self.events = 0
        """Events taken from clients."""

    def register(self, namespace: str, handlers: Mapping[str, Handler]) -> None:
        """Answer the events of a namespace; a mistake of the client is told in the acknowledgement."""
        for event, handler in handlers.items():
            self.server.on(event, namespace=namespace, handler=self._careful(handler))

    async def emit(self, namespace: str, to: str, event: str, *arguments: Any, **more: Any) -> None:
        """Send an event to a client or a room."""
        await self.server.emit(event, arguments, namespace=namespace, to=to, **more)

    def _careful(self, handler: Handler) -> Handler:
        async def handle(sid: str, *arguments: Any) -> Any:
            self.events += 1
            try:
                return await handler(sid, *arguments)
            except (TypeError, ValueError, LookupError, OverflowError) as error:
                return {"error": str(error)}

        return handle
