"""Bad peers of Socket.IO: each ends in one clear sentence, and what has nothing to do with it goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from rtui.core.command import Hangup, Send, Subscribe, Unsubscribe
from rtui.core.event import Acknowledged, Notice, Stalled, Subscribed, Unsubscribed
from rtui.core.fault import Fault
from rtui.demo import websocket as websocket_demo
from rtui.protocols.socketio import Outgoing, SocketIO, Subscription
from rtui.protocols.wire.socketio_engine import Line, endpoint
from rtui.protocols.wire.socketio_session import Session
from rtui.protocols.wire.trip import Trip
from tests.conformance.recorder import Recorder, Run
from tests.conformance.suite import fault_of
from tests.protocols.socketio_peer import Client, listening, peer
from tests.protocols.socketio_server import socketio_server
from tests.waiting import PATIENCE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def run(port: int, place: str = "/", **options: Any) -> Run:
    options = {"proxy": "", "timeout": PATIENCE, **options}
    return Run(SocketIO(), Recorder(f"socketio+http://127.0.0.1:{port}{place}", SocketIO.Options(**options)))


async def told(port: int, place: str = "/", **options: Any) -> Fault:
    async with run(port, place, **options) as one:
        fault = await fault_of(one)
    assert fault.title
    assert "\n" not in fault.sentence()
    return fault


def site(handler: Handler) -> web.Application:
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", handler)
    return application


# What stands at the URL instead


@pytest.mark.parametrize("transports", ["auto", "websocket", "polling"])
async def test_a_web_server_without_socketio(transports: str) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    async with listening(site(page)) as port:
        fault = await told(port, transports=transports)
    assert fault.kind == "handshake", fault
    assert fault.cause
    assert fault.hint


@pytest.mark.parametrize("transports", ["auto", "websocket", "polling"])
async def test_another_path_is_named(transports: str) -> None:
    async with socketio_server(lambda _server: None) as port:
        fault = await told(port, "/live/", transports=transports)
    assert fault.kind == "handshake", fault
    assert "404" in fault.sentence()
    assert "path" in fault.hint
    assert fault.meta
    assert fault.meta["status_code"] == 404


@pytest.mark.parametrize("transports", ["auto", "websocket", "polling"])
async def test_a_server_of_plain_websocket(transports: str) -> None:
    server = await websocket_demo.serve()
    try:
        fault = await told(server.port, transports=transports)
    finally:
        await server.close()
    assert fault.kind == "handshake", fault
    assert fault.hint


async def test_a_websocket_that_echoes_what_should_be_answered() -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str("hello and welcome")
        async for message in ws:
            await ws.send_str(message.data)
        return ws

    async with listening(site(echo)) as port:
        fault = await told(port, transports="websocket")
    assert fault.kind in {"handshake", "protocol"}, fault
    assert fault.hint


# Namespaces that are refused


def guarded(server: Any) -> None:
    import socketio

    @server.event
    async def connect(_sid: str, _environ: object, auth: object) -> None:
        if auth == {"token": "wrong"}:
            raise socketio.exceptions.ConnectionRefusedError("bad token", {"retry": False})

    @server.on("connect", namespace="/admin")
    async def admin(_sid: str, _environ: object, auth: object) -> None:
        if auth != {"token": "right"}:
            raise socketio.exceptions.ConnectionRefusedError("not an admin", {"role": "guest"})

    @server.on("*", namespace="*")
    async def echo(event: str, namespace: str, sid: str, *arguments: object) -> None:
        await server.emit(event, arguments, to=sid, namespace=namespace)


async def test_refused_everywhere_is_a_fault_with_reason_and_data() -> None:
    async with socketio_server(guarded, always_connect=False) as port, run(port, auth={"token": "wrong"}) as one:
        error = await one.error()
        fault = one.adapter.explain(error)
    assert fault.kind == "auth", fault
    assert "bad token" in fault.sentence()
    assert "retry" in repr(fault.meta)
    assert not one.adapter.retryable(error)
    assert "wrong" not in repr(fault)


async def test_one_refused_namespace_leaves_the_others_up_and_may_be_asked_again() -> None:
    async with (
        socketio_server(guarded, always_connect=False) as port,
        run(port, namespaces=["/", "/admin"]) as one,
    ):
        await one.opened()
        await one.until(one.notices)
        (notice,) = one.notices()
        assert notice.fault
        assert notice.fault.kind == "auth"
        assert "/admin" in notice.fault.sentence()
        assert "not an admin" in notice.fault.sentence()
        assert "guest" in repr(notice.fault.meta)
        one.ask(Send(id=1, payload=b"[1]", channel="still"))
        await one.until(lambda: one.link.payloads == [b"[1]"])
        one.ask(Subscribe(id=2, channel="/admin", subscription=Subscription(auth={"token": "right"})))
        await one.until(lambda: any(event.channel == "/admin" for event in one.link.of(Subscribed)))
        one.ask(Send(id=3, payload=b"[2]", channel="/admin,now"))
        await one.until(lambda: len(one.link.received) == 2)
        assert one.link.received[1].channel == "/admin,now"


async def test_an_unknown_namespace_is_told_and_the_rest_stands() -> None:
    async with socketio_server(guarded, always_connect=False, namespaces=["/", "/admin"]) as port, run(port) as one:
        await one.opened()
        one.ask(Subscribe(id=1, channel="/nowhere"))
        await one.until(one.notices)
        (notice,) = one.notices()
        assert notice.command == 1
        assert notice.fault
        assert "/nowhere" in notice.fault.sentence()
        one.ask(Send(id=2, payload=b"1", channel="still"))
        await one.until(lambda: one.link.payloads == [b"[1]"])


async def test_a_namespace_that_the_server_closes_leaves_the_others_up() -> None:
    async def script(client: Client) -> None:
        def answer(them: Client, packet: str) -> None:
            them.tell("1/chat,") if "kick" in packet else them.tell(packet)

        await client.serve(answer)

    async with peer(script) as port, run(port, namespaces=["/", "/chat"]) as one:
        await one.opened()
        await one.until(lambda: len(one.link.of(Subscribed)) == 2)
        one.ask(Send(id=1, payload=b"1", channel="kick"))
        await one.until(lambda: one.link.of(Unsubscribed))
        assert one.link.of(Unsubscribed)[0].channel == "/chat"
        assert any("/chat" in notice.text for notice in one.notices())
        one.ask(Send(id=2, payload=b"2", channel="still"))
        await one.until(lambda: one.link.payloads == [b"[2]"])


async def test_leaving_a_namespace_leaves_the_others_up() -> None:
    async with socketio_server(guarded, namespaces="*") as port, run(port, namespaces=["/", "/x"]) as one:
        await one.opened()
        await one.until(lambda: len(one.link.of(Subscribed)) == 2)
        one.ask(Unsubscribe(id=1, channel="/x"))
        await one.until(lambda: one.link.of(Unsubscribed))
        one.ask(Send(id=2, payload=b"2", channel="still"))
        await one.until(lambda: one.link.payloads == [b"[2]"])


# Acknowledgements that do not come


async def silence(client: Client) -> None:
    await client.serve()


async def test_an_acknowledgement_that_does_not_come_in_time() -> None:
    async with peer(silence) as port, run(port) as one:
        await one.opened()
        one.ask(Send(id=1, payload=b"1", channel="ask", outgoing=Outgoing(ack=True, ack_timeout=0.05)))
        await one.until(one.notices)
        (notice,) = one.notices()
        assert (notice.command, notice.level) == (1, "error")
        assert notice.fault
        assert notice.fault.kind == "timeout"
        assert not one.link.of(Acknowledged)


@pytest.mark.parametrize("how", ["namespace", "session", "reset"])
async def test_a_kick_fails_what_still_waits_for_an_acknowledgement(how: str) -> None:
    async def script(client: Client) -> None:
        await client.greet()
        await client.message()
        if how == "reset":
            await client.cut()
        else:
            client.say({"namespace": "41", "session": "1"}[how])
        await asyncio.Event().wait()

    async with peer(script) as port, run(port, transports="websocket") as one:
        await one.opened()
        one.ask(Send(id=1, payload=b"1", channel="ask", outgoing=Outgoing(ack=True, ack_timeout=0)))
        await asyncio.wait([one.task], timeout=PATIENCE)
        assert one.task.done()
        refused = [notice for notice in one.notices() if notice.command == 1]
        assert len(refused) == 1
        assert refused[0].fault


# Limits


async def test_more_than_the_server_takes_ends_with_the_reason() -> None:
    async with socketio_server(guarded, max_http_buffer_size=2_000) as port, run(port) as one:
        await one.opened()
        one.ask(Send(id=1, payload=json.dumps("x" * 5_000).encode(), channel="big"))
        fault = await fault_of(one)
    assert fault.kind == "closed", fault
    assert "1009" in fault.cause
    assert "maxHttpBufferSize" in fault.hint


@pytest.mark.parametrize("transports", ["websocket", "polling"])
async def test_more_than_we_take_is_told(transports: str) -> None:
    async def script(client: Client) -> None:
        await client.greet()
        client.tell(f'2["big","{"x" * 9_000}"]')
        await client.serve()

    async with peer(script) as port, run(port, transports=transports, max_size=5_000) as one:
        fault = await fault_of(one)
    assert fault.kind == "limit", fault
    assert "max_size" in fault.hint


# Packets that are none

BAD: list[list[str | bytes]] = [
    ["4"],
    ["4x"],
    ["47[]"],
    ["42["],
    ['42{"a":1}'],
    ["42[1"],
    ["43[]"],
    ["42[[]]"],
    ['451-["a",{"_placeholder":true,"num":3}]', b"x"],
    ['451-["a",{"_placeholder":true,"num":0}]', '42["next"]'],
    [b"nobody announced me"],
    ['45-["a"]'],
    ['4599999999-["a"]'],
]


@pytest.mark.parametrize("transports", ["websocket", "polling"])
@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_a_packet_that_is_none_is_told_in_one_sentence(bad: list[str | bytes], transports: str) -> None:
    async def script(client: Client) -> None:
        await client.greet()
        client.say(*bad)
        client.tell('2["still",1]')
        await client.serve()

    async with peer(script) as port, run(port, transports=transports) as one:
        await one.until(lambda: one.task.done() or b"[1]" in one.link.payloads)
        faults = [notice.fault for notice in one.notices()] or [await fault_of(one)]
        assert len(faults) == 1, faults
        assert faults[0]
        assert faults[0].kind == "protocol", faults
        assert faults[0].cause
        assert not one.task.done()


async def test_an_engine_packet_that_is_none() -> None:
    async def script(client: Client) -> None:
        await client.greet()
        client.say("Zoo", "9", "")
        client.tell('2["still",1]')
        await client.serve()

    async with peer(script) as port, run(port, transports="websocket") as one:
        await one.until(lambda: one.task.done() or b"[1]" in one.link.payloads)
        sentences = [notice.text for notice in one.notices()]
        if one.task.done():
            sentences = [(await fault_of(one)).sentence()]
        assert sentences


@pytest.mark.parametrize("name", ["a\x1b]52;c;eA==\x07", "\u202eevil", "\x00", "with\nline", "/x,y"])
async def test_event_names_of_every_kind_come_and_go(name: str) -> None:
    async with socketio_server(guarded) as port, run(port) as one:
        await one.opened()
        channel = f"/,{name}" if "," in name else name
        one.ask(Send(id=1, payload=b"1", channel=channel))
        await one.until(lambda: one.link.received)
        assert [event.channel for event in one.link.received] == [channel]


# Silence


async def test_a_server_that_goes_silent_after_the_upgrade_is_noticed() -> None:
    async def script(client: Client) -> None:
        await client.greet()
        while not client.websocket:  # noqa: ASYNC110 - the server sets no event for it
            await asyncio.sleep(0.001)
        await client.freeze()

    opening: dict[str, Any] = {"upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 1200}
    async with peer(script, **opening) as port, run(port) as one:
        await one.opened()
        fault = await fault_of(one)
        assert fault.kind == "lost", fault
        assert "ping" in fault.cause


async def test_a_ping_that_is_late_is_told_before_the_connection_is_given_up() -> None:
    late = asyncio.Event()

    async def script(client: Client) -> None:
        await client.greet()
        await late.wait()
        client.say("2")
        await asyncio.Event().wait()

    opening: dict[str, Any] = {"pingInterval": 100, "pingTimeout": 2000}
    async with peer(script, **opening) as port, run(port, transports="websocket") as one:
        await one.opened()
        await one.until(lambda: one.link.of(Stalled))
        assert one.link.of(Stalled)[0].text.endswith("given up after 2.1 s")
        late.set()
        await one.until(lambda: one.link.of(Stalled)[-1].text == "")
        fault = await fault_of(one)
    assert fault.kind == "lost", fault


async def test_a_server_that_never_accepts_the_namespace() -> None:
    async def script(_client: Client) -> None:
        await asyncio.Event().wait()

    async with peer(script) as port:
        fault = await told(port, timeout=1.5)
    assert fault.kind == "timeout", fault
    assert "namespace" in fault.title


async def test_a_namespace_that_is_never_answered_leaves_the_others_up() -> None:
    async def script(client: Client) -> None:
        await client.greet()
        await client.message()
        client.tell('2["still",1]')
        await asyncio.Event().wait()

    async with peer(script) as port, run(port, timeout=2.0, namespaces=["/", "/mute"]) as one:
        await one.opened()
        await one.until(lambda: one.link.payloads == [b"[1]"])
        silent = [each.fault for each in one.link.of(Notice) if each.fault]
        assert [(each.kind, each.title) for each in silent] == [("timeout", "The namespace does not answer")]


async def test_a_probe_of_the_upgrade_that_nobody_answers_leaves_polling() -> None:
    async def mute(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await asyncio.Event().wait()
        return ws

    async with peer(echo_script, upgrades=["websocket"], websocket=mute) as port, run(port, timeout=8.0) as one:
        await one.opened()
        assert one.link.details["transport"].startswith("polling")
        one.ask(Send(id=1, payload=b"1", channel="still"))
        await one.until(lambda: one.link.payloads == [b"[1]"])


async def echo_script(client: Client) -> None:
    await client.serve(lambda them, packet: them.tell(packet))


@pytest.mark.parametrize(("served", "transport"), [("websocket", "websocket"), ("polling", "polling")])
async def test_a_server_of_one_transport_is_met_on_it(served: str, transport: str) -> None:
    async with socketio_server(guarded, transports=[served]) as port, run(port) as one:
        await one.opened()
        assert one.link.details["transport"].startswith(transport)
        one.ask(Send(id=1, payload=b"1", channel="still"))
        await one.until(lambda: one.link.payloads == [b"[1]"])
        one.ask(Hangup(id=2))
        closed = await one.closed()
        assert (closed.by, closed.fault) == ("us", None)


async def test_what_nobody_will_acknowledge_is_told_before_the_end_is() -> None:
    link = Recorder("socketio+http://peer/", SocketIO.Options(proxy=""))
    url, whom = endpoint(link.url, link.options)
    session = Session(link, Line(link.options, url, Trip(whom, timeout=1.0, greeting="")))
    session._open = True
    session._acks.expect("/", 7, "/,x", 0.0)
    await session.leave()  # which need not give the loop a turn
    assert [(event.command, event.level) for event in link.of(Notice)] == [(7, "error")]
