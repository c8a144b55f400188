"""Socket.IO against python-socketio's own server: events, acknowledgements, namespaces, transports, recovery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import socketio
from aiohttp import web

from rtui.core.command import Break, Hangup, Send, Subscribe, Unsubscribe
from rtui.core.event import Acknowledged, Notice, Opened, Subscribed, Unsubscribed
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.protocols import registry
from rtui.protocols.socketio import Options, Outgoing, SocketIO, Subscription
from tests.conformance.recorder import Recorder, Run
from tests.conformance.suite import fault_of
from tests.waiting import PATIENCE, eventually

ACK = Outgoing(ack=True)
TRANSPORTS = ("auto", "websocket", "polling")


class Server:
    """python-socketio's server on a port of its own."""

    def __init__(self, **options: Any) -> None:
        self.sio = socketio.AsyncServer(async_mode="aiohttp", namespaces=["/", "/chat", "/secret"], **options)
        self.answers: list[Any] = []
        self.auth: dict[str, Any] = {}
        self.url = ""
        self.sio.on("connect", self._connect, namespace="/secret")
        for name in ("/", "/chat"):
            self.sio.on("connect", self._joined(name), namespace=name)
            self.sio.on("*", self._handler(name), namespace=name)

    def _joined(self, namespace: str) -> Any:
        async def joined(_sid: str, _environ: Any, auth: Any = None) -> None:
            self.auth[namespace] = auth

        return joined

    async def _connect(self, _sid: str, _environ: Any, auth: Any = None) -> None:
        if not isinstance(auth, dict) or auth.get("token") != "open sesame":
            raise socketio.exceptions.ConnectionRefusedError("bad token", {"code": 7})

    def _handler(self, namespace: str) -> Any:
        async def handle(event: str, sid: str, *args: Any) -> Any:
            return await self._handle(namespace, event, sid, *args)

        return handle

    async def _handle(self, namespace: str, event: str, sid: str, *args: Any) -> Any:
        match event:
            case "echo":
                await self.sio.emit("echo", args, to=sid, namespace=namespace)
                return args
            case "burst":
                for number in range(args[0]):
                    await self.sio.emit("tick", (number, "text"), to=sid, namespace=namespace)
            case "ask":
                await self.sio.emit("question", (1, 2), to=sid, namespace=namespace, callback=self._answered)
            case "kick":
                await self.sio.disconnect(sid, namespace)
            case "slow":
                await asyncio.sleep(60)
        return None

    def _answered(self, *args: Any) -> None:
        self.answers.append(args)


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Server]:
    server = Server(**options)
    app = web.Application()
    server.sio.attach(app)
    async with hosting(app) as place:
        server.url = f"socketio+http://{place}"
        yield server
        await server.sio.shutdown()


@asynccontextmanager
async def hosting(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as found:
        yield found


def run(url: str, *, memory: dict[str, Any] | None = None, **options: Any) -> Run:
    return Run(SocketIO(), Recorder(url, Options(**{"proxy": "", **options}), memory))


def acks(attempt: Run) -> list[Acknowledged]:
    return attempt.link.of(Acknowledged)


def errors(attempt: Run) -> list[Notice]:
    return [notice for notice in attempt.notices() if notice.fault is not None]


def test_it_is_known_by_its_schemes() -> None:
    assert registry.for_url("socketio+http://localhost:3000")[0] is SocketIO
    assert registry.for_url("https://localhost", "socketio")[1] == "socketio+https://localhost"


# Talking


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_events_keep_every_argument_and_every_digit(server: Server, transports: str) -> None:
    async with run(server.url, transports=transports) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, channel="echo", payload=b'[1, 2.50, {"a": [null]}, "\xc3\xa9"]'))
        await attempt.until(lambda: attempt.link.received)
        event = attempt.link.received[0]
        assert (event.channel, event.meta, event.kind) == ("echo", None, Kind.MESSAGE)
        assert event.payload.decode() in {'[1,2.5,{"a":[null]},"é"]', '[1,2.5,{"a":[null]},"\\u00e9"]'}
        assert attempt.sent()[0].payload == b'[1, 2.50, {"a": [null]}, "\xc3\xa9"]'


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_bytes_go_both_ways(server: Server, transports: str) -> None:
    async with run(server.url, transports=transports) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, channel="echo", payload=b"\xff\x00\xfe"))
        outgoing = Outgoing(attachments=["hex:01ff", "base64:AAE="])
        attempt.ask(Send(id=2, channel="echo", payload=b'["two"]', outgoing=outgoing))
        await attempt.until(lambda: len(attempt.link.received) == 2)
        first, second = attempt.link.received
        assert first.meta == {"attachments": ["/wD+"]}
        assert second.meta == {"attachments": ["Af8=", "AAE="]}
        assert second.payload == b'["two",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'


