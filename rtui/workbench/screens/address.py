"""Asks for a URL, a file or a command line, and of a plain http URL for the protocol.

A command of several lines that is pasted is taken whole.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Label

from rtui.core.fault import Failure
from rtui.protocols import registry
from rtui.settings.importing.command_line import is_command
from rtui.settings.session_list import find_session
from rtui.workbench.screens.dialog import Check, Choice, Choose, Prompt
from rtui.workbench.widgets.safe import SafeInput

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

URLS: Final = "ws:// wss:// mqtt:// mqtts:// grpc:// grpcs:// http:// https://"
"""What a URL begins with most often: of the last two the protocol is asked."""


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


async def ask_until_taken(
    desk: Desk, take: Callable[[str], Awaitable[bool]], title: str, *, hint: str, detail: str, check: Check
) -> None:
    """Ask until `take` can use the line, or none is given. It is given back to be mended; pasted lines are not."""
    typed = ""
    while text := await desk.ask(Address(title, value=typed, hint=hint, detail=detail, check=check)):
        if await take(text) or "\n" in text:
            return
        typed = text


def which_protocol(url: str) -> Choose | None:
    """The question for the protocol of a URL that does not tell it; None if it does.

    Raises:
        Failure: if it is no URL.
    """
    names = registry.carried_by(url)
    if not names:
        return None
    found = {name: registry.for_url(url, name) for name in names}
    choices = [Choice(name, adapter.title, whole.partition("//")[0] + "//") for name, (adapter, whole) in found.items()]
    return Choose("which protocol?", choices, detail="http alone may be any of these.")


def session_file(text: str) -> Path | None:
    """The session that is meant, as on the command line: by its name, or by its file."""
    if "://" in text:
        return None
    path = Path(text).expanduser()
    return path if path.suffix == ".toml" and path.is_file() else find_session(text)


def target_trouble(url: str) -> str:
    """What is wrong with a URL, the name of a session or a command; empty if nothing is."""
    if is_command(url) or session_file(url) is not None:
        return ""
    try:
        if which_protocol(url) is None:
            registry.for_url(url)
    except Failure as failure:
        return f"{failure.fault.sentence()}. {failure.fault.hint}"
    return ""
