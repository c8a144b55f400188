"""Where messages are written. Its fields come from the protocol's declaration; what was typed is never thrown away."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Label, Select, Static, TextArea

from rtui.core.clean import clean, clean_block
from rtui.protocols.base import Adapter, Verb
from rtui.settings.option import Declared, declared, parse_text
from rtui.settings.quantity import format_duration, format_size
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.safe import SafeArea, SafeInput, Tick
from rtui.workbench.widgets.seen import Seen

FORMATS: Final = ("text", "json", "hex", "base64", "file")
PAUSE: Final = 0.2
"""Seconds without a key after which the payload is checked."""
EDITABLE: Final = 256 * 1024
"""Larger payloads are not put into the editor: laying them out would freeze the screen."""

_BYTE: Final = re.compile(r"\(byte (\d+)\)")


class Draft(msgspec.Struct, frozen=True):
    """What stands in a composer."""

    payload: str = ""
    format: str = "text"
    channel: str = ""
    fields: dict[str, Any] = {}
    """Text (or a boolean) by key of the protocol's `Outgoing`."""


class Refused(ValueError):
    """The payload is not what its format says."""


class PayloadArea(SafeArea):
    """The payload's editor. It refuses what it could not lay out without freezing the screen."""

    class TooLarge(Message):
        """A paste was refused."""

        def __init__(self, size: int) -> None:
            super().__init__()
            self.size = size

    async def _on_paste(self, event: events.Paste) -> None:
        if len(event.text) + len(self.text) > EDITABLE:
            event.stop()
            event.prevent_default()
            self.post_message(self.TooLarge(len(event.text)))
        else:
            await super()._on_paste(event)
            event.prevent_default()  # Textual would call the inherited handler a second time


