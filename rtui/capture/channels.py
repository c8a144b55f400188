"""What is known of each channel: counts, rate, last value, as a tree split by the protocol's separator."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from operator import attrgetter
from typing import Final

from rtui.core.record import Direction, Kind, Record

MAX_CHANNELS: Final = 50_000
OTHERS: Final = "(others)"
"""The channel that counts whatever came after the limit was reached."""
HEAD: Final = 200
"""Bytes of the last payload that a node keeps."""
BUCKETS: Final = 16
"""Seconds of history in a node's sparkline."""
MAX_LEVELS: Final = 64
"""Levels that a name is split into; what is deeper stays one name. MQTT allows 65,535: each would be a node."""
RETAINED: Final = '"retain":true'
"""In the meta of a message that the peer keeps."""
ANEW: Final = '"session":"new"'
"""In the meta of an open row: the peer tells anew what it keeps, and it may have forgotten."""
_SECOND: Final = 1_000_000_000

_EMPTY: Final = bytes(BUCKETS * array("I").itemsize)

_channel_of = attrgetter("channel")
_direction_of = attrgetter("direction")
_kind_of = attrgetter("kind")
_meta_of = attrgetter("meta")
_payload_of = attrgetter("payload")


class Flow:
    """How many messages came, and how fast."""

    __slots__ = ("_buckets", "_second", "last_time", "total")

    def __init__(self) -> None:
        self.total = 0
        self.last_time = 0
        """Nanoseconds since the epoch, of the last message."""
        self._second = 0
        self._buckets = array("I", _EMPTY)

    @property
    def rate(self) -> float:
        """Messages per second now."""
        return self.rate_at(time.time_ns())

    def rate_at(self, now: int) -> float:
        """Messages in the second that ended at `now` (epoch nanoseconds), the older part of it estimated."""
        second, part = divmod(now, _SECOND)
        return self._in_second(second) + self._in_second(second - 1) * (1.0 - part / _SECOND)

    def history(self, now: int) -> list[int]:
        """Messages in each of the last 16 seconds, oldest first."""
        second = now // _SECOND
        return [self._in_second(at) for at in range(second - BUCKETS + 1, second + 1)]

    def touch(self, count: int, now: int) -> None:
        """Count messages at `now`."""
        self.total += count
        second = now // _SECOND
        if second > self._second:
            self._advance(second)
        self._buckets[second % BUCKETS] += count
        self.last_time = max(self.last_time, now)

    def _advance(self, second: int) -> None:
        """Empty the buckets of the seconds that passed."""
        for passed in range(max(self._second + 1, second - BUCKETS + 1), second + 1):
            self._buckets[passed % BUCKETS] = 0
        self._second = second

    def _in_second(self, second: int) -> int:
        return self._buckets[second % BUCKETS] if self._second - BUCKETS < second <= self._second else 0


class Watch(Flow):
    """What came on all channels that somebody is interested in: the tally of one subscription."""

    __slots__ = ("covers", "fresh", "muted")

    def __init__(self, covers: Callable[[str], bool]) -> None:
        super().__init__()
        self.covers = covers
        self.fresh = 0
        """Messages of the batch at hand, not in `total` yet: a sum costs a tenth of a `touch`."""
        self.muted = False
        """Whether the channels are to be shown as muted."""


