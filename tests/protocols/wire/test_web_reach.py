"""Web requests over TLS and through proxies, and where redirects lead."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from rtui.core.fault import Failure, Fault
from rtui.protocols.request import RequestOptions
from rtui.protocols.wire.reach_fault import Unopened
from rtui.protocols.wire.web import Exchange, Web
from rtui.protocols.wire.web_fault import refused
from tests.port import reserved
from tests.protocols.http_peer import Asked, Client, Peer, Script, answering, repeating, serving, whole
from tests.waiting import PATIENCE

LARGE = 1024**2


class Certified(msgspec.Struct):
    """A server's side of TLS, and the file of the authority that vouches for it."""

    context: ssl.SSLContext
    ca: str


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    authority, path = trustme.CA(), tmp_path_factory.mktemp("tls") / "ca.pem"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(path))
    return Certified(context, str(path))


async def get(url: str, **options: Any) -> tuple[Exchange, bytes]:
    """One answer, whole, of a client that leaves nothing behind."""
    web = Web(RequestOptions(**{"timeout": PATIENCE, "proxy": "", **options}), url)
    try:
        answer = await web.open()
        return answer, await answer.body(LARGE)
    finally:
        await web.close()
        assert all(wire.gone.done() for wire in web.wires)


async def why(url: str, **options: Any) -> Fault:
    """Why there is no answer."""
    with pytest.raises(Unopened) as caught:
        await get(url, **options)
    return caught.value.fault


# TLS


async def test_an_answer_over_tls_tells_what_was_agreed(tls: Certified) -> None:
    async with serving(repeating(whole(b"x")), tls.context) as peer:
        answer, body = await get(peer.url("sse+https"), ca=tls.ca)
    details = answer.details()
    assert (body, details["protocol"], details["tls"]) == (b"x", "HTTP/1.1", "TLS 1.3")
    assert list(details["timings"]) == ["dns", "tcp", "tls", "handshake"]


async def test_an_unknown_authority(tls: Certified) -> None:
    async with serving(answering(b""), tls.context) as peer:
        assert (await why(peer.url("https"))).title == "The certificate's authority is unknown"


async def test_a_certificate_for_another_host() -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("other.example").configure_cert(context)
    with authority.cert_pem.tempfile() as ca:
        async with serving(repeating(whole(b"x")), context) as peer:
            assert (await why(peer.url("https"), ca=ca)).title == "The certificate is for another host"
            _, body = await get(peer.url("https"), ca=ca, server_name="other.example")
    assert body == b"x"


async def test_an_insecure_connection_says_so(tls: Certified) -> None:
    async with serving(repeating(whole()), tls.context) as peer:
        answer, _ = await get(peer.url("https"), insecure=True)
    assert answer.details()["insecure"] is True


async def test_a_plain_url_to_a_tls_port(tls: Certified) -> None:
    async with serving(answering(b""), tls.context) as peer:
        found = await why(peer.url("sse+http"))
    assert (found.title, found.hint) == ("This port wants TLS", "Use sse+https://")


async def test_a_tls_url_to_a_plain_port() -> None:
    async with serving(answering(whole())) as peer:
        found = await why(peer.url("poll+https"), timeout=1.0)
    assert (found.title, found.hint) == ("This port does not speak TLS", "Use poll+http://")


def mutual(authority: trustme.CA) -> ssl.SSLContext:
    """Servers that want a certificate of this authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_a_certificate_of_ours_that_is_missing() -> None:
    """asyncio's servers drop such a client without the alert that OpenSSL would send: so a thread serves."""
    authority = trustme.CA()

    def serve() -> None:
        sock, _ = listener.accept()
        with sock, pytest.raises(ssl.SSLError):
            mutual(authority).wrap_socket(sock, server_side=True)

    with authority.cert_pem.tempfile() as ca, socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        found, _ = await asyncio.gather(why(url, ca=ca), asyncio.to_thread(serve))
    assert found.kind == "tls"
    # Its reset may overtake the alert.
    assert found.title in {"The server wants a client certificate", "Closed right after the TLS handshake"}


async def test_a_server_that_drops_us_after_tls(tls: Certified) -> None:
    async with serving(answering(b""), tls.context) as peer:
        found = await why(peer.url("https"), ca=tls.ca)
    assert (found.title, found.hint) == (
        "Closed right after the TLS handshake",
        "It may want a client certificate: give cert and key",
    )


