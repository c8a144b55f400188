"""`rtui export`: a capture as lines on stdout."""

from __future__ import annotations

from pathlib import Path

import click

from rtui.capture import export as capture_export
from rtui.cli.flags import Target
from rtui.cli.output import Output
from rtui.cli.printer import compiled, form_for, format_option
from rtui.cli.reading import reading, types_in
from rtui.cli.status import Status
from rtui.core.record import Kind


@click.command()
@click.argument("capture", type=click.Path(exists=True, dir_okay=False))
@click.option("filter_", "--filter", metavar="EXPR", help="Print only what matches, such as 'kind:error or .v>30'.")
@format_option
@click.option("--messages", is_flag=True, help="Leave out connection events.")
@click.option(
    "--types", type=Target(), metavar="SESSION", help="Message types of binary payloads, for --filter, are SESSION's."
)
def export(capture: str, filter_: str | None, format_: str | None, messages: bool, types: str | None) -> int:
    """Print every message and event of CAPTURE."""
    wanted = compiled(filter_)
    known = types_in(types) if types else None
    output = Output()

    def write(lines: bytes) -> None:
        output.write(lines)
        if output.ended:
            raise BrokenPipeError

    with reading(Path(capture), known) as reader:
        kinds = (lambda record: record.kind == Kind.MESSAGE) if messages else None
        capture_export.export(reader, wanted, write, form=form_for(format_, output), wanted=kinds)
    return Status.DONE
