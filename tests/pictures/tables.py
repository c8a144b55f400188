"""The README's tables, made from the declarations: `python -m tests.pictures.tables` writes them into it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

SIGNS = {
    "question_mark": "?",
    "slash": "/",
    "full_stop": ".",
    "colon": ":",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}
README = Path(__file__).parents[2] / "README.md"


def filters() -> str:
    """What the filter language knows."""
    from rtui.capture.query import help_rows

    return markdown(("filter", "matches"), [(f"`{code}`", about) for code, about in help_rows()])


def keys() -> str:
    """The actions that have keys."""
    from rtui.workbench.bindings import ACTIONS

    rows = [(shown(action.keys), action.help) for action in ACTIONS.values() if action.keys]
    return markdown(("key", "does"), rows)


def shown(keys: str) -> str:
    """ "ctrl+s,f2" as `ctrl+s` `f2`; names of signs as the signs."""
    return " ".join(f"`{SIGNS.get(key, key)}`" for key in keys.split(","))


def markdown(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    """A table."""
    lines = [head, ("---", "---"), *((one.replace("|", "\\|"), two.replace("|", "\\|")) for one, two in rows)]
    return "\n".join(f"| {one} | {two} |" for one, two in lines)


TABLES: Mapping[str, Callable[[], str]] = {"filters": filters, "keys": keys}


def filled(text: str) -> str:
    """`text` with each table between its marks."""
    for name, table in TABLES.items():
        marks = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        made = table()
        text = marks.sub(lambda found, made=made: f"{found[1]}\n{made}\n\n{found[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
