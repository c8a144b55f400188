"""The list of sessions while it is read anew."""

from __future__ import annotations

from pathlib import Path

from rtui.settings.session_list import SessionEntry
from rtui.workbench.panes.sidebar import Sidebar
from tests.workbench.widgets.fake import Host


def entry(name: str) -> SessionEntry:
    return SessionEntry(name=name, path=Path(f"/sessions/{name}.toml"), source="here", folder="")


class Listening(Host):
    asked: list[str]

    def on_mount(self) -> None:
        self.asked = []

    def on_sidebar_asked(self, event: Sidebar.Asked) -> None:
        self.asked.append(event.entry.name)


async def test_a_key_right_after_the_list_was_read_anew_is_about_what_was_under_the_cursor() -> None:
    sidebar = Sidebar()
    app = Listening(sidebar)
    async with app.run_test(size=(40, 12)) as pilot:
        sidebar.load([entry("b"), entry("c"), entry("d")])
        await pilot.pause()
        sidebar.focus()
        sidebar.point_at("/sessions/c.toml")
        await pilot.pause()
        sidebar.load([entry("a"), entry("b"), entry("c"), entry("d")])
        sidebar.action_ask("connect")
        sidebar.action_select_cursor()
        sidebar.action_cursor_down()
        await pilot.pause()
        sidebar.action_ask("edit")
        await pilot.pause()
        assert app.asked == ["c", "c", "d"]
