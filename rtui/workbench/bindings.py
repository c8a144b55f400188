"""The one table of actions, and everything made from it: bindings, the keymap's ids, what help and palette show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from textual.binding import Binding, BindingType

from rtui.settings.preset import PRESETS
from rtui.workbench.action import UNBOUND, Action, by_id
from rtui.workbench.actions import (
    call,
    channel,
    connection,
    copy,
    decode,
    demo,
    expression,
    importing,
    log,
    message,
    present,
    replay,
    saved,
    session,
    several,
    split,
    subscription,
    thread,
    view,
)

ACTIONS: Final[Mapping[str, Action]] = by_id(
    [
        *message.BOOK.actions,
        *several.BOOK.actions,
        *call.BOOK.actions,
        *copy.BOOK.actions,
        *thread.BOOK.actions,
        *decode.BOOK.actions,
        *saved.BOOK.actions,
        *channel.BOOK.actions,
        *subscription.BOOK.actions,
        *connection.BOOK.actions,
        *session.BOOK.actions,
        *importing.BOOK.actions,
        *replay.BOOK.actions,
        *demo.BOOK.actions,
        *log.BOOK.actions,
        *expression.BOOK.actions,
        *split.BOOK.actions,
        *present.BOOK.actions,
        *view.BOOK.actions,
    ]
)
"""Every action of the desk by id, in the order of footer and palette."""


def desk_bindings() -> list[BindingType]:
    """The bindings of the desk."""
    return [action.binding() for action in ACTIONS.values()]


def default_keys(preset: str = "default") -> dict[str, str]:
    """The keys, in one of `PRESETS`, of everything that keys.toml can remap: our actions and the widgets' bindings."""
    known = {action.id: action.keys for action in ACTIONS.values()}
    for binding in _widget_bindings():
        if binding.id is not None:
            known.setdefault(binding.id, binding.key)
    return {**known, **PRESETS[preset]}


def titles() -> dict[str, str]:
    """A line about each id of `default_keys`."""
    known = {action.id: action.help for action in ACTIONS.values()}
    for binding in _widget_bindings():
        if binding.id is not None:
            known.setdefault(binding.id, binding.tooltip or binding.description)
    return known


def to_textual(keymap: Mapping[str, str]) -> dict[str, str]:
    """`keymap` as `App.set_keymap` wants it: "no key" has to be a key that no terminal sends."""
    return {id_: keys or UNBOUND + id_ for id_, keys in keymap.items()}


def _widget_bindings() -> Iterable[Binding]:
    from rtui.workbench.panes.caption import Caption
    from rtui.workbench.panes.card import Tour
    from rtui.workbench.panes.sidebar import Sidebar
    from rtui.workbench.screens.checklist import Checklist
    from rtui.workbench.screens.dialog import Choose, Confirm, Dialog
    from rtui.workbench.screens.form import SessionForm
    from rtui.workbench.screens.help import Help
    from rtui.workbench.screens.subscription_form import SubscriptionForm
    from rtui.workbench.screens.subscriptions import SubscriptionList, SubscriptionScreen
    from rtui.workbench.screens.unanswered import UnansweredList
    from rtui.workbench.widgets.composer import Composer
    from rtui.workbench.widgets.expression import Expression
    from rtui.workbench.widgets.filterbar import FilterBar
    from rtui.workbench.widgets.log import MessageLog
    from rtui.workbench.widgets.message import MessageView
    from rtui.workbench.widgets.tree import ChannelTree

    for widget in (
        *(MessageLog, ChannelTree, MessageView, Composer, FilterBar, Expression),
        *(Sidebar, Tour, Dialog, Confirm, Choose, SessionForm, SubscriptionForm, Help),
        *(SubscriptionScreen, SubscriptionList, UnansweredList, Caption, Checklist),
    ):
        for binding in widget.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding):
                yield binding
