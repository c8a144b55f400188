"""`rtui doctor`: what this terminal and this machine can do, what is missing, and what that costs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby

import click
import msgspec

from rtui.cli.diagnosis import Finding, examine
from rtui.cli.interview import interview
from rtui.cli.output import STDOUT, put
from rtui.cli.sessions import columns
from rtui.cli.soundness import files
from rtui.cli.status import Status

MARKS = {"ok": "ok", "less": "--", "bad": "!!"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> int:
    """Tell what this terminal and this machine can do, and what is wrong in your settings and sessions.

    `--` is something that rtui does without, with what it costs; `!!` is something that it needs. The status is 1 if
    there is any of these, else 0.
    """
    answers = interview()
    old = answers is not None and answers.device and not answers.keyboard
    findings = [*examine(answers, *_size()), *files(old_terminal=old)]
    working = all(finding.state != "bad" for finding in findings)
    if as_json:
        put(msgspec.json.format(msgspec.json.encode({"ok": working, "findings": findings}).decode(), indent=2))
    else:
        put("\n".join(lines(findings)))
    return Status.DONE if working else Status.FAILED


def _size() -> tuple[int, int]:
    """Of the terminal behind stdout; 0×0 if it is none."""
    try:
        return os.get_terminal_size(STDOUT)
    except OSError:
        return 0, 0


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """For people: in groups; below what is missing stand its cost and what to do."""
    for group, members in groupby(findings, key=lambda finding: finding.group):
        yield group
        rows = list(members)
        heads = columns((MARKS[finding.state], finding.name, finding.value) for finding in rows)
        for head, finding in zip(heads, rows, strict=True):
            yield f"  {head}"
            yield from (f"        {told}" for told in (finding.cost, finding.remedy) if told)
