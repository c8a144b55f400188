"""Looking for a text in the message pane."""

from __future__ import annotations

import json

import pytest

from rtui.core.record import Record
from rtui.workbench.widgets.message import MessageView
from tests.workbench.widgets.fake import Host, row, screen_text

ORDERS = json.dumps({"orders": [{"id": number, "name": f"Name {number}"} for number in range(300)]}).encode()


def title(view: MessageView) -> str:
    return str(view.border_title)


async def test_a_text_is_found_while_it_is_typed_and_n_goes_on() -> None:
    view = MessageView()
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(row(1, ORDERS), None)
        await pilot.press("minus", "slash", *"name 21")
        assert title(view) == "message · find: name 21"
        assert "Name 21" in screen_text(view)[view.cursor - view.scroll_offset.y]
        first = view.cursor
        await pilot.press("enter", "n")
        assert "Name 210" in screen_text(view)[view.cursor - view.scroll_offset.y]
        assert title(view).endswith("· .orders[210].name")
        await pilot.press("N")
        assert view.cursor == first
        await pilot.press("N")
        assert "Name 219" in screen_text(view)[view.cursor - view.scroll_offset.y], "around the end"


async def test_what_is_nowhere_is_said_and_the_cursor_stays() -> None:
    view = MessageView()
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.show(row(1, ORDERS), None)
        await pilot.press("down", "slash", *"nq")
        assert title(view) == "message · find: nq (none)"
        assert view.cursor > 0
        await pilot.press("backspace")
        assert title(view) == "message · find: n"
        await pilot.press("escape")
        assert "[pretty]" in title(view)


@pytest.mark.parametrize("mode", ["raw", "hex", "pretty"])
async def test_a_million_bytes_are_searched_at_once(mode: str) -> None:
    view = MessageView()
    payload = b'{"pad":["' + b'","'.join(b"%08d" % number for number in range(90_000)) + b'"],"end":"needle"}'
    async with Host(view).run_test(size=(80, 24)) as pilot:
        view.focus()
        view.mode = mode  # type: ignore[assignment]
        view.show(Record(1, 1, 1, 0, 1, "", payload), None)
        await pilot.app.workers.wait_for_complete()
        await pilot.press("slash", *"needle")
        assert view.cursor > 1_000
        assert "needle" in "".join(screen_text(view)).replace(" ", "")
