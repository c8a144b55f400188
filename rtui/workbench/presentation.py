"""The steps of a session as somebody presents them: carried out one by one, captions shown again. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtui.runtime.check import Check, Outcome, Result
    from rtui.settings.session_model import Step


class Presentation:
    """Where the presenter of one session is."""

    def __init__(self, title: str, steps: Sequence[Step], new_check: Callable[[], Check]) -> None:
        """`title` is shown before the first step. `new_check` is asked whenever the steps begin anew."""
        self.title = title
        self.steps = steps
        self.revision = 0
        """Changes whenever something to be seen does."""
        self._new_check = new_check
        self._attempts = 0
        self.begin()

    def begin(self) -> None:
        """Before the first step again."""
        self._check = self._new_check()
        self.reached = 0
        """The step begun last, 1, 2, 3 …; 0 before the first."""
        self.shown = 0
        """The step whose caption is shown: `reached`, or one before it."""
        self.running = False
        self.results: dict[int, Result] = {}
        self._note()

    @property
    def upcoming(self) -> int | None:
        """The step that `go_on` would begin: the next one, or again the one that failed; None after the last."""
        if self.failed:
            return self.reached
        return self.reached + 1 if self.reached < len(self.steps) else None

    @property
    def failed(self) -> bool:
        """Whether the step begun last did not do what it should."""
        return self.outcome(self.reached) not in {None, "passed", "skipped"}

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return self.upcoming is None and not self.running

    def outcome(self, number: int) -> Outcome | None:
        """What became of a step; None if that is not known yet."""
        one = self.results.get(number)
        return one.outcome if one is not None else None

    async def go_on(self) -> None:
        """Carry out the upcoming step; returns when it has passed or failed."""
        number = self.upcoming
        if number is None or self.running:
            return
        self.results.pop(number, None)
        self.reached = self.shown = number
        self.running = True
        attempt = self._note()
        done = await self._check.take(number, self.steps[number - 1])
        if attempt == self._attempts:
            self.running = False
            self.results[number] = done
            self.revision += 1

    def skip(self) -> None:
        """Leave the upcoming step out, or the one that is being carried out: whatever becomes of it is no result."""
        from rtui.runtime.check import result

        number = self.reached if self.running else self.upcoming
        if number is not None:
            self.results[number] = result(number, self.steps[number - 1], "skipped")
            self.reached = self.shown = number
            self.running = False
            self._note()

    def look(self, step: int) -> bool:
        """Show an earlier caption (-1) or a later one (1); False if there is none, or its step was not begun."""
        wanted = self.shown + step
        if not 0 <= wanted <= self.reached:
            return False
        self.shown = wanted
        self.revision += 1
        return True

    def _note(self) -> int:
        """What is being carried out, if anything is, is no longer what was; returns its number."""
        self.revision += 1
        self._attempts += 1
        return self._attempts


class Clock:
    """Says when to go on without a key."""

    def __init__(self, every: float) -> None:
        self.every = every
        """Seconds from the end of a step to the beginning of the next one."""
        self._due: float | None = None

    @property
    def on(self) -> bool:
        """Whether it runs."""
        return self._due is not None

    def start(self, now: float) -> None:
        """Count from now."""
        self._due = now + self.every

    def stop(self) -> None:
        """Go on by key alone."""
        self._due = None

    def left(self, now: float) -> float | None:
        """Seconds until it is time; None if it does not run."""
        return None if self._due is None else max(0.0, self._due - now)
