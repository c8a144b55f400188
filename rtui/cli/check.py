"""`rtui check`: run the steps of sessions and tell what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from rtui.capture.journal import Journal
from rtui.cli.flags import Target, TargetCommand, capture_flags, connect_flags, given
from rtui.cli.live import Remarks, first_of, handed_over, link_row, recording
from rtui.cli.report import note, report_fault
from rtui.cli.signals import Interruption, interruption
from rtui.cli.spool import Spool
from rtui.cli.status import Status
from rtui.cli.target import Resolved, load, resolved
from rtui.cli.verdict import Verdict, write_junit
from rtui.core.fault import Failure, Fault
from rtui.runtime.check import Check, Result, result
from rtui.runtime.hub import Connection, Hub
from rtui.runtime.step import read_steps
from rtui.settings.session_model import Step

RAN: Final = 0
"""Which of the waits of `_Runner.run` is the steps' end."""
INTERRUPTED: Final = Fault(kind="usage", side="us", title="Interrupted")
NOT_OPEN: Final = Fault(kind="closed", side="them", title="Not connected")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A session and its steps, checked."""

    one: Resolved
    steps: tuple[Step, ...]


@click.command(cls=TargetCommand)
@click.argument("sessions", nargs=-1, required=True, metavar="SESSION...", type=Target())
@click.option("--junit", type=click.Path(dir_okay=False), metavar="FILE", help="Write the results as JUnit XML.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as NDJSON.")
@connect_flags
@capture_flags
@click.pass_context
def check(ctx: click.Context, /, sessions: tuple[str, ...], junit: str | None, as_json: bool, **flags: Any) -> int:
    """Run the [[steps]] of each SESSION, one session after the other, and print what became of each step.

    All sessions are read before the first is connected. A session ends at its first step that is not passed; the exit
    status is that of the first session that was not: 1 if an expectation failed.
    """
    request = given(ctx)
    loaded = [load(name, request) for name in sessions]
    plans = [Plan(steps=read_steps(one), one=resolved(one, request)) for one in loaded]
    verdicts = [Verdict(plan.one.session.name, plan.one.secrets) for plan in plans]
    try:
        return asyncio.run(_check(plans, verdicts, flags["capture"], keep=not flags["no_capture"], as_json=as_json))
    finally:
        if junit is not None:
            write_junit(Path(junit), verdicts)


async def _check(plans: list[Plan], verdicts: list[Verdict], capture: str | None, *, keep: bool, as_json: bool) -> int:
    with interruption() as interrupted, recording(capture, keep=keep) as journal:
        async with Spool() as output:
            runner = _Runner(journal, output, interrupted, as_json=as_json)
            try:
                for plan, verdict in zip(plans, verdicts, strict=True):
                    await runner.run(plan, verdict)
            finally:
                await runner.hub.close_all()
            if output.ended and output.error is None:
                return Status.DONE
            return await handed_over(output, _summed_up(verdicts), interrupted.came)


def _summed_up(verdicts: list[Verdict]) -> int:
    results = [one for verdict in verdicts for one in verdict.results]
    passed = sum(one.outcome == "passed" for one in results)
    note(f"{passed} of {len(results)} steps passed")
    return next((verdict.status for verdict in verdicts if verdict.status), Status.DONE)


class _Runner:
    """Runs one plan after another into one recording."""

    def __init__(self, journal: Journal, output: Spool, interrupted: Interruption, *, as_json: bool) -> None:
        self.hub = Hub(journal)
        self._journal = journal
        self._output = output
        self._interrupted = interrupted.came
        self._as_json = as_json
        journal.taps.append(Remarks().tap)

    async def run(self, plan: Plan, verdict: Verdict) -> None:
        """Run the steps of one session; those that nobody came to are skipped."""

        def tell(one: Result) -> None:
            verdict.results.append(one)
            self._output.write(verdict.json(one) if self._as_json else verdict.text(one))

        if not (self._interrupted.is_set() or self._output.ended):
            which = await first_of(self._steps(plan, verdict, tell), self._interrupted.wait(), self._output.gone())
            if which != RAN and len(verdict.results) < len(plan.steps):
                at = len(verdict.results)
                tell(result(at + 1, plan.steps[at], "interrupted", INTERRUPTED))
        for number, step in list(enumerate(plan.steps, 1))[len(verdict.results) :]:
            tell(result(number, step, "skipped"))

    async def _steps(self, plan: Plan, verdict: Verdict, tell: Callable[[Result], None]) -> None:
        one = plan.one
        connection = self.hub.open(one.session, one.secrets, one.renderer, retry_first=False)
        verdict.link = link_row(connection)
        try:
            await connection.wait_open()
        except Failure:
            if not connection.opened:
                tell(_unreached(connection, plan.steps[0], verdict))
                return
        await Check(connection, self._journal, one.renderer, one.secrets).run(plan.steps, tell)
        self._report(verdict)
        connection.close()
        await connection.wait_closed()

    @staticmethod
    def _report(verdict: Verdict) -> None:
        """Say on stderr what is no failed expectation: the results may go anywhere."""
        last = verdict.results[-1]
        if last.fault is not None and last.outcome != "failed":
            report_fault(verdict.masked(last.fault))


def _unreached(connection: Connection, step: Step, verdict: Verdict) -> Result:
    fault = verdict.masked(connection.fault or NOT_OPEN)
    report_fault(fault)
    return result(1, step, "invalid" if fault.kind == "usage" else "unreached", fault)
