from __future__ import annotations

import asyncio
import gc
import sqlite3
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rtui.capture.journal import Journal
from rtui.core.command import Cancel, Command, HalfClose, Hangup, Poke, Send, Subscribe, Unsubscribe
from rtui.core.event import Retold
from rtui.core.fault import Failure
from rtui.core.record import Kind, Record
from rtui.protocols import registry
from rtui.protocols.mqtt import Mqtt
from rtui.protocols.playback import Playback
from rtui.protocols.replay import Options
from rtui.protocols.wire import replay_session
from rtui.protocols.wire.replay_address import written
from rtui.runtime.supervisor import leaves
from tests.conformance.recorder import Recorder, Run
from tests.protocols.recording import BEGIN, NONE, OUT, SECOND, numbered, record, row
from tests.waiting import PATIENCE, eventually

BOTH = (("plant", "mqtt"), ("chat", "websocket"))


def playing(path: Path, connection: str = "", **settings: str) -> Run:
    url = written(path, connection, settings)
    return Run(registry.for_url(url)[0](), Recorder(url, Options()))


def told(run: Run) -> list[Record]:
    return [one for event in run.link.of(Retold) for one in event.rows]


def playback(run: Run) -> Playback:
    found = run.adapter.playback
    assert found is not None
    return found


def payloads(run: Run) -> list[bytes]:
    return [one.payload for one in told(run)]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return tmp_path / "made before.rtui"


async def test_rows_are_told_as_they_were_recorded(capture: Path) -> None:
    stored = record(
        capture,
        [
            row(1, 0, b"open", kind=Kind.OPEN, direction=NONE, meta={"protocol": "MQTT 5"}),
            row(1, 0.01, bytes(range(256)), channel="a/b", meta={"qos": 1, "retain": True}),
            row(1, 0.02, b"\xff\xfe", channel="a/b", direction=OUT),
            row(1, 0.03, b"", kind=Kind.ACK, reply_to=3, latency=1234),
            *(row(1, 0.04, kind.word.encode(), kind=kind, direction=NONE) for kind in Kind),
        ],
    )
    async with playing(capture, speed="max") as run:
        closed = await run.closed()
    assert told(run) == stored
    assert (closed.by, closed.clean, closed.fault, closed.reason) == ("us", True, None, "end of the capture")


async def test_it_speaks_as_the_recorded_protocol_did_and_can_do_nothing(capture: Path) -> None:
    record(capture, numbered(1), [("plant", "mqtt")])
    player = registry.for_url(written(capture))[0]
    assert (player.name, player.words, player.title) == ("mqtt", Mqtt.words, "Replay of MQTT")
    assert not player.verbs


async def test_a_protocol_that_is_not_installed_is_played_all_the_same(capture: Path) -> None:
    record(capture, numbered(3), [("odd", "carrier-pigeon")])
    async with playing(capture, speed="max") as run:
        await run.closed()
    assert payloads(run) == [b"0", b"1", b"2"]


async def test_distances_hold(capture: Path) -> None:
    record(capture, numbered(4, 0.1))
    began = time.monotonic()
    async with playing(capture, speed="2") as run:
        await run.opened()
        await run.until(lambda: len(told(run)) >= 2)
        assert time.monotonic() - began >= 0.05
        await run.closed()
    assert time.monotonic() - began >= 0.15
    assert payloads(run) == [b"0", b"1", b"2", b"3"]


async def test_one_clock_keeps_the_order_of_all_connections(capture: Path) -> None:
    stored = record(capture, [row(1 + n % 2, n / 1000, b"%d" % n) for n in range(200)], BOTH)
    heard: list[Record] = []
    async with AsyncExitStack() as stack:
        runs = [playing(capture, name, speed="10") for name, _ in BOTH]
        for run in runs:
            listen(run, heard)
        for run in runs:
            await stack.enter_async_context(run)
        for run in runs:
            await run.closed()
    assert heard == stored
    assert playback(runs[0]) is playback(runs[1])


def listen(run: Run, heard: list[Record]) -> None:
    """Note the rows of several links in the order in which they come."""
    emit = run.link.emit

    def noted(events: Sequence[Any]) -> None:
        heard.extend(one for event in events if isinstance(event, Retold) for one in event.rows)
        emit(events)

    run.link.emit = noted  # type: ignore[method-assign]


async def test_connections_with_other_settings_have_a_clock_of_their_own(capture: Path) -> None:
    record(capture, [*numbered(2, 60), *numbered(2, 60, link=2)], BOTH)
    async with playing(capture, "plant", speed="2") as one, playing(capture, "chat", speed="3") as other:
        await one.opened()
        await other.opened()
        assert playback(one) is not playback(other)


