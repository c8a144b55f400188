"""Asks for a URL, a file or a command line. A command of several lines that is pasted is taken whole."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Label

from rtui.settings.importing.command_line import is_command
from rtui.workbench.screens.dialog import Prompt
from rtui.workbench.widgets.safe import SafeInput


class CommandInput(SafeInput):
    """An `Input` has one line: of a paste it takes the first, and a browser's "copy as cURL" has many."""

    class Pasted(Message):
        """A command line was pasted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def _on_paste(self, event: events.Paste) -> None:
        if "\n" in event.text.strip() and is_command(event.text):
            event.prevent_default()
            event.stop()
            self.post_message(self.Pasted(event.text))


class Address(Prompt):
    """A line of text, or several that were pasted."""

    def ask(self) -> ComposeResult:
        """See `Prompt.ask`."""
        yield CommandInput(self._value, placeholder=self._hint, select_on_focus=False)
        yield Label("", markup=False, classes="trouble")

    @on(CommandInput.Pasted)
    def _pasted(self, event: CommandInput.Pasted) -> None:
        event.stop()
        self.dismiss(event.text)
