"""What the band of the presenter says about a presentation, and where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from rtui.runtime.step import deed, label
from rtui.workbench.panes.caption import Slide

if TYPE_CHECKING:
    from rtui.workbench.presentation import Presentation
    from rtui.workbench.widgets.glyph import Glyphs

ADVICE: Final = (
    "Write [[steps]] into its file, each with a caption and one of send, expect, sleep, close, reconnect: "
    "the README shows some."
)

WORDS: Final = {"passed": "done", "skipped": "skipped"}
"""Outcomes for those who watch; all others are failures."""


class Keys(NamedTuple):
    """How the keys of the actions `app.present-…` are written."""

    next: str
    back: str
    skip: str
    clock: str
    leave: str


def nothing(why: str, keys: Keys, *, advise: bool) -> Slide:
    """There is nothing to present here. `advise`: the session could have some."""
    return Slide("no steps", why, ADVICE if advise else "", keys=f"{keys.leave} leaves")


def slide_of(one: Presentation, keys: Keys, glyphs: Glyphs, seconds: int | None, mask: Callable[[str], str]) -> Slide:
    """The caption that is shown. `seconds`: until the clock goes on."""
    here = one.shown == one.reached
    step = one.steps[one.shown - 1] if one.shown else None
    return Slide(
        title=_title(one, glyphs, seconds),
        text=mask(step.caption or label(step)) if step is not None else one.title,
        trouble=mask(_trouble(one, keys)) if here and one.failed else "",
        next=mask(_next(one, keys)) if here else f"looking back; {keys.next} goes on",
        keys=f" {glyphs.dot} ".join(
            (f"{keys.next} next", f"{keys.back} back", f"{keys.clock} clock", f"{keys.leave} leaves")
        ),
    )


def _title(one: Presentation, glyphs: Glyphs, seconds: int | None) -> str:
    parts = [f"{one.shown}/{len(one.steps)}"]
    if one.running and one.shown == one.reached:
        parts.append("waiting")
    elif outcome := one.outcome(one.shown):
        parts.append(WORDS.get(outcome, "failed"))
    if seconds is not None:
        parts.append(f"next in {seconds} s")
    return f" {glyphs.dot} ".join(parts)


def _trouble(one: Presentation, keys: Keys) -> str:
    fault = one.results[one.reached].fault
    said = [f"{fault.sentence().rstrip('.')}.", fault.hint] if fault is not None else []
    return " ".join(filter(None, (*said, f"Press {keys.next} to try again, {keys.skip} to skip the step.")))


def _next(one: Presentation, keys: Keys) -> str:
    if one.running:
        return f"{deed(one.steps[one.reached - 1])} …"
    if one.over:
        return f"That was the last step; {keys.next} begins again."
    return f"next: {label(one.steps[one.reached])}" if not one.failed else ""
