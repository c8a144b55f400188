"""The subscriptions of a connection: what was asked for, what the peer answered, what came."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Label

from rtui.core.clean import cell_width, clean, clip, clip_middle
from rtui.settings.option import declared
from rtui.settings.session import SessionSubscription
from rtui.workbench.actions import subscription as actions
from rtui.workbench.screens.dialog import Dialog
from rtui.workbench.screens.subscription_form import SubscriptionForm
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.canvas import Canvas, moves
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.row import MAX_ALIAS, Piece

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection
    from rtui.runtime.subscription import Standing, SubscriptionState
    from rtui.workbench.sheet import Sheet

PERIOD: Final = 0.25
"""Seconds between two looks at answers and counts."""
STYLES: Final[dict[Standing, str]] = {
    "granted": "in",
    "refused": "error",
    "asked": "notice",
    "waiting": "notice",
    "off": "dim",
    "ended": "dim",
}
WORDS: Final[dict[Standing, str]] = {
    "granted": "",
    "refused": "refused",
    "asked": "asked",
    "waiting": "not connected",
    "off": "off",
    "ended": "ended",
}


class SubscriptionList(Canvas):
    """One row per subscription: mark, channel, alias, what was granted or why not, count, rate."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *moves("subscriptions"),
        Binding("a", "add", "Add", id="subscriptions.add", tooltip="Subscribe to something else"),
        Binding("enter", "edit", "Edit", id="subscriptions.edit", tooltip="Change options, alias or colour"),
        Binding(
            "space", "wish('switch')", "On/off", id="subscriptions.switch", tooltip="Have the peer stop, or send again"
        ),
        Binding(
            "m", "wish('mute')", "Mute", id="subscriptions.mute", tooltip="Record what it brings without showing it"
        ),
        Binding("d,delete", "wish('end')", "Unsubscribe", id="subscriptions.end", tooltip="Unsubscribe and forget it"),
    ]

    class Wished(Message):
        """The user wants something done with a subscription ("switch", "mute", "end", "edit", or "add" a new one)."""

        def __init__(self, verb: str, channel: str) -> None:
            super().__init__()
            self.verb = verb
            self.channel = channel

    class Pointed(Message):
        """The cursor stands on another row, or what stands there has changed."""

    def __init__(self, connection: Connection, *, glyphs: Glyphs, clock: Callable[[], int] = time.time_ns) -> None:
        super().__init__()
        self.connection = connection
        self.glyphs = glyphs
        word = connection.adapter.words.subscribed
        self.hint = f"nothing subscribed yet {glyphs.dash} a asks for a {clean(word)}"
        self._clock = clock

    @property
    def states(self) -> list[SubscriptionState]:
        """The rows."""
        return list(self.connection.subscriptions)

    @property
    def selected(self) -> SubscriptionState | None:
        """The subscription under the cursor."""
        states = self.states
        return states[self.cursor] if self.cursor < len(states) else None

    def row_count(self) -> int:
        """See `Canvas`."""
        return len(self.connection.subscriptions)

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """See `Canvas`. The channel gives way first: it stands in full under the list."""
        state = self.states[index]
        standing = self.connection.standing(state)
        tone = STYLES[standing]
        figures = self._figures(state)
        alias = f" {clip(clean(state.alias), MAX_ALIAS)}" if state.alias else ""
        channel, room = clean(state.channel), max(8, width - 4 - cell_width(alias) - len(figures))
        answer = clip(answer_words(self.connection, state), max(room // 2, room - cell_width(channel)))
        room -= cell_width(answer)
        channel = clip_middle(channel, room)
        padding = " " * max(1, room - cell_width(channel) + 1)
        return [
            (tone, f"{self._sign(state, standing)} "),
            ("dim" if state.muted or standing == "off" else "text", channel),
            (state.colour or "string", alias),
            ("dim", padding),
            (tone, answer),
            ("number", f" {figures}"),
        ]

    def tick(self) -> None:
        """Take in what is new."""
        self.resettle()

    def cursor_moved(self) -> None:
        """See `Canvas`."""
        self.post_message(self.Pointed())

    def action_add(self) -> None:
        """Ask for a new one."""
        self.post_message(self.Wished("add", ""))

    def action_edit(self) -> None:
        """Change the one under the cursor; the first one has to be added."""
        state = self.selected
        self.post_message(self.Wished("edit" if state else "add", state.channel if state else ""))

    def action_wish(self, verb: str) -> None:
        """Ask for something to be done with the one under the cursor."""
        if (state := self.selected) is not None:
            self.post_message(self.Wished(verb, state.channel))

    def on_click(self, event: events.Click) -> None:
        """One click puts the cursor, on the mark it switches; two edit."""
        index = self.row_at(event)
        if index is None:
            return
        self.go_to_row(index)
        offset = event.get_content_offset(self)
        if offset is not None and offset.x <= 1:
            self.action_wish("switch")
        elif event.chain == 2:  # noqa: PLR2004 - a double click
            self.action_edit()

    def _sign(self, state: SubscriptionState, standing: Standing) -> str:
        if state.muted and standing != "refused":
            return self.glyphs.muted
        signs = {
            "granted": self.glyphs.opened,
            "refused": self.glyphs.error,
            "off": self.glyphs.idle,
            "ended": self.glyphs.idle,
        }
        return signs.get(standing, self.glyphs.waiting)

    def _figures(self, state: SubscriptionState) -> str:
        rate = state.watch.rate_at(self._clock())
        speed = f"{figure.amount(rate)}/s" if rate else ""
        return f"{figure.amount(state.watch.total).rjust(5)} {speed.rjust(7)}"


class SubscriptionScreen(Dialog[None]):
    """The list, and under it all about the row of the cursor."""

    ways = "a add · enter edit · space off · m mute · d end · esc"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", id="subscriptions.help", tooltip="The keys that work here")
    ]

    def __init__(self, sheet: Sheet, *, glyphs: Glyphs = UNICODE) -> None:
        assert sheet.connection is not None  # noqa: S101 - only such sheets have subscriptions
        super().__init__(f"subscriptions {glyphs.dot} {sheet.title}")
        self.ways = self.ways.replace("·", glyphs.dot)
        self.sheet = sheet
        self.connection = sheet.connection
        self._glyphs = glyphs
        self._told = ""

    def ask(self) -> ComposeResult:
        """List and details."""
        yield SubscriptionList(self.connection, glyphs=self._glyphs)
        yield Label("", markup=False, classes="about")

    def on_mount(self) -> None:
        """Look at answers and counts from now on."""
        self.add_class("subscriptions")
        self.set_interval(PERIOD, self.tick, name="subscriptions")
        self._tell()

    def tick(self) -> None:
        """Take in what is new."""
        self.query_one(SubscriptionList).tick()
        self._tell()

    def on_subscription_list_pointed(self) -> None:
        """Tell about another row."""
        self._tell()

    def on_subscription_list_wished(self, event: SubscriptionList.Wished) -> None:
        """Do it: to the connection, and to the session as it will be saved."""
        match event.verb:
            case "switch":
                actions.switch(self.sheet, event.channel)
            case "mute":
                actions.mute(self.sheet, event.channel)
            case "end":
                actions.end(self.sheet, event.channel)
            case "edit":
                written = actions.written(self.connection, event.channel)
                self.app.push_screen(self._form(written), partial(self._filled, event.channel))
            case _:
                self.app.push_screen(self._form(), partial(self._filled, None))
        self.tick()

    def action_help(self) -> None:
        """The keys of the list."""
        from rtui.workbench.bindings import ACTIONS
        from rtui.workbench.screens.help import Help, sections

        self.app.push_screen(Help(sections(self.app, self.active_bindings.values(), ACTIONS)))

    def _form(self, written: SessionSubscription | None = None) -> SubscriptionForm:
        return SubscriptionForm(self.connection.adapter, written, offers=self.connection.offered)

    def _filled(self, before: str | None, wanted: SessionSubscription | None) -> None:
        if wanted is not None:
            actions.put(self.sheet, wanted, before)
            places = [one.channel for one in self.connection.subscriptions]
            self.query_one(SubscriptionList).go_to_row(places.index(wanted.channel))
            self.tick()

    def _tell(self) -> None:
        state = self.query_one(SubscriptionList).selected
        told = "" if state is None else about(self.connection, state)
        if told != self._told:
            self._told = told
            self.query_one(".about", Label).update(told)


def answer_words(connection: Connection, state: SubscriptionState) -> str:
    """What the peer says to a subscription, short: "qos 1", "qos 2→1", "refused: not authorized"."""
    standing = connection.standing(state)
    if state.refusal is not None and standing == "refused":
        return clean(f"refused: {state.refusal.cause or state.refusal.title}")
    if state.granted is None or standing != "granted":
        return WORDS[standing]
    asked = state.subscription or connection.adapter.Subscription()
    return clean(", ".join(_granted(asked, one.key, state.granted) for one in _answered(connection, state.granted)))


def about(connection: Connection, state: SubscriptionState) -> str:
    """Everything about a subscription, what matters most first."""
    asked = state.subscription or connection.adapter.Subscription()
    options = [
        f"{one.key} {getattr(asked, one.key)}"
        for one in declared(connection.adapter.Subscription)
        if getattr(asked, one.key) != one.default and not one.secret
    ]
    shown = ["muted: recorded, not shown"] if state.muted else []
    alias = [f"alias {state.alias}"] if state.alias else []
    answer = answer_words(connection, state)
    if answer and connection.standing(state) == "granted":
        answer = f"granted: {answer}"
    if state.refusal is not None and connection.standing(state) == "refused" and state.refusal.hint:
        answer += f". {state.refusal.hint}"
    wanted = ", ".join([*alias, *options, *shown])
    lines = [state.channel, answer, f"wanted: {wanted}" if wanted else ""]
    return "\n".join(clean(line) for line in lines if line)


def _answered(connection: Connection, granted: Any) -> list[Any]:
    """The options that the peer's answer is about."""
    return [one for one in declared(connection.adapter.Subscription) if one.key in granted]


def _granted(asked: Any, key: str, granted: Any) -> str:
    before, now = getattr(asked, key), granted[key]
    return f"{key} {now}" if before == now else f"{key} {before}→{now}"
