"""One attempt to connect to an MQTT broker that a test has written down."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from rtui.core.fault import Fault
from rtui.protocols.mqtt import Mqtt, Options
from tests.conformance.recorder import Recorder, Run
from tests.conformance.suite import fault_of
from tests.protocols.mqtt_peer import Client, Script, peer

PAGE = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nnope"


def run(port: int, scheme: str = "mqtt", memory: dict[str, Any] | None = None, **options: Any) -> Run:
    return Run(Mqtt(), Recorder(f"{scheme}://127.0.0.1:{port}/", Options(**{"proxy": "", **options}), memory))


async def told(script: Script, scheme: str = "mqtt", within: float = 9.0, **options: Any) -> tuple[Fault, bool]:
    """The fault of one attempt, and whether another is worth it."""
    async with peer(script) as port:
        began = time.monotonic()
        async with run(port, scheme, **options) as one:
            fault = await fault_of(one)
            error = one.task.exception()
            retried = one.adapter.retryable(error) if error else fault.kind in {"closed", "lost", "protocol", "busy"}
        assert time.monotonic() - began < within, fault
    return fault, retried


def says(data: bytes, *, greet: bool = False, stay: bool = False) -> Script:
    async def script(client: Client) -> None:
        if greet:
            await client.greet()
        else:
            await client.reader.read(1)
        client.write(data)
        await client.writer.drain()
        if stay:
            await asyncio.Event().wait()

    return script