async def test_whoever_turns_the_reel_may_leave(capture: Path) -> None:
    record(capture, [*numbered(1), *numbered(1, link=2), row(1, 3600, b"late"), row(2, 3600, b"late")], BOTH)
    async with playing(capture, "plant") as first, playing(capture, "chat") as second:
        await first.until(lambda: payloads(first) == [b"0"])
        first.ask(Hangup(id=1))
        closed = await first.closed()
        assert (closed.by, closed.reason) == ("us", "")
        playback(second).hasten(float("inf"))
        await second.closed()
    assert payloads(first) == [b"0"]
    assert payloads(second) == [b"0", b"late"]


async def test_it_pauses_steps_and_goes_on(capture: Path) -> None:
    between = row(1, 0, b"no message", kind=Kind.NOTICE, direction=NONE)
    record(capture, [*numbered(1), between, row(1, 60, b"1"), row(1, 120, b"2"), row(1, 120.05, b"3")])
    async with playing(capture) as run:
        await run.until(lambda: payloads(run) == [b"0", b"no message"])
        playback(run).pause(on=True)
        stood = playback(run).position
        playback(run).step()
        await run.until(lambda: payloads(run)[2:] == [b"1"])
        assert playback(run).paused
        assert stood < playback(run).position == BEGIN + 60 * SECOND
        playback(run).step()
        await run.until(lambda: payloads(run)[2:] == [b"1", b"2"])
        playback(run).pause(on=False)
        await run.closed()
    assert payloads(run)[2:] == [b"1", b"2", b"3"]


async def test_a_step_ends_behind_a_message(capture: Path) -> None:
    notices = [row(1, 60 + n, b"notice", kind=Kind.NOTICE, direction=NONE) for n in range(3)]
    record(capture, [*numbered(1), *notices, row(1, 70, b"1"), row(1, 80, b"2")])
    async with playing(capture) as run:
        await run.until(lambda: payloads(run) == [b"0"])
        playback(run).step()
        await run.until(lambda: len(told(run)) == 5)
        assert playback(run).position == BEGIN + 70 * SECOND


async def test_it_goes_to_a_place_on_and_back(capture: Path) -> None:
    record(capture, numbered(10, 60))
    async with playing(capture) as run:
        await run.until(lambda: payloads(run) == [b"0"])
        playback(run).seek(BEGIN + 8 * 60 * SECOND)
        await run.until(lambda: payloads(run) == [b"0", b"8"])
        assert playback(run).position >= BEGIN + 8 * 60 * SECOND
        playback(run).seek(0)
        await run.until(lambda: payloads(run) == [b"0", b"8", b"0"])
        assert BEGIN <= playback(run).position < BEGIN + 60 * SECOND


async def test_another_speed_holds_at_once(capture: Path) -> None:
    record(capture, numbered(10, 3600))
    async with playing(capture) as run:
        await run.until(lambda: payloads(run) == [b"0"])
        playback(run).hasten(float("inf"))
        await run.closed()
    assert len(told(run)) == 10


async def test_a_pause_holds_even_what_goes_as_fast_as_it_can(capture: Path) -> None:
    record(capture, numbered(5000))
    async with playing(capture, speed="max", loop="1") as run:
        await run.until(lambda: told(run))
        playback(run).pause(on=True)
        for _ in range(20):
            await asyncio.sleep(0)
        count = len(told(run))
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert len(told(run)) == count


async def test_a_loop_begins_again_until_it_is_turned_off(capture: Path) -> None:
    record(capture, numbered(3, 0.001))
    async with playing(capture, loop="1") as run:
        await run.until(lambda: len(told(run)) >= 9)
        playback(run).repeat(on=False)
        await run.closed()
    assert payloads(run)[:6] == [b"0", b"1", b"2"] * 2
    assert len(told(run)) % 3 == 0


async def test_a_loop_over_nothing_ends(capture: Path) -> None:
    record(capture, numbered(3))
    async with playing(capture, loop="1", filter="ch:nowhere") as run:
        await run.closed()
    assert "could be played" in run.notices()[-1].text


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"from": "+20s"}, "234"),
        ({"from": "50%"}, "234"),
        ({"from": "-15s"}, "34"),
        ({"until": "+20s"}, "012"),
        ({"from": "+5s", "until": "+0:25"}, "12"),
        ({"from": "2023-11-14T22:13:40Z"}, "234"),
        ({"filter": ".n>2"}, "34"),
        ({"filter": "ch:c/0"}, "03"),
    ],
)
async def test_parts_are_played(capture: Path, settings: dict[str, str], expected: str) -> None:
    record(capture, [row(1, n * 10, b'{"n":%d}' % n, channel=f"c/{n % 3}") for n in range(5)])
    async with playing(capture, speed="max", **settings) as run:
        await run.closed()
    assert [one.payload for one in told(run)] == [b'{"n":%s}' % number.encode() for number in expected]


