"""What mosquitto refuses after it let us in: in SUBACK, in PUBACK and PUBREC, and in silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rtui.core.command import Send, Subscribe
from rtui.core.event import Acknowledged, Sent, Subscribed
from rtui.protocols.mqtt import Mqtt, Options, Outgoing, Subscription
from tests.conformance.recorder import Recorder, Run
from tests.protocols.mosquitto import PASSWORD, PLUGIN, PROGRAM, USER, Broker, broker, strict_broker

pytestmark = [pytest.mark.mosquitto, pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed")]

VERSIONS = ("3.1.1", "5")
WORDS = {"3.1.1": "SUBACK: failure (0x80)", "5": "SUBACK: not authorized (0x87)"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    if PLUGIN is None:
        pytest.skip("mosquitto has no plugin for dynamic security")
    async with strict_broker(tmp_path_factory.mktemp("strict")) as made:
        yield made


def run(broker: Broker, version: str, **options: Any) -> Run:
    port = "password" if "username" in options else "mqtt"
    return Run(Mqtt(), Recorder(broker.url(port=port), Options(proxy="", version=version, **options)))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_denied_subscription_is_told_in_its_own_words(strict: Broker, version: str) -> None:
    async with run(strict, version) as one:
        await one.opened()
        one.ask(Subscribe(id=1, channel="secret/#", subscription=Subscription(qos=1)))
        one.ask(Subscribe(id=2, channel="open/#", subscription=Subscription(qos=1)))
        await one.until(lambda: one.link.of(Subscribed))
        assert [(event.command, event.channel) for event in one.link.of(Subscribed)] == [(2, "open/#")]
        (notice,) = one.notices()
        assert (notice.command, notice.level) == (1, "error")
        assert notice.fault
        assert notice.fault.kind == "auth"
        assert notice.fault.title == "The broker refused to subscribe to secret/#"
        assert WORDS[version] in notice.fault.cause
        assert notice.fault.hint


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_was_denied_can_be_asked_for_again_and_the_connection_stands(strict: Broker, version: str) -> None:
    async with run(strict, version) as one:
        await one.opened()
        for number in (1, 2):
            one.ask(Subscribe(id=number, channel="secret/#"))
        await one.until(lambda: len(one.notices()) == 2)
        one.ask(Subscribe(id=3, channel="open/x"))
        await one.until(lambda: one.link.of(Subscribed))
        one.ask(Send(id=4, payload=b"through", channel="open/x"))
        await one.until(lambda: one.link.payloads == [b"through"])


@pytest.mark.parametrize("qos", [1, 2])
async def test_a_denied_publish_of_5_is_an_error_of_its_command(strict: Broker, qos: int) -> None:
    async with run(strict, "5") as one:
        await one.opened()
        one.ask(Send(id=1, payload=b"x", channel="secret/plan", outgoing=Outgoing(qos=qos)))
        one.ask(Send(id=2, payload=b"x", channel="open/plan", outgoing=Outgoing(qos=qos)))
        await one.until(lambda: one.link.of(Acknowledged) and one.notices())
        assert [event.command for event in one.link.of(Sent)] == [1, 2]
        assert [event.command for event in one.link.of(Acknowledged)] == [2]
        (notice,) = one.notices()
        assert notice.command == 1
        assert notice.fault
        assert (notice.fault.kind, notice.fault.title) == ("auth", "The broker refused to publish to secret/plan")
        assert "not authorized (0x87)" in notice.fault.cause


async def test_nobody_listening_is_told_and_no_failure(strict: Broker) -> None:
    async with run(strict, "5") as one:
        await one.opened()
        one.ask(Send(id=1, payload=b"x", channel="open/nobody", outgoing=Outgoing(qos=1)))
        await one.until(lambda: one.link.of(Acknowledged))
        meta = one.link.of(Acknowledged)[0].meta
        assert meta
        assert meta["reason"] == "no matching subscribers (0x10)"
        assert not one.notices()


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_access_list_that_grants_and_delivers_nothing(tmp_path: Path, version: str) -> None:
    """mosquitto's file of rules: SUBACK says yes, and only what may be read comes."""
    async with broker(tmp_path) as made, run(made, version, username=USER, password=PASSWORD) as one:
        await one.opened()
        one.ask(Subscribe(id=1, channel="#", subscription=Subscription(qos=1)))
        await one.until(lambda: one.link.of(Subscribed))
        async with run(made, version, username=USER, password=PASSWORD) as other:
            await other.opened()
            other.ask(Send(id=1, payload=b"unheard", channel="forbidden/x", outgoing=Outgoing(qos=1)))
            other.ask(Send(id=2, payload=b"heard", channel="open/x", outgoing=Outgoing(qos=1)))
            await one.until(lambda: one.link.received)
        assert one.link.payloads == [b"heard"]
