"""What goes wrong with gRPC, each in its own words."""

from __future__ import annotations

import asyncio
import ssl
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from rtui.core.command import Send
from rtui.core.event import Acknowledged, Measured, Sent
from rtui.protocols.grpc import Outgoing
from rtui.protocols.wire.grpc_channel import Channel
from rtui.protocols.wire.grpc_pulse import Pulse
from rtui.protocols.wire.trip import Trip
from tests.certificate import server_context
from tests.conformance.recorder import Recorder
from tests.conformance.suite import fault_of
from tests.protocols.grpc_attempt import against, attempt, echo, failed, fault_at
from tests.protocols.grpc_peer import Served, grpc_serving, note
from tests.protocols.http_peer import Client, answering, serving
from tests.waiting import eventually

# The connection


async def test_a_web_server_that_speaks_http_1() -> None:
    async with serving(answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")) as peer:
        fault = await fault_at(peer.url("grpc"))
    assert (fault.kind, fault.title) == ("handshake", "The server does not speak HTTP/2")
    assert "HTTP/1.1" in fault.cause


async def test_a_server_of_something_else() -> None:
    async def shout(client: Client) -> None:
        client.write(b"220 smtp.example.com ESMTP ready, and so on and so on\r\n")
        await client.gone()

    async with serving(shout) as peer:
        fault = await fault_at(peer.url("grpc"))
    assert (fault.kind, fault.title) == ("handshake", "Not a gRPC server")


async def test_a_server_that_is_silent() -> None:
    async def wait(client: Client) -> None:
        await client.gone()

    async with serving(wait) as peer:
        fault = await fault_at(peer.url("grpc"), timeout=1.0)
    assert fault.kind == "timeout"
    assert "HTTP/2 handshake" in fault.cause


async def test_a_server_that_hangs_up() -> None:
    async def leave(client: Client) -> None:
        await client.reader.read(1)

    async with serving(leave) as peer:
        fault = await fault_at(peer.url("grpc"))
    assert (fault.kind, fault.title) == ("lost", "Closed during the handshake")


@pytest.fixture(scope="module")
def context() -> ssl.SSLContext:
    return server_context(trustme.CA())


async def test_a_plain_url_at_a_tls_port(context: ssl.SSLContext) -> None:
    async with grpc_serving(echo, context) as peer:
        fault = await fault_at(peer.url("grpc"))
    assert (fault.kind, fault.title, fault.hint) == ("tls", "This port wants TLS", "Use grpcs://")


async def test_a_tls_url_at_a_plain_port() -> None:
    async with grpc_serving(echo) as peer:
        fault = await fault_at(peer.url("grpcs"))
    assert (fault.kind, fault.title, fault.hint) == ("tls", "This port does not speak TLS", "Use grpc://")


async def test_a_tls_server_without_http_2(context: ssl.SSLContext) -> None:
    async with serving(answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), context) as peer:
        fault = await fault_at(peer.url("grpcs"), insecure=True)
    assert (fault.kind, fault.title) == ("handshake", "The server does not speak HTTP/2")


async def test_a_server_that_dies() -> None:
    async def die(call: Served) -> None:
        call.client.reset()

    async with against(die) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Unary", payload=b"{}"))
        fault = await fault_of(run)
        assert (fault.kind, fault.title) == ("lost", "Connection lost")
        notice = await failed(run)
    assert notice.fault
    assert notice.fault.kind == "lost"
    assert (notice.meta or {})["status"] == "UNAVAILABLE"


async def test_a_server_that_breaks_http_2() -> None:
    async def babble(call: Served) -> None:
        call.client.write(b"\0\0\4\3\0\0\0\0\0\0\0\0\0")  # RST_STREAM of stream 0

    async with against(babble) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Unary", payload=b"{}"))
        fault = await fault_of(run)
    assert (fault.kind, fault.title) == ("protocol", "Broken HTTP/2")


# The schema