async def test_an_attachment_that_cannot_be_read_is_refused(server: Server) -> None:
    async with run(server.url) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, channel="echo", payload=b"[]", outgoing=Outgoing(attachments=["hex:xyz"])))
        await attempt.until(lambda: errors(attempt))
        assert errors(attempt)[0].command == 1
        assert not attempt.sent()


@pytest.mark.parametrize("transports", ["websocket", "polling"])
async def test_a_burst_keeps_its_order(server: Server, transports: str) -> None:
    async with run(server.url, transports=transports) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, channel="burst", payload=b"20000"))
        async with asyncio.timeout(PATIENCE):
            await server_done(attempt, 20_000)
        assert attempt.link.payloads == [b'[%d,"text"]' % number for number in range(20_000)]


async def server_done(attempt: Run, count: int) -> None:
    while len(attempt.link.received) < count:
        assert not attempt.task.done()
        await asyncio.sleep(0.05)


# Acknowledgements


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_an_acknowledgement_names_its_command(server: Server, transports: str) -> None:
    async with run(server.url, transports=transports, namespaces=["/", "/chat"]) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=7, channel="echo", payload=b'["a"]', outgoing=ACK))
        attempt.ask(Send(id=8, channel="/chat,echo", payload=b"\xff", outgoing=ACK))
        await attempt.until(lambda: len(acks(attempt)) == 2)
        found = {ack.command: ack for ack in acks(attempt)}
        assert (found[7].channel, found[7].payload, found[7].meta) == ("echo", b'["a"]', {"ack": 0})
        assert (found[8].channel, found[8].meta) == ("/chat,echo", {"ack": 0, "attachments": ["/w=="]})


async def test_an_acknowledgement_that_is_late_is_told_once(server: Server) -> None:
    async with run(server.url) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=3, channel="slow", payload=b"", outgoing=Outgoing(ack=True, ack_timeout=0.05)))
        await attempt.until(lambda: errors(attempt))
        assert fault(errors(attempt)[0]).kind == "timeout"
        attempt.ask(Hangup(id=4))
        await attempt.closed()
        assert [notice.command for notice in errors(attempt)] == [3]


async def test_a_kick_fails_what_is_awaited_at_once(server: Server) -> None:
    async with run(server.url) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=3, channel="slow", payload=b"", outgoing=Outgoing(ack=True, ack_timeout=0)))
        attempt.ask(Send(id=4, channel="kick", payload=b""))
        closed = await attempt.closed()
        assert (closed.by, closed.clean, closed.fault) == ("them", True, None)
        assert [event.channel for event in attempt.link.of(Unsubscribed)] == ["/"]
        [lost] = [notice for notice in errors(attempt) if notice.command == 3]
        assert "/" in fault(lost).cause


async def test_a_cut_fails_what_is_awaited(server: Server) -> None:
    async with run(server.url) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=3, channel="slow", payload=b"", outgoing=Outgoing(ack=True, ack_timeout=0)))
        attempt.ask(Break(id=4, what="drop"))
        closed = await attempt.closed()
        assert (closed.by, closed.clean) == ("us", False)
        assert [notice.command for notice in errors(attempt)] == [3]


async def test_the_servers_question_is_answered_by_hand_and_once(server: Server) -> None:
    async with run(server.url) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, channel="ask", payload=b""))
        await attempt.until(lambda: attempt.link.received)
        question = attempt.link.received[0]
        assert question.meta is not None
        answer = Outgoing(answer=question.meta["ack"])
        attempt.ask(Send(id=2, channel=question.channel, payload=b'["yes", 2]', outgoing=answer))
        attempt.ask(Send(id=3, channel=question.channel, payload=b'["again"]', outgoing=answer))
        await eventually(lambda: server.answers)
        await attempt.until(lambda: errors(attempt))
        assert server.answers == [("yes", 2)]
        assert (attempt.sent()[-1].kind, errors(attempt)[0].command) == (Kind.ACK, 3)


async def test_nothing_is_answered_without_being_told_to(server: Server) -> None:
    async with run(server.url) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, channel="ask", payload=b""))
        attempt.ask(Send(id=2, channel="echo", payload=b"", outgoing=ACK))
        await attempt.until(lambda: acks(attempt))
        assert not server.answers
        assert [sent.command for sent in attempt.sent()] == [1, 2]