async def test_one_of_several_begins_with_its_own_first_row(capture: Path) -> None:
    record(capture, [*numbered(2, 3600), row(2, 7200, b"first"), row(2, 7200.01, b"last")], BOTH)
    async with playing(capture, "chat") as run:
        await run.closed()
    assert payloads(run) == [b"first", b"last"]
    assert playback(run).begin == BEGIN + 7200 * SECOND


async def test_those_that_are_opened_together_are_all_heard_from_the_first_row_of_any(capture: Path) -> None:
    four = [("a", "mqtt"), ("b", "mqtt"), ("c", "mqtt"), ("d", "mqtt")]
    rows = [row(3, 0, b"c"), row(2, 0.01, b"b"), row(1, 0.02, b"a"), row(2, 0.03, b"b"), row(3, 0.04, b"c")]
    record(capture, rows, four)
    async with playing(capture, "a") as a, playing(capture, "b") as b, playing(capture, "c") as c:
        for run in (a, b, c):
            await run.closed()
    assert [payloads(run) for run in (a, b, c)] == [[b"a"], [b"b", b"b"], [b"c", b"c"]]


async def test_who_comes_later_hears_the_rest_of_its_own(capture: Path) -> None:
    record(capture, [*numbered(1), row(1, 3600, b"1"), row(2, 3601, b"then"), row(2, 3602, b"last")], BOTH)
    async with playing(capture, "plant") as first:
        await first.until(lambda: payloads(first) == [b"0"])
        async with playing(capture, "chat") as second:
            await second.opened()
            playback(second).hasten(float("inf"))
            await second.closed()
            await first.closed()
    assert payloads(first) == [b"0", b"1"]
    assert payloads(second) == [b"then", b"last"]


async def test_times_that_run_backwards_wait_for_nothing(capture: Path) -> None:
    record(capture, [row(1, second, b"%d" % n) for n, second in enumerate((0, 0.02, -3600, 0.03, -1, 0.01))])
    async with playing(capture) as run:
        await run.closed()
    assert payloads(run) == [b"0", b"1", b"2", b"3", b"4", b"5"]


async def test_it_hangs_up_while_it_stands(capture: Path) -> None:
    record(capture, numbered(2, 3600))
    async with playing(capture) as run:
        await run.until(lambda: told(run))
        playback(run).pause(on=True)
        run.ask(Hangup(id=1))
        closed = await run.closed()
    assert (closed.by, closed.clean, closed.reason) == ("us", True, "")


async def test_a_recording_takes_no_messages(capture: Path) -> None:
    record(capture, numbered(2, 3600))
    commands: list[Command] = [
        Send(id=1, payload=b"x"),
        Subscribe(id=2, channel="x"),
        Unsubscribe(id=3, channel="x"),
        HalfClose(id=4),
        Cancel(id=5),
        Poke(id=6),
    ]
    async with playing(capture) as run:
        await run.opened()
        for command in commands:
            run.ask(command)
        await run.until(lambda: len(run.notices()) == len(commands))
        assert [one.command for one in run.notices()] == [1, 2, 3, 4, 5, 6]
        assert all(one.fault is not None and "--to" in one.fault.hint for one in run.notices())


async def test_it_is_cancelled_at_once_and_leaves_nothing(capture: Path) -> None:
    record(capture, numbered(20_000))
    for settings in ({"speed": "max", "loop": "1"}, {"speed": "0.001"}):
        async with playing(capture, **settings) as run:
            await run.until(lambda: told(run))
            run.task.cancel()
            await asyncio.wait([run.task], timeout=PATIENCE)
            assert run.task.cancelled()
    assert not replay_session._decks
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("replay")]
    gc.collect()


async def test_the_loop_breathes_while_much_is_played(capture: Path) -> None:
    stored = record(capture, numbered(20_000))
    async with playing(capture, speed="max") as run:
        turns = 0
        while not run.task.done():
            turns += 1
            await asyncio.sleep(0)
        assert [one.seq for one in told(run)] == [one.seq for one in stored]
        assert turns >= 20_000 // 500
    assert max(len(event.rows) for event in run.link.of(Retold)) <= 500


