from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio
import trustme

from rtui.demo.socketio import NAMESPACES, PATHS, Server, serve
from rtui.demo.socketio_chat import LOBBY
from rtui.demo.socketio_scene import ARGUMENTS
from rtui.demo.story import HOSTILE, PNG
from tests.waiting import PATIENCE, eventually

MODULES = os.environ.get("RTUI_NODE_MODULES", "")
NODE_SCRIPT = Path(__file__).parent.parent / "node" / "socketio_client.mjs"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = await serve()
    yield one
    await one.close()


class Visitor:
    """A client of the library that remembers all events."""

    def __init__(self) -> None:
        self.client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.seen: list[tuple[str, tuple[Any, ...]]] = []
        for namespace in NAMESPACES:
            self.client.on("*", namespace=namespace, handler=self._note)

    async def _note(self, event: str, *arguments: Any) -> Any:
        self.seen.append((event, arguments))
        return 42 if event == "question" else None

    async def call(self, event: str, *arguments: Any, namespace: str = "/") -> Any:
        return await self.client.call(event, arguments, namespace=namespace, timeout=PATIENCE)

    def of(self, event: str) -> list[tuple[Any, ...]]:
        return [arguments for name, arguments in self.seen if name == event]


@asynccontextmanager
async def visit(server: Server, query: str = "?rate=0", *namespaces: str, **how: Any) -> AsyncIterator[Visitor]:
    visitor = Visitor()
    address = server.url.removeprefix("socketio+") + "/" + query
    await visitor.client.connect(address, namespaces=list(namespaces or ("/",)), wait_timeout=PATIENCE, **how)
    try:
        yield visitor
    finally:
        await visitor.client.disconnect()


@contextmanager
def complaints() -> Iterator[list[Any]]:
    """What the event loop would print on stderr."""
    found: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    yield found
    asyncio.get_running_loop().set_exception_handler(None)


