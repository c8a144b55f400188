"""The conformance suite, asked of WebSocket over TCP and over TLS."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rtui.core.command import Break, Cancel, HalfClose, Subscribe, Unsubscribe
from rtui.demo import websocket as demo
from rtui.protocols.websocket import WebSocket
from tests.conformance.subject import BURST, Peer, Subject
from tests.conformance.suite import over_tcp, over_tls


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
        HalfClose(id=4),
        Cancel(id=5),
    ),
    secret={"token": "token", "password": "password"},
)


test_over_tcp = over_tcp(SUBJECT)
test_an_untrusted_certificate, test_over_tls = over_tls(SUBJECT)
