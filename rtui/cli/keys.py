"""`rtui keys`: the key bindings of the workbench, as keys.toml changed them."""

from __future__ import annotations

import click

from rtui.cli.output import put
from rtui.cli.report import say
from rtui.cli.sessions import columns
from rtui.cli.status import Status
from rtui.settings.keymap import keymap_file, load_keymap


@click.command()
def keys() -> int:
    """List the key bindings: the id that keys.toml names, the keys, what they do."""
    from rtui.workbench.bindings import default_keys, titles

    known, about = default_keys(), titles()
    changed, problems = load_keymap(keymap_file(), known)
    for problem in problems:
        say(str(problem))
    bound = known | changed
    put("\n".join(columns((one, bound[one].replace(",", " "), about[one]) for one in sorted(known))))
    return Status.USAGE if problems else Status.DONE
