"""Every action of the table, by its key or from the palette, and by the mouse: it does something that can be seen.

An action without a case in `trials` fails. Each is also looked for where it has to stand: palette, help, the menu of
its pane, the bottom line.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rtui.workbench.bindings import ACTIONS
from rtui.workbench.screens.menu import PLACES
from tests.pictures.tables import by_mouse
from tests.workbench.scene import CASES, Way, stage
from tests.workbench.trials import desk, replay, tools, traffic

__all__ = ["desk", "replay", "tools", "traffic"]

ELSEWHERE = {"app.ping", "app.demo-servers", "app.subscribe"}
"""Actions whose key the bottom line shows where it matters, which is not where they are tried."""
WAYS: list[tuple[str, Way]] = [
    *((name, "key") for name in sorted(ACTIONS)),
    *((name, "mouse") for name in sorted(ACTIONS)),
    *((name, "bottom line") for name in sorted(ACTIONS) if ACTIONS[name].footer and name not in ELSEWHERE),
]
"""By the key that it has or else the palette; by the way of the mouse that README names; by its key's hint."""


def test_no_action_is_without_a_case() -> None:
    assert set(CASES) == set(ACTIONS)


def test_every_place_that_an_action_names_has_a_menu() -> None:
    assert {place for action in ACTIONS.values() for place in action.menu} <= set(PLACES)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_the_mouse_has_a_way_to_it(name: str) -> None:
    assert by_mouse(ACTIONS[name])


@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_it_does_what_it_says(name: str, way: Way, tmp_path: Path) -> None:
    peer, attempt = CASES[name]
    async with stage(ACTIONS[name], peer, tmp_path, way=way) as at:
        await attempt(at)