async def test_a_browser_gets_the_index(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["paths"] == dict(PATHS)


async def test_the_ticker_tells_the_same_story_for_the_same_seed(server: Server) -> None:
    async def told(seed: int) -> list[Any]:
        async with visit(server, f"?rate=1000&seed={seed}") as visitor:
            await eventually(lambda: len(visitor.seen) >= 40)
            return visitor.seen[:40]

    first = await told(1)
    assert first == await told(1)
    assert first != await told(2)
    assert {event for event, _ in first} >= {"order", "trade", "sensor"}
    assert all(len(arguments) == len(ARGUMENTS[event]) for event, arguments in first)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_acknowledgements(transport: str) -> None:
    server = await serve()
    async with visit(server, transports=[transport]) as visitor:
        assert await visitor.call("echo", 1, {"a": [2]}, "drei") == (1, {"a": [2]}, "drei")
        assert await visitor.call("binary", b"\x01\x02", "as it is") == (b"\x02\x01", "as it is")
        assert await visitor.call("binary") == bytes(range(256))
        await eventually(lambda: visitor.of("image"))
        assert visitor.of("image")[0][1] == PNG
        began = time.monotonic()
        assert await visitor.call("slow", 50) == {"waited_ms": 50}
        assert time.monotonic() - began >= 0.05
        await server.close()  # the library's polling client would wait half a minute for the end of its last poll


async def test_text_is_sent_as_it_is(server: Server) -> None:
    address = server.url.removeprefix("socketio+") + "/socket.io/"
    async with aiohttp.ClientSession() as session:

        async def ask(**more: str) -> str:
            query = {"EIO": "4", "transport": "polling", "rate": "50", **more}
            async with session.get(address, params=query) as answer:
                return await answer.text()

        sid = json.loads((await ask())[1:])["sid"]
        await session.post(address, params={"EIO": "4", "transport": "polling", "sid": sid}, data="40")
        heard = ""
        async with asyncio.timeout(PATIENCE):
            while '"order"' not in heard:
                heard += await ask(sid=sid)
        assert '"王芳"' in heard


async def test_the_server_asks_and_judges(server: Server) -> None:
    async with visit(server) as visitor:
        await visitor.client.emit("question")
        await eventually(lambda: visitor.of("verdict"))
        (verdict, answer), *_ = visitor.of("verdict")
    assert (verdict["right"], answer) == (True, 42)


async def test_a_burst_is_complete_and_in_order(server: Server) -> None:
    async with visit(server) as visitor:
        assert await visitor.call("burst", 2000, 10) == 2000
        await eventually(lambda: len(visitor.seen) == 2000)
    assert [number for number, _ in visitor.of("burst")] == list(range(1, 2001))


async def test_a_chat_is_heard_by_all(server: Server) -> None:
    async with visit(server, "", "/chat", auth={"name": "ann"}) as ann:
        await eventually(lambda: ann.of("joined"))
        assert ann.seen[0] == ("welcome", ({"name": "ann", "rooms": [LOBBY]},))
        async with visit(server, "", "/chat", auth={"name": "bob"}) as bob:
            await eventually(lambda: (LOBBY, "bob", {"people": 2}) in ann.of("joined"))
            assert await bob.call("say", "hi", namespace="/chat") == {"heard_by": 2}
            await eventually(lambda: (LOBBY, "bob", "hi") in ann.of("said"))
            await bob.call("join", "quiet", namespace="/chat")
            await bob.call("say", "psst", "quiet", namespace="/chat")
            await eventually(lambda: ("quiet", "bob", "psst") in bob.of("said"))
            assert await bob.call("leave", "quiet", namespace="/chat") is True
            assert await bob.call("leave", "quiet", namespace="/chat") is False
        await eventually(lambda: (LOBBY, "bob", {"people": 1}) in ann.of("left"))
        assert "psst" not in str(ann.seen)
        assert await ann.call("people", namespace="/chat") == ["ann"]


async def test_the_parrot_talks(server: Server) -> None:
    async with visit(server, "", "/chat") as visitor:
        await eventually(lambda: any(name == "polly" for _, name, _ in visitor.of("said")))


async def test_strangers_are_refused_with_data(server: Server) -> None:
    refusals: list[Any] = []
    visitor = Visitor()
    visitor.client.on("connect_error", namespace="/private", handler=refusals.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await visitor.client.connect(
            server.url.removeprefix("socketio+"), namespaces=["/private"], wait_timeout=PATIENCE
        )
    assert refusals == [{"message": "not authorized", "data": {"code": 401, "wanted": {"token": "demo"}}}]
    async with visit(server, "", "/private", auth={"token": "demo"}) as friend:
        await eventually(lambda: friend.of("secret"))
        assert await friend.call("whisper", "HUSH", namespace="/private") == "hush"


async def test_the_admin_sees_and_kicks(server: Server) -> None:
    async with visit(server) as victim, visit(server, "", "/admin") as admin:
        await eventually(lambda: admin.of("server_stats"))
        stats, _clients = admin.of("server_stats")[-1]
        assert stats["clients"] == {"/": 1, "/chat": 0, "/private": 0, "/admin": 1}
        clients = await admin.call("clients", namespace="/admin")
        (sid,) = [one["sid"] for one in clients if one["namespace"] == "/"]
        assert await admin.call("kick", "nobody", namespace="/admin") is False
        assert await admin.call("kick", sid, namespace="/admin") is True
        await eventually(lambda: not victim.client.connected)


async def test_a_kick_leaves_its_acknowledgement_pending(server: Server) -> None:
    async with visit(server, "?rate=0", "/", "/chat") as visitor:
        with pytest.raises(socketio.exceptions.SocketIOError):
            await visitor.client.call("kick", (), timeout=1.0)
        await eventually(lambda: "/" not in visitor.client.namespaces)
        assert await visitor.call("people", namespace="/chat")


async def test_names_of_events_attack_the_terminal(server: Server) -> None:
    async with visit(server) as visitor:
        await visitor.call("hostile")
        await eventually(lambda: len(visitor.seen) == len(HOSTILE))
    assert visitor.seen == [(text, (text,)) for text in HOSTILE]


@pytest.mark.parametrize(
    ("event", "arguments"),
    [("slow", ["soon"]), ("slow", [1, 2, 3]), ("burst", [{}]), ("join", []), ("kick", [[]])],
)
async def test_a_mistake_is_told_and_not_printed(
    server: Server, event: str, arguments: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    namespace = "/chat" if event == "join" else "/"
    with complaints() as found:
        async with visit(server, "?rate=0", namespace) as visitor:
            answer = await visitor.call(event, *arguments, namespace=namespace)
            assert set(answer) == {"error"}
    assert found == []
    assert capfd.readouterr().err == ""


async def test_a_bad_parameter_is_told(server: Server) -> None:
    visitor, refusals = Visitor(), list[Any]()
    visitor.client.on("connect_error", handler=refusals.append)
    address = server.url.removeprefix("socketio+") + "/?rate=fast"
    with pytest.raises(socketio.exceptions.ConnectionError):
        await visitor.client.connect(address, namespaces=["/"], wait_timeout=PATIENCE)
    assert refusals[0]["message"] == "bad parameter"


@pytest.mark.parametrize("rubbish", ["9", "2", "42[", '52-["binary"]', "45-[", "7{}", "2/nowhere,[1]"])
async def test_rubbish_is_not_printed(server: Server, rubbish: str, capfd: pytest.CaptureFixture[str]) -> None:
    with complaints() as found:
        async with visit(server) as visitor:
            await visitor.client.eio.send(rubbish)
            await visitor.client.eio.send(b"an attachment of nothing")
    assert found == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_closing_is_quick_and_leaves_no_task(transport: str) -> None:
    server = await serve()
    async with visit(server, "?rate=1000", "/", "/chat", transports=[transport]) as visitor:
        await visitor.client.emit("slow", 60_000)
        await eventually(lambda: len(visitor.seen) > 10)
        began = time.monotonic()
        await server.close()
        assert time.monotonic() - began < 20
        await eventually(lambda: not visitor.client.connected)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("demo ")]
    with pytest.raises(OSError, match=str(server.port)):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_a_client_that_never_reads_cannot_hold_the_server() -> None:
    server = await serve()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    await eventually(lambda: server._play.server.eio.sockets)
    began = time.monotonic()
    await server.close()
    assert time.monotonic() - began < 20
    writer.close()


async def test_tls() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    server = await serve(ssl=context)
    try:
        assert server.url.startswith("socketio+https://")
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
            client = socketio.AsyncClient(reconnection=False, handle_sigint=False, http_session=session)
            await client.connect(server.url.removeprefix("socketio+") + "/?rate=0", wait_timeout=PATIENCE)
            assert await client.call("echo", "secret", timeout=PATIENCE) == "secret"
            await client.disconnect()
    finally:
        await server.close()


@pytest.mark.node
@pytest.mark.skipif(
    not shutil.which("node") or not Path(MODULES, "socket.io-client").is_dir(),
    reason="needs node and RTUI_NODE_MODULES=…/node_modules with the package socket.io-client",
)
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_the_usual_client_gets_along(server: Server, transport: str) -> None:
    told = await node_told(server.url.removeprefix("socketio+"), transport)
    assert told["echo"] == [1, {"a": [2]}, "drei"]
    assert told["binary"] == ["AgE="]
    assert told["image"] == ["pixel.png", len(PNG)]
    assert told["verdict"][0]["right"] is True
    assert told["refused"] == {"message": "not authorized", "data": {"code": 401, "wanted": {"token": "demo"}}}
    assert told["secret"] == [{"granted": True}, [4, 8, 15, 16, 23, 42]]
    assert told["heard"] == ["lobby", "ann", "hi"]


async def node_told(address: str, transport: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        "node", str(NODE_SCRIPT), address, transport, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        told, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(told)
