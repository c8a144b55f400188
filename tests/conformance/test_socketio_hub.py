"""Socket.IO under the real runtime: capture, reconnect with every namespace, acknowledgements with their latency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtui.capture.journal import Journal
from rtui.core.backoff import Policy
from rtui.core.fault import Fault
from rtui.core.lifecycle import State
from rtui.core.record import Kind, Record
from rtui.protocols.socketio import Outgoing
from rtui.runtime.hub import Hub
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session
from tests.protocols.socketio_peer import Client, peer
from tests.protocols.socketio_server import socketio_server
from tests.waiting import eventually


def acknowledging(server: Any) -> None:
    @server.on("*", namespace="*")  # type: ignore[untyped-decorator]
    async def take(_event: str, _namespace: str, _sid: str, *arguments: object) -> tuple[object, ...]:
        return arguments


async def test_a_server_that_restarts_is_found_again_with_its_namespaces(tmp_path: Path, port: int) -> None:
    journal = Journal.create(tmp_path / "capture.rtui")
    records: list[Record] = []
    journal.taps.append(records.extend)
    hub = Hub(journal)

    def of(kind: Kind) -> list[Record]:
        return [record for record in records if record.kind == kind]

    try:
        async with socketio_server(acknowledging, port=port, namespaces="*"):
            session = Session(
                name="chat",
                url=f"socketio+http://127.0.0.1:{port}/",
                options={"proxy": ""},
                reconnect=Policy(first_delay=0.01, max_delay=0.05),
            )
            link = hub.open(session, Secrets())
            link.subscribe("/chat")
            await eventually(lambda: {record.channel for record in of(Kind.SUBSCRIBE)} >= {"/chat"})
            link.send(b'[1,"two"]', "/chat,say", Outgoing(ack=True))
            await eventually(lambda: of(Kind.ACK))
            (ack,) = of(Kind.ACK)
            assert (ack.channel, ack.payload) == ("/chat,say", b'[1,"two"]')
            assert ack.reply_to
            assert ack.latency
        await eventually(lambda: link.state is State.WAITING)
        asked = len(of(Kind.SUBSCRIBE))
        async with socketio_server(acknowledging, port=port, namespaces="*"):
            await eventually(lambda: link.state is State.OPEN)
            await eventually(lambda: "/chat" in {record.channel for record in of(Kind.SUBSCRIBE)[asked:]})
            assert (len(of(Kind.OPEN)), len(of(Kind.GAP))) == (2, 1)
            await hub.close_all(1.0)
    finally:
        await hub.close_all(1.0)
        journal.close()


async def test_an_acknowledgement_fails_at_once_when_the_link_drops(tmp_path: Path) -> None:
    async def script(client: Client) -> None:
        await client.greet()
        await client.message()
        await client.cut()

    journal = Journal.create(tmp_path / "capture.rtui")
    hub = Hub(journal)
    try:
        async with peer(script) as port:
            url = f"socketio+http://127.0.0.1:{port}/"
            link = hub.open(Session(name="cut", url=url, options={"proxy": ""}), Secrets())
            await link.wait_open()
            command = link.send(b"1", "ask", Outgoing(ack=True, ack_timeout=0.0))
            outcome = await link.wait_outcome(command, acked=True)
            assert isinstance(outcome, Fault)
            await hub.close_all(1.0)
    finally:
        await hub.close_all(1.0)
        journal.close()
