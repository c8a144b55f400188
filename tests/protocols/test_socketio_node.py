"""Against npm `socket.io` 4.x, 3.x and 2.5: servers that share no code with us."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rtui.core.command import Hangup, Send, Subscribe, Unsubscribe
from rtui.core.event import Acknowledged, Notice, Received, Subscribed, Unsubscribed
from rtui.protocols.socketio import Options, Outgoing, SocketIO, Subscription
from tests.conformance.recorder import Recorder, Run
from tests.waiting import PATIENCE

MODULES = os.environ.get("RTUI_NODE_MODULES", "")
SCRIPT = Path(__file__).parent.parent / "node" / "socketio_peer.mjs"
RELEASES = ("socket.io4", "socket.io3", "socket.io2")
TRANSPORTS = ("auto", "websocket", "polling")
BURST = 20_000

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        not shutil.which("node") or not all(Path(MODULES, name).is_dir() for name in RELEASES),
        reason="needs node and RTUI_NODE_MODULES=…/node_modules with socket.io4, socket.io3 and socket.io2",
    ),
]


@contextmanager
def peer(release: str, *flags: str) -> Iterator[str]:
    """The URL of a server of its own."""
    command, pipe = ("node", str(SCRIPT), release, *flags), subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout
        yield f"socketio+http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        process.communicate()


@pytest.fixture(scope="module", params=RELEASES)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with peer(request.param) as address:
        yield address


def run(url: str, memory: dict[str, Any] | None = None, **options: Any) -> Run:
    return Run(SocketIO(), Recorder(url, Options(proxy="", **options), memory))


def emit(attempt: Run, number: int, channel: str, payload: bytes | str = "[]", **outgoing: Any) -> None:
    data = payload.encode() if isinstance(payload, str) else payload
    attempt.ask(Send(id=number, channel=channel, payload=data, outgoing=Outgoing(**outgoing)))


async def answered(attempt: Run, number: int) -> Acknowledged:
    await attempt.until(lambda: number in {one.command for one in attempt.link.of(Acknowledged)})
    return next(one for one in attempt.link.of(Acknowledged) if one.command == number)


async def heard(attempt: Run, channel: str, count: int = 1) -> list[Received]:
    await attempt.until(lambda: len(on(attempt, channel)) >= count)
    return on(attempt, channel)


def on(attempt: Run, channel: str) -> list[Received]:
    return [one for one in attempt.link.received if one.channel == channel]


async def refused(attempt: Run, number: int) -> Notice:
    """The notice that says that a command failed."""
    await attempt.until(lambda: number in {one.command for one in attempt.notices() if one.fault})
    return next(one for one in attempt.notices() if one.command == number and one.fault)


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_events_and_acknowledgements(url: str, transports: str) -> None:
    async with run(url, transports=transports, namespaces=["/", "/chat"]) as attempt:
        await attempt.opened()
        for number, channel in ((1, "echo"), (2, "/chat,echo")):
            emit(attempt, number, channel, '[1, 2.5, {"a": [null, "čaj ☕"]}, "two"]', ack=True)
            answer = await answered(attempt, number)
            assert json.loads(answer.payload) == [1, 2.5, {"a": [None, "čaj ☕"]}, "two"]
            (event,) = await heard(attempt, channel + "ed")
            assert event.payload == answer.payload
        emit(attempt, 3, "echo", "not JSON", ack=True)
        assert json.loads((await answered(attempt, 3)).payload) == ["not JSON"]
        emit(attempt, 4, "/chat,all", "[true]")
        assert (await heard(attempt, "/chat,everybody"))[0].payload == b"[true]"


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_binary_both_ways(url: str, transports: str) -> None:
    placeholder = '{"_placeholder":true,"num":0}'
    async with run(url, transports=transports) as attempt:
        await attempt.opened()
        emit(attempt, 1, "echo", b"\xff\x00\xfe", ack=True)
        answer = await answered(attempt, 1)
        assert answer.payload == f"[{placeholder}]".encode()
        assert answer.meta
        assert answer.meta["attachments"] == ["/wD+"]
        emit(attempt, 2, "echo", f'["name", {{"in": {placeholder}}}]', ack=True, attachments=["hex:0001"])
        answer = await answered(attempt, 2)
        assert answer.meta
        assert answer.meta["attachments"] == ["AAE="]
        emit(attempt, 3, "binary")
        (image,) = await heard(attempt, "image")
        assert json.loads(image.payload)[2] == {"deep": [{"_placeholder": True, "num": 1}]}
        assert image.meta
        assert image.meta["attachments"] == ["AQID", "AP8="]


async def test_the_bytes_of_the_arguments_are_kept(url: str) -> None:
    async with run(url) as attempt:
        await attempt.opened()
        emit(attempt, 1, "numbers")
        (event,) = await heard(attempt, "numbers")
        assert event.payload == rb'[1.5,12345678901234,0,1e+21,"\u001b[31m"]'
        emit(attempt, 2, "/,\x1b[31m,odd", "[1,2]")
        assert (await heard(attempt, "\x1b]0;owned\x07"))[0].payload == b"[2]"


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_only_the_user_answers_what_the_server_asks(url: str, transports: str) -> None:
    async with run(url, transports=transports, namespaces=["/", "/chat"]) as attempt:
        await attempt.opened()
        for number, space in ((10, ""), (20, "/chat,")):
            emit(attempt, number, f"{space}ask", '["why?"]')
            (question,) = await heard(attempt, f"{space}question")
            assert question.payload == b'["why?"]'
            assert question.meta
            # An event that comes back after the question: nothing was answered meanwhile.
            emit(attempt, number + 1, f"{space}echo", "[]", ack=True)
            await answered(attempt, number + 1)
            assert on(attempt, f"{space}answered") == []
            emit(attempt, number + 2, f"{space}question", '["because", 42]', answer=question.meta["ack"])
            assert (await heard(attempt, f"{space}answered"))[0].payload == b'["because",42]'


async def test_a_rule_answers_and_questions_keep_apart(url: str) -> None:
    async with run(url, namespaces=["/", "/chat"], answers={"/chat,question": '["by rule"]'}) as attempt:
        await attempt.opened()
        emit(attempt, 1, "/chat,ask")
        assert (await heard(attempt, "/chat,answered"))[0].payload == b'["by rule"]'
        emit(attempt, 2, "ask twice")
        first, second = await heard(attempt, "question", 2)
        assert first.meta
        assert second.meta
        emit(attempt, 3, "question", '["two"]', answer=second.meta["ack"])
        emit(attempt, 4, "question", '["one"]', answer=first.meta["ack"])
        told = await heard(attempt, "answered", 2)
        assert [one.payload for one in told] == [b'[2,"two"]', b'[1,"one"]']


async def test_a_late_acknowledgement_and_one_that_never_comes(url: str) -> None:
    async with run(url) as attempt:
        await attempt.opened()
        emit(attempt, 1, "never", ack=True, ack_timeout=0.2)
        emit(attempt, 2, "slow", "[100]", ack=True)
        assert (await answered(attempt, 2)).payload == b'[{"waited":100}]'
        late = await refused(attempt, 1)
        assert late.fault
        assert late.fault.kind == "timeout"
        assert attempt.link.of(Acknowledged)[0].command == 2


@pytest.mark.parametrize("transports", ["websocket", "polling"])
@pytest.mark.parametrize("whole", ["true", "false"])
async def test_a_kick_fails_the_pending_acknowledgement(url: str, transports: str, whole: str) -> None:
    async with run(url, transports=transports) as attempt:
        await attempt.opened()
        emit(attempt, 1, "kick", f"[{whole}]", ack=True, ack_timeout=0)
        await asyncio.wait([attempt.task], timeout=PATIENCE)
        assert attempt.task.done()
        assert [one for one in attempt.notices() if one.command == 1 and one.fault]
        if error := attempt.task.exception():
            assert attempt.adapter.explain(error).kind in {"closed", "lost"}
        else:
            closed = await attempt.closed()
            assert closed.by == "them"


async def test_a_kick_from_one_namespace_leaves_the_other(url: str) -> None:
    async with run(url, namespaces=["/", "/chat"]) as attempt:
        await attempt.opened()
        emit(attempt, 1, "/chat,kick", "[false]", ack=True, ack_timeout=0)
        await refused(attempt, 1)
        await attempt.until(lambda: "/chat" in [one.channel for one in attempt.link.of(Unsubscribed)])
        emit(attempt, 2, "echo", "[2]", ack=True)
        assert (await answered(attempt, 2)).payload == b"[2]"


async def test_a_namespace_refuses_with_data_and_takes_a_token(url: str) -> None:
    async with run(url, namespaces=["/"]) as attempt:
        await attempt.opened()
        attempt.ask(Subscribe(id=1, channel="/guarded"))
        notice = await refused(attempt, 1)
        assert notice.fault
        assert notice.fault.meta
        assert notice.fault.meta["data"] == {"code": 401}
        attempt.ask(Subscribe(id=2, channel="/guarded", subscription=Subscription(auth={"token": "demo"})))
        await heard(attempt, "/guarded,granted")
        assert ("/guarded", 2) in [(one.channel, one.command) for one in attempt.link.of(Subscribed)]
        emit(attempt, 3, "/guarded,echo", "[3]", ack=True)
        assert (await answered(attempt, 3)).payload == b"[3]"
        attempt.ask(Unsubscribe(id=4, channel="/guarded"))
        await attempt.until(lambda: 4 in [one.command for one in attempt.link.of(Unsubscribed)])


async def test_an_unknown_namespace_is_told_and_the_others_stay(url: str) -> None:
    async with run(url, namespaces=["/", "/nowhere"]) as attempt:
        await attempt.opened()
        await attempt.until(
            lambda: [one for one in attempt.notices() if one.fault and "/nowhere" in one.fault.sentence()]
        )
        emit(attempt, 1, "echo", "[1]", ack=True)
        assert (await answered(attempt, 1)).payload == b"[1]"


async def test_the_namespace_of_the_url_is_home(url: str) -> None:
    async with run(f"{url}/?a=1#/chat", query={"b": "2"}) as attempt:
        await attempt.opened()
        emit(attempt, 1, "all", "[1]")
        await heard(attempt, "/chat,everybody")
        assert "/chat" in [one.channel for one in attempt.link.of(Subscribed)]
        emit(attempt, 2, "how", ack=True)
        _, query, _ = json.loads((await answered(attempt, 2)).payload)
        assert query.items() >= {"a": "1", "b": "2"}.items()


@pytest.mark.parametrize("transports", ["websocket", "polling"])
async def test_a_burst_keeps_its_order(url: str, transports: str) -> None:
    async with run(url, transports=transports) as attempt:
        await attempt.opened()
        emit(attempt, 1, "burst", f"[{BURST}]")
        await attempt.until(lambda: len(attempt.link.received) >= BURST)
        assert [json.loads(payload)[0] for payload in attempt.link.payloads] == list(range(BURST))


async def test_volatile_events_stay_in_order(url: str) -> None:
    async with run(url) as attempt:
        await attempt.opened()
        emit(attempt, 1, "volatile", "[1000]")
        emit(attempt, 2, "echo", "[]", ack=True)
        await answered(attempt, 2)
        numbers = [json.loads(one.payload)[0] for one in on(attempt, "drop")]
        assert numbers == sorted(numbers)
        assert set(numbers) >= set(range(0, 1000, 2))


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("only", ["websocket", "polling"])
async def test_a_server_with_one_transport(release: str, only: str) -> None:
    with peer(release, f"--{only}") as url:
        async with run(url) as attempt:
            await attempt.opened()
            emit(attempt, 1, "how", ack=True)
            assert json.loads((await answered(attempt, 1)).payload)[0] == only
            assert only in attempt.link.details["transport"]


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_the_transport_in_use_is_shown(url: str, transports: str) -> None:
    async with run(url, transports=transports) as attempt:
        await attempt.opened()
        emit(attempt, 1, "how", ack=True)
        used = json.loads((await answered(attempt, 1)).payload)[0]
        assert used == ("polling" if transports == "polling" else "websocket")
        assert attempt.link.details["transport"].endswith(used)


@pytest.mark.parametrize(
    ("release", "version"),
    [("socket.io4", "Engine.IO 4"), ("socket.io3", "Engine.IO 4"), ("socket.io2", "Engine.IO 3")],
)
async def test_the_version_is_found_and_named(release: str, version: str) -> None:
    with peer(release) as url:
        async with run(url) as attempt:
            async with asyncio.timeout(PATIENCE):
                await attempt.opened()
            assert version in attempt.link.details["protocol"]


async def test_the_wrong_version_is_told() -> None:
    with peer("socket.io2") as url:
        async with run(url, version="4") as attempt:
            assert "2" in attempt.adapter.explain(await attempt.error()).sentence()


@pytest.mark.parametrize("transports", ["websocket", "polling"])
async def test_what_was_missed_is_recovered(transports: str) -> None:
    memory: dict[str, Any] = {}
    with peer("socket.io4", "--recovery") as url:
        async with run(url, memory, transports=transports) as first:
            await first.opened()
            emit(first, 1, "recovered", ack=True)
            assert (await answered(first, 1)).payload == b"[false]"
            emit(first, 2, "echo", '["offset comes after this"]')
            (event,) = await heard(first, "echoed")
            assert event.payload == b'["offset comes after this"]'
            assert event.meta
            assert event.meta["offset"]
            emit(first, 3, "cut")
            await asyncio.wait([first.task], timeout=PATIENCE)
        async with run(url, memory, transports=transports) as second:
            await second.opened()
            assert (await heard(second, "missed"))[0].payload == b'["while you were away"]'
            emit(second, 4, "recovered", ack=True)
            assert (await answered(second, 4)).payload == b"[true]"


@pytest.mark.parametrize("transports", ["websocket", "polling"])
async def test_more_than_the_server_takes_is_told(transports: str) -> None:
    with peer("socket.io4", "--small") as url:
        async with run(url, transports=transports) as attempt:
            await attempt.opened()
            emit(attempt, 1, "echo", json.dumps(["x" * 5000]), ack=True, ack_timeout=0)
            notice = await refused(attempt, 1)
            assert notice.fault
            await asyncio.wait([attempt.task], timeout=PATIENCE)


async def test_our_goodbye(url: str) -> None:
    async with run(url) as attempt:
        await attempt.opened()
        attempt.ask(Hangup(id=1))
        closed = await attempt.closed()
        assert (closed.by, closed.clean) == ("us", True)
