"""The keys of the composer."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

KEYS: Final[tuple[Binding, ...]] = (
    Binding("ctrl+s,ctrl+j", "send", "Send", id="composer.send", tooltip="Send; the text stays"),
    Binding("ctrl+up,alt+up", "recall(-1)", "Older", show=False, id="composer.older", tooltip="What was sent before"),
    Binding("ctrl+down,alt+down", "recall(1)", "Newer", show=False, id="composer.newer", tooltip="What was sent after"),
    Binding(
        "alt+c",
        "channel",
        "Where to",
        id="composer.channel",
        tooltip="To the field of where it is sent: topic, event, method",
    ),
    Binding("alt+e,f8", "edit", "Editor", id="composer.editor", tooltip="Write in $EDITOR"),
    Binding(
        "alt+a,alt+f",  # the second is another key in legacy terminals
        "format",
        "Format",
        show=False,
        id="composer.format",
        tooltip="How the payload is written: text, json, hex, base64, msgpack, cbor, protobuf, file",
    ),
    Binding(
        "alt+t",
        "template",
        "Template",
        id="composer.template",
        tooltip="A message with every field that this channel takes; what stood here goes into the history",
    ),
    Binding("down", "channels", "List", show=False, id="composer.channels", tooltip="Choose one of what there is"),
    Binding("escape", "leave", "Back", show=False, id="composer.leave", tooltip="Back to the log; the text stays"),
)
