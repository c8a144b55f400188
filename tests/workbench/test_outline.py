from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rtui.capture.channels import Channels, Node, sort_key
from rtui.core.record import Record
from rtui.workbench.outline import LAZY, ORDERS, Outline

NOON = 1_767_268_800_000_000_000


def message(seq: int, channel: str) -> Record:
    return Record(seq, NOON + seq, 1, 0, 1, channel, b"1")


def outline(*names: str, order: str = "name") -> Outline:
    channels = Channels("/")
    channels.tap([message(seq, name) for seq, name in enumerate(names, 1)])
    made = Outline(channels, lambda: NOON)
    made.order = order
    return made


def rows(one: Outline) -> list[tuple[Node, int]]:
    return [one.row(index) for index in range(one.height)]


def names(one: Outline) -> list[str]:
    return [node.full for node, _ in rows(one)]


def listed(one: Outline, key: Callable[[Node], tuple[float | str, ...]]) -> list[tuple[Node, int]]:
    """What the rows must be, by the plain recursion that took too long."""

    def below(node: Node, depth: int) -> list[tuple[Node, int]]:
        found = []
        for child in sorted(node.children.values(), key=key):
            found.append((child, depth))
            if not one.is_folded(child):
                found += below(child, depth + 1)
        return found

    return below(one.channels.root, 0)


class Growing(RuleBasedStateMachine):
    """Nodes come and branches are folded in any order: the rows are always those of the plain recursion."""

    def __init__(self) -> None:
        super().__init__()
        self.channels = Channels("/")
        self.one = Outline(self.channels, lambda: NOON)
        self.seqs = count(1)

    @rule(names=st.lists(st.text("aB$/", max_size=6), max_size=8))
    def grow(self, names: list[str]) -> None:
        self.channels.tap([message(next(self.seqs), name) for name in names])
        self.one.sync()

    @rule(names=st.lists(st.text("aB$/", max_size=6), max_size=8))
    def offer(self, names: list[str]) -> None:
        self.channels.offer(names)
        self.one.sync()

    @rule(pick=st.randoms(use_true_random=False), folded=st.booleans())
    def fold(self, pick: random.Random, folded: bool) -> None:
        if self.one.height:
            self.one.fold(self.one.row(pick.randrange(self.one.height))[0], folded=folded)

    @rule(folded=st.booleans())
    def fold_all(self, folded: bool) -> None:
        self.one.fold_all(folded=folded)

    @rule(pick=st.randoms(use_true_random=False))
    def reveal(self, pick: random.Random) -> None:
        if known := list(self.channels):
            node = known[pick.randrange(len(known))]
            self.one.reveal(node)
            assert self.one.index_of(node) is not None

    @rule(order=st.sampled_from(ORDERS))
    def sort(self, order: str) -> None:
        self.one.order = order

    @invariant()
    def the_rows_are_right(self) -> None:
        self.one.resort()
        expected = listed(self.one, sort_key(self.one.order, NOON))
        assert rows(self.one) == expected
        assert [self.one.index_of(node) for node, _ in expected] == list(range(len(expected)))
        assert not self.one.stale


TestGrowing = Growing.TestCase


@given(st.lists(st.lists(st.text("ab/", max_size=5), max_size=30), max_size=6))
def test_what_is_put_in_order_piece_by_piece_is_in_order(batches: list[list[str]]) -> None:
    one = outline()
    for batch in batches:
        one.channels.tap([message(1, name) for name in batch])
        one.sync()
        assert rows(one) == listed(one, sort_key("name", NOON))


def test_a_node_counts_what_is_below_it() -> None:
    one = outline("a/b/c", "a/b", "a/d", "x", "a")
    sizes = {node.full: node.size for node, _ in rows(one)}
    assert sizes == {"a": 3, "a/b": 1, "a/b/c": 0, "a/d": 0, "x": 0}
    assert one.channels.root.size == 5


def test_what_the_peer_tells_of_itself_starts_folded() -> None:
    one = outline("$SYS/broker/uptime", "a/$b/c")
    assert names(one) == ["$SYS", "a", "a/$b", "a/$b/c"]
    one.fold(one.row(0)[0], folded=False)
    one.channels.tap([message(9, "$SYS/broker/load"), message(9, "$other/x")])
    one.sync()
    assert names(one)[:4] == ["$other", "$SYS", "$SYS/broker", "$SYS/broker/load"]


def test_what_is_folded_away_has_no_row_until_it_is_revealed() -> None:
    one = outline("$SYS/broker/uptime", "a")
    hidden = one.channels.get("$SYS/broker/uptime")
    assert hidden is not None
    assert one.index_of(hidden) is None
    one.reveal(hidden)
    assert one.index_of(hidden) == 2


def test_after_all_was_folded_one_level_is_opened_at_a_time() -> None:
    one = outline("a/b/c/d", "a/b/e/f", "a/g", "h/i/j")
    one.fold_all(folded=True)
    assert names(one) == ["a", "h"]
    one.fold(one.row(0)[0], folded=False)
    assert names(one) == ["a", "a/b", "a/g", "h"]
    deepest = one.channels.get("a/b/c/d")
    assert deepest is not None
    one.reveal(deepest)
    assert names(one) == ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/e", "a/g", "h"]
    one.fold(one.row(0)[0])
    one.fold(one.row(0)[0], folded=False)
    assert names(one) == ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/e", "a/g", "h"], "what was opened by hand stays"
    one.fold_all(folded=False)
    assert one.height == one.channels.root.size


def test_thousands_of_branches_are_not_folded_one_by_one() -> None:
    one = outline(*(f"a/b{number}/c" for number in range(LAZY + 1)))
    one.fold_all(folded=True)
    one.fold(one.row(0)[0], folded=False)
    assert one.height == one.channels.root.size


@pytest.mark.parametrize("order", ORDERS)
def test_finding_goes_round_and_sees_what_is_folded(order: str) -> None:
    one = outline("a/temp", "$SYS/temp", "b/hum", "temp/x", order=order)
    one.fold_all(folded=False)
    expected = [name for name in names(one) if name in {"a/temp", "$SYS/temp", "temp"}]
    for folded in (False, True):
        one.fold_all(folded=folded)
        here, seen = one.height - 1, []
        for _ in expected:
            found = one.find("TEMP", here, 1)
            assert found is not None
            one.reveal(found)
            here = one.index_of(found) or 0
            seen.append(found.full)
        assert sorted(seen) == sorted(expected)
        back = one.find("temp", here, -1)
        assert back is not None
        assert back.full == seen[-2]
    assert one.find("nothing", 0, 1) is None
    assert one.find("", 0, 1) is None


def test_a_part_that_spans_levels_is_found_where_it_ends() -> None:
    one = outline("site/a/x", "site/a/y", "site/b")
    found = one.find("site/a", 0, 1)
    assert found is not None
    assert found.full == "site/a"


def test_dense_hits_are_found_beside_the_cursor() -> None:
    one = outline(*(f"n{number:05}" for number in range(5_000)))
    found = one.find("n", 100, 1)
    assert found is not None
    assert found.full == "n00101"


def test_only_branches_that_are_looked_at_are_put_in_order() -> None:
    one = outline(*(f"s{site:03}/d{device}" for site in range(500) for device in range(20)))
    assert one.height == 500 * 21
    for index in range(40):
        one.row(index)
    assert len(one._branches) <= 4
