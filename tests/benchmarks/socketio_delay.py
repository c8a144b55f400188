"""A Socket.IO server whose acknowledgements tell how long it took itself: the milliseconds it measured.

Runs as a process of its own and ends with its stdin: `python -m tests.benchmarks.socketio_delay`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Final

from tests.protocols.socketio_server import socketio_server

DELAY: Final = 0.005
"""Seconds that an acknowledgement is held back."""


def prepare(server: Any) -> None:
    @server.on("ask")
    async def answer(_sid: str, *_: object) -> float:
        began = time.perf_counter()
        await asyncio.sleep(DELAY)
        return (time.perf_counter() - began) * 1000


async def main() -> None:
    async with socketio_server(prepare) as port:
        print(json.dumps({"port": port}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
