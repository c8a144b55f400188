"""One subscription as a form: its channel, how its rows look, and what the protocol declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from msgspec.structs import replace
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, TextArea

from rtui.core.clean import clean
from rtui.core.event import Offer
from rtui.protocols.base import Adapter
from rtui.settings.option import Declared, OptionError, OptionErrors, build, declared, has_template
from rtui.settings.session import SessionSubscription
from rtui.settings.session_model import table_data
from rtui.workbench import offer
from rtui.workbench.screens.dialog import Form
from rtui.workbench.screens.field import PREFIX, fields, given
from rtui.workbench.widgets.knob import Knob
from rtui.workbench.widgets.seen import Seen

OWN: Final[tuple[Declared, ...]] = tuple(
    one for one in declared(SessionSubscription) if one.key in {"channel", "alias", "colour"}
)
"""What every subscription has, whatever its protocol."""


class SubscriptionForm(Form[SessionSubscription]):
    """Asks for a new subscription, or for changes of one."""

    ways = "enter accepts · esc cancels"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f10", "finish", "Subscribe", id="form.subscribe", tooltip="Ask the peer for it"),
    ]

    def __init__(
        self,
        adapter: Adapter,
        subscription: SessionSubscription | None = None,
        *,
        offers: Sequence[Offer] = (),
        channel: str = "",
    ) -> None:
        """`offers` complete the channel and tell what is asked for there; `channel` is proposed for a new one."""
        super().__init__("subscription" if subscription else f"subscribe to a {adapter.words.subscribed}")
        self._adapter = adapter
        self._before = subscription
        self._offers = offers
        self._proposed = channel

    def ask(self) -> ComposeResult:
        """Its fields, what is wrong, buttons."""
        values = {} if self._before is None else {one.key: getattr(self._before, one.key) for one in OWN}
        options = {} if self._before is None else self._before.options
        with VerticalScroll(classes="fields"):
            names = {"channel": self._adapter.words.subscribed}
            yield from fields(self._own(), "subscription", {"channel": self._proposed, **values}, names)
            yield from fields(declared(self._adapter.Subscription), self._adapter.title, options)
        yield from self.foot()
        with Horizontal(classes="buttons"):
            yield Knob(Text("Cancel"), id="cancel", compact=True)
            yield Knob(Text("Subscribe (f10)"), id="accept", variant="primary", compact=True)

    def _own(self) -> list[Declared]:
        """`OWN`, with what can be subscribed to in the protocol's own words."""
        said = self._adapter.words.wanted
        return [replace(one, summary=said) if said and one.key == "channel" else one for one in OWN]

    def on_mount(self) -> None:
        """The channel is what is asked for first."""
        channel = self.query_one(f"#{PREFIX}channel", Input)
        channel.suggester = Seen(lambda: (one.channel for one in self._offers))
        channel.focus()

    def action_finish(self) -> None:
        """Leave with it, unless something is wrong."""
        try:
            self.dismiss(self._read())
        except OptionErrors as wrong:
            self.query_one(".trouble", Label).update("\n".join(map(self._said, wrong.errors[:4])))

    def _said(self, error: OptionError) -> str:
        """What is wrong, by the names that stand here."""
        key = self._adapter.words.subscribed if error.key == "channel" else error.key
        return clean(str(replace(error, key=key)))

    @on(Input.Changed, f"#{PREFIX}channel")
    def _channel_typed(self, event: Input.Changed) -> None:
        """Put the template of the request in, unless something else was typed."""
        chosen = offer.of(self._offers, event.value)
        if chosen is None or not chosen.template:
            return
        for one in declared(self._adapter.Subscription):
            if one.kind == "body":
                area = self.query_one(f"#{PREFIX}{one.key}", TextArea)
                if area.text == one.default or offer.is_untouched(area.text, self._offers):
                    area.text = offer.laid_out(chosen.template)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Accept; a part of a name that means one channel is completed first."""
        event.stop()
        found = offer.matching(self._offers, event.value) if event.input.id == f"{PREFIX}channel" else []
        if len(found) == 1 and found[0].channel != event.value:
            event.input.value = found[0].channel
        else:
            self.action_finish()

    @on(Button.Pressed, "#accept")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_finish()

    def _read(self) -> SessionSubscription:
        """What stands in the fields.

        Raises:
            OptionErrors: everything that is wrong with it.
        """
        own = {key: value for key, value in given(self, OWN).items() if value != ""}
        options = build(self._adapter.Subscription, given(self, declared(self._adapter.Subscription)))
        channel = str(own.get("channel", ""))
        if flaw := self._adapter.subscription_flaw(channel) if channel and not has_template(channel) else "":
            raise OptionErrors([OptionError("channel", flaw)])
        kept = {} if self._before is None else {"enabled": self._before.enabled, "muted": self._before.muted}
        return build(SessionSubscription, {**own, **kept, "options": table_data(options)})
