"""How large panes are: what the style sheet says until the user says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from textual.geometry import Offset
    from textual.widget import Widget

    from rtui.workbench.screens.stage import Stage

STEP: Final = {"sessions": 2, "tree": 2, "message": 1}
"""Cells by which a key changes the panes whose size can be chosen. The log and the composer take what is left."""
LEAST: Final = {"sessions": 14, "tree": 16, "message": 4}
ALONE: Final[Mapping[str, Mapping[str, Any]]] = {
    "sessions": {"width": "1fr"},
    "tree": {"width": "1fr", "border_right": ("none", "black")},
    "message": {"height": "1fr"},
    "composer": {"height": "1fr", "max_height": "100%"},
}
"""Styles of a pane that takes everything. They are set on the pane itself: a rule by the screen's class would have
everything on it styled anew."""
SPLIT: Final = "split"
"""Names the share of the first half of a split among the sizes, in hundredths; its step is that of a key."""
SPLIT_STEP: Final = 5
SHARES: Final = range(20, 81)
EVEN: Final = 50


def grow(stage: Stage, direction: int) -> bool:
    """Make the focused pane larger (1) or smaller (-1); False if there is nothing to change.

    In a split the other half gives a log its room; else the message pane does.
    """
    pane = stage.focused_pane
    if pane == "log" and stage.panes.paired:
        return _move_split(stage, direction)
    if pane == "log":
        pane, direction = "message", -direction
    if pane not in STEP or stage.panes.zoomed is not None or not stage.panes.visible(pane):
        return False
    size = stage.pane(pane).outer_size
    now, whole = (size.height, stage.size.height) if pane == "message" else (size.width, stage.size.width)
    sizes = stage.bench.state.sizes
    sizes[pane] = max(LEAST[pane], min(now + direction * STEP[pane], whole // 2))
    apply(stage)
    return sizes[pane] != now


def reach(stage: Stage, name: str, place: Offset) -> None:
    """Have the edge of a pane, or of the halves, at a place of the screen, as far as sizes allow."""
    sizes = stage.bench.state.sizes
    before = sizes.get(name)
    if name == SPLIT:
        region, rows = stage.query_one("#halves").region, stage.panes.paired == "rows"
        share = (place.y - region.y) / max(1, region.height) if rows else (place.x - region.x) / max(1, region.width)
        sizes[SPLIT] = max(SHARES[0], min(round(100 * share), SHARES[-1]))
    else:
        region = stage.pane(name).region
        cells = region.bottom - place.y if name == "message" else place.x - region.x + 1
        whole = stage.size.height if name == "message" else stage.size.width
        sizes[name] = max(LEAST[name], min(cells, whole // 2))
    if sizes[name] != before:
        apply(stage)


def forget(stage: Stage, name: str) -> None:
    """The usual size: halves of a split are equal."""
    if stage.bench.state.sizes.pop(name, None) is not None:
        apply(stage)


def apply(stage: Stage) -> None:
    """Give the panes and halves the sizes that the user chose. A pane that is alone takes everything."""
    for pane, rules in ALONE.items():
        alone = stage.panes.zoomed == pane
        for widget in stage.query(f"#{pane}"):
            _put(widget, rules if alone else _chosen(stage, pane), rules)
    _apply_split(stage)


def _chosen(stage: Stage, pane: str) -> Mapping[str, Any]:
    size = stage.bench.state.sizes.get(pane)
    if size is None or pane not in STEP:
        return {}
    whole = stage.size.height if pane == "message" else stage.size.width
    return {"height" if pane == "message" else "width": max(LEAST[pane], min(size, whole // 2))}


def _put(widget: Widget, rules: Mapping[str, Any], names: Iterable[str]) -> None:
    """Set each of `names` as `rules` say; without a word there, the style sheet's holds.

    What was never set is not taken back: for that Textual would lay out the whole screen.
    """
    for name in names:
        if name in rules or widget.styles.inline.has_rule(name):
            setattr(widget.styles, name, rules.get(name))


def _share(stage: Stage) -> int:
    return max(SHARES[0], min(stage.bench.state.sizes.get(SPLIT, EVEN), SHARES[-1]))


def _move_split(stage: Stage, direction: int) -> bool:
    now = _share(stage)
    step = SPLIT_STEP if stage.sheets.place == 0 else -SPLIT_STEP
    stage.bench.state.sizes[SPLIT] = now + direction * step
    stage.bench.state.sizes[SPLIT] = _share(stage)
    apply(stage)
    return _share(stage) != now


def _apply_split(stage: Stage) -> None:
    """Stand the halves beside each other or one above the other, and share the room."""
    rows = stage.panes.paired == "rows"
    above = {"layout": "vertical", "min_height": 8} if rows else {}
    _put(stage.query_one("#halves"), above, ("layout", "min_height"))
    shares = (_share(stage), 100 - _share(stage)) if stage.panes.paired else (None, None)
    for half, share in zip(stage.halves, shares, strict=False):
        size = {"height" if rows else "width": f"{share}fr"} if share else {}
        _put(half, size, ("width", "height"))
