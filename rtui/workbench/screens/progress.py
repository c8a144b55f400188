"""Long work with a bar and a way out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Label, ProgressBar

from rtui.core.clean import clean
from rtui.workbench.screens.dialog import Dialog
from rtui.workbench.widgets.knob import Knob

Job: TypeAlias = Iterator[tuple[int, int]]
"""Yields (done, total) after each piece of work; runs in a thread; is closed when the user cancels."""


class Progress(Dialog[int]):
    """Runs a job; returns how much was done, or None if it was cancelled or failed."""

    def __init__(self, title: str, job: Job) -> None:
        super().__init__(title)
        self._job = job
        self._cancelled = False
        self._over = False
        self._done: int | None = None

    def ask(self) -> ComposeResult:
        """Bar, count, cancel."""
        yield ProgressBar(show_eta=False)
        yield Label("", markup=False, classes="detail")
        with Horizontal(classes="buttons"):
            yield Knob("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """Begin."""
        self._run()

    def action_dismiss_without(self) -> None:
        """Cancels; the dialog closes when the work has stopped."""
        self._cancelled = True

    @work(thread=True, exit_on_error=False, name="progress", description="long work")
    def _run(self) -> None:
        done: int | None = 0
        trouble = ""
        try:
            for count, total in self._job:
                done = count
                self.app.call_from_thread(self._show, count, total)
                if self._cancelled:
                    done = None
                    break
        except Exception as error:  # noqa: BLE001 - whatever ends the work is told, never raised into the app
            done, trouble = None, str(error)
        finally:
            if hasattr(self._job, "close"):
                self._job.close()
        self.app.call_from_thread(self._end, done, trouble)

    def _show(self, done: int, total: int) -> None:
        self.query_one(ProgressBar).update(total=max(total, 1), progress=done)
        self.query_one(".detail", Label).update(f"{done:,} of {total:,}")

    def _end(self, done: int | None, trouble: str) -> None:
        if trouble:
            self.app.notify(clean(trouble), severity="error", markup=False)
        self._over, self._done = True, done
        self._go()

    def on_screen_resume(self) -> None:
        """What was asked over it, such as whether to leave, was answered."""
        self._go()

    def _go(self) -> None:
        """Close when the work is over, but not before what stands over it: `dismiss` would take that away."""
        if self._over and self.app.screen is self:
            self.dismiss(self._done)
