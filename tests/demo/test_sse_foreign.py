"""Our embedded server and npm `eventsource`: a client that shares no code with us."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from rtui.demo import sse
from tests.waiting import PATIENCE

MODULES = os.environ.get("RTUI_NODE_MODULES", "")
SCRIPT = Path(__file__).parent.parent / "node" / "sse_client.mjs"

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        not shutil.which("node") or not MODULES or not Path(MODULES, "eventsource").is_dir(),
        reason="needs node and RTUI_NODE_MODULES=…/node_modules with the package eventsource",
    ),
]


async def heard(path: str, count: int, *types: str) -> list[dict[str, Any]]:
    server = await sse.serve(port=0)
    try:
        command = ("node", str(SCRIPT), f"http://127.0.0.1:{server.port}{path}", str(count), *types)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate()
    finally:
        await server.close()
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("way", ["end", "cut", "drop"])
async def test_the_client_of_browsers_resumes_without_a_loss(way: str) -> None:
    events = await heard(f"/{way}?after=3", 8)
    numbers = [int(event["id"]) for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) == 8
