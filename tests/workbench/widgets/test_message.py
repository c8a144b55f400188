from __future__ import annotations

import asyncio
import time

import pytest

from rtui.core.record import Record
from rtui.workbench.widgets.message import MessageView
from tests.workbench.widgets.fake import HOSTILE, SIZES, Host, row, screen_text


@pytest.mark.parametrize("size", SIZES)
async def test_every_mode_draws_hostile_bytes_clean(size: tuple[int, int]) -> None:
    view = MessageView()
    payload = b'{"a\\u001b[31m": "' + HOSTILE.encode() + b'\xff"}'
    record = Record(1, 10**18, 1, 0, 1, HOSTILE, payload, '{"close": "\\u001b]52;c;x", "headers": {"x": "\\u009b"}}')
    async with Host(view).run_test(size=size) as pilot:
        view.focus()
        view.show(record, None)
        for key in "prxm":
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
