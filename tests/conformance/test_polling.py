"""The conformance suite, asked of polling and long polling over TCP and over TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import get_args

import pytest

from rtui.core.command import Break, Cancel, HalfClose, Send, Subscribe, Unsubscribe
from rtui.protocols.polling import LongPolling, Polling
from tests.conformance.conftest import Secured
from tests.conformance.subject import BURST, INVALID, Peer, Scene, Subject
from tests.conformance.suite import Question, asked, refuses_an_untrusted_certificate
from tests.protocols.http_peer import Client, serving

BODIES = {
    "echo": b'["nobody said anything"]',
    "stall": b'["first and last"]',
    "flood": json.dumps(list(range(BURST))).encode(),
    "invalid-text": b'["' + INVALID + b'"]',
}
MISSING = {"goodbye"}
"""A poll has no end of its own."""
UNASKED = {"longpoll": {"names_the_stage_that_timed_out"}}
"""A long poll without an answer is being held: that is no failure."""


async def script(client: Client) -> None:
    """Plays the scene that the path names: one answer, and none to the next request."""
    asked = await client.asked()
    scene = asked.target.strip("/")
    if scene == "refusal":
        client.answer(b"who are you?", 401, "text/plain")
    elif scene == "drop":
        client.head(length=100)
        await client.send(b"half of a")
        await asyncio.sleep(0)
        client.reset()
        return
    else:
        client.answer(BODIES[scene])
    await client.gone()


@asynccontextmanager
async def scenes(scheme: str, context: ssl.SSLContext | None) -> AsyncIterator[Peer]:
    async with serving(script, context) as server:
        names: list[Scene] = [name for name in get_args(Scene) if name not in MISSING]
        yield Peer({name: server.url(scheme + ("s" if context else ""), f"/{name}") for name in names})


def subject(adapter: type[Polling]) -> Subject:
    plain, secure = adapter.schemes
    return Subject(
        adapter=adapter,
        peer=partial(scenes, plain),
        scheme=plain,
        secure_scheme=secure,
        unsupported=(
            Send(id=1, payload=b"x"),
            Subscribe(id=2, channel="x"),
            Unsubscribe(id=3, channel="x"),
            Break(id=4, what="hold-acks"),
            HalfClose(id=5),
            Cancel(id=6),
        ),
        secret={"token": "token", "password": "password"},
        given={"items": "."},
    )


adapters = pytest.mark.parametrize("adapter", [Polling, LongPolling], ids=lambda one: str(one.name))


@adapters
@asked
async def test_over_tcp(question: Question, adapter: type[Polling]) -> None:
    skip_unasked(question, adapter)
    one = subject(adapter)
    async with one.peer(None) as server:
        await question(one, server)


@adapters
async def test_an_untrusted_certificate(adapter: type[Polling], secured: Secured) -> None:
    one = subject(adapter)
    async with one.peer(secured.context) as server:
        await refuses_an_untrusted_certificate(one, server)


@adapters
@asked
async def test_over_tls(question: Question, adapter: type[Polling], secured: Secured) -> None:
    skip_unasked(question, adapter)
    one = subject(adapter)
    async with one.peer(secured.context) as server:
        await question(one.giving(ca=secured.ca), server)


def skip_unasked(question: Question, adapter: type[Polling]) -> None:
    if question.__name__ in UNASKED.get(adapter.name, ()):
        pytest.skip("a long poll without an answer is being held")
