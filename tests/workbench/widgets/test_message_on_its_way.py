"""The message pane while something is on its way: the look-up of a text, a step of the scrolling."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rtui.capture.joined import Joined, Strand
from rtui.capture.journal import Journal
from rtui.capture.past import Past
from rtui.capture.reader import Reader
from rtui.workbench.widgets.message import MessageView
from tests.waiting import PATIENCE, eventually
from tests.workbench.widgets.fake import Host, row
from tests.workbench.widgets.test_message import opened, shown, token


async def test_the_newest_of_a_text_does_not_end_the_look_up_of_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, wanted = threading.Event(), threading.Event()
    looked_up = Joined.look_up

    def late(joined: Joined, cancelled: threading.Event | None = None) -> Strand:
        began.set()
        assert wanted.wait(PATIENCE)
        return looked_up(joined, cancelled)

    monkeypatch.setattr(Joined, "look_up", late)
    journal = Journal.create(tmp_path / "run.rtui")
    journal.append([opened(1), *(row(seq, token(f"{seq} ")) for seq in range(2, 9))])
    await eventually(lambda: journal.committed == 8)
    reader = Reader(journal.path)
    view = MessageView(past=Past(reader))
    async with Host(view).run_test(size=(60, 10)) as pilot:
        view.focus()
        view.show(journal.get(7), None, newest=True)
        await pilot.press("t")
        await eventually(began.is_set)
        view.show(journal.get(8), None, newest=True)
        wanted.set()
        await eventually(lambda: not view._drawing)
        assert shown(view)[-1] == "2 3 4 5 6 7 8"
    reader.close()
    journal.close()


async def test_another_message_ends_the_scrolling_that_a_click_on_the_bar_began() -> None:
    view = MessageView()
    app = Host(view)
    async with app.run_test(size=(60, 10)) as pilot:
        app.animation_level = "full"
        many = b"[" + b"1," * 200 + b"1]"
        view.show(row(1, many), None)
        await pilot.pause()
        view.scroll_page_down()
        await eventually(lambda: view.scroll_y)
        view.show(row(2, many), None)
        await eventually(lambda: not app.animator.is_being_animated(view, "scroll_y"))
        assert view.scroll_y == 0
        view.scroll_page_down()
        await eventually(lambda: view.scroll_y)
        view.go_to_row(0)
        await eventually(lambda: not app.animator.is_being_animated(view, "scroll_y"))
        assert view.scroll_y == 0
