"""How the flags of declared options are spelled."""

from __future__ import annotations

from typing import Final

from rtui.settings.option import Declared

REPEATABLE: Final = frozenset({"pairs", "list", "files"})
"""Kinds of options whose flag may be given several times, once for each entry."""


def spellings(one: Declared) -> list[str]:
    """`--max-size`; `--header` and `--headers` for what can be repeated; `--insecure/--no-insecure` for a switch."""
    name = one.key.replace("_", "-")
    if one.kind == "flag":
        return [f"--{name}/--no-{name}"]
    singular = name[:-3] + "y" if name.endswith("ties") else name.removesuffix("s")
    return [f"--{singular}", f"--{name}"] if one.kind in REPEATABLE and singular != name else [f"--{name}"]
