"""Actions on filters that are kept: by name, for all sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtui.workbench.action import Book

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Filter")
_action = BOOK.action


def has_saved(desk: Desk) -> bool:
    """Whether there are filters with a name."""
    return bool(desk.bench.state.saved_filters)


@_action("filters", "V", "Saved filters…", when=lambda desk: desk.sheets.current is not None, menu=("log",))
async def choose(desk: Desk) -> None:
    """Filter by an expression that was kept by name, or by one that was asked for before."""
    from rtui.workbench.screens.dialog import Choice, Choose

    state = desk.bench.state
    names = {text: name for name, text in sorted(state.saved_filters.items(), reverse=True)}
    kept = [Choice(text, name, text) for text, name in reversed(names.items())]
    earlier = [Choice(text, text) for text in reversed(state.expressions) if text not in names]
    if not kept and not earlier:
        desk.say(f"no filters yet: {desk.bench.key_of('app.filter')} asks for one")
        return
    picked = await desk.ask(Choose("filter by", [*kept, *earlier]))
    if picked is not None:
        desk.put_filter(picked)


@_action("keep-filter", "alt+v", "Keep filter…", when=lambda desk: desk.has_filter, menu=("log",))
async def keep(desk: Desk) -> None:
    """Keep the filter under a name, for every session."""
    from rtui.workbench.screens.dialog import Prompt

    sheet, saved = desk.sheets.current, desk.bench.state.saved_filters
    text = sheet.filter_text if sheet is not None else ""
    name = await desk.ask(Prompt("keep filter as", hint="a name", detail=text, check=_name_trouble))
    if name:
        before = saved.get(name, text)
        saved[name] = text
        desk.say(f"kept as {name}" + (f", in place of {before}" if before != text else ""))
        desk.refresh_bindings()


@_action("forget-filter", "", "Forget saved filter…", when=has_saved, menu=("log",))
async def forget(desk: Desk) -> None:
    """Take a name from the saved filters."""
    from rtui.workbench.screens.dialog import Choice, Choose

    saved = desk.bench.state.saved_filters
    picked = await desk.ask(Choose("forget filter", [Choice(name, name, saved[name]) for name in sorted(saved)]))
    if picked is not None and saved.pop(picked, None) is not None:
        desk.refresh_bindings()


def _name_trouble(text: str) -> str:
    return "" if text else "a name is missing"
