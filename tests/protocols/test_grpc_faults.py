"""What goes wrong with gRPC, each in its own words."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme

from rtui.core.command import Cancel, Send
from rtui.core.event import Acknowledged, Notice, Opened, Received, Sent
from rtui.core.fault import Fault
from rtui.protocols.grpc import Grpc, Options, Outgoing
from tests.certificate import server_context
from tests.conformance.recorder import Recorder, Run
from tests.conformance.suite import fault_of
from tests.protocols.grpc_peer import GrpcPeer, Script, Served, framed, grpc_serving, note
from tests.protocols.http_peer import Client, answering, serving
from tests.waiting import eventually


def attempt(url: str, **options: Any) -> Run:
    return Run(Grpc(), Recorder(url, Options(**{"proxy": "", **options})))


async def fault_at(url: str, **options: Any) -> Fault:
    async with attempt(url, **options) as run:
        return await fault_of(run)


@asynccontextmanager
async def against(script: Script, **options: Any) -> AsyncIterator[tuple[Run, GrpcPeer]]:
    """An open connection to a server whose calls go as `script` says."""
    async with grpc_serving(script) as peer, attempt(peer.url(), **options) as run:
        await run.opened()
        yield run, peer


async def failed(run: Run, command: int = 1) -> Notice:
    """How the call that `command` opened failed."""
    await run.until(lambda: [notice for notice in run.notices() if notice.command == command])
    (notice,) = [notice for notice in run.notices() if notice.command == command]
    assert notice.fault
    return notice


async def asked(script: Script, method: str = "Unary", payload: bytes = b"{}", **options: Any) -> Notice:
    """How one call fails with such a server."""
    async with against(script, **options) as (run, _):
        run.ask(Send(id=1, channel=f"t.Calls/{method}", payload=payload))
        return await failed(run)


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
        fault = await fault_at(peer.url("grpc"), timeout=0.2)
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

    async with grpc_serving(hang, reflection=False) as peer, attempt(peer.url(), timeout=0.3) as run:
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


# Calls that fail


async def echo(call: Served) -> None:
    call.head()
    async for message in call.requests():
        call.say(message)
    call.end()


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (5, "NOT_FOUND", "usage"),
        (7, "PERMISSION_DENIED", "auth"),
        (14, "UNAVAILABLE", "busy"),
        (99, "CODE_99", "protocol"),
    ],
)
async def test_a_status_is_told_in_words(code: int, status: str, kind: str) -> None:
    async def fail(call: Served) -> None:
        call.head(("x-initial", "yes"))
        call.end(code, "no%20such%20%C4%8D", ("x-trailer", "end"))

    notice = await asked(fail)
    assert notice.fault
    assert notice.fault.kind == kind
    assert f"{status}: no such č" in notice.text
    meta = notice.meta or {}
    assert (meta["status"], meta["code"], meta["message"]) == (status, code, "no such č")
    assert (meta["metadata"], meta["trailers"]) == ({"x-initial": "yes"}, {"x-trailer": "end"})


async def test_trailers_only() -> None:
    async def fail(call: Served) -> None:
        call.refuse(12, "unknown method", ("x-why", "none"))

    notice = await asked(fail)
    assert "UNIMPLEMENTED: unknown method" in notice.text
    assert (notice.meta or {})["trailers"] == {"x-why": "none"}


@pytest.mark.parametrize("status", ["", "x", "-1"])
async def test_an_end_without_a_status(status: str) -> None:
    async def fail(call: Served) -> None:
        call.head()
        if status:
            call.end(status)
        else:
            call.finish()

    notice = await asked(fail)
    assert (notice.meta or {})["status"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("code", "name", "status"),
    [
        (0, "NO_ERROR", "INTERNAL"),
        (2, "INTERNAL_ERROR", "INTERNAL"),
        (7, "REFUSED_STREAM", "UNAVAILABLE"),
        (8, "CANCEL", "CANCELLED"),
        (11, "ENHANCE_YOUR_CALM", "RESOURCE_EXHAUSTED"),
        (12, "INADEQUATE_SECURITY", "PERMISSION_DENIED"),
        (200, "0xc8", "UNKNOWN"),
    ],
)
async def test_a_reset_stream(code: int, name: str, status: str) -> None:
    async def reset(call: Served) -> None:
        call.head()
        call.reset(code)

    notice = await asked(reset, "Down")
    assert name in notice.text
    assert ((notice.meta or {})["status"], (notice.meta or {})["reset"]) == (status, name)


async def test_a_web_page_in_the_place_of_one_answer() -> None:
    async def page(call: Served) -> None:
        call.head(status=502, media_type="text/html")
        call.raw(b"bad gateway", end_stream=True)

    notice = await asked(page)
    assert notice.fault
    assert "HTTP 502" in notice.fault.cause
    assert (notice.meta or {})["status"] == "UNAVAILABLE"


async def test_a_deadline_is_told_to_the_server_and_kept_without_it() -> None:
    async def hang(call: Served) -> None:
        await call.cancelled()

    async with against(hang) as (run, peer):
        run.ask(Send(id=1, channel="t.Calls/Unary", payload=b"{}", outgoing=Outgoing(deadline=0.1)))
        notice = await failed(run)
        await eventually(lambda: peer.calls[0].reset_with == 8)
        assert peer.calls[0].headers["grpc-timeout"] == "100m"
    assert notice.fault
    assert (notice.fault.kind, notice.fault.side) == ("timeout", "us")
    assert (notice.meta or {})["status"] == "DEADLINE_EXCEEDED"


async def test_a_call_is_cancelled_in_the_middle() -> None:
    async def count(call: Served) -> None:
        call.head()
        call.say(note(number=1))
        await call.cancelled()

    async with against(count) as (run, peer):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        await run.until(lambda: run.link.received)
        run.ask(Cancel(id=2, channel="t.Calls/Down"))
        notice = await failed(run)
        await eventually(lambda: peer.calls[0].reset_with == 8)
        assert notice.fault
        assert (notice.fault.side, (notice.meta or {})["status"]) == ("us", "CANCELLED")
        run.ask(Cancel(id=3))
        assert (await failed(run, 3)).text == "No running call: there is nothing to cancel"


async def test_a_call_that_ends_while_we_still_send() -> None:
    async def enough(call: Served) -> None:
        await call.asked()
        call.head()
        call.say(note("enough"))
        call.end()

    async with against(enough) as (run, peer):
        run.ask(Send(id=1, channel="t.Calls/Up", payload=b"{}"))
        await run.until(lambda: run.link.received)
        assert run.link.received[0].settles
        await eventually(lambda: peer.calls[0].reset_with == 0)


async def test_one_reply_is_not_two_and_not_none() -> None:
    async def twice(call: Served) -> None:
        call.head()
        call.say(note("1"))
        call.say(note("2"))
        call.end()

    async def never(call: Served) -> None:
        call.head()
        call.end()

    assert "2 replies" in (await asked(twice)).text
    assert "without a reply" in (await asked(never)).text


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


# Messages


async def test_a_message_over_the_limit() -> None:
    async def large(call: Served) -> None:
        call.head()
        call.say(note("fits"))
        call.say(note("x" * 2000))
        await call.cancelled()

    async with against(large, max_message=1000) as (run, peer):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        notice = await failed(run)
        assert run.link.payloads == [b'{"text":"fits"}']
        await eventually(lambda: peer.calls[0].reset_with == 8)
    assert notice.fault
    assert (notice.fault.kind, notice.fault.hint) == ("limit", "Raise max_message to accept it")


async def test_a_compressed_message_that_grows_over_the_limit() -> None:
    async def bomb(call: Served) -> None:
        call.head(("grpc-encoding", "gzip"))
        call.say(gzip.compress(bytes(10_000_000)), 1)
        await call.cancelled()

    notice = await asked(bomb, "Down", max_message=1_000_000)
    assert notice.fault
    assert notice.fault.kind == "limit"
    assert "after decompression" in notice.fault.cause


@pytest.mark.parametrize(
    ("encoding", "flag", "body", "words"),
    [
        ("snappy", 1, b"x", "snappy"),
        ("", 1, b"x", "nothing that the server names"),
        ("gzip", 1, b"no gzip", "cannot be decompressed"),
        ("gzip", 1, gzip.compress(b"abc", mtime=0)[:-9], "ends too early"),
        ("gzip", 7, b"", "the flag 7"),
    ],
)
async def test_broken_compression(encoding: str, flag: int, body: bytes, words: str) -> None:
    async def squeeze(call: Served) -> None:
        call.head(*([("grpc-encoding", encoding)] if encoding else []))
        call.say(body, flag)
        await call.cancelled()

    notice = await asked(squeeze, "Down")
    assert notice.fault
    assert notice.fault.kind == "protocol"
    assert words in notice.text


async def test_a_message_that_is_none_of_its_type_is_shown_as_bytes() -> None:
    async def babble(call: Served) -> None:
        call.head()
        call.say(b"\xff\xff\xff")
        call.say(note("and on"))
        call.end()

    async with against(babble) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        await run.until(lambda: run.link.of(Acknowledged))
        assert len(run.link.received) == 2
        assert run.link.payloads[1] == b'{"text":"and on"}'


async def test_a_stream_that_ends_inside_a_message() -> None:
    async def cut(call: Served) -> None:
        call.head()
        call.raw(framed(note("half"))[:-2])
        call.end()

    async with against(cut) as (run, _):
        run.ask(Send(id=1, channel="t.Calls/Down", payload=b"{}"))
        notice = await failed(run)
    assert notice.fault
    assert "inside a message" in notice.text


async def test_nothing_is_left_behind_by_calls_that_run() -> None:
    async def hang(call: Served) -> None:
        await call.cancelled()

    async with against(hang) as (run, peer):
        for number in range(1, 6):
            run.ask(Send(id=number, channel="t.Calls/Down", payload=b"{}", outgoing=Outgoing(deadline=60)))
        await eventually(lambda: len(peer.calls) == 5)
        run.task.cancel()
        await asyncio.wait([run.task], timeout=5)
        assert run.task.cancelled()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("grpc")]
        await peer.web.quiet()
    assert run.link.of(Opened)
    assert not run.link.of(Received)
