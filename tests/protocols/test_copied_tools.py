"""Copied command lines, run: the real curl, mosquitto_pub, mosquitto_sub, wscat and rtui against the demo servers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rtui.demo import mqtt, polling, sse, websocket
from rtui.protocols.copying import listening, saved, subject
from rtui.settings.session import SavedMessage, Session, SessionSubscription
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
NODE = os.environ.get("RTUI_NODE_MODULES", "")
AWKWARD = 'it\'s "$HOME" `id` \\n é€🎉 {{ x }} !'
BINARY = bytes(range(256))

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
needs_mosquitto = [
    pytest.mark.mosquitto,
    pytest.mark.skipif(not shutil.which("mosquitto_pub"), reason="mosquitto's clients are not installed"),
]


@asynccontextmanager
async def serving(module: Any, **how: Any) -> AsyncIterator[str]:
    """The URL of a demo server."""
    server = await module.serve(**how)
    try:
        yield server.url
    finally:
        await server.close()


def command(tool: str, session: Session) -> str:
    one = subject(session)
    lines = [*(line for message in session.messages for line in saved(one, message)), *listening(one)]
    return next(line.text for line in lines if line.tool == tool)


class Shell:
    """One running command line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, text: str, folder: Path, **environment: str) -> Shell:
        tools = folder / "bin"
        tools.mkdir(exist_ok=True)
        (tools / "rtui").write_text(f'#!/bin/sh\nexec {sys.executable} -m rtui "$@"\n', encoding="utf-8")
        (tools / "rtui").chmod(0o755)
        (folder / "line.sh").write_text(text, encoding="utf-8")
        path = os.pathsep.join([str(tools), str(Path(NODE) / ".bin"), os.environ["PATH"]])
        known = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder), "RTUI_STATE_HOME": str(folder / "state")}
        process = await asyncio.create_subprocess_exec(
            "bash",
            "line.sh",
            cwd=folder,
            env=known | environment,
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(process)

    async def ended(self) -> bytes:
        """What it printed until its end, which was a good one."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        # Its stdin stays open, as that of a terminal would.
        both = asyncio.gather(self.process.stdout.read(), self.process.stderr.read())
        out, err = await asyncio.wait_for(both, PATIENCE)
        assert await self.process.wait() == 0, err.decode()
        return out

    async def line(self) -> bytes:
        """The next line it prints."""
        assert self.process.stdout is not None
        return await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)

    async def stop(self) -> None:
        """End it, and what it started."""
        os.killpg(self.process.pid, signal.SIGTERM)
        await asyncio.wait_for(self.process.communicate(), PATIENCE)


@needs_curl
async def test_curl_asks_for_the_same(tmp_path: Path) -> None:
    async with serving(polling) as url:
        options: dict[str, Any] = {
            "headers": {"X-Awkward": 'it\'s "$HOME" `id`', "X-Api-Key": "{{ env.KEY }}"},
            "cookies": {"sid": "{{ env.SID }}"},
            "username": "me",
            "password": "{{ env.PASS }}",
            "data": AWKWARD.replace("{{", "{{ '{' }}{"),
            "method": "PUT",
        }
        session = Session(name="x", url=f"{url}/echo?a=b%20c", options=options)
        shell = await Shell.start(command("curl", session), tmp_path, KEY="k1", SID="s2", PASS="p 3")
        asked = json.loads(await shell.ended())
        headers = {name.lower(): value for name, value in asked["headers"]}
        assert (asked["method"], asked["body"]) == ("PUT", AWKWARD)
        assert headers["x-awkward"] == 'it\'s "$HOME" `id`'
        assert (headers["x-api-key"], headers["cookie"]) == ("k1", "sid=s2")
        assert headers["authorization"] == "Basic bWU6cCAz"


@needs_curl
async def test_curl_prints_a_stream_as_it_comes(tmp_path: Path) -> None:
    async with serving(sse) as url:
        shell = await Shell.start(command("curl", Session(name="x", url=url)), tmp_path)
        while b"event: hello" not in (line := await shell.line()):
            assert line
        await shell.stop()


def mqtt_session(url: str, payload: str = AWKWARD, layout: Any = "text") -> Session:
    message = SavedMessage(
        name="m", channel="a/é b", format=layout, options={"qos": 1, "content_type": "text/x y"},
        payload=payload.replace("{{", "{{ '{' }}{"),
    )  # fmt: skip
    subscriptions = (SessionSubscription(channel="a/+"), SessionSubscription(channel="$SYS/none"))
    return Session(name="x", url=url, subscriptions=subscriptions, messages=(message,))


@pytest.mark.parametrize(("payload", "layout"), [(AWKWARD, "text"), (BINARY.hex(), "hex")])
@pytest.mark.mosquitto
@needs_mosquitto[1]
async def test_mosquitto_publishes_and_subscribes_the_same(tmp_path: Path, payload: str, layout: str) -> None:
    async with serving(mqtt, plant=False) as url:
        session = mqtt_session(url, payload, layout)
        # The message is retained, so that it does not matter who is there first.
        text = command("mosquitto_pub", session)
        assert await (await Shell.start(f"{text} -r", tmp_path)).ended() == b""
        shell = await Shell.start(f"{command('mosquitto_sub', session)} -C 1 -N", tmp_path)
        assert await shell.ended() == "a/é b ".encode() + (BINARY if layout == "hex" else AWKWARD.encode())


@pytest.mark.node
@pytest.mark.skipif(not (Path(NODE) / ".bin" / "wscat").exists(), reason="needs RTUI_NODE_MODULES with wscat")
async def test_wscat_sends_the_same(tmp_path: Path) -> None:
    async with serving(websocket) as url:
        session = websocket_session(url, AWKWARD)
        shell = await Shell.start(command("wscat", session), tmp_path)
        assert AWKWARD in (await shell.ended()).decode()


def websocket_session(url: str, payload: str, layout: Any = "text") -> Session:
    message = SavedMessage(name="m", payload=payload.replace("{{", "{{ '{' }}{"), format=layout)
    return Session(name="x", url=f"{url}/echo", messages=(message,), options={"headers": {"A": "b 'c'"}})


@pytest.mark.parametrize(
    ("payload", "layout"),
    [(AWKWARD, "text"), ("@file", "text"), ("-", "text"), ("--wait", "text"), ("two\nlines", "text"),
     (BINARY.hex(), "hex"), ("x" * 200_000, "text")],
    ids=["awkward", "at", "dash", "flag", "lines", "binary", "long"],
)  # fmt: skip
async def test_rtui_sends_the_same(tmp_path: Path, payload: str, layout: str) -> None:
    async with serving(websocket) as url:
        text = command("rtui send", websocket_session(url, payload, layout))
        wanted = BINARY if layout == "hex" else payload.encode()
        line = text.replace("rtui send", "rtui send --wait 1 --format raw --no-capture", 1)
        assert await (await Shell.start(line, tmp_path)).ended() == wanted + b"\n"
