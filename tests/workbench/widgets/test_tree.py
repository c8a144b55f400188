from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import msgspec
import pytest
from textual.events import Paste

from rtui.capture.channels import Channels
from rtui.capture.query import compile_filter
from rtui.core.event import Offer
from rtui.protocols.base import Words
from rtui.workbench.outline import ORDERS, Outline
from rtui.workbench.widgets.row import Piece
from rtui.workbench.widgets.tree import ChannelTree
from tests.workbench.widgets.fake import HOSTILE, SIZES, Host, row, screen_text

WORDS = Words(channel="topic", channels="topics", separator="/")


def topics(*names: str) -> Channels:
    channels = Channels(separator="/")
    channels.tap([row(seq, b"21.5", channel=name) for seq, name in enumerate(names, 1)])
    return channels


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_names_are_drawn_clean(size: tuple[int, int]) -> None:
    tree = ChannelTree()
    channels = Channels(separator="/")
    channels.tap([row(1, HOSTILE.encode(), channel=HOSTILE), row(2, b"", channel="")])
    async with Host(tree).run_test(size=size) as pilot:
        tree.set_channels(channels, WORDS)
        await pilot.pause()
        assert all(line.isprintable() for line in screen_text(tree))


async def test_folding_sorting_and_finding() -> None:
    tree = ChannelTree()
    channels = topics("a/b/c", "a/d", "z", "z", "z")
    async with Host(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(channels, WORDS)
        assert tree.row_count() == 5
        await pilot.press("left")
        assert tree.row_count() == 2
        await pilot.press("right")
        assert tree.row_count() == 5
        await pilot.press("slash", "z", "enter")
        assert tree.selected is not None
        assert tree.selected.full == "z"
        await pilot.press("o")
        assert tree.row_count() == 5
        assert "z" in screen_text(tree)[0]


async def test_new_channels_appear_and_the_cursor_stays_on_its_node() -> None:
    tree = ChannelTree()
    channels = topics("m", "x")
    async with Host(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(channels, WORDS)
        await pilot.press("down")
        channels.tap([row(9, channel="a")])
        tree._cost = 0.0
        tree.tick()
        await pilot.pause()
        assert tree.selected is not None
        assert tree.selected.full == "x"
        assert tree.row_count() == 3


async def test_a_machine_that_was_busy_meanwhile_does_not_put_off_the_next_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resort = Outline.resort

    def held_up(outline: Outline) -> None:
        time.sleep(0.3)
        resort(outline)

    monkeypatch.setattr(Outline, "resort", held_up)
    tree = ChannelTree()
    async with Host(tree).run_test(size=(80, 24)):
        tree.set_channels(topics("m", "x", "x"), WORDS)
        tree.action_order()
        assert tree.order == "count"
        assert 0 < tree._cost < 0.2


async def test_enter_asks_for_a_filter_in_the_language_of_the_filter() -> None:
    tree = ChannelTree()
    asked: list[str] = []

    class Listening(Host):
        def on_channel_tree_filter_requested(self, event: ChannelTree.FilterRequested) -> None:
            asked.append(event.expression)

    async with Listening(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(topics("a/b", 'q "x'), WORDS)
        await pilot.press("enter", "down", "enter", "end", "enter")
        await pilot.pause()
    assert asked == ["ch:a/#", "ch:a/b", r'ch:"q \"x"']


async def test_where_levels_are_not_cut_by_slashes_the_filter_is_in_other_words() -> None:
    tree = ChannelTree()
    asked: list[str] = []

    class Listening(Host):
        def on_channel_tree_filter_requested(self, event: ChannelTree.FilterRequested) -> None:
            asked.append(event.expression)

    channels = Channels(" ")
    names = ("/a?b=1 200", "/a?b=1 304", "/a?b=10 200")
    channels.tap([row(seq, channel=name) for seq, name in enumerate(names, 1)])
    async with Listening(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(channels, Words(channel="URL", channels="URLs", separator=" "))
        await pilot.press("enter")
        await pilot.pause()
    found = compile_filter(asked[0])
    assert asked == ['ch:"/a?b=1 *" or ch="/a?b=1"']
    with closing(sqlite3.connect(":memory:")) as database:
        query = f"SELECT channel FROM (SELECT column1 AS channel FROM (VALUES (?), (?), (?))) WHERE {found.sql}"  # noqa: S608 - bound
        assert database.execute(query, (*names, *found.params)).fetchall() == [(name,) for name in names[:2]]


async def test_one_channel_alone_can_be_asked_for_copied_written_to_and_cleared() -> None:
    tree = ChannelTree()
    asked: list[str] = []

    class Listening(Host):
        def on_channel_tree_filter_requested(self, event: ChannelTree.FilterRequested) -> None:
            asked.append(event.expression)

        def on_channel_tree_copy_requested(self, event: ChannelTree.CopyRequested) -> None:
            asked.append(f"copy {event.channel}")

        def on_channel_tree_compose_requested(self, event: ChannelTree.ComposeRequested) -> None:
            asked.append(f"write {event.channel}")

        def on_channel_tree_clear_requested(self, event: ChannelTree.ClearRequested) -> None:
            asked.append(f"clear {event.node.full}")

    async with Listening(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(topics("a/+", "a/b", ""), WORDS)
        await pilot.press("equals_sign", "down", "down", "equals_sign", "y", "s", "delete")
        await pilot.pause()
        assert asked == ['ch=""', "ch=a/+", "copy a/+", "write a/+"]
        tree.retains = True
        await pilot.press("delete")
        await pilot.pause()
        assert asked[-1] == "clear a/+"


async def test_what_the_peer_tells_of_itself_starts_folded_and_is_found_all_the_same() -> None:
    tree = ChannelTree()
    async with Host(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(topics("$SYS/broker/uptime", "a"), WORDS)
        assert tree.row_count() == 2
        await pilot.press("slash", *"uptime", "enter")
        assert tree.selected is not None
        assert tree.selected.full == "$SYS/broker/uptime"
        assert tree.row_count() == 4


async def test_a_kept_message_is_marked_until_it_is_cleared() -> None:
    tree = ChannelTree()
    channels = topics("a")
    async with Host(tree).run_test(size=(80, 24)) as pilot:
        tree.set_channels(channels, WORDS)

        async def marked(payload: bytes, meta: str | None) -> bool:
            channels.tap([msgspec.structs.replace(row(9, payload, channel="a"), meta=meta)])
            tree.tick()
            await pilot.pause()
            return "®" in screen_text(tree)[0]

        assert not await marked(b"1", '{"qos":1}')
        assert await marked(b"2", '{"qos":1,"retain":true}')
        assert await marked(b"3", None)
        assert not await marked(b"", None)


async def test_folding_what_holds_the_cursor_puts_it_on_the_fold() -> None:
    tree = ChannelTree()
    async with Host(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(topics("a/b/c", "z"), WORDS)
        await pilot.press("down", "down", "minus")
        assert tree.selected is not None
        assert tree.selected.full == "a"
        await pilot.press("plus", "end")
        assert tree.selected.full == "z"
        assert tree.row_count() == 4


async def test_the_title_tells_the_order_what_is_sought_and_whether_it_is_there() -> None:
    tree = ChannelTree()
    async with Host(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(topics("a/b", "z"), WORDS)
        assert str(tree.border_title) == "topics · by name"
        await pilot.press("o", "slash", "z")
        assert str(tree.border_title) == "topics · by count · find: z"
        await pilot.press("q")
        assert str(tree.border_title) == "topics · by count · find: zq (none)"
        await pilot.press("escape")
        assert str(tree.border_title) == "topics · by count"


async def test_what_is_sought_is_wiped_pasted_and_ends_with_the_focus() -> None:
    tree = ChannelTree()
    async with Host(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(topics("a/b", "z"), WORDS)
        await pilot.press("slash", *"zq", "ctrl+u")
        assert str(tree.border_title) == "topics · by name · find: "
        tree.post_message(Paste("a/b\nand more"))
        await pilot.pause()
        assert tree.selected is not None
        assert tree.selected.full == "a/b"
        tree.blur()
        await pilot.pause()
        assert not tree.finding
        assert tree.check_action("find_next", (1,))


async def test_a_narrow_tree_keeps_the_ends_of_names_and_the_values() -> None:
    tree = ChannelTree(clock=lambda: 1_700_000_301_000_000_000)
    async with Host(tree).run_test(size=(36, 24)):
        tree.set_channels(topics("factory/site-1/building-02/line-1/machine-with-a-name-00012/pressure"), WORDS)
        lines = screen_text(tree)
        assert "00012" in lines[4]
        assert lines[5].split() == ["pressure", "21.5", "5m", "ago"]
        assert lines[0].split() == [tree.glyphs.branch_open, "factory", "1", "5m", "ago"]


async def test_fifty_thousand_channels_draw_only_what_is_seen() -> None:
    tree = ChannelTree()
    channels = Channels(separator=None)
    channels.tap([row(seq, channel=f"c{seq}") for seq in range(1, 50_001)])
    async with Host(tree).run_test(size=(80, 24)) as pilot:
        tree.set_channels(channels, None)
        drawn: list[int] = []
        real = tree.row_pieces

        def counting(index: int, width: int) -> list[Piece]:
            drawn.append(index)
            return real(index, width)

        tree.row_pieces = counting  # type: ignore[method-assign]
        tree.refresh()
        await pilot.pause()
        assert 0 < len(drawn) <= 48


METHODS = Words(channel="method", channels="methods", separator="/")
OFFERED = {
    one.channel: one
    for one in (
        Offer(channel="shop.v1.Cart/Add", kind="unary", template='{"item":""}'),
        Offer(channel="shop.v1.Cart/Watch", kind="server stream"),
        Offer(channel="shop.v1.Chat/" + HOSTILE, kind="bidi \x1b[1m"),
    )
}


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_offered_stands_there_with_its_kind_and_no_count(size: tuple[int, int]) -> None:
    tree = ChannelTree()
    channels = Channels("/")
    channels.offer(OFFERED)
    async with Host(tree).run_test(size=size) as pilot:
        tree.set_channels(channels, METHODS)
        tree.offered = OFFERED
        await pilot.pause()
        lines = screen_text(tree)
        assert tree.row_count() == 6, "the hostile name has a slash"
        assert all(line.isprintable() for line in lines)
        add = next(line for line in lines if "Add" in line)
        assert "unary" in add
        assert add.split()[2:] == (["0", "▁▁▁▁▁▁"] if size[0] >= 60 else [])
        assert "server stream" in next(line for line in lines if "Watch" in line)
        for _ in ORDERS:
            tree.action_order()
            assert tree.row_count() == 6


async def test_in_a_narrow_tree_the_kind_is_a_word_and_gives_way_to_the_name() -> None:
    tree = ChannelTree()
    channels = Channels("/")
    channels.offer(OFFERED)
    async with Host(tree).run_test(size=(36, 20)) as pilot:
        tree.set_channels(channels, METHODS)
        tree.offered = OFFERED
        channels.tap([row(1, b'{"n":1}', channel="shop.v1.Cart/Watch")])
        tree.tick()
        await pilot.pause()
        watch = next(line for line in screen_text(tree) if "Watch" in line)
        assert "Watch server {" in watch
        await pilot.resize_terminal(14, 20)
        await pilot.pause()
        assert not any("server" in line for line in screen_text(tree))


async def test_nodes_that_were_taken_in_by_a_question_can_be_scrolled_to() -> None:
    tree, channels = ChannelTree(), topics("a")
    async with Host(tree).run_test(size=(80, 10)) as pilot:
        tree.set_channels(channels, WORDS)
        channels.offer([f"topic {number}" for number in range(60)])
        assert tree.selected is not None
        tree.tick()
        await pilot.pause()
        assert tree.virtual_size.height == tree.row_count() == 61


async def test_what_is_offered_no_more_goes_unless_messages_came_on_it() -> None:
    tree, channels = ChannelTree(), Channels("/")
    channels.offer(OFFERED)
    channels.tap([row(1, b'{"n":1}', channel="shop.v1.Cart/Watch")])
    async with Host(tree).run_test(size=(80, 24)) as pilot:
        tree.set_channels(channels, METHODS)
        tree.offered = OFFERED
        tree.action_last()
        channels.offer(["shop.v1.Cart/New"])
        tree.offered = {}
        tree.tick()
        await pilot.pause()
        lines = [line.split()[:2] for line in screen_text(tree) if line.strip()]
        assert [line[0] for line in lines] == ["▾", "New", "Watch"]
        assert lines[2][1] == "gone"
        assert tree.selected is not None, "the cursor is somewhere that is left"


async def test_enter_writes_to_what_was_never_used_and_filters_by_what_was() -> None:
    tree = ChannelTree()
    asked: list[str] = []

    class Listening(Host):
        def on_channel_tree_filter_requested(self, event: ChannelTree.FilterRequested) -> None:
            asked.append(event.expression)

        def on_channel_tree_compose_requested(self, event: ChannelTree.ComposeRequested) -> None:
            asked.append(f"write to {event.channel}")

    channels = Channels("/")
    channels.offer(OFFERED)
    async with Listening(tree).run_test(size=(80, 24)) as pilot:
        tree.focus()
        tree.set_channels(channels, METHODS)
        tree.offered = OFFERED
        await pilot.press("down", "enter")
        channels.tap([row(1, channel="shop.v1.Cart/Add")])
        await pilot.press("enter", "up", "enter")
        await pilot.pause()
    assert asked == ["write to shop.v1.Cart/Add", "ch:shop.v1.Cart/Add", "ch:shop.v1.Cart/#"]
