"""`rtui export`: a capture as lines on stdout."""

from __future__ import annotations

from pathlib import Path

import click

from rtui.capture import export as capture_export
from rtui.cli.output import Output
from rtui.cli.printer import compiled, form_for, format_option
from rtui.cli.reading import reading
from rtui.cli.status import Status
from rtui.core.record import Kind


@click.command()
@click.argument("capture", type=click.Path(exists=True, dir_okay=False))
@click.option("filter_", "--filter", metavar="EXPR", help="Print only what matches, such as 'kind:error or .v>30'.")
@format_option
@click.option("--messages", is_flag=True, help="Leave out connection events.")
def export(capture: str, filter_: str | None, format_: str | None, messages: bool) -> int:
    """Print every message and event of CAPTURE."""
    wanted = compiled(filter_)
    output = Output()

    def write(lines: bytes) -> None:
        output.write(lines)
        if output.ended:
            raise BrokenPipeError

    with reading(Path(capture)) as reader:
        kinds = (lambda record: record.kind == Kind.MESSAGE) if messages else None
        capture_export.export(reader, wanted, write, form=form_for(format_, output), wanted=kinds)
    return Status.DONE
