"""How large panes are: what the style sheet says until the user says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rtui.workbench.screens.stage import Stage

STEP: Final = {"sessions": 2, "tree": 2, "message": 1}
"""Cells by which a key changes the panes whose size can be chosen. The log and the composer take what is left."""
LEAST: Final = {"sessions": 14, "tree": 16, "message": 4}


def grow(stage: Stage, direction: int) -> bool:
    """Make the focused pane larger (1) or smaller (-1); False if there is nothing to change."""
    pane = stage.focused_pane
    if pane == "log":  # its neighbour gives the room
        pane, direction = "message", -direction
    if pane not in STEP or stage.panes.zoomed is not None or not stage.panes.visible(pane):
        return False
    size = stage.pane(pane).outer_size
    now, whole = (size.height, stage.size.height) if pane == "message" else (size.width, stage.size.width)
    sizes = stage.bench.state.sizes
    sizes[pane] = max(LEAST[pane], min(now + direction * STEP[pane], whole // 2))
    apply(stage)
    return sizes[pane] != now


def apply(stage: Stage) -> None:
    """Give the panes the sizes that the user chose. A pane that is alone takes everything."""
    alone = stage.panes.zoomed is not None
    for pane in STEP:
        chosen = stage.bench.state.sizes.get(pane)
        whole = stage.size.height if pane == "message" else stage.size.width
        rule = "height" if pane == "message" else "width"
        for widget in stage.query(f"#{pane}"):
            if chosen is None or alone:
                widget.styles.clear_rule(rule)
            else:
                setattr(widget.styles, rule, max(LEAST[pane], min(chosen, whole // 2)))
