"""`rtui themes`: which themes there are, and the file of one to begin one's own with."""

from __future__ import annotations

import click

from rtui.cli.output import put
from rtui.cli.sessions import columns
from rtui.cli.status import Status
from rtui.settings.theme import ThemeEntry, list_themes


@click.group(invoke_without_command=True)
@click.pass_context
def themes(ctx: click.Context) -> int | None:
    """List the themes, or show one. Your own are TOML files in the folder `themes` of your configuration."""
    return _list() if ctx.invoked_subcommand is None else None


@themes.command("list")
def list_() -> int:
    """List the themes: name, dark or light, where it comes from, what it is."""
    return _list()


@themes.command()
@click.argument("name")
def show(name: str) -> int:
    """Print the file of the theme NAME: a copy of it with another name is a theme of your own."""
    found = {entry.name: entry for entry in list_themes()}
    if name not in found:
        raise click.UsageError(f"there is no theme {name!r} (allowed: {', '.join(found)})")
    put(found[name].path.read_text(encoding="utf-8").rstrip("\n"))
    return Status.DONE


def _list() -> int:
    put("\n".join(columns(map(_row, list_themes()))))
    return Status.DONE


def _row(entry: ThemeEntry) -> tuple[str, str, str, str]:
    if entry.theme is None:
        return entry.name, "", entry.source, str(entry.problems[0])
    return entry.name, "dark" if entry.theme.dark else "light", entry.source, entry.theme.description
