from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import Container

from rtui.workbench.widgets.choice import Choice


class Plain(App[None]):
    def compose(self) -> ComposeResult:
        yield Container(id="fields")


def choice() -> Choice:
    return Choice([("a", "a"), ("b", "b")], value="b", allow_blank=False)


async def test_taken_away_before_it_is_mounted() -> None:
    async with Plain().run_test() as pilot:
        fields = pilot.app.query_one("#fields", Container)
        for _ in range(20):
            fields.mount(choice())
            await fields.remove_children()
        await fields.mount(last := choice())
        await pilot.pause()
        assert last.value == "b"
