"""The conformance suite, asked of WebSocket over TCP and over TLS."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme

from rtui.core.command import Break, Subscribe, Unsubscribe
from rtui.demo import websocket as demo
from rtui.protocols.websocket import WebSocket
from tests.conformance.subject import BURST, Peer, Subject
from tests.conformance.suite import QUESTIONS, Question


@asynccontextmanager
async def peer(context: ssl.SSLContext | None) -> AsyncIterator[Peer]:
    server = await demo.serve(ssl=context)
    try:
        yield Peer(
            {
                "echo": f"{server.url}/echo",
                "goodbye": f"{server.url}/close?code=1000&reason=done",
                "drop": f"{server.url}/drop",
                "refusal": f"{server.url}/status?code=401",
                "flood": f"{server.url}/burst?rate=50000&size=120&n={BURST}",
                "stall": f"{server.url}/silent",
                "invalid-text": f"{server.url}/bad-utf8",
            },
            number=lambda payload: int(json.loads(payload)["n"]),
        )
    finally:
        await server.close()


SUBJECT = Subject(
    adapter=WebSocket,
    peer=peer,
    scheme="ws",
    secure_scheme="wss",
    unsupported=(
        Subscribe(id=1, channel="x"),
        Unsubscribe(id=2, channel="x"),
        Break(id=3, what="hold-acks"),
    ),
    secret={"token": "token", "password": "password"},
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
async def test_over_tcp(question: Question) -> None:
    async with SUBJECT.peer(None) as server:
        await question(SUBJECT, server)


async def test_an_untrusted_certificate(authority: trustme.CA) -> None:
    from tests.conformance.suite import refuses_an_untrusted_certificate

    async with SUBJECT.peer(server_context(authority)) as server:
        await refuses_an_untrusted_certificate(SUBJECT, server)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
async def test_over_tls(question: Question, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> None:
    if question.__name__ == "refuses_an_untrusted_certificate":
        pytest.skip("asked above, of an authority that is not trusted")
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    async with SUBJECT.peer(server_context(authority)) as server:
        await question(trusting(str(ca)), server)


def trusting(ca: str) -> Subject:
    class Trusting(WebSocket):
        @staticmethod
        def Options(**values: object) -> object:  # type: ignore[override]  # noqa: N802 - stands in for the class
            return WebSocket.Options(**{"ca": ca, **values})  # type: ignore[arg-type]

    return Subject(**{**SUBJECT.__dict__, "adapter": Trusting})


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context
