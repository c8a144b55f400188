"""Every action of the table, by its key or from the palette: it does something that can be seen.

An action without a case in `trials` fails. Each is also looked for where it has to stand: palette, help, the menu of
its pane.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rtui.workbench.bindings import ACTIONS
from tests.workbench.scene import CASES, stage
from tests.workbench.trials import desk, traffic

__all__ = ["desk", "traffic"]


def test_no_action_is_without_a_case() -> None:
    assert set(CASES) == set(ACTIONS)


@pytest.mark.parametrize("name", sorted(ACTIONS))
async def test_it_does_what_it_says(name: str, tmp_path: Path) -> None:
    peer, attempt = CASES[name]
    async with stage(ACTIONS[name], peer, tmp_path) as at:
        await attempt(at)