async def test_a_server_without_reflection_can_be_connected_to_but_not_called() -> None:
    async def refuse(call: Served) -> None:
        call.refuse(12, "unknown service")

    async with grpc_serving(refuse, reflection=False) as peer, attempt(peer.url()) as run:
        await run.opened()
        assert [call.path.split(".")[2] for call in peer.calls] == ["v1", "v1alpha"]
        (notice,) = run.notices()
        assert "the server has no reflection" in notice.text
        assert "protoset" in notice.text
        run.ask(Send(id=1, channel="t.Calls/Unary", payload=b"{}"))
        refused = await failed(run)
    assert refused.fault
    assert refused.fault.title == "Not sent: there is no schema"


async def test_reflection_that_wants_authentication() -> None:
    async def refuse(call: Served) -> None:
        call.refuse(16, "who are you?")

    async with grpc_serving(refuse, reflection=False) as peer, attempt(peer.url()) as run:
        await run.opened()
        assert "UNAUTHENTICATED: who are you?" in run.notices()[0].text


async def test_reflection_that_never_answers() -> None:
    async def hang(call: Served) -> None:
        await call.cancelled()

    async with grpc_serving(hang, reflection=False) as peer, attempt(peer.url(), timeout=1.0) as run:
        await run.opened()
        await eventually(lambda: peer.calls[0].reset_with == 8)
        assert "no answer to the reflection request" in run.notices()[0].text


async def test_reflection_that_tells_nonsense() -> None:
    async def babble(call: Served) -> None:
        call.head()
        await call.asked()
        call.say(b"\xff\xff\xff")
        await call.cancelled()

    async with grpc_serving(babble, reflection=False) as peer:
        fault = await fault_at(peer.url())
    assert fault.title == "Reflection makes no sense"


@pytest.mark.parametrize(
    ("status", "kind", "title"),
    [
        (404, "handshake", "Nothing at this path"),
        (401, "auth", "Authentication required"),
        (503, "busy", "Service unavailable"),
    ],
)
async def test_a_web_server_that_speaks_http_2(status: int, kind: str, title: str) -> None:
    async def page(call: Served) -> None:
        call.head(status=status, media_type="text/html")
        call.raw(b"<h1>nothing here</h1>", end_stream=True)

    async with grpc_serving(page, reflection=False) as peer:
        fault = await fault_at(peer.url())
    assert (fault.kind, fault.title) == (kind, title)
    assert fault.meta
    assert fault.meta["body"] == "<h1>nothing here</h1>"


async def test_a_web_page_with_status_200() -> None:
    async def page(call: Served) -> None:
        call.head(media_type="text/html")
        call.raw(b"<h1>welcome</h1>" * 1000)
        await call.cancelled()  # a page without an end is not waited for

    async with grpc_serving(page, reflection=False) as peer:
        fault = await fault_at(peer.url())
    assert (fault.kind, fault.title) == ("handshake", "Not a gRPC server")
    assert "text/html" in fault.cause


# Before anything is sent


@pytest.mark.parametrize(
    ("channel", "payload", "outgoing", "words"),
    [
        ("t.Calls/Unray", b"{}", {}, "Did you mean t.Calls/Unary"),
        ("x.Nothing/Else", b"{}", {}, "There are t.Calls/Unary"),
        ("", b"{}", {}, "package.Service/Method"),
        ("t.Calls/Unary", b'{"number":"many"}', {}, ".number"),
        ("t.Calls/Unary", b"{", {}, "JSON"),
        ("t.Calls/Unary", b"{}", {"metadata": {"no key": "x"}}, "no key"),
        ("t.Calls/Unary", b"{}", {"metadata": {"grpc-status": "0"}}, "grpc-status"),
        ("t.Calls/Unary", b"{}", {"metadata": {"x-bin": "no base64!"}}, "x-bin"),
        ("t.Calls/Unary", b"{}", {"metadata": {"x": "č"}}, "ASCII"),
    ],
)
async def test_what_cannot_be_sent_is_refused_at_home(
    channel: str, payload: bytes, outgoing: dict[str, Any], words: str
) -> None:
    async with against(echo) as (run, peer):
        run.ask(Send(id=1, channel=channel, payload=payload, outgoing=Outgoing(**outgoing)))
        refused = await failed(run)
        assert not peer.calls
    assert refused.fault
    assert refused.fault.kind == "usage"
    assert words in f"{refused.fault.sentence()} {refused.fault.hint}"


