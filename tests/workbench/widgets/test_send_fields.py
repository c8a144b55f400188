from __future__ import annotations

from textual.widgets import Select

from rtui.protocols.mqtt import Mqtt
from rtui.protocols.websocket import WebSocket
from rtui.workbench.widgets.composer import Composer
from tests.workbench.widgets.fake import Host


async def test_tabs_are_gone_through_faster_than_fields_leave() -> None:
    composer = Composer()
    async with Host(composer).run_test(size=(80, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        await pilot.pause()
        for kind in (Mqtt, WebSocket, Mqtt, WebSocket):
            composer.set_protocol(kind, list)
        await pilot.pause()
        (choice,) = composer.query("#options Select").results(Select)
        choice.value = "binary"
        assert composer.draft.fields["type"] == "binary"
