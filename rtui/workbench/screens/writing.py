"""What is written and sent from the desk: the composer of the tab, and what becomes of its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from rtui.core.clean import clean
from rtui.settings.option import OptionErrors, build
from rtui.workbench.editor import edit_text
from rtui.workbench.outcome import tell_outcome
from rtui.workbench.repeat import Repeats
from rtui.workbench.screens.errand import Errands

if TYPE_CHECKING:
    from rtui.workbench.app import Workbench
    from rtui.workbench.widgets.composer import Composer


class Writing(Errands):
    """A stage whose composer sends."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.repeats = Repeats(self.title_composer)

    def on_composer_send_requested(self, event: Composer.SendRequested) -> None:
        """Send, and remember what was written."""
        draft = self.sure_picture.composer.draft
        if self.connection is not None and self.sheets.current is not None:
            payload = self.bench.secrets[self.connection.id].mask(draft.payload)
            self.bench.state.remember_payload(self.sheets.current.name, payload)
        command = self.send(event.payload, event.channel, event.outgoing)
        if command is not None:
            self.start(tell_outcome(self, command, draft, confirmed=self._confirmed(event.outgoing)), "outcome")

    def _confirmed(self, outgoing: dict[str, Any]) -> bool:
        """Whether the peer says by itself that it took the message."""
        return bool((self.built(outgoing) or self.sure.adapter.Outgoing()).confirmed)

    def on_composer_left(self) -> None:
        """Back to the rows."""
        self.action_back()

    def on_composer_editor_requested(self, event: Composer.EditorRequested) -> None:
        """Go on writing in the user's editor."""
        self.start(self._edit_payload(event.text), "edit")

    async def _edit_payload(self, text: str) -> None:
        edited, trouble = await edit_text(self.bench, text, editor=self.bench.config.editor)
        if trouble:
            self.say(trouble, severity="error")
        if edited != text:  # also from an editor that failed afterwards
            self.sure_picture.composer.set_text(edited)

    def send(self, payload: bytes, channel: str = "", outgoing: Any = None) -> int | None:
        """Send over the tab's connection; returns the command's id, None if there was nothing to ask.

        `outgoing` holds values for the protocol's `Outgoing`.
        """
        connection = self.connection
        if connection is None:
            self.say("this tab has no connection to send over", severity="warning")
            return None
        if isinstance(outgoing, dict):
            try:
                outgoing = self.built(outgoing)
            except OptionErrors as error:
                self.tell_error(error)
                return None
        command = connection.send(payload, channel, outgoing)
        self.log_view.action_follow()
        return command

    def built(self, outgoing: dict[str, Any]) -> Any:
        """The protocol's `Outgoing` from what the composer holds; None for its defaults.

        Raises:
            OptionErrors: if a value is wrong.
        """
        return build(self.sure.adapter.Outgoing, outgoing) if outgoing else None

    @property
    def composer(self) -> Composer | None:
        """Where messages are written, once it is there."""
        return self.picture.composer if self.picture is not None else None

    def title_composer(self) -> None:
        """The composer tells of a rhythm that runs."""
        if self.composer is not None:
            rhythm = self.repeats.of(self.connection)
            stop = f"compose · {rhythm} · {self.bench.key_of('app.repeat')} stops" if rhythm else "compose"
            self.composer.border_title = Text(clean(stop))

    def load_composer(self, payload: bytes, channel: str, outgoing: dict[str, Any] | None = None) -> None:
        """Put a message into the composer, to be changed and sent. `outgoing` as for `send`."""
        self.show_pane("composer")
        self.sure_picture.composer.load(payload, channel, outgoing or {})
