from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import pytest

from rtui.capture.channels import BUCKETS, HEAD, MAX_LEVELS, OTHERS, Channels, sort_key
from rtui.capture.journal import Journal
from rtui.capture.meter import Meter
from rtui.capture.prune import list_captures, prune
from rtui.core.record import Direction, Kind, Record
from tests.capture.helper import NOW, batch, record

SECOND = 1_000_000_000


def row(channel: str, at: float = 0, direction: int = 1, kind: int = 0, payload: bytes = b"x") -> Record:
    return Record(1, NOW + int(at * SECOND), 1, kind, direction, channel, payload)


def test_channels_count_by_direction_and_leave_events_out() -> None:
    channels = Channels()
    channels.tap([row("a"), row("a", direction=Direction.OUT), row("b"), row("", kind=Kind.OPEN), row("a")])
    node = channels.get("a")
    assert node is not None
    assert (node.count, node.count_in, node.count_out, node.total) == (3, 2, 1, 3)
    assert channels.names() == ["a", "b"]
    assert channels.root.total == 4


def test_topics_become_a_tree_with_totals() -> None:
    channels = Channels("/")
    channels.tap([row("s/r1/temp"), row("s/r1"), row("s/r2/temp"), row("/x"), row("a//b")])
    top = channels.root.children
    assert list(top) == ["s", "", "a"]
    assert (top["s"].count, top["s"].total, top["s"].full) == (0, 3, "s")
    assert (top["s"].children["r1"].count, top["s"].children["r1"].total) == (1, 2)
    assert top["s"].children["r1"].children["temp"].full == "s/r1/temp"
    assert top["a"].children[""].children["b"].full == "a//b"
    assert top[""].children["x"].full == "/x"


def test_what_is_offered_stands_in_the_tree_before_anything_comes() -> None:
    channels = Channels("/")
    channels.offer(["chat.v1.Room/Join", "chat.v1.Room/Say"])
    assert channels.names() == ["chat.v1.Room/Join", "chat.v1.Room/Say"]
    assert [node.total for node in channels.root.walk()] == [0, 0, 0, 0]
    seen = channels.revision, channels.shape
    channels.tap([row("chat.v1.Room/Say")])
    channels.offer(["chat.v1.Room/Say", "chat.v1.Room/Leave"])
    assert list(channels.root.children["chat.v1.Room"].children) == ["Say", "Leave"]
    assert channels.root.total == 1
    assert channels.revision > seen[0]
    assert channels.shape > seen[1]


def test_what_is_offered_no_more_goes_or_says_so_where_messages_came() -> None:
    channels = Channels("/")
    channels.offer(["a.A/One", "a.A/Two", "b.B/One"])
    channels.tap([row("a.A/One")])
    channels.offer(["c.C/One"])
    assert {node.full: node.gone for node in channels.root.walk()} == {
        "": False,
        "a.A": False,
        "a.A/One": True,
        "c.C": False,
        "c.C/One": False,
    }
    assert channels.names() == ["a.A/One", "c.C/One"]
    assert (channels.root.size, channels.losses) == (4, 2)
    channels.offer(["a.A/One"])
    assert [node.full for node in channels.root.walk() if node.gone] == []
    assert channels.names() == ["a.A/One"]


def test_a_node_keeps_the_beginning_of_the_last_payload() -> None:
    channels = Channels()
    channels.tap([row("a", payload=b"old"), row("a", 1, payload=b"n" * 1000)])
    node = channels.get("a")
    assert node is not None
    assert (node.last, node.last_size, node.last_time) == (b"n" * HEAD, 1000, NOW + SECOND)


def test_a_message_that_the_peer_keeps_is_marked_until_it_is_replaced_by_nothing() -> None:
    channels = Channels("/")
    kept = msgspec.structs.replace(row("a/b", payload=b"1"), meta='{"qos":1,"retain":true}')
    for came, marked in (
        (row("a/b"), False),
        (kept, True),
        (row("a/b"), True),
        (row("a/b", payload=b""), False),
        (kept, True),
        (msgspec.structs.replace(kept, payload=b""), False),
        (msgspec.structs.replace(row("a/b"), meta='{"user":"\\"retain\\":true"}'), False),
    ):
        channels.tap([came])
        node = channels.get("a/b")
        assert node is not None
        assert node.retained is marked
        assert not channels.root.children["a"].retained


def kept(channel: str, payload: bytes = b"1") -> Record:
    return msgspec.structs.replace(row(channel, payload=payload), meta='{"qos":1,"retain":true}')


def opened(session: str) -> Record:
    return msgspec.structs.replace(row("", kind=Kind.OPEN), meta=f'{{"protocol":"MQTT 5","session":"{session}"}}')


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("rows", "marked"),
    [
        ([kept("a"), row("a")], {"a"}),
        ([kept("a"), row("a", payload=b""), row("a")], set()),
        ([row("a", payload=b""), kept("a")], {"a"}),
        ([kept("a"), kept("b"), opened("new")], set()),
        ([kept("a"), kept("b"), opened("new"), kept("b")], {"b"}),
        ([kept("a"), opened("resumed"), row("b")], {"a"}),
        ([kept("a"), msgspec.structs.replace(row("", kind=Kind.OPEN), meta=None)], {"a"}),
        ([kept("a"), opened("new"), row("a", direction=Direction.OUT), row("b")], set()),
    ],
)
def test_what_the_peer_keeps_is_known_from_this_session_whatever_comes_in_one_batch(
    rows: list[Record], marked: set[str], *, at_once: bool
) -> None:
    channels = Channels("/")
    for part in [rows] if at_once else [[one] for one in rows]:
        channels.tap(part)
    assert {node.full for node in channels if node.retained} == marked
    assert channels.root.total == len([one for one in rows if one.kind == Kind.MESSAGE])


