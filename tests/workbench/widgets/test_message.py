from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtui.capture.journal import Journal
from rtui.capture.past import Past
from rtui.capture.reader import Reader
from rtui.core.record import Record
from rtui.workbench.widgets.message import MessageView
from tests.waiting import eventually
from tests.workbench.widgets.fake import HOSTILE, SIZES, Host, row, screen_text


@pytest.mark.parametrize("size", SIZES)
async def test_every_mode_draws_hostile_bytes_clean(size: tuple[int, int]) -> None:
    view = MessageView()
    payload = b'{"a\\u001b[31m": "' + HOSTILE.encode() + b'\xff"}'
    record = Record(1, 10**18, 1, 0, 1, HOSTILE, payload, '{"close": "\\u001b]52;c;x", "headers": {"x": "\\u009b"}}')
    async with Host(view).run_test(size=size) as pilot:
        view.focus()
        view.show(record, None)
        for key in "prxmdv":
            await pilot.press(key)
            assert all(line.isprintable() for line in screen_text(view))
            assert any(line.strip() for line in screen_text(view))


async def test_json_folds_and_copies_path_and_value() -> None:
    view = MessageView()
    copied: list[tuple[str, str]] = []

    class Listening(Host):
        def on_message_view_copy_requested(self, event: MessageView.CopyRequested) -> None:
            copied.append((event.text, event.what))

    async with Listening(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(row(1, b'{"a":{"b":[1,2.50]},"c":"x"}'), None)
        await pilot.pause()
        whole = view.row_count()
        await pilot.press("down", "down", "down", "y", "Y")
        await pilot.press("up", "up", "space")
        assert view.row_count() < whole
        await pilot.press("right")
        assert view.row_count() == whole
        await pilot.pause()
    assert copied[0][0] == "1"
    assert copied[1][0] == ".a.b[0]"


async def test_sixteen_mebibytes_show_bytes_at_once_and_the_tree_when_it_is_ready() -> None:
    view = MessageView()
    payload = b"[" + b'"0123456789abcdef",' * 800_000 + b"1]"
    async with Host(view).run_test(size=(80, 24)) as pilot:
        began = time.perf_counter()
        view.show(row(1, payload), None)
        assert time.perf_counter() - began < 0.1
        assert view.problem == "reading…"
        assert view.row_count() > 0
        await pilot.pause()
        async with asyncio.timeout(30):
            while view.problem == "reading…":  # noqa: ASYNC110 - the pane has no event for it
                await asyncio.sleep(0.02)
        assert screen_text(view)[0].strip()


async def test_without_a_message_it_says_how_to_get_one() -> None:
    view = MessageView()
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.show(None, None)
        await pilot.pause()
        assert any("move the cursor" in line for line in screen_text(view))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal.create(tmp_path / "run.rtui")
    yield made
    made.close()


@pytest.fixture
def past(journal: Journal) -> Iterator[Past]:
    reader = Reader(journal.path)
    yield Past(reader, journal)
    reader.close()


def shown(view: MessageView) -> list[str]:
    return [line.rstrip() for line in screen_text(view) if line.strip()]


async def test_the_diff_is_with_the_message_before_on_the_channel(journal: Journal, past: Past) -> None:
    records = [row(1, b'{"v":1,"w":2}'), row(2, b'{"v":9}', channel="other"), row(3, b'{"v":1,"w":3}')]
    journal.append(records)
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(records[2], None)
        await pilot.press("d")
        await pilot.pause()
        lines = shown(view)
        assert lines[0].startswith("since #1, +0.002 s: 1 removed, 1 added")
        assert lines[3:5] == ['-     "w": 2', '+     "w": 3']
        view.show(records[1], None)
        await eventually(lambda: "nothing before it" in view.problem)
        await pilot.pause()
        assert view.row_count() == 3


async def test_what_memory_has_lost_is_looked_up_for_the_diff(journal: Journal) -> None:
    records = [row(1, b"21.5"), row(2, b"21.6")]
    journal.append(records)
    await eventually(lambda: journal.committed == 2)
    reader = Reader(journal.path)
    view = MessageView(past=Past(reader))
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        await pilot.press("d")
        view.show(records[1], None)
        await eventually(lambda: view.row_count() == 3)
        await pilot.pause()
        assert shown(view)[1:] == ["-   21.5", "+   21.6"]
    reader.close()


async def test_large_messages_are_compared_in_a_thread(journal: Journal, past: Past) -> None:
    records = [row(1, b"[" + b"1," * 9_000 + b"1]"), row(2, b"[" + b"1," * 9_000 + b"2]")]
    journal.append(records)
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(records[1], None)
        await pilot.press("d")
        await eventually(lambda: view.row_count() == 8)
        await pilot.pause()
        assert "rows alike" in shown(view)[1]


async def test_the_chart_follows_its_channel_and_the_field_can_be_chosen(journal: Journal, past: Past) -> None:
    records = [row(seq, b'{"v":%d,"w":5}' % seq) for seq in range(1, 50)]
    journal.append(records)
    view = MessageView(past=past)
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(records[-1], None)
        await pilot.press("v")
        await eventually(lambda: view.row_count() == 24)
        await pilot.pause()
        assert shown(view)[0] == ".v 1/2 · last 49 · min 1 · max 49 · 49 points"
        journal.append([row(50, b'{"v":60}')])
        view._document._cost = 0.0  # type: ignore[union-attr]
        view.tick()
        await eventually(lambda: "last 60" in shown(view)[0])
        await pilot.press("right")
        await pilot.pause()
        assert shown(view)[0].startswith(".w 2/2 · last 5")
        view.show(row(51, b'{"w":7,"x":1}', channel="other"), None)
        assert shown(view)[0].startswith(".w 1/2")
        await pilot.press("left")
        assert shown(view)[0].startswith(".x 2/2")
        assert len({segment.style for segment in view.render_line(0)}) > 1


async def test_a_title_names_the_modes_and_a_click_on_one_chooses_it() -> None:
    view = MessageView()
    view.styles.border_top = ("solid", "red")
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.show(row(1, b"{}"), None)
        await pilot.pause()
        for mode in ("chart", "hex", "diff", "pretty"):
            drawn = "".join(segment.text for segment in view.screen._compositor.render_strips()[0])
            await pilot.click(offset=(drawn.index(mode), 0))
            assert view.mode == mode