async def test_large_messages_are_read_a_few_at_a_time(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rtui.protocols.wire import replay_reel

    record(capture, [row(1, 0, bytes(200_000)) for _ in range(300)])
    sizes: list[int] = []
    window = replay_reel.Reel.window

    def measured(self: replay_reel.Reel, seq: int, last: int) -> replay_reel.Window:
        found = window(self, seq, last)
        sizes.append(sum(len(one.payload) for one in found.rows))
        return found

    monkeypatch.setattr(replay_reel.Reel, "window", measured)
    async with playing(capture, speed="max") as run:
        await run.closed()
    assert len(told(run)) == 300
    assert max(sizes) <= 64 * 200_000


async def test_a_filter_sees_into_binary_payloads(capture: Path) -> None:
    record(capture, [row(1, 0, bytes([0x81, 0xA1, 0x76, number])) for number in range(5)])  # MessagePack: {"v": …}
    async with playing(capture, speed="max", filter=".v>2") as run:
        await run.closed()
    assert [one[-1] for one in payloads(run)] == [3, 4]


# Captures that are not as they should be


async def failure(url: str) -> Failure:
    run = Run(registry.for_url(url)[0](), Recorder(url, Options()))
    async with run:
        error = await run.error()
    assert isinstance(error, Failure)
    assert not run.adapter.retryable(error)
    return error


async def test_no_capture(tmp_path: Path) -> None:
    assert (await failure(f"replay:{tmp_path}/none.rtui")).fault.title == "No such capture"


async def test_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "notes.rtui").write_text("not a database, but long enough to be taken for one\n" * 100)
    assert (await failure(f"replay:{tmp_path}/notes.rtui")).fault.kind == "storage"


async def test_another_database(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE t(x)")
    assert (await failure(f"replay:{tmp_path}/other.db")).fault.title == "Not a capture"


async def test_a_capture_of_a_newer_version(capture: Path) -> None:
    record(capture, numbered(1))
    with closing(sqlite3.connect(capture)) as connection:
        connection.execute("PRAGMA user_version=99")
    assert (await failure(written(capture))).fault.title == "Capture too new"


async def test_an_empty_capture(capture: Path) -> None:
    record(capture, [])
    async with playing(capture) as run:
        closed = await run.closed()
    assert closed.clean
    assert "could be played" in run.notices()[-1].text


async def test_a_capture_without_connections(capture: Path) -> None:
    record(capture, [], [])
    assert "there is none" in (await failure(written(capture))).fault.cause


async def test_which_connection(capture: Path) -> None:
    record(capture, numbered(1), [*BOTH, ("plant", "mqtt")])
    assert "plant, chat, plant (2)" in (await failure(written(capture))).fault.hint
    assert "Did you mean plant" in (await failure(written(capture, "plnt"))).fault.hint


@pytest.mark.parametrize(
    "settings",
    [
        {"speed": "0"},
        {"speed": "fast"},
        {"from": "+1h"},
        {"from": "soon"},
        {"until": "2001-01-01"},
        {"filter": "("},
        {"max_silence": "soon"},
    ],
)
async def test_settings_that_are_wrong(capture: Path, settings: dict[str, str]) -> None:
    record(capture, numbered(2, 1))
    assert (await failure(written(capture, "", settings))).fault.kind == "usage"


async def test_settings_that_there_are_not(capture: Path) -> None:
    record(capture, numbered(1))
    assert "Known: speed" in (await failure(f"replay:{capture}?spede=2".replace(" ", "%20"))).fault.hint


def spoil(capture: Path) -> None:
    """Overwrite a page in the middle."""
    with capture.open("r+b") as file:
        file.seek(capture.stat().st_size // 2 & ~16383)
        file.write(b"\x00" * 16384)


async def test_damage_is_played_around_and_told(capture: Path) -> None:
    record(capture, [row(1, 0, bytes([n % 256]) * 3000) for n in range(400)])
    spoil(capture)
    async with playing(capture, speed="max") as run:
        closed = await run.closed()
    assert closed.clean
    assert 200 < len(told(run)) < 400
    assert "damaged" in run.notices()[0].text


async def test_what_is_still_recorded_is_played_as_it_was_then(capture: Path) -> None:
    journal = Journal.create(capture)
    try:
        journal.add_link("plant", "mqtt", "mqtt://x")
        journal.append([msgspec.structs.replace(one, seq=seq) for seq, one in enumerate(numbered(3), 1)])
        await eventually(lambda: journal.committed == 3)
        async with playing(capture, speed="0.001") as run:
            await run.until(lambda: told(run))
            journal.append([msgspec.structs.replace(numbered(1)[0], seq=4, payload=b"later")])
            await run.closed()
        assert payloads(run) == [b"0", b"1", b"2"]
        assert "still being recorded" in run.notices()[0].text
    finally:
        journal.close()


async def test_the_file_is_not_written_to(capture: Path) -> None:
    record(capture, numbered(10))
    before = await asyncio.to_thread(capture.read_bytes)
    async with playing(capture, speed="max") as run:
        await run.closed()
    assert await asyncio.to_thread(capture.read_bytes) == before


async def test_a_disk_that_fails_ends_all_that_play(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(capture, [*numbered(2), *numbered(2, link=2)], BOTH)

    def fails(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("rtui.protocols.wire.replay_reel.Reel.window", fails)
    async with playing(capture, "plant") as one, playing(capture, "chat") as other:
        for run in (one, other):
            (error,) = leaves(await run.error())
            assert (run.adapter.explain(error).kind, str(error)) == ("storage", "disk I/O error")
