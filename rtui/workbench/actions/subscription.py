"""Actions on subscriptions: list, add, change, switch, mute, end. What is changed is changed in the session too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from rtui.protocols.base import Verb
from rtui.settings.option import build
from rtui.settings.session import Session, SessionSubscription
from rtui.settings.session_model import table_data
from rtui.workbench import offer
from rtui.workbench.action import Book
from rtui.workbench.actions.connection import explain_silence, plays

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection
    from rtui.runtime.subscription import SubscriptionState
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

BOOK = Book("Subscription")
_action = BOOK.action


def can_subscribe(desk: Desk) -> bool:
    """Whether the tab's protocol has subscriptions. Wishes can be made before the connection is open."""
    return desk.connection is not None and Verb.SUBSCRIBE in desk.connection.adapter.verbs


def _may_ask(desk: Desk) -> bool:
    """Whether one can subscribe, or is told why there is nobody to ask."""
    return can_subscribe(desk) or plays(desk)


def hears_nothing(desk: Desk) -> bool:
    """Whether nothing is subscribed to, so that nothing will come."""
    return can_subscribe(desk) and not len(desk.sure.subscriptions)


def stands_here(desk: Desk) -> SubscriptionState | None:
    """The subscription under the tree's cursor."""
    tree = desk.tree_view
    if tree is None or tree.selected is None or not desk.pane_shown("tree") or not can_subscribe(desk):
        return None
    return tree.subscription_at(tree.selected)


@_action("subscriptions", "S", "Subscriptions…", when=can_subscribe, menu=("tree", "tabs"))
async def show(desk: Desk) -> None:
    """What is subscribed to, with the peer's answers and counts; add, change, mute and end."""
    from rtui.workbench.screens.subscriptions import SubscriptionScreen

    sheet = desk.sheets.current
    assert sheet is not None  # noqa: S101 - `when` has seen its connection
    await desk.bench.push_screen_wait(SubscriptionScreen(sheet, glyphs=desk.bench.glyphs))
    desk.refresh_bindings()


@_action("subscribe", "A", "Subscribe…", when=_may_ask, footer=hears_nothing, menu=("tree",))
async def add(desk: Desk) -> None:
    """Ask the peer for a channel."""
    from rtui.workbench.screens.subscription_form import SubscriptionForm

    if plays(desk):
        explain_silence(desk)
        return
    sheet = desk.sheets.current
    assert sheet is not None  # noqa: S101
    connection = desk.sure
    form = SubscriptionForm(connection.adapter, offers=connection.offered, channel=_proposed(desk))
    if (wanted := await desk.ask(form)) is not None:
        put(sheet, wanted)


@_action(
    "unsubscribe",
    "",
    "Unsubscribe",
    when=lambda desk: stands_here(desk) is not None,
    own="tree.unsubscribe",
)
def unsubscribe(desk: Desk) -> None:
    """End the subscription under the tree's cursor."""
    state, sheet = stands_here(desk), desk.sheets.current
    if state is not None and sheet is not None:
        end(sheet, state.channel)


@_action("subscription-mute", "", "Mute subscription", when=lambda desk: stands_here(desk) is not None, menu=("tree",))
def mute_here(desk: Desk) -> None:
    """Record what the subscription under the tree's cursor brings without showing it, or show it again."""
    state, sheet = stands_here(desk), desk.sheets.current
    if state is not None and sheet is not None:
        mute(sheet, state.channel)


def put(sheet: Sheet, wanted: SessionSubscription, before: str | None = None) -> None:
    """Subscribe as `wanted` says, in place of the subscription to `before`.

    The peer is asked again only if it is to send something else than so far.

    Raises:
        OptionErrors: if an option is wrong.
    """
    connection = _connection(sheet)
    subscription = build(connection.adapter.Subscription, wanted.options)
    if before is not None and before != wanted.channel:
        connection.unsubscribe(before)
    state = connection.subscriptions.get(wanted.channel)
    if not wanted.enabled:
        connection.subscriptions.want(wanted.channel, subscription).enabled = False
    elif state is None or not state.enabled or not _is_same(state.subscription, wanted.options, connection):
        connection.subscribe(wanted.channel, subscription)
    connection.subscriptions.show(wanted.channel, muted=wanted.muted, alias=wanted.alias, colour=wanted.colour)
    _keep(sheet, before or wanted.channel, wanted)


