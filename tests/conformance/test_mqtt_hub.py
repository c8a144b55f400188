"""MQTT under the real runtime, with mosquitto: pulled out, put back, everything as it was."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from rtui.capture.journal import Journal
from rtui.core.backoff import Policy
from rtui.core.lifecycle import State
from rtui.core.record import Kind, Record
from rtui.runtime.hub import Hub
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session
from tests.protocols.mosquitto import PROGRAM, broker
from tests.waiting import eventually

pytestmark = [pytest.mark.mosquitto, pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed")]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_a_broker_that_is_killed_and_restarted_is_found_again_and_subscribed_to(
    tmp_path: Path, version: str
) -> None:
    journal = Journal.create(tmp_path / "capture.rtui")
    records: list[Record] = []
    journal.taps.append(records.extend)
    hub = Hub(journal)

    def of(kind: Kind) -> list[Record]:
        return [record for record in records if record.kind == kind]

    async with broker(tmp_path) as server:
        session = Session(
            name="plant",
            url=server.url(topic="plant/%23"),
            options={"proxy": "", "version": version},
            reconnect=Policy(first_delay=0.01, max_delay=0.05),
        )
        try:
            link = hub.open(session, Secrets())
            await eventually(lambda: len(of(Kind.SUBSCRIBE)) == 1)
            await server.stop(signal.SIGKILL)
            await eventually(lambda: link.state is State.WAITING)
            assert of(Kind.CLOSE)
            await server.start()
            await eventually(lambda: len(of(Kind.SUBSCRIBE)) == 2)
            assert [record.channel for record in of(Kind.SUBSCRIBE)] == ["plant/#", "plant/#"]
            assert (len(of(Kind.OPEN)), len(of(Kind.GAP))) == (2, 1)
            link.send(b"back", "plant/x")
            await eventually(lambda: [each.payload for each in of(Kind.MESSAGE) if each.direction == 1] == [b"back"])
        finally:
            await hub.close_all(1.0)
    journal.close()
