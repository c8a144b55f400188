"""A Socket.IO server in its own process, for commands that are processes, too: `python -m tests.cli.socketio_peer`.

Prints its port, and ends with its stdin.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from socketio.exceptions import ConnectionRefusedError as Refused

from tests.protocols.socketio_server import socketio_server


def prepare(server: Any) -> None:
    @server.on("connect", namespace="/chat")
    async def greet(sid: str, _environ: object, _auth: object = None) -> None:
        for number in range(3):
            await server.emit("news", (number, {"price": 1.5}), to=sid, namespace="/chat")

    @server.on("connect", namespace="/admin")
    async def guard(_sid: str, _environ: object, auth: object = None) -> None:
        if auth != {"token": "right"}:
            raise Refused("a token, please", {"realm": "admin"})

    @server.on("sum")
    async def add(_sid: str, *numbers: float) -> float:
        return sum(numbers)

    @server.on("bytes")
    async def length(_sid: str, data: bytes) -> tuple[str, int]:
        return type(data).__name__, len(data)

    @server.on("never")
    async def never(_sid: str, *_: object) -> None:
        await asyncio.Event().wait()

    @server.on("*", namespace="*")
    async def echo(event: str, namespace: str, sid: str, *arguments: object) -> str:
        await server.emit(event, arguments, to=sid, namespace=namespace)
        return "taken"


async def main() -> None:
    async with socketio_server(prepare, always_connect=False) as port:
        print(port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
