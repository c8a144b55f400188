"""`rtui keys`: the key bindings of the workbench, as config.toml and keys.toml changed them."""

from __future__ import annotations

import click

from rtui.cli.output import put
from rtui.cli.report import say
from rtui.cli.sessions import columns
from rtui.cli.status import Status
from rtui.settings.config import load_config
from rtui.settings.keymap import keymap_file, load_keymap


@click.command()
def keys() -> int:
    """List the key bindings: the id that keys.toml names, the keys, what they do."""
    from rtui.workbench.bindings import default_keys, titles

    config, problems = load_config()
    known, about = default_keys(config.keys), titles()
    changed, wrong = load_keymap(keymap_file(), known)
    problems += wrong
    for problem in problems:
        say(str(problem))
    bound = known | changed
    put("\n".join(columns((one, bound[one].replace(",", " "), about[one]) for one in sorted(known))))
    return Status.USAGE if problems else Status.DONE
