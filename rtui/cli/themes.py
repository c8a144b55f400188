"""`rtui themes`: which themes there are."""

from __future__ import annotations

import click

from rtui.cli.output import put
from rtui.cli.sessions import columns
from rtui.cli.status import Status
from rtui.settings.theme import ThemeEntry, list_themes


@click.command()
def themes() -> int:
    """List the themes: name, dark or light, where it comes from, what it is."""
    put("\n".join(columns(map(_row, list_themes()))))
    return Status.DONE


def _row(entry: ThemeEntry) -> tuple[str, str, str, str]:
    if entry.theme is None:
        return entry.name, "", entry.source, str(entry.problems[0])
    return entry.name, "dark" if entry.theme.dark else "light", entry.source, entry.theme.description