async def test_our_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("me").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "me.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with serving(repeating(whole(b"x")), mutual(authority)) as peer:
        _, body = await get(peer.url("https"), ca=str(tmp_path / "ca.pem"), cert=str(tmp_path / "me.pem"))
    assert body == b"x"


@pytest.mark.parametrize("size", [100_000, 300_000, 1_000_000])
async def test_nothing_is_lost_when_the_end_comes_before_we_have_read(tls: Certified, size: int) -> None:
    """asyncio's servers wait with their FIN for our goodbye, others do not: so a thread serves."""

    def serve() -> None:
        sock, _ = listener.accept()
        with tls.context.wrap_socket(sock, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(whole(bytes(size)))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving_it = asyncio.ensure_future(asyncio.to_thread(serve))  # noqa: TID251 - awaited below
        options = RequestOptions(timeout=PATIENCE, proxy="", ca=tls.ca)
        web = Web(options, f"https://127.0.0.1:{listener.getsockname()[1]}/")
        answer, got = await web.open(), 0
        async for piece in answer.pieces():
            got += len(piece)
            await asyncio.sleep(0.001)  # slower than the server
        await web.close()
        await serving_it
    assert got == size


async def test_tls_that_hangs() -> None:
    async with serving(lambda client: client.gone()) as peer:
        found = await why(peer.url("https"), timeout=1.0)
        await peer.quiet()
    assert (found.kind, found.cause) == ("timeout", f"the TLS handshake, 127.0.0.1:{peer.port}")


# Proxies


async def relay(client: Client, port: int) -> None:
    """Be a wire to `port`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    try:
        await asyncio.gather(pump(client.reader, writer), pump(reader, client.writer))
    finally:
        writer.close()


async def http_proxy(client: Client) -> None:
    """RFC 9110 §9.3.6, and RFC 9112 §3.2.2."""
    asked = await client.asked()
    if asked.method == "CONNECT":
        client.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await relay(client, int(asked.target.rpartition(":")[2]))
    else:
        assert asked.target.startswith("http://localhost:")
        client.write(whole(b"x"))


async def socks_proxy(client: Client) -> None:
    """RFC 1928, without authentication, for a name."""
    await client.reader.readexactly(3)
    client.write(b"\x05\x00")
    head = await client.reader.readexactly(5)
    assert head == b"\x05\x01\x00\x03\x09"  # the proxy looks it up
    name = await client.reader.readexactly(9)
    assert name == b"localhost"
    port = int.from_bytes(await client.reader.readexactly(2))
    client.write(b"\x05\x00\x00\x01" + bytes(6))
    await relay(client, port)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(("scheme", "proxy"), [("http", http_proxy), ("socks5h", socks_proxy)])
async def test_what_comes_through_a_proxy(tls: Certified, scheme: str, proxy: Script, secure: bool) -> None:
    async with (
        serving(repeating(whole(b"x")), tls.context if secure else None) as peer,
        serving(proxy) as between,
    ):
        url = peer.url("https" if secure else "http", host="localhost")
        answer, body = await get(url, ca=tls.ca, proxy=between.url(scheme, ""))
    assert body == b"x"
    assert answer.details()["proxy"] == between.url(scheme, "")
    assert "proxy" in answer.details()["timings"]


@pytest.mark.parametrize("secure", [False, True])
async def test_requests_in_the_clear_are_handed_to_the_proxy_as_they_are(secure: bool) -> None:
    """RFC 9112 §3.2.2; and a proxy refuses to CONNECT to port 80."""
    async with serving(repeating(whole(b"x", status=403 if secure else 200))) as between:
        proxy = f"http://me:s3cret@127.0.0.1:{between.port}"
        if secure:
            assert (await why("https://far.example/", proxy=proxy)).title == "The proxy refused"
        else:
            answer, body = await get("sse+http://you:own@far.example:8080/a%20b?c=d#e", proxy=proxy)
            assert (body, answer.details()["proxy"]) == (b"x", between.url("http", ""))
            assert list(answer.details()["timings"]) == ["proxy", "handshake"]
    (asked,) = between.requests
    assert asked.head.split(b" HTTP/1.1")[0] == (
        b"CONNECT far.example:443" if secure else b"GET http://far.example:8080/a%20b?c=d"
    )
    assert asked.headers["proxy-authorization"] == "Basic bWU6czNjcmV0"
    if not secure:
        assert asked.headers["host"] == "far.example:8080"
        assert asked.headers["authorization"] == "Basic eW91Om93bg=="


async def test_one_connection_to_the_proxy_is_kept_for_an_origin() -> None:
    async with serving(repeating(whole(b"x"))) as between:
        web = Web(RequestOptions(timeout=PATIENCE, proxy=between.url("http", "")), "http://far.example/")
        for _ in range(2):
            answer = await web.open()
            await answer.body(LARGE)
            assert answer.trip.proxy == between.url("http", "")
        await web.close()
        assert [asked.target for asked in between.requests] == ["http://far.example/"] * 2
        assert "proxy-authorization" not in between.requests[0].headers
        assert between.connections == 1


async def test_a_proxy_that_cannot_reach_the_server_is_suspected() -> None:
    async with serving(repeating(whole(status=502))) as between:
        answer, _ = await get("http://far.example/", proxy=between.url("http", ""))
        found = refused(answer, b"", "server")
    assert found.cause == f"far.example:80, or proxy {between.url('http', '')} before it, answered HTTP 502 OK"


async def test_a_proxy_that_answers_nothing() -> None:
    async def hang_up(client: Client) -> None:
        await client.asked()

    async with serving(hang_up) as between:
        found = await why("http://far.example/", proxy=between.url("http", ""))
    assert found.title == "Closed during the handshake"


@pytest.mark.parametrize("proxy", ["http://", "http://nothing", "http://a:b", "gopher://a:1"])
async def test_what_is_no_proxy(proxy: str) -> None:
    for url in ("http://far.example/", "https://far.example/"):
        with pytest.raises(Failure) as caught:
            await get(url, proxy=proxy)
        assert caught.value.fault.title == "Not a usable proxy URL"


async def test_a_proxy_that_wants_to_know_who_we_are() -> None:
    async with serving(answering(whole(status=407))) as between:
        proxy = f"http://me:s3cret@127.0.0.1:{between.port}"
        found = await why("http://far.example/", proxy=proxy)
    assert (found.kind, found.title) == ("auth", "The proxy wants authentication")
    assert "s3cret" not in repr(found)


async def test_a_proxy_that_is_not_there() -> None:
    with reserved() as port:
        found = await why("http://far.example/", proxy=f"http://127.0.0.1:{port}")
    assert found.title == "The proxy refused the connection"


# Redirects


def to(location: str, status: int = 302, *headers: str) -> bytes:
    """A redirect."""
    return whole(b"", f"Location: {location}", *headers, status=status)


def routes(table: dict[str, bytes]) -> Script:
    """Answers by path."""

    async def script(client: Client) -> None:
        while True:
            asked = await client.asked()
            client.write(table[asked.target])

    return script


@asynccontextmanager
async def elsewhere(answer: bytes, target: bytes) -> AsyncIterator[tuple[Peer, Peer]]:
    """Two origins: the first answers with `answer`, in which PORT stands for the second's."""
    async with (
        serving(repeating(target)) as second,
        serving(repeating(answer.replace(b"PORT", b"%d" % second.port))) as first,
    ):
        yield first, second


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [
        (301, "GET", b""),
        (302, "GET", b""),
        (303, "GET", b""),
        (307, "POST", b"order"),
        (308, "POST", b"order"),
    ],
)
async def test_a_redirect_keeps_method_and_body_where_it_must(status: int, method: str, body: bytes) -> None:
    async with serving(routes({"/": to("/next", status), "/next": whole(b"x")})) as peer:
        answer, got = await get(peer.url(), data="order")
    last = peer.requests[-1]
    assert (last.method, last.target, last.body, got) == (method, "/next", body, b"x")
    assert answer.url == peer.url(path="/next")
    assert answer.redirects == [peer.url(path="/next")] == answer.details()["redirects"]
    assert peer.connections == 1


