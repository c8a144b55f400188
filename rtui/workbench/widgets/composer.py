"""Where messages are written. Its fields come from the protocol's declaration; what was typed is never thrown away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Label, Select, Static, TextArea

from rtui.core.clean import clean
from rtui.core.event import Offer
from rtui.protocols.base import Adapter, Verb
from rtui.settings.message import in_binary
from rtui.settings.option import declared
from rtui.settings.session_model import PACKED
from rtui.workbench import offer
from rtui.workbench.draft import Draft
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.choice import Choice
from rtui.workbench.widgets.composer_keys import KEYS
from rtui.workbench.widgets.payload_area import PayloadArea
from rtui.workbench.widgets.payload_text import (
    FORMATS,
    Misplaced,
    Refused,
    describe,
    editable,
    encode,
    wrong_place,
)
from rtui.workbench.widgets.safe import SafeInput
from rtui.workbench.widgets.seen import Seen
from rtui.workbench.widgets.send_fields import SendFields, put
from rtui.workbench.widgets.send_type import SendType
from rtui.workbench.widgets.sent_texts import SentTexts
from rtui.workbench.widgets.typed_through import TypedThrough

PAUSE: Final = 0.2
"""Seconds without a key after which the payload is checked."""
HELD: Final = "too large to edit and to check as you type: sent whole. backspace takes it back, alt+e edits it"


class Composer(TypedThrough):
    """Channel, options of one send, payload."""

    BINDINGS: ClassVar[list[BindingType]] = list(KEYS)

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
        & > .check { height: auto; max-height: 3; padding: 0 1; color: $rt-dim; }
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
        self._past = SentTexts()
        self._lent: dict[str, Any] = {}
        """What stood in the fields that are set for the next message only."""
        self._adapter: type[Adapter] | None = None
        self._offers: Callable[[], Sequence[Offer]] = tuple
        self._channels: Callable[[], Iterable[str]] = tuple
        self._timer: Timer | None = None
        self._told_of: tuple[str, ...] | None = None
        """What stood here when something was told of it: no late event wipes the words out."""

    def compose(self) -> ComposeResult:
        """Fields, payload, and what is wrong with it."""
        with Horizontal(classes="fields"):
            yield Label("as", markup=False)
            yield Choice([(name, name) for name in FORMATS], value="text", allow_blank=False, compact=True, id="format")
            yield SendType()
            yield Label("channel", markup=False, classes="channel-label")
            yield SafeInput(compact=True, classes="channel", id="channel")
        yield SendFields(classes="fields", id="options")
        yield PayloadArea(
            compact=True,
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            highlight_cursor_line=False,  # its style has a colour, which would hide those of the text
        )
        yield Static("", markup=False, classes="check")

    def on_mount(self) -> None:
        """Fields of a protocol that was set before."""
        self._show_channel()
        self._explain()

    # What it holds

    @property
    def has_template(self) -> bool:
        """Whether it is known what goes to the channel."""
        if self._format == "protobuf":
            return self.kind.codec(self._channel.value) is not None
        return self._chosen is not None and bool(self._chosen.template)

    @property
    def kind(self) -> SendType:
        """The message type, for payloads in protobuf."""
        return self.query_one(SendType)

    @property
    def first_gap(self) -> Input | PayloadArea:
        """What is to be filled in first: where to send to, as long as nothing stands there, then the payload."""
        return self._channel if self._channel.display and not self._channel.value else self.area

    @property
    def draft(self) -> Draft:
        """Everything that was typed."""
        fields = self._options.typed() | self._lent
        return Draft(self.area.content, self._format, self._channel.value, fields, self.kind.field.value.strip())

    @draft.setter
    def draft(self, draft: Draft | None) -> None:
        kept = draft or Draft()
        self.area.put(kept.payload)
        put(self.query_one("#format"), kept.format)
        self._channel.value = kept.channel
        self.kind.field.value = kept.type
        self._options.fill(kept.fields)
        self._lent = {}
        self._past.leave()
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
        self._channels = channels
        self._offers = offers
        self.area.names = names
        if kind is self._adapter:
            return
        self._adapter = kind
        self._lent = {}
        self._show_channel()
        self._options.show(declared(kind.Outgoing))

    def set_text(self, text: str) -> None:
        """Replace the payload, as after $EDITOR. Undo brings the old one back."""
        self.area.put(text)
        self._check()

    def put_back(self, text: str) -> None:
        """Put a text of the history in, to be changed and sent. What stood there goes to the end of the history."""
        self._keep()
        self._show_past(text)
        self.area.focus()

    def load(self, payload: bytes, channel: str, outgoing: dict[str, Any]) -> None:
        """Put a message in, to be changed and sent. What stood there goes to the end of the history."""
        try:
            text, kind = editable(payload, self.kind.codec(channel))
        except Refused as error:
            self.tell(str(error), wrong=True)
            return
        self._keep()
        put(self.query_one("#format"), kind)
        self._channel.value = channel
        self._options.fill(outgoing)
        self.set_text(text)
        self.area.focus()

    def aim(self, channel: str, once: dict[str, Any] | None = None) -> None:
        """Put in where to send, and options of the next message only; the payload stays."""
        if self._channel.display:
            self._channel.value = channel
            self.suggest()
        self._take_back()
        if once:
            typed = self._options.typed()
            self._lent = {key: typed[key] for key in once if key in typed}
            self._options.fill(once)
        self.area.focus()

    def suggest(self, channel: str = "") -> None:
        """Put the template of the channel in, unless something else was typed; `channel` stands in if there is none."""
        self._channel.value = self._channel.value or channel
        if self._chosen is not None and offer.is_untouched(self.area.content, self._offers()):
            self._put_template(self._chosen.template)

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Say what became of the message that was sent, or what is to be written; stands until something is typed."""
        self._stop_timer()  # a check that is still due would wipe it out
        self._told_of = self._written
        self._explain(text, wrong=wrong)

    def payload(self) -> bytes:
        """The bytes that would be sent.

        Raises:
            Refused: if the text is not what the format says.
        """
        text, kind = self.area.content, self._format
        if not text.strip() and kind != "file" and self._adapter and self._adapter.taken_as(b""):
            return b""  # which is something for the peer, whatever the format
        return encode(text, kind, self._protobuf)

    def outgoing(self) -> dict[str, Any]:
        """The options of the send that differ from the defaults.

        Raises:
            ValueError: if one is wrong.
        """
        given = self._options.given()
        return in_binary(given, self._adapter.Outgoing) if self._adapter and self._format in PACKED else given

    def finish(self) -> SendRequested | None:
        """What is to be sent, which goes into the history; None if something is wrong, which is told."""
        try:
            payload = self.payload()
            outgoing = self.outgoing()
        except ValueError as error:
            self._check()  # now, for one that is still due would wipe the words out
            self.tell(str(error), wrong=True)
            if isinstance(error, Misplaced):
                self.area.point_at(error.place)
            return None
        self._stop_timer()  # a check that is still due would wipe out what becomes of the message
        self._take_back()
        self._keep()
        self._past.leave()
        return self.SendRequested(payload, self._channel.value, outgoing)

    # Actions

    def action_send(self) -> None:
        """Ask for the send; nothing is sent and nothing is lost if something is wrong."""
        if (wanted := self.finish()) is not None:
            self.post_message(wanted)

    def action_recall(self, step: int) -> None:
        """Step through what was sent; past the newest stands what was being typed."""
        if self.history:
            self._show_past(self._past.step(self.history, step, self.area.content, self._format))

    def action_leave(self) -> None:
        """Back to the log."""
        self.post_message(self.Left())

    def action_edit(self) -> None:
        """Ask for $EDITOR."""
        self.post_message(self.EditorRequested(self.area.content))

    def action_format(self) -> None:
        """The next format."""
        self.query_one("#format", Select).value = FORMATS[(FORMATS.index(self._format) + 1) % len(FORMATS)]

    def action_channel(self) -> None:
        """To the field of where to send; what is typed takes the place of what stands there."""
        self._channel.focus()

    def action_template(self) -> None:
        """A message with every field, in place of what stands there."""
        if template := self._template:
            self._keep()
            self._put_template(template)

    def action_channels(self) -> None:
        """Ask for the list of what is offered, narrowed by what stands in the field."""
        self.post_message(self.ChannelsRequested(self._channel.value))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There are templates where the peer said what it takes."""
        if action == "template":
            return self.has_template
        if action == "channel":
            return self._channel.display
        if action == "channels":
            return self._channel.has_focus and self._has_channels
        return super().check_action(action, parameters)

    # Choosing a channel

    @on(Input.Changed, "#channel")
    def _channel_typed(self) -> None:
        if self._format == "protobuf":
            self._typed()
        if self._offers():
            self.suggest()
            self._check_typed()
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
        if self._has_channels:
            self.action_channels()

    @property
    def _has_channels(self) -> bool:
        """Whether there are channels to choose from: offered, or seen."""
        return bool(self._offers()) or any(True for _ in self._channels())

    @property
    def _chosen(self) -> Offer | None:
        """What the peer says of the channel."""
        return offer.of(self._offers(), self._channel.value)

    @property
    def _template(self) -> str:
        """A message with every field, where it is known what goes to the channel."""
        if self._format == "protobuf":
            return self.kind.template(self._channel.value)
        return self._chosen.template if self._chosen is not None else ""

    def _put_template(self, template: str) -> None:
        if template:
            if self._format != "protobuf":
                put(self.query_one("#format"), "json")
            self.set_text(offer.laid_out(template))
            self.area.move_cursor(offer.start_of(self.area.text))

    # Checking

    @on(TextArea.Changed)
    @on(Select.Changed, "#format")
    @on(Input.Changed, "#type")
    def _typed(self) -> None:
        self._stop_timer()
        self._timer = self.set_timer(PAUSE, self._check_typed)

    @on(PayloadArea.HoldingChanged)
    def _holding_changed(self, event: PayloadArea.HoldingChanged) -> None:
        """What was let go can be recalled."""
        if event.let_go:
            self.history.append(event.let_go)
        self._stop_timer()
        self._check()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def _check_typed(self) -> None:
        """Check, unless nothing was typed since something was told."""
        if self._told_of != self._written:
            self._check()

    def _check(self) -> None:
        """Say whether the payload is what it looks like."""
        self._told_of = None
        text, kind = self.area.content, self._format
        self.area.be(kind)
        self.kind.show(kind == "protobuf", self._channel.value)
        if self.area.held:
            self.area.mark(None)
            self._explain(f"{figure.size(len(text))} characters, {HELD}")
            return
        if self.kind.waits and kind == "protobuf":
            self._explain("reading the message types…")
            return
        self.area.mark(wrong_place(text, kind, self._protobuf))
        if fitting := self.area.fitting():
            self._explain(f"{', '.join(fitting)} — filled in at each send of a saved message")
            return
        try:
            said = describe(text, kind, self._protobuf, self._adapter.taken_as if self._adapter else None)
            self._explain(" · ".join(filter(None, (said, self._signature()))))
        except Refused as error:
            self._explain(str(error), wrong=kind != "text")

    @on(SendType.Ready)
    def _types_read(self, event: SendType.Ready) -> None:
        event.stop()
        self._check_typed()
        self.refresh_bindings()

    def _protobuf(self, text: bytes) -> bytes:
        return self.kind.encode(text, self._channel.value)

    def _explain(self, text: str = "", *, wrong: bool = False) -> None:
        line = self.query_one(".check", Static)
        line.set_class(wrong, "-wrong")
        line.update(clean(text) or "type a message — ctrl+s sends, alt+up brings back what was sent before")

    def _signature(self) -> str:
        """What goes in and what comes out, as far as the peer tells."""
        return f"{self._chosen.kind}: {self._chosen.signature}" if self._chosen is not None else ""

    # Inside

    @property
    def _written(self) -> tuple[str, ...]:
        """All that decides which bytes are sent, and what is said of them."""
        return self.area.content, self._format, self._channel.value, self.kind.field.value

    @property
    def _format(self) -> str:
        return self.query_one("#format", Choice).chosen

    @property
    def _options(self) -> SendFields:
        return self.query_one(SendFields)

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

    def _show_past(self, text: str) -> None:
        """In the format that it was written in, if that is known."""
        put(self.query_one("#format"), self._past.kind_of(text) or self._format)
        self.set_text(text)

    def _keep(self) -> None:
        self._past.keep(self.history, self.area.content, self._format)

    def _take_back(self) -> None:
        """Restore the fields that were set for one message."""
        lent, self._lent = self._lent, {}
        self._options.fill(lent)
