"""The adapter under the real runtime: capture, reconnect, replies with their latency."""

from __future__ import annotations

from pathlib import Path

from rtui.capture.journal import Journal
from rtui.core.backoff import Policy
from rtui.core.lifecycle import State
from rtui.core.record import Kind, Record
from rtui.demo import websocket as demo
from rtui.runtime.hub import Hub
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session
from tests.waiting import eventually


async def test_a_server_that_restarts_is_found_again(tmp_path: Path, port: int) -> None:
    journal = Journal.create(tmp_path / "capture.rtui")
    records: list[Record] = []
    journal.taps.append(records.extend)
    hub = Hub(journal)
    server = await demo.serve(port=port)
    try:
        session = Session(
            name="echo",
            url=f"{server.url}/echo",
            options={"proxy": ""},
            reconnect=Policy(first_delay=0.01, max_delay=0.05),
        )
        link = hub.open(session, Secrets())
        await link.wait_open()
        link.send(b'{"type":"greeting"}')
        await eventually(lambda: any(record.reply_to for record in records))
        (echo,) = [record for record in records if record.reply_to]
        assert echo.channel == "greeting"
        assert echo.latency
        await server.close()
        await eventually(lambda: link.state is State.WAITING)
        server = await demo.serve(port=port)
        await eventually(lambda: link.state is State.OPEN)
        kinds = [record.kind for record in records]
        assert kinds.count(Kind.OPEN) == 2
        assert kinds.count(Kind.GAP) == 1
    finally:
        await hub.close_all(1.0)
        await server.close()
        journal.close()
    ends = [record.payload for record in records if record.kind == Kind.CLOSE]
    assert len([end for end in ends if not end.startswith(b"not connected")]) == 2
