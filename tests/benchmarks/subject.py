"""What is measured, each in a process of its own: `python -m tests.benchmarks.subject NAME URL [PATH]`."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from websockets.asyncio.client import connect


def bare(url: str) -> None:
    """The loop that everybody writes first."""

    async def run() -> None:
        async with connect(url) as connection:
            async for _ in connection:
                pass

    asyncio.run(run())


def bare_mqtt(url: str, count: str, qos: str) -> None:
    """aiomqtt as its documentation shows it."""
    from urllib.parse import urlsplit

    import aiomqtt

    place = urlsplit(url)

    async def run() -> None:
        assert place.hostname is not None
        async with aiomqtt.Client(place.hostname, place.port or 1883) as client:
            await client.subscribe(place.path[1:], qos=int(qos))
            left = int(count)
            async for _ in client.messages:
                left -= 1
                if not left:
                    break

    asyncio.run(run())


def bare_socketio(url: str) -> None:
    """python-socketio as its documentation shows it."""
    import socketio

    async def run() -> None:
        client = socketio.AsyncClient(reconnection=False)

        @client.on("*")
        async def take(_event: str, *_: object) -> None:
            pass

        await client.connect(url, transports=["websocket"])
        await client.wait()

    asyncio.run(run())


def bare_sse(url: str) -> None:
    """httpx-sse as its documentation shows it, without httpx's read timeout."""
    import httpx
    from httpx_sse import aconnect_sse

    patient = httpx.Timeout(5, read=None)

    async def run() -> None:
        async with httpx.AsyncClient(timeout=patient) as client, aconnect_sse(client, "GET", url) as source:
            async for _ in source.aiter_sse():
                pass

    asyncio.run(run())


def bare_poll(url: str, times: str) -> None:
    """httpx in a loop; prints requests per second."""
    import httpx

    async def run() -> None:
        async with httpx.AsyncClient() as client:
            began = time.monotonic()
            for _ in range(int(times)):
                (await client.get(url)).json()
            print(int(times) / (time.monotonic() - began))

    asyncio.run(run())


def printing(url: str) -> None:
    """The loop that prints an envelope like ours, as everybody writes it first."""

    async def run() -> None:
        async with connect(url) as connection:
            async for message in connection:
                envelope = {"time": time.time(), "connection": url, "kind": "message", "data": json.loads(message)}
                print(json.dumps(envelope))

    asyncio.run(run())


def recording(url: str, path: str, *settings: str) -> None:
    """Hub, link and capture without any front end; prints kilobytes of peak memory and rows stored.

    `settings` are connect options, written KEY=VALUE.
    """
    from rtui.capture.journal import Journal
    from rtui.capture.reader import Reader
    from rtui.runtime.hub import Hub
    from rtui.settings.secrets import Secrets
    from rtui.settings.session import session_from_url

    async def run() -> None:
        journal = Journal.create(Path(path))
        hub = Hub(journal)
        connection = hub.open(session_from_url(url, dict(one.split("=", 1) for one in settings)), Secrets())
        await connection.wait_closed()
        journal.close(60)

    asyncio.run(run())
    reader = Reader(Path(path))
    stored = reader.count()
    reader.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"kilobytes": peak, "stored": stored}))


def blank() -> None:
    """The smallest Textual app."""
    from textual.app import App

    App[None]().run()


SUBJECTS: dict[str, Callable[..., None]] = {
    "bare": bare,
    "bare_mqtt": bare_mqtt,
    "bare_socketio": bare_socketio,
    "bare_sse": bare_sse,
    "bare_poll": bare_poll,
    "printing": printing,
    "recording": recording,
    "blank": blank,
}

if __name__ == "__main__":
    SUBJECTS[sys.argv[1]](*sys.argv[2:])