async def test_a_see_other_keeps_the_question_of_head() -> None:
    async with serving(routes({"/": to("/next", 303), "/next": b"HTTP/1.1 200 OK\r\n\r\n"})) as peer:
        await get(peer.url(), method="HEAD")
    assert peer.requests[-1].method == "HEAD"


async def test_a_circle_is_seen_at_once() -> None:
    async with serving(routes({"/": to("/a"), "/a": to("/b"), "/b": to("/a")})) as peer:
        found = await why(peer.url(), redirects=100)
    assert (found.title, found.kind) == ("Redirected in a circle", "handshake")
    assert found.cause == f"{peer.url(path='/a')} leads back to itself"
    assert len(peer.requests) == 3


async def test_a_cookie_that_was_missing_is_no_circle() -> None:
    async def script(client: Client) -> None:
        while True:
            asked = await client.asked()
            known = "seen=1" in asked.headers.get("cookie", "")
            client.write(whole(b"x") if known else to("/", 302, "Set-Cookie: seen=1; Path=/"))

    async with serving(script) as peer:
        assert (await get(peer.url()))[1] == b"x"


@pytest.mark.parametrize(("limit", "opened"), [(0, False), (1, False), (2, True)])
async def test_redirects_have_a_limit(limit: int, opened: bool) -> None:
    async with serving(routes({"/": to("/a"), "/a": to("/b"), "/b": whole(b"x")})) as peer:
        if opened:
            assert (await get(peer.url(), redirects=limit))[1] == b"x"
            return
        found = await why(peer.url(), redirects=limit)
    assert found.title == "Too many redirects"
    assert found.cause.startswith(f"more than {limit}")


