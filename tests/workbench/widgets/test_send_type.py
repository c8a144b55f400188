"""The composer's binary formats: JSON in, bytes out, by the type of the channel or the one that was named."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Select

from rtui.encoding.packed import unpack
from rtui.encoding.type_file import TypeFile
from rtui.protocols.mqtt import Mqtt
from rtui.protocols.websocket import WebSocket
from rtui.runtime.decoding import Types
from rtui.settings.session_model import ProtobufTypes
from rtui.workbench.draft import Draft
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.payload_text import Misplaced, Refused, encode
from tests.protobuf.test_descriptor_set import made
from tests.waiting import eventually
from tests.workbench.widgets.test_composer import Listening

__all__ = ["made"]

CELSIUS = b"\x09" + b"\0\0\0\0\0\x80\x35\x40"
"""A plant.Reading of 21.5 °C."""


def types_in(made: Path) -> Types:
    channels = {"sensors/#": "plant.Reading", "alarms": "plant.Alarm"}
    return Types(ProtobufTypes(descriptor=made.name, channels=channels), made.parent)


def line(composer: Composer) -> str:
    return str(composer.query_one(".check").render())


async def written(pilot: Pilot[None], composer: Composer, made: Path, channel: str, text: str) -> None:
    """A message in protobuf, checked."""
    composer.set_protocol(Mqtt, list)
    composer.kind.types = lambda: types_in(made)
    await pilot.pause()
    composer.draft = Draft(text, "protobuf", channel)
    await eventually(lambda: composer.query_one("#format", Select).value == "protobuf")
    await eventually(lambda: composer.kind.display and not composer.kind.waits and types_in(made).file.ready)
    await pilot.pause()


async def test_json_goes_out_as_the_type_of_the_channel(made: Path) -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(100, 24)) as pilot:
        await written(pilot, composer, made, "sensors/r1", '{"celsius": 21.5}')
        await eventually(lambda: line(composer) == "valid JSON · 9B of protobuf")
        assert composer.kind.field.placeholder == "plant.Reading"
        composer.action_send()
        await pilot.pause()
        assert [sent[:2] for sent in app.sent] == [(CELSIUS, "sensors/r1")]


async def test_what_does_not_fit_the_type_is_refused_with_its_place_and_stays(made: Path) -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(100, 24)) as pilot:
        text = '{"celsius": 1, "parts": [{"number": "many"}]}'
        await written(pilot, composer, made, "sensors/r1", text)
        composer.action_send()
        await pilot.pause()
        assert app.sent == []
        assert ".parts[0].number" in line(composer)
        assert composer.area.text == text
        assert composer.area.cursor_location == (0, text.index('"many"'))


async def test_the_type_that_is_named_comes_before_that_of_the_channel(made: Path) -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(100, 24)) as pilot:
        await written(pilot, composer, made, "elsewhere", '{"text": "x"}')
        await eventually(lambda: "no message type is known of elsewhere" in line(composer))
        composer.kind.field.value = "plant.Alarm"
        await eventually(lambda: "of protobuf" in line(composer))
        assert composer.draft.type == "plant.Alarm"
        composer.action_send()
        composer.kind.field.value = "plant.Alrm"
        await eventually(lambda: "did you mean plant.Alarm?" in line(composer))
        composer.action_send()
        await pilot.pause()
        assert [sent[0] for sent in app.sent] == [b"\x0a\x01x"]


async def test_a_template_has_every_field(made: Path) -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(100, 24)) as pilot:
        await written(pilot, composer, made, "alarms", '{"text": "typed"}')
        assert composer.check_action("template", ())
        composer.action_template()
        assert composer.area.text == '{\n  "text": ""\n}'
        assert composer.query_one("#format", Select).value == "protobuf"
        assert composer.history[-1] == '{"text": "typed"}'


async def test_without_types_nothing_is_lost_and_the_reason_is_told() -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(100, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        await pilot.pause()
        composer.draft = Draft("{}", "protobuf")
        await eventually(lambda: "no message types are known" in line(composer))
        assert not composer.check_action("template", ())
        composer.action_send()
        await pilot.pause()
        assert app.sent == []
        assert composer.area.text == "{}"


@pytest.fixture
def spoilt(made: Path) -> Path:
    made.write_bytes(b"nothing of the kind")
    return made


async def test_what_is_no_descriptor_set_is_read_once_and_told(spoilt: Path) -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(100, 24)) as pilot:
        composer.set_protocol(Mqtt, list)
        composer.kind.types = lambda: types_in(spoilt)
        await pilot.pause()
        composer.draft = Draft("{}", "protobuf", "alarms")
        await eventually(lambda: "is no descriptor set" in line(composer))
        assert not composer.kind.waits
        await pilot.pause()
        assert "is no descriptor set" in line(composer)


@pytest.mark.parametrize(("kind", "data"), [("msgpack", b"\x81\xa1v\x1e"), ("cbor", b"\xa1\x61v\x18\x1e")])
async def test_other_binary_formats_need_no_type_and_go_in_binary_frames(kind: str, data: bytes) -> None:
    composer = Composer()
    app = Listening(composer)
    async with app.run_test(size=(100, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        await pilot.pause()
        composer.draft = Draft('{"v": 30}', kind)
        await eventually(lambda: composer.query_one("#format", Select).value == kind)
        composer.action_send()
        await pilot.pause()
        assert app.sent == [(data, "", {"type": "binary"})]


def test_the_place_of_what_a_format_cannot_hold_is_told() -> None:
    text = '{"ä": [1, 99999999999999999999999]}'
    with pytest.raises(Misplaced, match="whole numbers of 64 bits") as error:
        encode(text, "msgpack")
    assert error.value.place == text.index("999")
    with pytest.raises(Misplaced, match="a value is missing"):
        encode('{"a": }', "cbor")
    with pytest.raises(Refused, match="stands twice"):
        encode('{"a": 1, "a": 2}', "cbor")


async def test_a_received_message_is_edited_as_what_it_means(made: Path) -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(100, 24)) as pilot:
        await written(pilot, composer, made, "sensors/r1", "")
        composer.load(CELSIUS, "sensors/r1", {})
        assert composer.area.text == '{\n  "celsius": 21.5\n}'
        await eventually(lambda: composer.query_one("#format", Select).value == "protobuf")
        composer.load(b"\x81\xa1v\x1e", "elsewhere", {})
        assert composer.area.text == '{\n  "v": 30\n}'
        await eventually(lambda: composer.query_one("#format", Select).value == "msgpack")
        composer.load(b"\x81\xa1v\xcc\x1e", "elsewhere", {})  # not the shortest way to write 30: it would come back so
        assert composer.payload() == b"\x81\xa1v\xcc\x1e" or composer.area.text == "81 a1 76 cc 1e"


async def test_the_format_is_stepped_through_by_key() -> None:
    composer = Composer()
    async with Listening(composer).run_test(size=(100, 24)) as pilot:
        composer.set_protocol(WebSocket, list)
        await pilot.pause()
        composer.area.focus()
        seen = []
        for _ in range(8):
            await pilot.press("alt+a")
            await pilot.pause()
            seen.append(composer.draft.format)
        assert seen == ["json", "hex", "base64", "msgpack", "cbor", "protobuf", "file", "text"]


def test_what_was_sent_is_read_back(made: Path) -> None:
    assert unpack(encode('{"a": [1, 2.5, null]}', "cbor"), "cbor") == b'{"a":[1,2.5,null]}'
    codec = TypeFile(made).codec("plant.Reading")
    assert encode('{"celsius": 21.5}', "protobuf", codec.encode) == CELSIUS
