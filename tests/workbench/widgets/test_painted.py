from __future__ import annotations

from textual.geometry import Region

from rtui.capture.channels import Channels
from rtui.workbench.widgets.log import MessageLog
from rtui.workbench.widgets.painted import runs
from rtui.workbench.widgets.tree import ChannelTree
from tests.workbench.widgets.fake import FakeLens, Host, row


def test_neighbours_are_joined() -> None:
    assert list(runs([])) == []
    assert list(runs([3])) == [(3, 1)]
    assert list(runs([0, 1, 2, 5, 7, 8])) == [(0, 3), (5, 1), (7, 2)]


async def test_a_cursor_move_paints_two_rows() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(100)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        log.go_to(90)
        await pilot.pause()
        before = log.painted.repainted
        log.action_cursor(1)
        assert log.painted.repainted - before == 2


async def test_a_changed_channel_paints_its_row_only() -> None:
    now = row(100).time
    channels, tree = Channels(), ChannelTree(clock=lambda: now)
    channels.tap([row(seq, channel=f"channel-{seq}") for seq in range(1, 31)])
    async with Host(tree).run_test(size=(80, 40)) as pilot:
        tree.set_channels(channels, None)
        await pilot.pause()
        tree.render_lines(Region(0, 0, 80, 40))
        before = tree.painted.repainted
        channels.tap([row(31, channel="channel-7")])
        tree.tick()
        assert tree.painted.repainted - before == 1
        tree.tick()
        assert tree.painted.repainted - before == 1