async def test_metadata_of_the_connection_that_cannot_be_sent() -> None:
    fault = await fault_at("grpc://127.0.0.1:1", metadata={"no key": "x"})
    assert fault.kind == "usage"


# GOAWAY


async def test_going_away_between_calls_ends_the_connection_to_be_opened_again() -> None:
    async def once(call: Served) -> None:
        call.head()
        call.say(note())
        call.end()
        call.go_away(debug=b"max_age")

    async with against(once) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Unary", payload=b"{}"))
        closed = await run.closed()
        assert run.link.received[0].settles
    assert closed.fault
    assert (closed.by, closed.clean, closed.fault.kind, closed.reason) == ("them", True, "closed", "max_age")


async def test_going_away_lets_the_calls_run_that_the_server_has_begun() -> None:
    go_on = asyncio.Event()

    async def last(call: Served) -> None:
        if call.path.endswith("Unary"):
            return  # too late for it
        call.head()
        await call.asked()
        await eventually(lambda: call.number + 2 in call.h2.streams)
        call.go_away(last=call.number)
        await go_on.wait()
        call.say(note("still here"))
        call.end()

    async with against(last) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        await run.until(lambda: run.link.of(Sent))
        run.ask(Send(id=2, channel="t.Calls/Unary", payload=b"{}"))
        notice = await failed(run, 2)
        assert notice.fault
        assert "did not begin with this call" in notice.text
        assert "sent again" in notice.fault.hint
        run.ask(Send(id=3, channel="t.Calls/Unary", payload=b"{}"))
        assert "going away" in (await failed(run, 3)).text
        go_on.set()
        closed = await run.closed()
        assert closed.clean
        assert run.link.payloads == [b'{"text":"still here"}']
        assert [event.command for event in run.link.of(Acknowledged)] == [1]


async def test_too_many_pings() -> None:
    async def calm(call: Served) -> None:
        call.go_away(11, 0, b"too_many_pings")

    async with against(calm) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Unary", payload=b"{}"))
        closed = await run.closed()
    assert closed.fault
    assert "ENHANCE_YOUR_CALM" in closed.fault.cause
    assert "keep_alive" in closed.fault.hint


async def test_a_ping_that_is_not_answered_ends_the_connection() -> None:
    async def deaf(call: Served) -> None:
        call.client.writer.transport.pause_reading()  # type: ignore[attr-defined]

    async with against(deaf, keep_alive=0.05, keep_alive_timeout=0.1) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        closed = await run.closed()
    assert closed.fault
    assert (closed.by, closed.fault.kind) == ("network", "lost")
    assert "ping" in closed.fault.cause


async def test_an_answer_that_is_here_when_the_patience_ends_is_an_answer() -> None:
    pings: list[bytes] = []
    channel: Any = Channel(Trip(timeout=1.0, greeting=""))

    def ping(data: bytes) -> None:
        """Answered as if the process had stood still until then; the second time the connection is gone."""
        if pings:
            raise ConnectionResetError
        pings.append(data)
        asyncio.get_running_loop().call_soon(channel.ponged, data)

    channel.transport = SimpleNamespace(is_closing=lambda: False)
    channel.h2 = SimpleNamespace(ping=ping)
    channel.connection = SimpleNamespace(flush=lambda: None)
    link = Recorder("", None)
    assert await Pulse(link, channel).keep(0.0, 0.0) is None
    assert len(link.of(Measured)) == 1