async def test_a_rule_answers_and_can_be_held(server: Server) -> None:
    async with run(server.url, answers={"question": '["by rule"]'}) as attempt:
        await attempt.opened()
        attempt.ask(Break(id=1, what="hold-acks"))
        attempt.ask(Send(id=2, channel="ask", payload=b""))
        await attempt.until(lambda: attempt.link.received)
        assert not server.answers
        attempt.ask(Break(id=3, what="hold-acks", on=False))
        await eventually(lambda: server.answers)
        assert server.answers == [("by rule",)]
        assert attempt.sent()[-1].command == 0


# Namespaces


async def test_the_fragment_is_the_home(server: Server) -> None:
    async with run(f"{server.url}#/chat") as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, channel="echo", payload=b"[1]"))
        await attempt.until(lambda: attempt.link.received)
        assert attempt.link.received[0].channel == attempt.sent()[0].channel == "/chat,echo"
        assert {event.channel for event in attempt.link.of(Subscribed)} == {"/chat"}


async def test_each_namespace_has_its_own_auth_and_its_own_refusal(server: Server) -> None:
    async with run(server.url, auth={"user": "ada"}) as attempt:
        await attempt.opened()
        attempt.ask(Subscribe(id=1, channel="/chat", subscription=Subscription(auth={"room": 5})))
        attempt.ask(Subscribe(id=2, channel="/secret"))
        await attempt.until(lambda: errors(attempt))
        assert server.auth == {"/": {"user": "ada"}, "/chat": {"room": 5}}
        refused = errors(attempt)[0]
        assert (refused.command, fault(refused).kind) == (2, "auth")
        assert "bad token" in fault(refused).cause
        attempt.ask(Subscribe(id=3, channel="secret", subscription=Subscription(auth={"token": "open sesame"})))
        await attempt.until(lambda: any(event.command == 3 for event in attempt.link.of(Subscribed)))


async def test_a_namespace_is_left_alone(server: Server) -> None:
    async with run(server.url, namespaces=["/", "/chat"]) as attempt:
        await attempt.opened()
        attempt.ask(Unsubscribe(id=1, channel="/chat"))
        attempt.ask(Send(id=2, channel="/chat,echo", payload=b""))
        attempt.ask(Send(id=3, channel="echo", payload=b""))
        await attempt.until(lambda: attempt.link.received)
        assert [(event.channel, event.command) for event in attempt.link.of(Unsubscribed)] == [("/chat", 1)]
        assert [notice.command for notice in errors(attempt)] == [2]


async def test_all_refused_is_no_connection(server: Server) -> None:
    async with run(f"{server.url}#/secret") as attempt:
        why = await fault_of(attempt)
        assert why.kind == "auth"
        assert (why.meta or {})["data"] == {"code": 7}
        assert not attempt.link.of(Opened)


async def test_a_namespace_that_put_us_out_can_be_joined_again(server: Server) -> None:
    async with run(server.url, namespaces=["/", "/chat"]) as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, channel="/chat,kick", payload=b""))
        await attempt.until(lambda: attempt.link.of(Unsubscribed))
        attempt.ask(Subscribe(id=2, channel="/chat"))
        await attempt.until(lambda: any(event.command == 2 for event in attempt.link.of(Subscribed)))
        assert not attempt.task.done()


# Transports


@pytest.mark.parametrize(
    ("offered", "wanted", "found"),
    [
        (["polling", "websocket"], "auto", "polling → websocket"),
        (["polling", "websocket"], "websocket", "websocket"),
        (["polling", "websocket"], "polling", "polling"),
        (["websocket"], "auto", "websocket"),
        (["polling"], "auto", "polling (the upgrade failed)"),
    ],
)
async def test_the_transport_is_found(offered: list[str], wanted: str, found: str) -> None:
    async with serving(transports=offered) as server, run(server.url, transports=wanted) as attempt:
        await attempt.opened()
        details = attempt.link.details
        assert (details["transport"], details["protocol"]) == (found, "Socket.IO 5 (Engine.IO 4)")
        assert bool(details.get("fallback")) == (offered == ["websocket"])
        assert {"dns", "tcp", "handshake"} <= set(details["timings"])


async def test_goodbye_is_said(server: Server) -> None:
    left = asyncio.Event()

    async def gone(_sid: str, _reason: str) -> None:
        left.set()

    server.sio.on("disconnect", gone)
    async with run(server.url) as attempt:
        await attempt.opened()
        attempt.ask(Hangup(id=1))
        closed = await attempt.closed()
        assert (closed.by, closed.clean, closed.fault) == ("us", True, None)
        async with asyncio.timeout(PATIENCE):
            await left.wait()


def fault(notice: Notice) -> Fault:
    assert notice.fault is not None
    return notice.fault