SECRETS = {"token": "t", "cookies": {"ours": "1"}, "headers": {"X-Api-Key": "k", "X-Other": "o"}}


def secrets_of(asked: Asked) -> set[str]:
    return set(asked.headers) & {"authorization", "cookie", "x-api-key", "x-other"}


async def test_another_origin_gets_no_secrets() -> None:
    answer = to("http://127.0.0.1:PORT/", 302, "Set-Cookie: theirs=2")
    async with elsewhere(answer, whole(b"x")) as (first, second):
        await get(first.url(), **SECRETS)
    assert secrets_of(first.requests[0]) == {"authorization", "cookie", "x-api-key", "x-other"}
    # Cookies know no ports (RFC 6265 §8.5): the server's own goes along, ours does not.
    assert secrets_of(second.requests[0]) == {"x-other", "cookie"}
    assert second.requests[0].headers["cookie"] == "theirs=2"
    assert second.requests[0].headers["host"] == f"127.0.0.1:{second.port}"


async def test_the_same_origin_keeps_them() -> None:
    async with serving(routes({"/": to("/next"), "/next": whole(b"x")})) as peer:
        await get(peer.url(), **SECRETS)
    assert secrets_of(peer.requests[1]) == {"authorization", "cookie", "x-api-key", "x-other"}


async def test_a_newer_cookie_of_the_server_wins() -> None:
    moved = to("/next", 302, "Set-Cookie: ours=new")
    async with serving(routes({"/": moved, "/next": whole(b"x")})) as peer:
        await get(peer.url(), cookies={"ours": "old", "more": "1"})
    assert peer.requests[1].headers["cookie"] == "more=1; ours=new"


async def test_nothing_encrypted_goes_on_in_the_clear(tls: Certified) -> None:
    async with serving(repeating(to("http://127.0.0.1:9/")), tls.context) as peer:
        found = await why(peer.url("https"), ca=tls.ca)
    assert (found.title, found.cause) == ("Refused for safety", "a redirect from https to http: http://127.0.0.1:9/")


@pytest.mark.parametrize("location", ["ftp://far.example/", "http://host:port/", "javascript:alert(1)"])
async def test_a_redirect_to_nowhere(location: str) -> None:
    async with serving(repeating(to(location))) as peer:
        found = await why(peer.url())
    assert (found.kind, found.title) == ("handshake", "A redirect that cannot be followed")


async def test_a_redirect_without_a_place_is_an_answer() -> None:
    async with serving(repeating(whole(b"x", status=302))) as peer:
        answer, body = await get(peer.url())
    assert (answer.status, body) == (302, b"x")


async def test_the_secrets_of_a_redirect_are_not_shown() -> None:
    async with serving(routes({"/": to("/next?token=canary"), "/next?token=canary": whole(b"x")})) as peer:
        answer, _ = await get(peer.url())
    assert "canary" not in f"{answer.url} {answer.redirects} {answer.details()}"


async def test_a_redirect_whose_body_never_ends_is_followed() -> None:
    async def script(client: Client) -> None:
        asked = await client.asked()
        if asked.target == "/":
            client.head(302, "text/html", "Location: /next", chunked=True)
            client.chunk(b"moved")
            await client.gone()
        client.answer(b"x")

    async with serving(script) as peer:
        assert (await get(peer.url()))[1] == b"x"
    assert peer.connections == 2


async def test_a_redirect_to_where_nobody_is_names_that_place() -> None:
    with reserved() as port:
        async with serving(repeating(to(f"http://127.0.0.1:{port}/"))) as peer:
            found = await why(peer.url())
    assert (found.kind, found.cause) == ("refused", f"nobody listens on 127.0.0.1:{port}")
