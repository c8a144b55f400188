"""The command `rtui`: finds the subcommand and imports only that. Nothing but click is imported for `--help`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

gc.disable()  # what is imported is no garbage: looking for some in it is a tenth of `rtui --help`
import click  # noqa: E402

from rtui import __version__  # noqa: E402
from rtui.cli.status import Status  # noqa: E402

gc.freeze()
gc.enable()

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SUMMARIES: Final = {
    "open": "Open the workbench on TARGETs (`rtui TARGET` is short for it).",
    "demo": "Start the embedded servers and open the workbench connected to them.",
    "serve": "Start only the embedded servers.",
    "tail": "Receive messages and print them.",
    "send": "Send one message, many, or a file.",
    "check": "Run the steps of sessions: send, expect, …",
    "sessions": "List, show, create, import and check session files.",
    "captures": "List, show and prune recorded captures.",
    "replay": "Play a capture as if it came live, or send its messages again.",
    "export": "Print a capture as NDJSON, text or raw payloads.",
    "themes": "List the themes, or show one.",
    "keys": "List the key bindings.",
    "doctor": "Tell what this terminal can do, and what is missing.",
}
"""Each lives in the module of its name, under a command of its name."""

DEFAULT: Final = "open"

EPILOG: Final = """\b
TARGET is a URL (ws://localhost:8080/chat), the name of a session
(`rtui sessions`), a session file (work/staging.toml) or a capture file.

\b
Completion:
  bash   eval "$(_RTUI_COMPLETE=bash_source rtui)"
  zsh    eval "$(_RTUI_COMPLETE=zsh_source rtui)"
  fish   _RTUI_COMPLETE=fish_source rtui | source
"""


class Root(click.Group):
    """A group that reads the summaries from a table, and takes any other first word for a TARGET."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the table."""
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its module imported now."""
        if cmd_name not in SUMMARIES:
            return None
        module = import_module(f"rtui.cli.{cmd_name}")
        return cast("click.Command", getattr(module, "open_" if cmd_name == DEFAULT else cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """`rtui TARGET …` is `rtui open TARGET …`."""
        if args[0] in SUMMARIES:
            return super().resolve_command(ctx, args)
        return DEFAULT, self.get_command(ctx, DEFAULT), args

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, flags, and what a TARGET may be."""
        from rtui.cli.flags import Target

        found = super().shell_complete(ctx, incomplete)
        return found or Target().shell_complete(ctx, click.Argument(["target"]), incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


def _show_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"rtui {__version__}")
        ctx.exit()


@click.group(
    cls=Root,
    invoke_without_command=True,
    epilog=EPILOG,
    subcommand_metavar="[COMMAND | TARGET ...] [ARGS] ...",
    # A flag before the first TARGET belongs to `open`.
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "RTUI",
        "ignore_unknown_options": True,
    },
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show it.")
@click.pass_context
def root(ctx: click.Context) -> int | None:
    """The realtime workbench for the terminal.

    Without a command, opens the workbench: on each TARGET, or on the list of sessions.
    """
    if ctx.invoked_subcommand is None:
        command = root.get_command(ctx, DEFAULT)
        assert command is not None  # noqa: S101 - DEFAULT stands in the table
        with command.make_context(DEFAULT, [], parent=ctx) as inner:
            return cast("int | None", command.invoke(inner))
    return None


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; the one place where errors become sentences and statuses."""
    try:
        with root.make_context("rtui", list(arguments)) as ctx:
            status = root.invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
            return int(status or Status.DONE)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        from rtui.cli.report import report_usage

        return report_usage(error)
    except (KeyboardInterrupt, click.Abort):
        return Status.INTERRUPTED
    except BrokenPipeError:
        # The reader has what it wanted. What Python still holds for it must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Status.DONE
    except Exception as error:  # noqa: BLE001 - nobody is shown a traceback who did not ask for it
        from rtui.cli.report import report

        return report(error)


def _fill_standard_files() -> None:
    """Open what is closed of 0, 1, 2, so that a capture file cannot become "stdout" and be printed into."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def main() -> None:
    """The entry point of the `rtui` script."""
    _fill_standard_files()
    if "_RTUI_COMPLETE" in os.environ:
        root.main(prog_name="rtui")
    sys.exit(run(sys.argv[1:]))
