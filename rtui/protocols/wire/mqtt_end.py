"""How an open MQTT connection ended: who, why, and what to make of it."""

from __future__ import annotations

import ssl
from typing import Final

from rtui.core.event import Closed
from rtui.core.fault import Fault
from rtui.protocols.wire.mqtt_fault import reason_fault, reason_words
from rtui.protocols.wire.mqtt_plan import Plan
from rtui.protocols.wire.mqtt_value import DENIED, Ending
from rtui.protocols.wire.reach_fault import fault
from rtui.protocols.wire.tls_fault import explain_tls

TAKEN_OVER: Final = 0x8E
ENOUGH: Final = 3
"""Drops in a row that count as a rival's doing."""
SOON: Final = 5.0
"""Seconds."""


def ending(end: Ending, plan: Plan, *, hung_up: bool, drops: int = 0) -> Closed:
    """Tell how it ended, once the socket is gone. `drops` is what `rivalry` counted."""
    if end.how == "disconnect":
        return _disconnected(end, plan)
    if end.how in {"illegal", "limit"}:
        return Closed(by="us", clean=False, fault=_unacceptable(end, plan))
    if hung_up:
        return Closed(by="us", clean=end.how == "cut" and end.error is None, code=0 if plan.five else None)
    if end.how == "us":
        return Closed(by="us", clean=True)
    if drops >= ENOUGH:
        return Closed(by="them", clean=False, fault=_rival(plan))
    return Closed(by="network", clean=False, fault=_cut(end, plan))


def _unacceptable(end: Ending, plan: Plan) -> Fault:
    """Bytes that we do not take."""
    if end.how == "illegal":
        return fault("protocol", "them", "Illegal packet", end.text, "The broker breaks the protocol")
    cause = f"{end.code:,} bytes, the limit is {plan.options.max_packet_size:,}"
    return fault("limit", "us", "Packet too big", cause, "Raise max_packet_size to accept it", size=end.code)


def rivalry(end: Ending, plan: Plan, lasted: float, before: int) -> int:
    """How often in a row the broker took us in at once and dropped us soon, which is how a take-over looks.

    3.1.1 has no word for it, and some brokers of 5 do not say it. A dial that fails in between starts anew.
    """
    soon = end.how == "cut" and end.error is None and lasted < SOON
    return before + 1 if soon and plan.options.client_id else 0


def _disconnected(end: Ending, plan: Plan) -> Closed:
    """DISCONNECT of MQTT 5 (§3.14)."""
    reason = str(end.meta.get("reason_string", "")) or reason_words(end.code)
    if end.code < DENIED:
        return Closed(by="them", clean=True, code=end.code, reason=reason, meta=end.meta)
    title = "The broker closed the connection"
    about = ""
    if end.code == TAKEN_OVER:
        title, about = "Client id taken over", f"another client connected as {plan.client_id!r}"
    why = reason_fault(end.code, title, end.meta, about)
    return Closed(by="them", clean=True, code=end.code, reason=reason, fault=why)


def _rival(plan: Plan) -> Fault:
    cause = f"the broker answers but dropped us {ENOUGH} times in a row: another client seems to be {plan.client_id!r}"
    return fault("usage", "them", "Client id taken over, it seems", cause, "Give each client an id of its own")


def _cut(end: Ending, plan: Plan) -> Fault:
    if isinstance(end.error, ssl.SSLError) and not isinstance(end.error, ssl.SSLEOFError):
        return explain_tls(end.error, plan.peer)
    how = "the stream ended without a DISCONNECT"
    if isinstance(end.error, ConnectionResetError):
        how = "reset by the peer, no DISCONNECT"
    elif end.error is not None:
        how = f"{end.error}, no DISCONNECT"
    hint = "The broker died, or something between cut the line"
    if plan.options.client_id:
        hint += "; some brokers close like this when another client takes the client id"
    return fault("lost", "network", "Connection lost", how, hint)
