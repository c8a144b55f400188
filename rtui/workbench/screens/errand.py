"""What the stage has done for it: work in workers, questions, words to the user."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from rtui.core.fault import Failure
from rtui.settings.files import SettingsError
from rtui.settings.option import OptionErrors
from rtui.workbench.screens.stage import Stage
from rtui.workbench.typeahead import Errand

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from rtui.runtime.hub import Connection
    from rtui.workbench.screens.dialog import Dialog

Answer = TypeVar("Answer")
Found = TypeVar("Found")


class Errands(Stage):
    """A stage that has things done, and says what came of them."""

    def start(self, work: Awaitable[None], title: str) -> None:
        """Let `work` run in a worker of the app. What is typed waits as long as `Errand` says.

        A `title` that ends in "…" promises a question: then it also waits for what `work` does before it asks.
        """
        errand = Errand(work, self.bench, asks=title.endswith("…"))
        self.bench.follow(errand)
        self.bench.run_worker(self._carried_out(errand), name=title, group="actions", description=title)

    async def _carried_out(self, errand: Errand) -> None:
        try:
            await errand
        except (Failure, SettingsError, OptionErrors, OSError) as error:
            self.tell_error(error)
        finally:
            self.bench.forget(errand)

    async def ask(self, dialog: Dialog[Answer]) -> Answer | None:
        """Put a dialog up and wait for the answer. Only from a worker."""
        return await self.bench.push_screen_wait(dialog)

    async def look(self, read: Callable[[], Found]) -> Found:
        """What `read` finds on the disk, in a thread. What is typed meanwhile is for what comes of it."""
        with self.bench.looking():
            return await asyncio.to_thread(read)

    def say(self, text: str, *, severity: SeverityLevel = "information") -> None:
        """A notification."""
        self.bench.notify(text, severity=severity)

    def tell_error(self, error: Exception) -> None:
        """Say what went wrong, in the words of the error."""
        self.bench.tell_error(error)

    def copy(self, text: str, what: str) -> None:
        """Send `text` to the terminal's clipboard."""
        self.bench.copy(text, what)

    @property
    def sure(self) -> Connection:
        """The connection of the tab, where an action's `when` has seen that there is one."""
        connection = self.connection
        assert connection is not None  # noqa: S101
        return connection