class Composer(Vertical):
    """Channel, options of one send, payload."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+j", "send", "Send", id="composer.send", tooltip="Send; the text stays"),
        Binding(
            "ctrl+up,alt+up", "recall(-1)", "Older", show=False, id="composer.older", tooltip="What was sent before"
        ),
        Binding(
            "ctrl+down,alt+down", "recall(1)", "Newer", show=False, id="composer.newer", tooltip="What was sent after"
        ),
        Binding("alt+e,f8", "edit", "Editor", id="composer.editor", tooltip="Write in $EDITOR"),
        Binding("alt+f", "format", "Format", show=False, id="composer.format", tooltip="text, json, hex, base64, file"),
    ]

    DEFAULT_CSS = """
    Composer {
        height: auto;
        background: $surface;
        & > Horizontal { height: 1; }
        & Label { width: auto; padding: 0 1; color: $rt-dim; }
        & Select { width: 12; height: 1; }
        & SafeInput { width: 1fr; max-width: 24; height: 1; }
        & .channel { max-width: 100%; }
        & Checkbox { width: auto; height: 1; }
        & SafeArea { height: auto; min-height: 2; max-height: 6; border: none; padding: 0 1; }
        & > .check { height: 1; padding: 0 1; color: $rt-dim; }
        & > .check.-wrong { color: $rt-error; }
    }
    """

    class SendRequested(Message):
        """The user wants this sent. `outgoing` holds values for the protocol's `Outgoing`, without its defaults."""

        def __init__(self, payload: bytes, channel: str, outgoing: dict[str, Any]) -> None:
            super().__init__()
            self.payload = payload
            self.channel = channel
            self.outgoing = outgoing

    class EditorRequested(Message):
        """The user wants to write in $EDITOR; the answer comes through `set_text`."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.history: list[str] = []
        """Payload texts sent before, oldest first. May be replaced by a kept list."""
        self._place: int | None = None
        self._unsent = ""
        self._lent: dict[str, Any] = {}
        """What stood in the fields that are set for the next message only."""
        self._declared: tuple[Declared, ...] = ()
        self._adapter: type[Adapter] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Fields, payload, and what is wrong with it."""
        with Horizontal(classes="fields"):
            yield Label("as", markup=False)
            yield Select([(name, name) for name in FORMATS], value="text", allow_blank=False, compact=True, id="format")
            yield Label("channel", markup=False, classes="channel-label")
            yield SafeInput(compact=True, classes="channel", id="channel")
        yield Horizontal(classes="fields", id="options")
        yield PayloadArea(compact=True, soft_wrap=True, show_line_numbers=False, tab_behavior="focus")
        yield Static("", markup=False, classes="check")

    def on_mount(self) -> None:
        """Fields of a protocol that was set before."""
        self._show_channel()
        self._explain()

    # What it holds

    @property
    def area(self) -> TextArea:
        """The payload's editor."""
        return self.query_one(TextArea)

    @property
    def draft(self) -> Draft:
        """Everything that was typed."""
        return Draft(self.area.text, self._format, self._channel.value, self._typed_fields() | self._lent)

    @draft.setter
    def draft(self, draft: Draft | None) -> None:
        kept = draft or Draft()
        self.area.text = kept.payload
        _put(self.query_one("#format"), kept.format)
        self._channel.value = kept.channel
        self._fill(kept.fields)
        self._lent = {}
        self._place = None
        self._check()

    def set_protocol(self, adapter: Adapter | type[Adapter], channels: Callable[[], Iterable[str]]) -> None:
        """Offer what `adapter` can send; `channels` complete the channel's name. The payload stays."""
        kind = adapter if isinstance(adapter, type) else type(adapter)
        self._channel.suggester = Seen(channels)
        if kind is self._adapter:
            return
        kept = self._typed_fields()
        self._adapter = kind
        self._lent = {}
        self._declared = declared(kind.Outgoing)
        self._show_channel()
        row = self.query_one("#options", Horizontal)
        row.remove_children()
        row.display = bool(self._declared)
        for one in self._declared:
            row.mount(Label(one.key.replace("_", " "), markup=False), _field(one))
        self._fill({key: value for key, value in kept.items() if key in {one.key for one in self._declared}})

    def set_text(self, text: str) -> None:
        """Replace the payload, as after $EDITOR. Undo brings the old one back."""
        self.area.replace(text, (0, 0), self.area.document.end)
        self._check()

    def load(self, payload: bytes, channel: str, outgoing: dict[str, Any]) -> None:
        """Put a message in, to be changed and sent. What stood there goes to the end of the history."""
        try:
            text, kind = editable(payload)
        except Refused as error:
            self._explain(str(error), wrong=True)
            return
        self._keep()
        _put(self.query_one("#format"), kind)
        self._channel.value = channel
        self._fill(outgoing)
        self.set_text(text)
        self.area.focus()

    def aim(self, channel: str, once: dict[str, Any] | None = None) -> None:
        """Put in where to send, and options of the next message only; the payload stays."""
        if self._channel.display:
            self._channel.value = channel
        self._take_back()
        if once:
            typed = self._typed_fields()
            self._lent = {key: typed[key] for key in once if key in typed}
            self._fill(once)
        self.area.focus()

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Say what became of the message that was sent, or what is to be written; stands until something is typed."""
        self._stop_timer()  # a check that is still due would wipe it out
        self._explain(text, wrong=wrong)

    def payload(self) -> bytes:
        """The bytes that would be sent.

        Raises:
            Refused: if the text is not what the format says.
        """
        return encode(self.area.text, self._format)

    # Actions

    def action_send(self) -> None:
        """Ask for the send; nothing is sent and nothing is lost if something is wrong."""
        try:
            payload = self.payload()
            outgoing = self.outgoing()
        except ValueError as error:
            self._explain(str(error), wrong=True)
            return
        self._stop_timer()  # a check that is still due would wipe out what becomes of the message
        self._take_back()
        self._keep()
        self._place = None
        self.post_message(self.SendRequested(payload, self._channel.value, outgoing))

    def action_recall(self, step: int) -> None:
        """Step through what was sent; past the newest stands what was being typed."""
        if not self.history:
            return
        if self._place is None:
            self._unsent = self.area.text
            self._place = len(self.history)
        self._place = min(max(self._place + step, 0), len(self.history))
        at_end = self._place == len(self.history)
        self.set_text(self._unsent if at_end else self.history[self._place])

    def action_edit(self) -> None:
        """Ask for $EDITOR."""
        self.post_message(self.EditorRequested(self.area.text))

    def action_format(self) -> None:
        """The next format."""
        self.query_one("#format", Select).value = FORMATS[(FORMATS.index(self._format) + 1) % len(FORMATS)]

    # Checking

    @on(TextArea.Changed)
    @on(Select.Changed, "#format")
    def _typed(self) -> None:
        self._stop_timer()
        self._timer = self.set_timer(PAUSE, self._check)

    @on(PayloadArea.TooLarge)
    def _paste_refused(self, event: PayloadArea.TooLarge) -> None:
        self._stop_timer()  # a check that is still due would wipe the sentence out
        size, most = figure.size(event.size), figure.size(EDITABLE)
        self._explain(f"{size}B is too much to paste (at most {most}B): choose 'file' and name a file", wrong=True)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def _check(self) -> None:
        """Say whether the payload is what it looks like."""
        text, kind = self.area.text, self._format
        try:
            if kind == "text":
                self._explain(_glance(text))
            elif kind != "file":
                self._explain(f"valid {kind} · {figure.size(len(encode(text, kind)))}B" if text.strip() else "")
            else:
                self._explain("the file's bytes are sent")
        except Refused as error:
            self._explain(str(error), wrong=kind != "text")

    def _explain(self, text: str = "", *, wrong: bool = False) -> None:
        line = self.query_one(".check", Static)
        line.set_class(wrong, "-wrong")
        line.update(clean(text) or "type a message — ctrl+s sends, alt+up brings back what was sent before")

    # Inside

    @property
    def _format(self) -> str:
        return str(self.query_one("#format", Select).value)

    @property
    def _channel(self) -> Input:
        return self.query_one("#channel", Input)

    def _show_channel(self) -> None:
        """Only protocols with subscriptions send to a channel."""
        named = self._adapter is not None and Verb.SUBSCRIBE in self._adapter.verbs
        self._channel.display = named
        label = self.query_one(".channel-label", Label)
        label.display = named
        if self._adapter is not None:
            label.update(clean(self._adapter.words.channel))

    def _keep(self) -> None:
        text = self.area.text
        if text and (not self.history or self.history[-1] != text):
            self.history.append(text)

    def _typed_fields(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in self._declared:
            for field in self.query(f"#out-{one.key}"):
                if isinstance(field, Input | Checkbox | Select):
                    found[one.key] = field.value
        return found

    def _take_back(self) -> None:
        """Restore the fields that were set for one message."""
        lent, self._lent = self._lent, {}
        self._fill(lent)

    def _fill(self, values: dict[str, Any]) -> None:
        for key, value in values.items():
            for field in self.query(f"#out-{key}"):
                _put(field, value)

    def outgoing(self) -> dict[str, Any]:
        """The options of the send that differ from the defaults.

        Raises:
            ValueError: if one is wrong.
        """
        values: dict[str, Any] = {}
        typed = self._typed_fields()
        for one in self._declared:
            given = typed.get(one.key)
            if isinstance(given, str) and given:
                values[one.key] = parse_text(one, given)
            elif isinstance(given, bool):
                values[one.key] = given
        return {one.key: values[one.key] for one in self._declared if values.get(one.key, one.default) != one.default}


def _field(one: Declared) -> Input | Checkbox | Select[str]:
    """The widget for one option."""
    name = f"out-{one.key}"
    if one.choices:
        default = str(one.default) if str(one.default) in one.choices else one.choices[0]
        choices = [(choice, choice) for choice in one.choices]
        field: Input | Checkbox | Select[str] = Select(choices, value=default, allow_blank=False, compact=True, id=name)
    elif one.kind == "flag":
        field = Tick("", value=bool(one.default), compact=True, id=name)
    else:
        field = SafeInput(placeholder=clean(_default(one)) or one.metavar, compact=True, id=name)
    field.tooltip = one.summary
    return field


def _default(one: Declared) -> str:
    """What holds while the field is empty, as it would be typed."""
    if not one.default and isinstance(one.default, list | dict):
        return ""
    spell = {"duration": format_duration, "size": format_size}.get(one.kind, str)
    return spell(one.default)


def _put(field: Widget, value: Any) -> None:
    """Show `value` in the widget of an option."""
    if isinstance(field, Checkbox):
        field.value = bool(value)
    elif isinstance(field, Input):
        field.value = ", ".join(value) if isinstance(value, list) else str(value)
    elif isinstance(field, Select) and not field.query("#label"):
        field.call_after_refresh(_put, field, value)  # it raises while its own parts are being mounted
    elif isinstance(field, Select):
        field.value = value


def encode(text: str, kind: str) -> bytes:
    """The bytes that `text` stands for.

    Raises:
        Refused: if it is not what `kind` says, with the place.
    """
    match kind:
        case "json":
            _check_json(text)
            return _utf8(text)
        case "hex":
            return _from_hex(text)
        case "base64":
            try:
                return base64.b64decode("".join(text.split()), validate=True)
            except binascii.Error as error:
                raise Refused(f"not base64: {error}") from None
        case "file":
            return _read(text.strip())
        case _:
            return _utf8(text)


def editable(payload: bytes) -> tuple[str, str]:
    """A payload as text for the editor, and the format that gives back exactly its bytes."""
    if len(payload) > EDITABLE:
        raise Refused(f"{figure.size(len(payload))}B is too large to edit: save it and send it as a file")
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex(" "), "hex"
    # The editor knows one kind of line end, and control characters cannot be seen in it.
    return (text, "text") if clean_block(text) == text and "\r" not in text else (payload.hex(" "), "hex")


def _glance(text: str) -> str:
    """What text looks like: JSON that is nearly right deserves a word, anything else is as good as it is."""
    size = f"{figure.size(len(text.encode('utf-8', 'replace')))}B"
    if text.lstrip()[:1] not in {"{", "["}:
        return size if text else ""
    try:
        _check_json(text)
    except Refused as error:
        return f"{size} · {error}"
    return f"{size} · valid JSON"


def _check_json(text: str) -> None:
    try:
        msgspec.json.decode(_utf8(text), type=msgspec.Raw)
        msgspec.json.decode(_utf8(text))
    except RecursionError:
        return  # deeper than can be checked; the peer may take it
    except msgspec.DecodeError as error:
        raise Refused(_placed(text, str(error))) from None


def _placed(text: str, message: str) -> str:
    """A parser's message with line and column instead of a byte."""
    found = _BYTE.search(message)
    reason = _BYTE.sub("", message).replace("JSON is malformed:", "").strip()
    if found is None:
        return f"not JSON: {reason} at the end"
    before = text.encode("utf-8", "replace")[: int(found[1])].decode("utf-8", "ignore")
    return f"not JSON: {reason} at line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def _from_hex(text: str) -> bytes:
    digits = "".join(text.split()).removeprefix("0x")
    for place, char in enumerate(digits):
        if char not in "0123456789abcdefABCDEF":
            raise Refused(f"not hex: {clean(char)!r} at digit {place + 1}")
    if len(digits) % 2:
        raise Refused("not hex: an odd number of digits")
    return bytes.fromhex(digits)


def _read(name: str) -> bytes:
    try:
        return Path(name).expanduser().read_bytes()
    except (OSError, RuntimeError) as error:
        raise Refused(f"cannot read {clean(name)}: {getattr(error, 'strerror', None) or error}") from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"character {error.start + 1} cannot be sent as UTF-8") from None
