"""What is sent and received: messages, calls, exchanges, channels, subscriptions."""

from __future__ import annotations

import json

from textual.widgets import Input, Select

from rtui.core.record import Direction, Kind
from rtui.workbench.screens.dialog import Choose, Note, Prompt
from rtui.workbench.screens.subscription_form import SubscriptionForm
from rtui.workbench.screens.subscriptions import SubscriptionScreen
from rtui.workbench.screens.unanswered import Unanswered
from tests.workbench.scene import SAVED, Scene, case

# Messages


@case("echo", "compose")
async def _compose(at: Scene) -> None:
    await at.do()
    await at.write("typed")
    assert at.desk.sure_picture.composer.draft.payload == "typed"


@case("echo", "copy")
async def _copy(at: Scene) -> None:
    await at.talk("hello")
    await at.do()
    assert "payload" in at.toasts


@case("echo", "copy-row")
async def _copy_row(at: Scene) -> None:
    await at.talk("hello")
    await at.do()
    assert "row" in at.toasts


@case("echo", "resend")
async def _resend(at: Scene) -> None:
    await at.talk("hello")
    await at.do()
    await at.until(lambda: [row.payload for row in at.rows(direction=Direction.OUT)] == [b"hello"] * 2, "sent again")


@case("echo", "edit-resend")
async def _edit_resend(at: Scene) -> None:
    await at.talk("hello")
    await at.do()
    assert at.desk.sure_picture.composer.draft.payload == "hello"


@case("chat", "answer")
async def _answer(at: Scene) -> None:
    at.desk.send(b"[]", "question")
    await at.until(lambda: at.rows(direction=Direction.IN), "the server asks")
    asked = at.rows(direction=Direction.IN)[0]
    await at.stand_on(asked)
    await at.do()
    assert at.desk.sure_picture.composer.outgoing()["answer"] == json.loads(asked.meta or b"{}")["ack"]


@case("echo", "export")
async def _export(at: Scene) -> None:
    await at.talk("hello")
    await at.do()
    path = at.folder / "out.ndjson"
    await at.answer(Prompt, str(path))
    await at.until(path.exists, "the file")
    assert '"hello"' in path.read_text(encoding="utf-8")


@case("echo", "replay-history")
async def _history(at: Scene) -> None:
    at.bench.state.remember_payload("echo", "sent long ago")
    await at.do()
    await at.answer(Choose)
    await at.until(lambda: at.desk.sure_picture.composer.draft.payload == "sent long ago")


@case("echo", "decode-as")
async def _decode_as(at: Scene) -> None:
    await at.talk("deadbeef")
    at.desk.show_pane("message")
    await at.pilot.pause()
    await at.do(pane="message")
    await at.answer(Choose, "base64")
    await at.until(lambda: "base64" in str(at.desk.sure_picture.view.border_title).lower(), "another view")


@case("echoes", "send-several")
async def _send_several(at: Scene) -> None:
    at.desk.load_composer(b"to both", "")
    await at.pilot.pause()
    await at.do(pane="composer")
    await at.until(lambda: at.screen is not at.desk, "which ones")


# Calls


@case("calls", "offered")
async def _offered(at: Scene) -> None:
    await at.do()
    await at.answer(Choose, "demo.Echo/Say")
    await at.until(lambda: at.desk.sure_picture.composer.draft.channel == "demo.Echo/Say")


@case("calls", "half-close", "cancel")
async def _end_call(at: Scene) -> None:
    at.desk.send(b'{"text": "a"}', "demo.Echo/Talk")
    await at.do()
    await at.until(lambda: at.rows(Kind.ACK) or at.rows(Kind.ERROR), "the call has ended")
    cancelled = "CANCELLED" in str([row.meta for row in [*at.rows(Kind.ACK), *at.rows(Kind.ERROR)]])
    assert cancelled == (at.action.id == "app.cancel")


@case("calls", "template")
async def _template(at: Scene) -> None:
    composer = at.desk.sure_picture.composer
    composer.aim("demo.Echo/Say")
    composer.set_text("")
    await at.do()
    await at.until(lambda: '"text"' in composer.draft.payload, "the fields are there")


@case("calls", "about")
async def _about(at: Scene) -> None:
    await at.point_at("demo.Echo/Say")
    await at.do(pane="tree")
    await at.asks(Note)


# Exchanges


async def _ping_pong(at: Scene) -> tuple[int, int]:
    at.desk.sure.poke()
    await at.until(lambda: len(at.rows(Kind.PING)) == 2, "a ping and its answer")
    ping, pong = at.rows(Kind.PING)
    return ping.seq, pong.seq


