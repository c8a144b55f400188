"""The message type of what is being written, where the payload is protobuf."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from rtui.core.clean import clean
from rtui.workbench.widgets.safe import SafeInput
from rtui.workbench.widgets.seen import Seen

if TYPE_CHECKING:
    from rtui.encoding.type_file import TypeFile
    from rtui.protobuf.codec import Codec
    from rtui.runtime.decoding import Types


class SendType(Horizontal):
    """A field for the name of a type; empty, it is the type of the channel. The descriptor set is read in a thread."""

    DEFAULT_CSS = """
    SendType {
        width: auto;
        height: 1;
        display: none;
        & SafeInput { width: 24; max-width: 24; }
    }
    """

    class Ready(Message):
        """The descriptor set was read, or cannot be: there is more to say of the payload."""

    def __init__(self) -> None:
        super().__init__()
        self.types: Callable[[], Types | None] = lambda: None
        """What is known of the payloads of the connection."""
        self._reading = False
        self._tried: TypeFile | None = None
        """The descriptor set that was read last, or cannot be: until it is written anew, once is enough."""

    def compose(self) -> ComposeResult:
        """Label and field."""
        yield Label("message", markup=False)
        yield SafeInput(compact=True, id="type", suggester=Seen(self._names))

    @property
    def field(self) -> Input:
        """Where the name is typed."""
        return self.query_one("#type", Input)

    @property
    def waits(self) -> bool:
        """Whether the descriptor set is being read."""
        return self._reading

    def show(self, wanted: bool, channel: str) -> None:
        """Offer the field or not, for a message to `channel`; what is needed to check it is read."""
        self.display = wanted
        types = self.types() if wanted else None
        if types is None:
            return
        from rtui.runtime.decoding import message_of

        self.field.placeholder = clean(message_of(types.table, channel)) or "pkg.Message"
        file = types.file
        if not file.ready and not self._reading and file is not self._tried:
            self._reading, self._tried = True, file
            self.run_worker(self._read(file), group="types", description="read message types", exit_on_error=False)

    def codec(self, channel: str) -> Codec | None:
        """JSON both ways for a message to `channel`; None if its type is not known, or not yet."""
        from rtui.protobuf.unfit import Unusable
        from rtui.runtime.decoding import message_of

        types = self.types()
        message = self.field.value.strip() or (message_of(types.table, channel) if types is not None else "")
        if types is None or not message or not types.file.ready:
            return None
        try:
            return types.file.codec(message)
        except Unusable:
            return None

    def encode(self, text: bytes, channel: str) -> bytes:
        """The message that JSON means.

        Raises:
            ValueError: if no type is known, or the JSON does not fit it.
        """
        from rtui.runtime.decoding import pack

        return pack(self.types(), text, channel, self.field.value.strip())

    def template(self, channel: str) -> str:
        """A message with every field, as JSON; "" where no type is known."""
        codec = self.codec(channel)
        if codec is None:
            return ""
        from rtui.protobuf.template import template

        return template(codec.descriptor)

    async def _read(self, file: TypeFile) -> None:
        from rtui.protobuf.unfit import Unusable

        try:
            await asyncio.to_thread(file.types)
        except Unusable:
            pass  # told when it is tried
        finally:
            self._reading = False
        self.post_message(self.Ready())

    def _names(self) -> Iterable[str]:
        types = self.types()
        return types.file.types().names if types is not None and types.file.ready else ()