def switch(sheet: Sheet, channel: str) -> None:
    """Have the peer stop sending what it sends, or send it again."""
    connection = _connection(sheet)
    wanted = written(connection, channel)
    connection.enable(channel, on=not wanted.enabled)
    _keep(sheet, channel, msgspec.structs.replace(wanted, enabled=not wanted.enabled))


def mute(sheet: Sheet, channel: str) -> None:
    """Record without showing, or show again."""
    connection = _connection(sheet)
    wanted = written(connection, channel)
    connection.mute(channel, on=not wanted.muted)
    _keep(sheet, channel, msgspec.structs.replace(wanted, muted=not wanted.muted))


def end(sheet: Sheet, channel: str) -> None:
    """Unsubscribe. What the URL itself names is kept as switched off: it would be back otherwise."""
    connection = _connection(sheet)
    wanted = written(connection, channel)
    connection.unsubscribe(channel)
    named = channel in connection.adapter.channels(connection.session.url)
    _keep(sheet, channel, msgspec.structs.replace(wanted, enabled=False) if named else None)


def written(connection: Connection, channel: str) -> SessionSubscription:
    """A subscription as a session file holds it.

    Raises:
        LookupError: if there is none.
    """
    state = connection.subscriptions.get(channel)
    if state is None:
        raise LookupError(channel)
    return SessionSubscription(
        channel=channel,
        colour=state.colour,
        alias=state.alias,
        muted=state.muted,
        enabled=state.enabled,
        options=table_data(state.subscription) if state.subscription is not None else {},
    )


def _proposed(desk: Desk) -> str:
    """The stream under the tree's cursor, if the peer offers it and it is not wanted yet."""
    node = desk.sure_tree.selected if desk.focused_pane == "tree" else None
    chosen = offer.of(desk.sure.offered, node.full) if node is not None else None
    wanted = chosen is not None and "stream" in chosen.kind and chosen.channel not in desk.sure.subscriptions
    return chosen.channel if chosen is not None and wanted else ""


def _connection(sheet: Sheet) -> Connection:
    assert sheet.connection is not None  # noqa: S101 - only such sheets have subscriptions
    return sheet.connection


def _is_same(one: Any, options: Mapping[str, Any], connection: Connection) -> bool:
    """Whether a subscription (None: with the defaults) is what `options` say."""
    declared = connection.adapter.Subscription
    return bool((one or declared()) == build(declared, options))


def _keep(sheet: Sheet, before: str, wanted: SessionSubscription | None) -> None:
    """Put `wanted` (None: nothing) into the session where the subscription to `before` stood, to be saved with it."""
    connection = _connection(sheet)
    filled = connection.session
    places = [one.channel for one in filled.subscriptions]
    place = places.index(before) if before in places else len(places)
    if sheet.session is not None:
        kept = wanted
        if wanted is not None and place < len(sheet.session.subscriptions):
            kept = _as_written(sheet.session.subscriptions[place], filled.subscriptions[place], wanted, connection)
        sheet.session = _with(sheet.session, place, kept)
        sheet.unsaved = True
    connection.session = _with(filled, place, wanted)


def _with(session: Session, place: int, wanted: SessionSubscription | None) -> Session:
    listed = list(session.subscriptions)
    listed[place : place + 1] = [] if wanted is None else [wanted]
    return msgspec.structs.replace(session, subscriptions=tuple(listed))


def _as_written(
    old: SessionSubscription, filled: SessionSubscription, wanted: SessionSubscription, connection: Connection
) -> SessionSubscription:
    """`wanted`; what did not change stays as it stands in `old`, of which `filled` is the form without templates."""
    kept: Mapping[str, Any] = old.options
    if not _is_same(build(connection.adapter.Subscription, filled.options), wanted.options, connection):
        same = {key for key, value in wanted.options.items() if filled.options.get(key) == value}
        kept = wanted.options | {key: old.options[key] for key in same}
    channel = old.channel if wanted.channel == filled.channel else wanted.channel
    return msgspec.structs.replace(wanted, channel=channel, options=dict(kept))
