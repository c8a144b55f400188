"""Against Google's servers for Node and for Python: peers that share no code with us, asked the same questions."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from rtui.core.command import Hangup, Poke, Subscribe, Unsubscribe
from rtui.core.event import Measured, Offered, Subscribed, Unsubscribed
from rtui.protocols.grpc import Subscription
from tests.protocols.grpc_foreign import MODULES, PROTOS, SERVICE, Foreign, Talk, running
from tests.protoset import protoset
from tests.waiting import PATIENCE

NOTE = {
    "text": "kůň 🎉 \u2028",
    "bigNumber": "-9007199254740993",
    "ratio": 0.1,
    "blob": "AP/+",
    "colour": "COLOUR_RED",
    "deltas": [-1, 0, 2147483647],
    "counts": {"most": "18446744073709551615"},
    "byName": {"ž": {"givenName": "Ž", "innerOnes": [{}, {"givenName": "deep"}]}},
    "at": "2026-11-21T09:00:00.000001Z",
    "took": "-1.500s",
    "extra": {"a": [1.0, None, True, {"b": "c"}]},
    "any": {"@type": "type.googleapis.com/foreign.v1.Note.Inner", "givenName": "packed"},
    "rightOne": {"givenName": "one of"},
    "flag": False,
    "maybe": "0",
}


def needs_node() -> bool:
    return bool(shutil.which("node") and MODULES and Path(MODULES, "@grpc", "reflection").is_dir())


PEERS = [
    pytest.param(
        "node",
        marks=[
            pytest.mark.node,
            pytest.mark.skipif(not needs_node(), reason="needs node and RTUI_NODE_MODULES with @grpc/reflection"),
        ],
    ),
    "grpcio",
]


@pytest.fixture(scope="module", params=PEERS)
def peer(request: pytest.FixtureRequest) -> Iterator[Foreign]:
    with running(request.param) as found:
        yield found


async def test_reflection_tells_all_that_there_is(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        await talk.until(lambda: talk.link.of(Offered))
        offers = {one.channel: one for one in talk.link.of(Offered)[-1].channels}
        kinds = {name.partition("/")[2]: one.kind for name, one in offers.items() if name.startswith(SERVICE)}
        assert kinds == {
            "Echo": "unary",
            "Count": "server stream",
            "Gather": "client stream",
            "Converse": "bidi stream",
            "Tell": "unary",
            "Fail": "unary",
            "FailLate": "server stream",
            "Hang": "server stream",
            "Cancelled": "unary",
        }
        template = json.loads(offers[f"{SERVICE}/Echo"].template)
        assert set(NOTE) - {"rightOne"} <= set(template)
        assert talk.link.details["health"] == "SERVING"
        assert talk.link.details["schema"] == f"reflection {'v1' if peer.name == 'node' else 'v1alpha'}"


async def test_every_kind_of_field_comes_back(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        assert json.loads((await talk.asked("Echo", NOTE)).payload) == NOTE
        assert (await talk.asked("Echo")).payload == b"{}"


async def test_a_template_can_be_sent_as_it_is(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        await talk.until(lambda: talk.link.of(Offered))
        (template,) = (one.template for one in talk.link.of(Offered)[-1].channels if one.channel.endswith("/Echo"))
        await talk.asked("Echo", json.loads(template))


async def test_a_server_stream_comes_in_order(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        command = talk.send("Count", {"count": 5000, "size": 100})
        end = await talk.ended(command)
        assert [note["bigNumber"] for note in talk.said("Count")] == [str(n) for n in range(1, 5001)]
        assert {event.replies_to for event in talk.answers("Count")} == {command}
        assert (end["status"], end["code"]) == ("OK", 0)


async def test_a_client_stream_is_answered_once_it_ends(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        for text in ("one", "two"):
            talk.send("Gather", {"text": text})
        talk.half_close("Gather")
        await talk.until(lambda: talk.said("Gather"))
        assert talk.said("Gather") == [{"count": 2, "texts": ["one", "two"]}]
        # The next is a call of its own.
        talk.send("Gather", {"text": "three"}, end=True)
        await talk.until(lambda: len(talk.said("Gather")) == 2)
        assert talk.said("Gather")[1] == {"count": 1, "texts": ["three"]}


async def test_a_conversation_goes_to_and_fro(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        first = talk.send("Converse", {"text": "0"})
        for number in range(1, 20):
            await talk.until(partial(lambda wanted: len(talk.said("Converse")) == wanted, number))
            talk.send("Converse", {"text": str(number)})
        talk.half_close("Converse")
        assert (await talk.ended(first))["status"] == "OK"
        assert [note["text"] for note in talk.said("Converse")] == [*map(str, range(20)), "bye"]


async def test_two_conversations_at_once(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        first = talk.send("Converse", {"text": "first"})
        await talk.until(lambda: len(talk.said("Converse")) == 1)
        second = talk.send("Converse", {"text": "second"}, new_call=True, end=True)
        await talk.ended(second)
        talk.half_close("Converse")
        await talk.ended(first)
        by_call = [[note.payload for note in talk.answers("Converse") if note.replies_to == c] for c in (first, second)]
        assert by_call == [[b'{"text":"first"}', b'{"text":"bye"}'], [b'{"text":"second"}', b'{"text":"bye"}']]


async def test_metadata_both_ways(peer: Foreign) -> None:
    async with peer.talk(metadata={"X-Mine": "of the connection", "x-blob-bin": "AP8="}) as talk:
        await talk.opened()
        answer = await talk.asked("Tell", metadata={"x-more": "of the call"})
        heard = json.loads(answer.payload)["metadata"]
        assert heard["x-mine"] == "of the connection"
        assert heard["x-blob-bin"] == "AP8="
        assert heard["x-more"] == "of the call"
        assert "rtui" in heard["user-agent"]
        assert answer.meta is not None
        assert answer.meta["metadata"]["x-first"] == "initial"
        assert answer.meta["metadata"]["x-first-bin"] == "AP8="
        assert answer.meta["trailers"] == {"x-last": "trailer", "x-last-bin": "/gE="}


async def test_a_deadline_is_told_and_kept(peer: Foreign) -> None:
    async with peer.talk(deadline=300.0) as talk:
        await talk.opened()
        assert 300 - PATIENCE < json.loads((await talk.asked("Tell")).payload)["deadline"] <= 300.1
        deadline = 0.15
        while not talk.said("Hang"):  # sooner or later an answer comes before its deadline
            late = await talk.failed(talk.send("Hang", {"text": "x"}, deadline=deadline))
            assert late.meta is not None
            assert late.meta["status"] == "DEADLINE_EXCEEDED"
            deadline *= 2
        assert talk.said("Hang") == [{"text": "x"}]
        await talk.asked("Echo")


@pytest.mark.parametrize("method", ["Fail", "FailLate"])
async def test_a_failure_brings_its_details(peer: Foreign, method: str) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        after = 3 if method == "FailLate" else 0
        notice = await talk.failed(talk.send(method, {"code": 9, "message": " příliš 100% ", "after": after}))
        assert len(talk.said(method)) == after
        assert notice.meta is not None
        assert (notice.meta["status"], notice.meta["code"]) == ("FAILED_PRECONDITION", 9)
        assert "příliš 100%" in notice.text
        assert notice.meta["trailers"]["x-last"] == "trailer"
        reason, request = notice.meta["details"]
        assert (reason["@type"], reason["reason"]) == ("type.googleapis.com/google.rpc.ErrorInfo", "TOO_SMALL")
        assert request["fieldViolations"] == [{"field": "items[2].price", "description": "too low"}]


async def test_an_unknown_status_code_of_a_method_that_is_not_there(peer: Foreign, tmp_path: Path) -> None:
    """A schema that promises more than the server has."""
    text = (
        (PROTOS / "calls.proto")
        .read_text()
        .replace("service Calls {", "service Calls {\n  rpc More(Note) returns (Note);")
    )
    (tmp_path / "calls.proto").write_text(text)
    shutil.copy(PROTOS / "note.proto", tmp_path)
    given: dict[str, Any] = {"proto": ["calls.proto"], "import_path": [str(tmp_path)], "reflection": "off"}
    async with peer.talk(**given) as talk:
        await talk.opened()
        notice = await talk.failed(talk.send("More", {}))
        assert notice.meta is not None
        assert notice.meta["status"] == "UNIMPLEMENTED"
        await talk.asked("Echo")


async def test_a_descriptor_set_does_as_well(peer: Foreign, tmp_path: Path) -> None:
    async with peer.talk(
        protoset=str(protoset(PROTOS / "calls.proto", tmp_path / "calls.protoset")), reflection="off"
    ) as talk:
        await talk.opened()
        assert json.loads((await talk.asked("Echo", NOTE)).payload) == NOTE


async def test_the_server_sees_a_cancel(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        before = await cancels(talk)
        command = talk.send("Hang", {"text": "x"})
        await talk.until(lambda: talk.said("Hang"))
        talk.cancel("Hang")
        notice = await talk.failed(command)
        assert notice.meta is not None
        assert notice.meta["status"] == "CANCELLED"
        await one_more_cancel(talk, before)


async def cancels(talk: Talk) -> int:
    return int(json.loads((await talk.asked("Cancelled")).payload).get("count", 0))


async def one_more_cancel(talk: Talk, before: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await cancels(talk) <= before:  # noqa: ASYNC110 - only the server knows
            await asyncio.sleep(0.01)


async def test_a_subscription_is_a_stream_that_is_kept(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        before = await cancels(talk)
        talk.ask(Subscribe(id=100, channel=f"{SERVICE}/Hang", subscription=Subscription(data='{"text":"x"}')))
        await talk.until(lambda: talk.said("Hang"))
        assert [event.channel for event in talk.link.of(Subscribed)] == [f"{SERVICE}/Hang"]
        talk.ask(Unsubscribe(id=101, channel=f"{SERVICE}/Hang"))
        await talk.until(lambda: talk.link.of(Unsubscribed))
        await one_more_cancel(talk, before)


async def test_a_url_with_a_method_streams(peer: Foreign) -> None:
    async with peer.talk("Count") as talk:
        await talk.until(lambda: talk.link.of(Unsubscribed))
        assert talk.said("Count") == []
        assert not [notice for notice in talk.notices() if notice.fault]


async def test_pings_are_answered(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        talk.ask(Poke(id=100))
        await talk.until(lambda: [event for event in talk.link.of(Measured) if event.rtt > 0])


async def test_our_gzip_is_understood(peer: Foreign) -> None:
    async with counting(peer.port) as (port, bytes_up, _):
        async with Talk(f"grpc://localhost:{port}", compression="gzip") as talk:
            await talk.opened()
            text = "x" * 1_000_000
            assert json.loads((await talk.asked("Echo", {"text": text})).payload) == {"text": text}
        assert bytes_up() < 50_000


async def test_their_gzip_is_understood() -> None:
    with running("grpcio", "--gzip") as peer:
        async with counting(peer.port) as (port, _, bytes_down):
            async with Talk(f"grpc://localhost:{port}") as talk:
                await talk.opened()
                await talk.ended(talk.send("Count", {"count": 20, "size": 100_000}))
                assert [len(note["text"]) for note in talk.said("Count")] == [100_000] * 20
            assert bytes_down() < 100_000


@asynccontextmanager
async def counting(port: int) -> AsyncIterator[tuple[int, Callable[[], int], Callable[[], int]]]:
    """A relay to `port`: its own port, and the bytes that went up and down."""
    passed = [0, 0]

    async def pump(which: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                passed[which] += len(data)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(0, reader, far_writer), pump(1, far_reader, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], lambda: passed[0], lambda: passed[1]


async def test_large_messages_cross_both_windows(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        text = "0123456789" * 300_000
        assert json.loads((await talk.asked("Echo", {"text": text})).payload) == {"text": text}


async def test_a_message_over_our_limit_ends_its_call_alone(peer: Foreign) -> None:
    async with peer.talk(max_message=100_000) as talk:
        await talk.opened()
        notice = await talk.failed(talk.send("Count", {"count": 3, "size": 200_000}))
        assert notice.meta is not None
        assert notice.meta["status"] == "RESOURCE_EXHAUSTED"
        assert notice.fault is not None
        assert "max_message" in notice.fault.hint
        assert talk.said("Count") == []
        await talk.asked("Echo")


async def test_a_message_over_their_limit_is_told() -> None:
    with running("grpcio", "--set", "grpc.max_receive_message_length=1000") as peer:
        async with peer.talk() as talk:
            await talk.opened()
            notice = await talk.failed(talk.send("Echo", {"text": "x" * 2000}))
            assert notice.meta is not None
            assert notice.meta["status"] == "RESOURCE_EXHAUSTED"
            await talk.asked("Echo", {"text": "x"})


@pytest.mark.parametrize("name", PEERS)
async def test_a_polite_end_of_the_server(name: str) -> None:
    with running(name) as peer:
        async with peer.talk() as talk:
            await talk.opened()
            await talk.asked("Echo")
            peer.shut_down()
            closed = await talk.closed()
            assert closed.by == "them"
            assert closed.fault is not None
            assert closed.fault.kind == "closed"


async def test_a_hangup_is_polite(peer: Foreign) -> None:
    async with peer.talk() as talk:
        await talk.opened()
        await talk.asked("Echo")
        talk.ask(Hangup(id=100))
        closed = await talk.closed()
        assert (closed.by, closed.clean) == ("us", True)


async def test_too_many_pings_are_named() -> None:
    """grpcio allows three at short intervals (grpc/proposal A8, "Server Enforcement")."""
    with running("grpcio") as peer:
        async with peer.talk(keep_alive=0.1) as talk:
            await talk.opened()
            talk.send("Hang", {"text": "x"})
            fault = (await talk.closed()).fault
            assert fault is not None
            assert "too_many_pings" in fault.sentence()
            assert "keep_alive" in fault.hint


@pytest.mark.parametrize("name", PEERS)
async def test_keep_alive_keeps_where_it_is_allowed(name: str) -> None:
    with running(name, *([] if name == "node" else ["--set", "grpc.http2.max_ping_strikes=0"])) as peer:
        async with peer.talk(keep_alive=0.05) as talk:
            await talk.opened()
            await talk.until(lambda: len(talk.link.of(Measured)) >= 5)
            await talk.asked("Echo")


class Papers(NamedTuple):
    """Files of a test authority."""

    ca: str
    server: tuple[str, str]
    """Key and certificate."""
    client: tuple[str, str]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    def issued(name: str) -> tuple[str, str]:
        leaf = authority.issue_cert(name)
        key, cert = str(folder / f"{name}.key"), str(folder / f"{name}.pem")
        leaf.private_key_pem.write_to_path(key)
        for number, pem in enumerate(leaf.cert_chain_pems):
            pem.write_to_path(cert, append=bool(number))
        return key, cert

    return Papers(str(folder / "ca.pem"), issued("localhost"), issued("client.example"))


@pytest.mark.parametrize("name", PEERS)
async def test_tls(name: str, papers: Papers) -> None:
    with running(name, "--tls", *papers.server) as peer:
        async with peer.talk(scheme="grpcs", ca=papers.ca) as talk:
            await talk.opened()
            assert json.loads((await talk.asked("Echo", NOTE)).payload) == NOTE
            assert talk.link.details["tls"].startswith("TLS")
        async with peer.talk(scheme="grpcs") as talk:
            assert talk.adapter.explain(await talk.error()).kind == "tls"
        async with peer.talk(scheme="grpc") as talk:
            fault = talk.adapter.explain(await talk.error())
            assert "grpcs" in fault.hint


async def test_mutual_tls(papers: Papers) -> None:
    with running("grpcio", "--tls", *papers.server, "--client-ca", papers.ca) as peer:
        key, cert = papers.client
        async with peer.talk(scheme="grpcs", ca=papers.ca, key=key, cert=cert) as talk:
            await talk.opened()
            await talk.asked("Echo")
        async with peer.talk(scheme="grpcs", ca=papers.ca) as talk:
            fault = talk.adapter.explain(await talk.error())
            assert "certificate" in f"{fault.sentence()} {fault.hint}"


@pytest.mark.parametrize("name", PEERS)
async def test_tls_is_named_where_there_is_none(name: str, papers: Papers) -> None:
    with running(name) as peer:
        async with peer.talk(scheme="grpcs", ca=papers.ca) as talk:
            fault = talk.adapter.explain(await talk.error())
            assert fault.kind == "tls"
            assert "grpc://" in fault.hint