def test_names_are_split_into_levels_up_to_a_limit() -> None:
    channels = Channels("/")
    channels.tap([row("/" * 65_535), row("a" + "/b" * (MAX_LEVELS - 1))])
    nodes = list(channels.root.walk())
    assert len(nodes) == 1 + 2 * MAX_LEVELS
    deepest = channels.get("/" * 65_535)
    assert deepest is not None
    assert deepest.name == "/" * (65_535 - MAX_LEVELS + 1)
    assert channels.root.size == 2 * MAX_LEVELS


def test_below_a_muted_level_new_channels_are_muted() -> None:
    channels = Channels("/")
    channels.tap([row("a/b")])
    channels.root.children["a"].muted = True
    channels.tap([row("a/c"), row("d")])
    assert {node.full: node.muted for node in channels} == {"a/b": False, "a/c": True, "d": False}


def test_beyond_the_limit_channels_are_others() -> None:
    channels = Channels("/", limit=3)
    channels.tap([row(f"c{n}") for n in range(10)])
    assert channels.names() == ["c0", "c1", "c2", OTHERS]
    others = channels.get(OTHERS)
    assert others is not None
    assert others.count == 7


def test_the_rate_and_history_of_a_node() -> None:
    channels = Channels()
    for second in range(5):
        channels.tap([row("a", second)] * 10)
    node = channels.get("a")
    assert node is not None
    assert node.rate_at(NOW + 4 * SECOND) == pytest.approx(20, abs=10)
    assert node.rate_at(NOW + 5 * SECOND) == pytest.approx(10)
    assert node.rate_at(NOW + 60 * SECOND) == 0
    assert node.history(NOW + 4 * SECOND)[-6:] == [0, 10, 10, 10, 10, 10]
    assert node.history(NOW + (4 + BUCKETS) * SECOND) == [0] * BUCKETS


def test_nodes_sort_by_name_count_rate_and_recency() -> None:
    channels = Channels()
    channels.tap([row("B", 0), row("a", 1), row("B", 0)])
    names = {
        order: [n.name for n in sorted(channels, key=sort_key(order, NOW))]
        for order in ("name", "count", "recent", "rate")
    }
    assert names["name"] == ["a", "B"]
    assert names["count"] == ["B", "a"]
    assert names["recent"] == ["a", "B"]


def test_revision_and_shape_tell_what_changed() -> None:
    channels = Channels()
    channels.tap([row("a")])
    revision, shape = channels.revision, channels.shape
    channels.tap([row("a")])
    assert (channels.revision > revision, channels.shape) == (True, shape)


def test_the_meter_counts_messages_and_bytes_alone() -> None:
    meter = Meter(clock=lambda: 10.0)
    meter.tap([record(1, b"abc"), record(2, b"d"), record(3, b"event", kind=int(Kind.OPEN))])
    assert (meter.count, meter.bytes, meter.history()[-1]) == (2, 4, 2)


def test_the_rate_is_that_of_the_last_second() -> None:
    now = [100.0]
    meter = Meter(clock=lambda: now[0])
    for tenth in range(50):
        now[0] = 100 + tenth / 10
        meter.tap(batch(1, 7))
    assert meter.rate == pytest.approx(70, rel=0.15)
    assert meter.history()[-5:] == [70] * 5
    now[0] = 107.0
    assert meter.rate == 0
    now[0] = 1_000.0
    assert meter.history() == [0] * 30


def make_capture(folder: Path, name: str, age: float) -> Path:
    journal = Journal.create(folder / name)
    journal.append(batch(1, 10))
    journal.close()
    then = time.time() - age
    os.utime(journal.path, (then, then))
    return journal.path


def test_captures_are_listed_newest_first_and_other_files_not(tmp_path: Path) -> None:
    old, new = make_capture(tmp_path, "old.rtui", 100), make_capture(tmp_path, "new.rtui", 10)
    (tmp_path / "notes.txt").write_text("keep me")
    assert [capture.path for capture in list_captures(tmp_path)] == [new, old]
    assert list_captures(tmp_path / "nowhere") == []


def test_pruning_by_age_then_by_size_spares_what_is_in_use(tmp_path: Path) -> None:
    oldest, middle, newest = (
        make_capture(tmp_path, f"{n}.rtui", age) for n, age in (("c", 300), ("b", 200), ("a", 100))
    )
    busy = Journal.create(tmp_path / "busy.rtui")
    assert prune(tmp_path, 0, 250) == [oldest]
    assert prune(tmp_path, middle.stat().st_size * 2, 0) == [middle]
    assert prune(tmp_path, 1, 0) == [newest]
    assert busy.path.exists()
    busy.close()
