from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

import pytest

from rtui.cli.demo import SHOWN, DemoHandle, demo_sessions
from rtui.core.fault import Failure, Fault
from rtui.demo import lab
from rtui.runtime.tasks import spawn
from tests.cli.conftest import Cli
from tests.port import reserved
from tests.waiting import PATIENCE, eventually


async def test_the_servers_come_back_on_the_same_port() -> None:
    with ExitStack() as ports:
        handle = DemoHandle()
        # Others may take what is free while the servers are away.
        handle.urls = {name: f"http://127.0.0.1:{ports.enter_context(reserved())}" for name in lab.OFFSETS}
        await handle.start()
        try:
            urls = dict(handle.urls)
            assert handle.running
            await handle.restart()
            assert (handle.running, dict(handle.urls)) == (True, urls)
        finally:
            await handle.stop()
    assert not handle.running


async def test_the_ports_that_the_samples_name_are_never_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(lab, "PORT_BASE", port - lab.OFFSETS["websocket"])
        handle = DemoHandle(usual=True)
        with pytest.raises(Failure, match=f"Port {port} cannot be used"):
            await handle.start()
        await handle.stop()
    assert not handle.running


class Child:
    """A process that ends when the test says so, once its stdin is closed."""

    def __init__(self) -> None:
        self.returncode: int | None = None
        self.stdin = self
        self.closed = False
        self.may_end = asyncio.Event()

    def close(self) -> None:
        self.closed = True

    async def wait(self) -> int:
        await self.may_end.wait()
        self.returncode = 0
        return 0


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    """Those that are started from now on; they are ready at once."""
    made: list[Child] = []

    async def start(*_words: str, **_pipes: object) -> Child:
        await asyncio.sleep(0)
        made.append(Child())
        return made[-1]

    async def ready(_handle: DemoHandle, _child: Child) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    monkeypatch.setattr(DemoHandle, "_read_ready", ready)
    return made


async def test_who_starts_them_twice_has_them_once(children: list[Child]) -> None:
    handle = DemoHandle()
    await asyncio.gather(handle.start(), handle.start())
    assert len(children) == 1


async def test_they_are_started_again_when_the_ports_are_free(children: list[Child]) -> None:
    handle = DemoHandle()
    await handle.start()
    stopping = spawn(handle.stop(), "stopping")
    await eventually(lambda: children[0].closed)
    starting = spawn(handle.start(), "starting")
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(children) == 1
    children[0].may_end.set()
    await asyncio.gather(stopping, starting)
    assert (len(children), handle.running) == (2, True)


async def test_one_that_failed_to_start_does_not_run(children: list[Child], monkeypatch: pytest.MonkeyPatch) -> None:
    async def ended(_handle: DemoHandle, child: Child) -> None:
        child.may_end.set()  # its output has ended; that the process has is told later
        raise Failure(Fault(kind="bug", side="us", title="no"))

    monkeypatch.setattr(DemoHandle, "_read_ready", ended)
    handle = DemoHandle()
    with pytest.raises(Failure):
        await handle.start()
    assert not handle.running


async def test_the_samples_lead_to_the_running_servers() -> None:
    urls: dict[str, str] = {}
    servers = await lab.serve(port_base=0, announce=lambda ready: urls.update({ready["protocol"]: ready["url"]}))
    await servers.close()
    sessions = demo_sessions(urls)
    assert [session.name for session in sessions] == list(SHOWN)
    assert {one.url.rpartition(":")[0] for one in sessions} == {url.rpartition(":")[0] for url in urls.values()}
    assert all(session.url.startswith(tuple(f"{url}/" for url in urls.values())) for session in sessions)


async def test_the_servers_end_when_their_parent_is_killed(cli: Cli) -> None:
    parent = (
        "import asyncio\n"
        "from rtui.cli.demo import DemoHandle\n"
        "async def main():\n"
        "    handle = DemoHandle()\n"
        "    await handle.start()\n"
        "    print(handle._process.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen(  # noqa: ASYNC220 - it is waited for in the same way
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, env=cli.environment, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    await eventually(lambda: not alive(child))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_serve_prints_one_line_for_each_server_and_ends_by_signal(cli: Cli) -> None:
    process = cli.start("serve", "websocket", "--port-base", "0")
    assert process.stdout is not None
    assert '"protocol":"websocket"' in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    rest, complaint = process.communicate(timeout=PATIENCE)
    assert (process.returncode, rest, complaint) == (0, "", "")


def test_serve_tells_that_the_usual_port_is_taken(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody has it already
            taken.bind(("127.0.0.1", 18080))
            taken.listen()
        process = cli.start("serve", "websocket")
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["url"].rpartition(":")[2]
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, f"rtui: port 18080 is taken: websocket listens on {port}\n")


def test_serve_refuses_what_it_does_not_know(cli: Cli) -> None:
    ended = cli.run("serve", "nosuch")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "websocket" in ended.stderr