@case("echo", "thread")
async def _thread(at: Scene) -> None:
    ping, _ = await _ping_pong(at)
    await at.stand_on(at.rows(Kind.PING)[0])
    await at.do()
    await at.until(lambda: at.desk.sheets.current.filter_text == f"thread:{ping}")  # type: ignore[union-attr]


@case("echo", "thread-next", "thread-previous", "thread-request")
async def _along_thread(at: Scene) -> None:
    ping, pong = await _ping_pong(at)
    onwards = at.action.id == "app.thread-next"
    await at.stand_on(at.rows(Kind.PING)[0 if onwards else 1])
    await at.do()
    await at.until(lambda: at.desk.log_view.cursor_seq == (pong if onwards else ping), "on the other one")


@case("chat", "unanswered")
async def _unanswered(at: Scene) -> None:
    await at.do()
    await at.asks(Unanswered)


# Saved messages


@case("echo", "send-saved", *(f"send-saved-{number}" for number in range(1, 10)))
async def _send_saved(at: Scene) -> None:
    await at.do()
    if at.action.id == "app.send-saved":
        await at.answer(Choose)
    place = int(at.action.id[-1]) - 1 if at.action.id[-1].isdecimal() else 0
    await at.until(lambda: at.rows(direction=Direction.OUT), "sent")
    assert at.rows(direction=Direction.OUT)[0].payload.decode() == SAVED[place].payload


@case("echo", "keep-message")
async def _keep_message(at: Scene) -> None:
    at.desk.load_composer(b"worth keeping", "")
    await at.pilot.pause()
    await at.do(pane="composer")
    await at.answer(Prompt, "kept")
    await at.until(lambda: at.desk.sure.session.messages[-1].payload == "worth keeping")


@case("echo", "repeat")
async def _repeat(at: Scene) -> None:
    await at.do()
    await at.answer(Choose)
    await at.answer(Prompt, "100ms")
    await at.until(lambda: len(at.rows(direction=Direction.OUT)) > 2, "it goes on")
    await at.do()
    await at.until(lambda: at.desk.repeats.of(at.desk.connection) is None, "and stops")


# Channels


@case("plant", "channel-branch", "channel-history")
async def _filter_by_channel(at: Scene) -> None:
    await at.publish("a/b")
    await at.do(pane="tree")
    await at.until(lambda: at.desk.has_filter and "a/b" in at.desk.sheets.current.filter_text)  # type: ignore[union-attr]


@case("plant", "channel-compose")
async def _compose_to_channel(at: Scene) -> None:
    await at.publish("a/b")
    await at.do(pane="tree")
    await at.until(lambda: at.desk.sure_picture.composer.draft.channel == "a/b")


@case("plant", "channel-copy")
async def _copy_channel(at: Scene) -> None:
    await at.publish("a/b")
    await at.do(pane="tree")
    await at.until(lambda: "name" in at.toasts)


@case("plant", "channel-mute")
async def _mute_channel(at: Scene) -> None:
    tree = await at.publish("a/b")
    await at.do(pane="tree")
    await at.until(lambda: tree.selected is not None and tree.selected.quiet)


@case("plant", "clear-retained")
async def _clear_retained(at: Scene) -> None:
    tree = await at.publish("a/b", retain=True)
    at.desk.sure.subscribe("a/#")
    await at.until(lambda: tree.selected is not None and tree.selected.retained, "kept by the broker")
    await at.do(pane="tree")
    await at.until(lambda: tree.selected is not None and not tree.selected.retained, "no more")


@case("echo", "meta", "diff", "chart", "joined")
async def _view_message(at: Scene) -> None:
    await at.talk('{"v": 1}', '{"v": 2}')
    await at.do()
    assert at.desk.sure_picture.view.mode == at.action.id.removeprefix("app.")
    assert at.desk.focused_pane == "message"


# Subscriptions


@case("plant", "subscriptions")
async def _subscriptions(at: Scene) -> None:
    await at.do()
    await at.asks(SubscriptionScreen)


@case("plant", "subscribe")
async def _subscribe(at: Scene) -> None:
    await at.do()
    await at.until(lambda: isinstance(at.screen, SubscriptionForm), "the form")
    await at.pilot.pause()
    field = at.screen.query_one("#option-channel")
    assert isinstance(field, Input | Select)
    field.value = "new/#"
    await at.press("f10")
    await at.until(lambda: "new/#" in at.desk.sure.subscriptions)


@case("plant", "unsubscribe", "subscription-mute")
async def _on_subscription(at: Scene) -> None:
    at.desk.sure.subscribe("a/b")
    await at.publish("a/b")
    await at.do(pane="tree")
    if at.action.id == "app.unsubscribe":
        await at.until(lambda: "a/b" not in at.desk.sure.subscriptions)
    else:
        await at.until(lambda: at.desk.sure.subscriptions.get("a/b").muted)  # type: ignore[union-attr]
