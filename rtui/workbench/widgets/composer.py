"""Where messages are written. Its fields come from the protocol's declaration; what was typed is never thrown away."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
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
from textual.widgets.select import InvalidSelectValueError

from rtui.core.clean import clean
from rtui.core.event import Offer
from rtui.protocols.base import Adapter, Verb
from rtui.settings.option import Declared, declared, parse_text
from rtui.settings.quantity import format_duration, format_size
from rtui.workbench import offer
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.choice import Choice
from rtui.workbench.widgets.payload_area import PayloadArea
from rtui.workbench.widgets.payload_text import (
    EDITABLE,
    FORMATS,
    Misplaced,
    Refused,
    editable,
    encode,
    glance,
    wrong_place,
)
from rtui.workbench.widgets.safe import SafeInput, Tick
from rtui.workbench.widgets.seen import Seen

PAUSE: Final = 0.2
"""Seconds without a key after which the payload is checked."""


class Draft(msgspec.Struct, frozen=True):
    """What stands in a composer."""

    payload: str = ""
    format: str = "text"
    channel: str = ""
    fields: dict[str, Any] = {}
    """Text (or a boolean) by key of the protocol's `Outgoing`."""


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
        Binding(
            "alt+t",
            "template",
            "Template",
            id="composer.template",
            tooltip="A message with every field that this channel takes; what stood here goes into the history",
        ),
        Binding("down", "channels", "List", show=False, id="composer.channels", tooltip="Choose one of what there is"),
        Binding("escape", "leave", "Back", show=False, id="composer.leave", tooltip="Back to the log; the text stays"),
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

    class ChannelsRequested(Message):
        """The user wants to choose one of the channels that are offered; `part` of its name was typed."""

        def __init__(self, part: str) -> None:
            super().__init__()
            self.part = part

    class Left(Message):
        """The user wants back to the log."""

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
        self._offers: Callable[[], Sequence[Offer]] = tuple
        self._timer: Timer | None = None
        self._told_of: tuple[str, str] | None = None
        """What stood here when something was told of it: no late event wipes the words out."""

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
    def area(self) -> PayloadArea:
        """The payload's editor."""
        return self.query_one(PayloadArea)

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

    def set_protocol(
        self,
        adapter: Adapter | type[Adapter],
        channels: Callable[[], Iterable[str]],
        offers: Callable[[], Sequence[Offer]] = tuple,
        names: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Offer what `adapter` can send; `channels` complete the channel's name. The payload stays.

        `offers` are the channels that the peer says it has, with what a message on each looks like. `names` complete
        what stands in `{{ … }}`.
        """
        kind = adapter if isinstance(adapter, type) else type(adapter)
        self._channel.suggester = Seen(channels)
        self._offers = offers
        self.area.names = names
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
            self.suggest()
        self._take_back()
        if once:
            typed = self._typed_fields()
            self._lent = {key: typed[key] for key in once if key in typed}
            self._fill(once)
        self.area.focus()

    def suggest(self, channel: str = "") -> None:
        """Put the template of the channel in, unless something else was typed; `channel` stands in if there is none."""
        self._channel.value = self._channel.value or channel
        if self._chosen is not None and offer.is_untouched(self.area.text, self._offers()):
            self._put_template(self._chosen)

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Say what became of the message that was sent, or what is to be written; stands until something is typed."""
        self._stop_timer()  # a check that is still due would wipe it out
        self._told_of = (self.area.text, self._format)
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
            if isinstance(error, Misplaced):
                self.area.point_at(error.place)
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

    def action_leave(self) -> None:
        """Back to the log."""
        self.post_message(self.Left())

    def action_edit(self) -> None:
        """Ask for $EDITOR."""
        self.post_message(self.EditorRequested(self.area.text))

    def action_format(self) -> None:
        """The next format."""
        self.query_one("#format", Select).value = FORMATS[(FORMATS.index(self._format) + 1) % len(FORMATS)]

    def action_template(self) -> None:
        """A message with every field, in place of what stands there."""
        if self._chosen is not None:
            self._keep()
            self._put_template(self._chosen)

    def action_channels(self) -> None:
        """Ask for the list of what is offered, narrowed by what stands in the field."""
        self.post_message(self.ChannelsRequested(self._channel.value))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There are templates where the peer said what it takes."""
        if action == "template":
            return self._chosen is not None and bool(self._chosen.template)
        if action == "channels":
            return self._channel.has_focus and bool(self._offers())
        return super().check_action(action, parameters)

    # Choosing a channel

    @on(Input.Changed, "#channel")
    def _channel_typed(self) -> None:
        if self._offers():
            self.suggest()
            self._check()
            self.refresh_bindings()

    @on(Input.Submitted, "#channel")
    def _channel_entered(self, event: Input.Submitted) -> None:
        event.stop()
        found = offer.matching(self._offers(), event.value)
        if self._chosen is None and len(found) == 1:
            self._channel.value = found[0].channel
        if self._chosen is not None or not self._offers():
            self.area.focus()
        else:
            self.action_channels()

    @on(events.Click, ".channel-label")
    def _label_clicked(self) -> None:
        if self._offers():
            self.action_channels()

    @property
    def _chosen(self) -> Offer | None:
        """What the peer says of the channel."""
        return offer.of(self._offers(), self._channel.value)

    def _put_template(self, chosen: Offer) -> None:
        if chosen.template:
            _put(self.query_one("#format"), "json")
            self.set_text(offer.laid_out(chosen.template))
            self.area.move_cursor(offer.start_of(self.area.text))

    # Checking

    @on(TextArea.Changed)
    @on(Select.Changed, "#format")
    def _typed(self) -> None:
        self._stop_timer()
        self._timer = self.set_timer(PAUSE, self._check_typed)

    @on(PayloadArea.TooLarge)
    def _paste_refused(self, event: PayloadArea.TooLarge) -> None:
        self._stop_timer()  # a check that is still due would wipe the sentence out
        size, most = figure.size(event.size), figure.size(EDITABLE)
        self._explain(f"{size}B is too much to paste (at most {most}B): choose 'file' and name a file", wrong=True)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def _check_typed(self) -> None:
        """Check, unless nothing was typed since something was told."""
        if self._told_of != (self.area.text, self._format):
            self._told_of = None
            self._check()

    def _check(self) -> None:
        """Say whether the payload is what it looks like."""
        text, kind = self.area.text, self._format
        self.area.mark(wrong_place(text, kind))
        if fitting := self.area.fitting():
            self._explain(f"{', '.join(fitting)} — filled in at each send of a saved message")
            return
        try:
            found = {"text": glance, "file": _to_come}.get(kind, partial(_valid, kind))(text)
            self._explain(" · ".join(filter(None, (found, self._signature()))))
        except Refused as error:
            self._explain(str(error), wrong=kind != "text")

    def _explain(self, text: str = "", *, wrong: bool = False) -> None:
        line = self.query_one(".check", Static)
        line.set_class(wrong, "-wrong")
        line.update(clean(text) or "type a message — ctrl+s sends, alt+up brings back what was sent before")

    def _signature(self) -> str:
        """What goes in and what comes out, as far as the peer tells."""
        return f"{self._chosen.kind}: {self._chosen.signature}" if self._chosen is not None else ""

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


def _valid(kind: str, text: str) -> str:
    return f"valid {kind} · {figure.size(len(encode(text, kind)))}B" if text.strip() else ""


def _to_come(_name: str) -> str:
    return "the file's bytes are sent"


def _field(one: Declared) -> Input | Checkbox | Select[str]:
    """The widget for one option."""
    name = f"out-{one.key}"
    if one.choices:
        default = str(one.default) if str(one.default) in one.choices else one.choices[0]
        choices = [(choice, choice) for choice in one.choices]
        field: Input | Checkbox | Select[str] = Choice(choices, value=default, allow_blank=False, compact=True, id=name)
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
        # Kept from another protocol, or of a field that was gone before it was ready: what is no choice stays out.
        with contextlib.suppress(InvalidSelectValueError):
            field.value = value