class Node(Flow):
    """A channel, or a level that channels have in common. Figures of `Flow` include everything below."""

    __slots__ = (
        "children",
        "count",
        "count_in",
        "count_out",
        "full",
        "gone",
        "last",
        "last_size",
        "muted",
        "name",
        "parent",
        "retained",
        "size",
        "watches",
    )

    def __init__(self, name: str, full: str, parent: Node | None) -> None:
        super().__init__()
        self.name = name
        self.full = full
        self.parent = parent
        self.children: dict[str, Node] = {}
        self.count = 0
        """Messages on exactly this channel; 0 for a level."""
        self.count_in = 0
        self.count_out = 0
        self.last = b""
        """The beginning of the last payload."""
        self.last_size = 0
        self.muted: bool = parent is not None and parent.muted
        """Whether the user muted this channel, or one above it; see `quiet`."""
        self.retained = False
        """Whether the peer keeps a message for those who come later, as far as it was told in this session: messages
        to those who listen already do not say it (MQTT 5.0, 3.3.1.3)."""
        self.gone = False
        """Whether the peer no longer offers it; it is still here because messages came on it."""
        self.size = 0
        """Nodes below."""
        self.watches: tuple[Watch, ...] = ()
        """Those that cover this name."""

    @property
    def quiet(self) -> bool:
        """Whether it is muted, by itself or by a watch."""
        return self.muted or any(watch.muted for watch in self.watches)

    def walk(self) -> Iterator[Node]:
        """This node and everything below, depth first, the oldest sibling first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children.values())


class Channels:
    """All channels of one connection. Counts messages; connection events are none."""

    def __init__(self, separator: str | None = None, limit: int = MAX_CHANNELS) -> None:
        """`separator` splits names into levels ("/" for topics); without one the tree is flat."""
        self.separator = separator
        self.limit = limit
        self.root = Node("", "", None)
        self.revision = 0
        """Rises whenever anything changes."""
        self.shape = 0
        """Rises when nodes are added or taken away."""
        self.losses = 0
        """Rises when nodes are taken away."""
        self._offered: set[str] = set()
        self._nodes: dict[str, Node] = {}
        self._watches: list[Watch] = []
        self._others: Node | None = None
        self._kept: set[Node] = set()
        """Those that are `retained`."""

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def get(self, channel: str) -> Node | None:
        """The node of exactly this channel, if anything came on it or it was offered."""
        return self._nodes.get(channel)

    def names(self) -> list[str]:
        """Every channel, in the order in which they became known."""
        return list(self._nodes)

    def offer(self, names: Collection[str]) -> None:
        """There are these channels, whether anything comes on them or not; what was offered besides is gone."""
        offered = set(names)
        for name in sorted(self._offered - offered):
            self._withdraw(name)
        for name in names:
            (self._nodes.get(name) or self._add(name)).gone = False
        self._offered = offered
        self.revision += 1

    def watch(self, covers: Callable[[str], bool]) -> Watch:
        """Count from now on what comes on channels whose names `covers` is true for."""
        watch = Watch(covers)
        self._watches.append(watch)
        for node in self.root.walk():
            if covers(node.full):
                node.watches += (watch,)
        return watch

    def unwatch(self, watch: Watch) -> None:
        """Count for `watch` no more."""
        self._watches.remove(watch)
        for node in self.root.walk():
            if watch in node.watches:
                node.watches = tuple([one for one in node.watches if one is not watch])

    def tap(self, records: Sequence[Record]) -> None:
        """Count a batch. Everything per record happens in C; Python runs once per channel of the batch."""
        if not records:
            return
        directions = set(map(_direction_of, records))
        if len(directions) == 1 and not any(map(_kind_of, records)):
            self._tap_alike(records, directions.pop())
            self._note_kept(records)
        else:
            self._tap_mixed(records, directions)
        self.revision += 1

    def _tap_mixed(self, records: Sequence[Record], directions: set[int]) -> None:
        """Count the messages among all kinds of rows, and see where a session begins."""
        messages = [record for record in records if _counts(record)]
        for direction in directions:
            self._tap_alike([record for record in messages if record.direction == direction], direction)
        begun = 0
        for place, record in enumerate(records):
            if record.kind == Kind.OPEN and record.meta is not None and ANEW in record.meta:
                begun = place
                self._forget_kept()
        self._note_kept([record for record in records[begun:] if _counts(record)])

    def _note_kept(self, records: Sequence[Record]) -> None:
        """Mark what the peer says that it keeps. Where it keeps nothing, no record is looked at one by one."""
        kept = {meta for meta in set(map(_meta_of, records)) if meta is not None and RETAINED in meta}
        if not kept and (not self._kept or all(map(_payload_of, records))):
            return
        for record in records:
            if (node := self._nodes.get(record.channel)) is None:  # one of the others
                continue
            if record.meta in kept and record.payload:
                node.retained = True
                self._kept.add(node)
            elif node.retained and not record.payload:  # so a broker tells those who listen that it was cleared
                node.retained = False
                self._kept.discard(node)

    def _forget_kept(self) -> None:
        for node in self._kept:
            node.retained = False
        self._kept.clear()

    def _tap_alike(self, records: Sequence[Record], direction: int) -> None:
        """Count messages that all went one way."""
        channels = list(map(_channel_of, records))
        newest = dict(zip(channels, records, strict=True))
        for channel, count in Counter(channels).items():
            self._count(channel, direction, count, newest[channel])
        for watch in self._watches:
            if watch.fresh:
                watch.touch(watch.fresh, records[-1].time)
                watch.fresh = 0

    def _count(self, channel: str, direction: int, count: int, record: Record) -> None:
        node = self._nodes.get(channel) or self._add(channel)
        node.count += count
        if direction == Direction.IN:
            node.count_in += count
            for watch in node.watches if node is not self._others else self._covering(channel):
                watch.fresh += count
        elif direction == Direction.OUT:
            node.count_out += count
        node.last = record.payload[:HEAD]
        node.last_size = len(record.payload)
        at: Node | None = node
        while at is not None:
            at.touch(count, record.time)
            at = at.parent

    def _add(self, channel: str) -> Node:
        if len(self._nodes) >= self.limit:
            channel = OTHERS
            if found := self._nodes.get(channel):
                return found
        self.shape += 1
        node, made = self.root, 0
        for name, full in self._levels(channel):
            child = node.children.get(name)
            if child is None:
                child = node.children[name] = Node(name, full, node)
                watches = self._covering(full)
                # As a rule those of the level above: one tuple serves them all.
                child.watches = node.watches if watches == node.watches else watches
                made += 1
            node = child
        self._grow(node, made)
        self._nodes[channel] = node
        if channel == OTHERS:
            self._others = node
        return node

    def _withdraw(self, name: str) -> None:
        """A channel without messages goes, and with it the levels that led to nothing else; others say so and stay."""
        node = self._nodes.get(name)
        if node is None:
            return
        if node.total or node.children:
            node.gone = True
            return
        del self._nodes[name]
        self.shape += 1
        self.losses += 1
        while node.parent is not None and self._leads_nowhere(node):
            del node.parent.children[node.name]
            node = node.parent
            self._shrink(node)

    def _leads_nowhere(self, node: Node) -> bool:
        return not (node.children or node.total or node.full in self._nodes)

    def _shrink(self, node: Node) -> None:
        """One node below `node` is there no more."""
        at: Node | None = node
        while at is not None:
            at.size -= 1
            at = at.parent

    def _covering(self, channel: str) -> tuple[Watch, ...]:
        """The watches that cover `channel`: looked up once for each node, not once for each message."""
        return tuple([watch for watch in self._watches if watch.covers(channel)])

    def _grow(self, node: Node, made: int) -> None:
        """Tell every level above `node` of the nodes that were made for it, itself the last of them."""
        below = 0
        at: Node | None = node
        while made and at is not None:
            at.size += below
            below = min(below + 1, made)
            at = at.parent

    def _levels(self, channel: str) -> Iterator[tuple[str, str]]:
        """Name and full name of each level down to `channel`."""
        separator = self.separator
        if not separator or channel == OTHERS:
            yield channel, channel
            return
        start = 0
        for name in channel.split(separator, MAX_LEVELS - 1)[:-1]:
            yield name, channel[: start + len(name)]
            start += len(name) + len(separator)
        yield channel[start:], channel


def _counts(record: Record) -> bool:
    """Messages, and the errors of one channel (a polled URL that answers 503)."""
    return record.kind == Kind.MESSAGE or (record.kind == Kind.ERROR and bool(record.channel))


def sort_key(order: str, now: int) -> Callable[[Node], tuple[float | str, ...]]:
    """The key that sorts siblings by "name", "count", "rate" or "recent"."""
    if order == "count":
        return lambda node: (-node.total, node.name)
    if order == "rate":
        return lambda node: (-node.rate_at(now), node.name)
    if order == "recent":
        return lambda node: (-node.last_time, node.name)
    return lambda node: (node.name.casefold(), node.name)
