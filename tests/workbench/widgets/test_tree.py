from __future__ import annotations

import pytest

from rtui.capture.channels import Channels
from rtui.protocols.base import Words
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
