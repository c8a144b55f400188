"""Our embedded server and npm `@grpc/grpc-js`: a client that shares no code with us, with our .proto file."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from google.rpc import code_pb2

from rtui.demo.grpc import serve
from tests.waiting import PATIENCE

MODULES = os.environ.get("RTUI_NODE_MODULES", "")
SCRIPT = Path(__file__).parent.parent / "node" / "grpc_client.mjs"
FOLDERS = f"{files('rtui.demo') / 'proto'}:{Path(str(code_pb2.__file__)).parents[2]}"

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        not shutil.which("node") or not MODULES or not Path(MODULES, "@grpc", "grpc-js").is_dir(),
        reason="needs node and RTUI_NODE_MODULES=…/node_modules with the packages @grpc/grpc-js and @grpc/proto-loader",
    ),
]


async def called(method: str, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """The replies, then the status."""
    server = await serve()
    try:
        command = ("node", str(SCRIPT), FOLDERS, f"127.0.0.1:{server.port}", method, *map(json.dumps, requests))
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate()
    finally:
        await server.close()
    return [json.loads(line) for line in output.split(b"\n") if line]


@pytest.mark.parametrize(
    ("method", "requests", "replies"),
    [
        ("Echo/Say", ({"text": "hi"},), ["hi"]),
        ("Echo/Repeat", ({"text": "x", "times": 3},), ["x", "x", "x"]),
        ("Echo/Talk", ({"text": "a"}, {"text": "b"}), ["a", "b"]),
    ],
)
async def test_calls(method: str, requests: tuple[dict[str, Any], ...], replies: list[str]) -> None:
    *got, status = await called(method, *requests)
    assert [one["text"] for one in got] == replies
    assert status["code"] == 0


async def test_a_client_stream() -> None:
    got, status = await called("Echo/Collect", {"text": "a"}, {"text": "bb"})
    assert (got, status["code"]) == ({"texts": ["a", "bb"], "count": 2, "characters": "3"}, 0)


async def test_every_type() -> None:
    got, status = await called("Types/Sample", {})
    assert status["code"] == 0
    assert (got["int64"], got["uint64"], got["sint64"]) == (str(2**63 - 1), str(2**64 - 1), str(-(2**63)))
    assert (got["string"], got["numbers"][0], got["any"]["type_url"][-9:]) == (
        "ä ✓ 王\n\t\"'\\",
        str(2**53 + 1),
        "demo.Item",
    )


async def test_a_failure() -> None:
    (status,) = await called("Faults/Fail", {"code": "NOT_FOUND", "message": "no rack ü"})
    assert status == {"code": 5, "details": "no rack ü"}
