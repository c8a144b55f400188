"""One open MQTT connection: reads into the link, obeys its commands, keeps it alive, says goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from typing import Any, Final

import msgspec

from rtui.core.command import Break, Cancel, Command, HalfClose, Hangup, Poke, Send, Subscribe, Unsubscribe
from rtui.core.event import (
    Acknowledged,
    Closed,
    Event,
    Measured,
    Notice,
    Opened,
    Received,
    Sent,
    Stalled,
    Subscribed,
    Unsubscribed,
)
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.protocols.base import Link
from rtui.protocols.mqtt import Outgoing, Subscription
from rtui.protocols.wire import mqtt_property
from rtui.protocols.wire.mqtt_client import Wire
from rtui.protocols.wire.mqtt_dial import dial
from rtui.protocols.wire.mqtt_end import ending, rivalry
from rtui.protocols.wire.mqtt_fault import reason_fault, reason_words
from rtui.protocols.wire.mqtt_limit import over_limits
from rtui.protocols.wire.mqtt_packet import OURS
from rtui.protocols.wire.mqtt_paho import publish_properties, subscribe_options, subscribe_properties
from rtui.protocols.wire.mqtt_plan import Plan, plan
from rtui.protocols.wire.mqtt_topic import SHARE, filter_flaw, topic_flaw
from rtui.protocols.wire.mqtt_value import DENIED, Ending, Pending
from rtui.protocols.wire.reach_fault import Unopened, usage
from rtui.protocols.wire.sabotage import NextSend, dropped, told
from rtui.protocols.wire.trip import Trip

GOODBYE_TIME: Final = 0.5
"""Seconds for the broker to end the connection after our DISCONNECT; a second is allowed for everything."""
PING_EVERY: Final = 20.0
"""Seconds between pings where the keep-alive asks for no more: the round trip is worth a look."""
PART: Final = 0.7
"""Of the keep-alive after which we ping: the broker gives up at 1.5 (§3.1.2.10)."""
LATE: Final = 2.0
"""Seconds after which a missing answer is worth a word."""
STALL_STEP: Final = 1.0
MOST_UNCONFIRMED: Final = 10_000
MOST_REQUESTS: Final = 1024
FIVE_ONLY: Final = (
    "content_type",
    "response_topic",
    "correlation_data",
    "message_expiry",
    "topic_alias",
    "user_properties",
)


async def converse(link: Link) -> Closed | None:
    """The whole of one attempt; see `Adapter.run`."""
    wanted = plan(link.url, link.options, link.memory)
    try:
        wire, trip = await dial(wanted, None if wanted.clean else link.memory.get("unfinished"))
    except Unopened:
        link.memory.pop("rivalry", None)
        raise
    session = Session(link, wire, wanted)
    try:
        link.emit([Opened(details=details(wire, trip, wanted)), *session.news()])
        link.memory["opened"] = True
        return await session.run()
    finally:
        await session.leave()


def details(wire: Wire, trip: Trip, wanted: Plan) -> dict[str, Any]:
    """What `Opened` tells."""
    found: dict[str, Any] = {
        "protocol": f"MQTT {wanted.options.version}",
        "session": "resumed" if wire.session_present else "new",
        "transport": "WebSocket" if wanted.framed else "TCP",
        **trip.tls,
        "client_id": wire.server.get("assigned_client_id", wanted.client_id),
        "keep_alive": wire.server.get("server_keep_alive", int(wanted.options.keep_alive)),
        "server": wire.server,
        "will": wanted.options.will_topic,
        "local": trip.local,
        "remote": trip.remote,
        "proxy": trip.proxy,
        "timings": trip.timings,
    }
    return {key: value for key, value in found.items() if value}


class Session:
    """What runs while the connection is open."""

    def __init__(self, link: Link, wire: Wire, wanted: Plan) -> None:
        self._link = link
        self._wire = wire
        self._plan = wanted
        self._verdict: Closed | None = None
        self._hung_up = False
        self._began = time.monotonic()
        self._silent = False
        self._next_send = NextSend()
        self._filters: set[str] = set()
        self._requests: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        self._identifiers: dict[str, int] = link.memory.setdefault("identifiers", {})
        keep_alive = wire.server.get("server_keep_alive", wanted.options.keep_alive)
        self._keep_alive = float(keep_alive)
        wire.answered = self._answered
        wire.ponged = self._ponged

    def news(self) -> list[Event]:
        """What the user should know from the start."""
        options = self._plan.options
        rows: list[Event] = []
        if self._wire.session_present:
            rows.append(Notice(text="session resumed: the broker kept our subscriptions and what came meanwhile"))
        elif not self._plan.clean and self._link.memory.get("opened"):
            rows.append(Notice(text="the broker kept no session: it begins anew", level="warning"))
        if self._plan.five and not options.clean_start and not options.session_expiry:
            text = "session_expiry is 0: the broker forgets the session as soon as the connection ends"
            rows.append(Notice(text=text, level="warning"))
        if again := sum(1 for one in self._wire.pending.values() if one.work == "publish"):
            rows.append(Notice(text=f"not confirmed in the last connection and sent again: {again}"))
        return rows

    async def run(self) -> Closed:
        """Read to the end, with the commands and the keep-alive beside it."""
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._obey(), name="mqtt commands"),
                group.create_task(self._stay_alive(), name="mqtt keep-alive"),
            ]
            while events := await self._wire.inbox.take():
                await self._link.pour(events)
            for helper in helpers:
                helper.cancel()
        return self._verdict or self._ended(self._wire.ending or Ending("us"))

    def _ended(self, end: Ending) -> Closed:
        memory = self._link.memory
        lasted = time.monotonic() - self._began
        memory["rivalry"] = rivalry(end, self._plan, lasted, memory.get("rivalry", 0))
        return ending(end, self._plan, hung_up=self._hung_up, drops=memory["rivalry"])

    async def leave(self) -> None:
        """Say goodbye if nobody did, so that no last will fires; then make sure that no socket stays."""
        wire = self._wire
        try:
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(GOODBYE_TIME):
                    await wire.goodbye()
                    wire.line.deafen(on=False)
                    await wire.wait_ended()
        finally:
            wire.end(Ending("us"))
            self._link.memory["unfinished"] = wire.unfinished() if self._plan.kept else None

    # Commands

    async def _obey(self) -> None:
        async for command in self._link.commands:
            try:
                await self._do(command)
            except (ConnectionError, ValueError) as error:
                self._refuse(command, usage("Not sent", str(error)))

    async def _do(self, command: Command) -> None:
        match command:
            case Send():
                await self._send(command)
            case Subscribe():
                self._subscribe(command)
            case Unsubscribe():
                self._unsubscribe(command)
            case Poke():
                self._poke(command)
            case Hangup():
                await self._hang_up(command)
            case Break():
                self._break(command)
            case HalfClose() | Cancel():
                self._refuse(command, usage("MQTT has no calls", "what was published cannot be taken back"))

    async def _send(self, command: Send) -> None:
        outgoing: Outgoing = command.outgoing or Outgoing()
        if (why := self._flaw(command, outgoing)) is not None:
            self._refuse(command, why)
            return
        payload, meta = await self._next_send.spoil(command.payload)
        properties = publish_properties(outgoing) if self._plan.five else None
        if outgoing.qos:
            await self._wire.room(min(self._wire.server.get("receive_maximum", 65535), MOST_UNCONFIRMED))
        self._expect_reply(command.id, outgoing)
        pending = Pending("publish", command.id, command.channel, time.monotonic(), outgoing.qos)
        self._wire.publish_now(pending, payload, retain=outgoing.retain, properties=properties)
        meta |= _outgoing_meta(outgoing)
        # Before any wait: the answer may be read while the socket drains.
        self._link.emit([Sent(command.id, command.channel, payload, Kind.MESSAGE, meta or None)])
        await self._wire.drain()

    def _flaw(self, command: Send, outgoing: Outgoing) -> Fault | None:
        """Why this message must not be sent."""
        if flaw := topic_flaw(command.channel):
            return usage("Not a topic to publish to", flaw)
        if outgoing.response_topic and (flaw := topic_flaw(outgoing.response_topic)):
            return usage("Not a response topic", flaw)
        given = [name for name in FIVE_ONLY if getattr(outgoing, name)]
        if not self._plan.five and (given or outgoing.payload_format == "text"):
            return usage(f"{(given or ['payload_format'])[0]} needs MQTT 5", "this connection speaks 3.1.1")
        return over_limits(command, outgoing, self._wire.server) if self._plan.five else None

    def _subscribe(self, command: Subscribe) -> None:
        wanted: Subscription = command.subscription or Subscription()
        if (why := self._subscription_flaw(command.channel, wanted)) is not None:
            self._refuse(command, why)
            return
        pending = Pending("subscribe", command.id, command.channel, time.monotonic(), wanted.qos)
        if not self._plan.five:
            self._wire.subscribe_now(pending, None)
            return
        number = wanted.identifier or self._identifier(command.channel)
        self._wire.subscribe_now(pending, subscribe_options(wanted), subscribe_properties(number))

    def _subscription_flaw(self, channel: str, wanted: Subscription) -> Fault | None:
        if flaw := filter_flaw(channel):
            return usage("Not a topic filter", flaw)
        five_only = wanted.no_local or wanted.retain_as_published or wanted.retain_handling or wanted.identifier
        if not self._plan.five and five_only:
            return usage("These subscription options need MQTT 5", "this connection speaks 3.1.1")
        if wanted.no_local and channel.startswith(SHARE):
            return usage("no_local cannot be used here", "a shared subscription must not have it (§3.8.3.1)")
        return None

    def _identifier(self, channel: str) -> int:
        """The number by which we know the copies that this subscription makes; 0 for none.

        A shared subscription has none: what it brings is a share, not a copy.
        """
        if channel.startswith(SHARE) or not self._wire.server.get("subscription_identifiers", 1):
            return 0
        return self._identifiers.setdefault(channel, OURS + len(self._identifiers))

    def _unsubscribe(self, command: Unsubscribe) -> None:
        if flaw := filter_flaw(command.channel):
            self._refuse(command, usage("Not a topic filter", flaw))
            return
        self._wire.unsubscribe_now(Pending("unsubscribe", command.id, command.channel, time.monotonic()))

    def _poke(self, command: Poke) -> None:
        if command.payload:
            self._refuse(command, usage("A ping of MQTT carries nothing", "PINGREQ has no payload (§3.12)"))
            return
        self._wire.ping(command.id)
        self._link.emit([Sent(command.id, "", b"", Kind.PING, {"type": "ping"})])

    async def _hang_up(self, command: Hangup) -> None:
        code = command.code or 0
        if code and (not self._plan.five or (code != 4 and not DENIED <= code <= 0xFF)):  # noqa: PLR2004
            cause = "3.1.1 has none" if not self._plan.five else "0, 4 (with will message) or 128 to 255 (§3.14.2.1)"
            self._refuse(command, usage("Not a reason code for DISCONNECT", cause))
            return
        self._hung_up = True
        try:
            async with asyncio.timeout(GOODBYE_TIME):
                await self._wire.goodbye(code, command.reason if self._plan.five else "")
                await self._wire.wait_ended()
        except TimeoutError:
            self._wire.end(Ending("us"))

    def _refuse(self, command: Command, why: Fault) -> None:
        self._link.emit([Notice(text=why.sentence(), level="error", command=command.id, fault=why)])

    # What the broker answers

    def _answered(self, pending: Pending, code: int, what: dict[str, Any]) -> list[Event]:
        """PUBACK, PUBCOMP or a PUBREC that denies; SUBACK; UNSUBACK."""
        if code >= DENIED:
            return [self._denied(pending, code, what)]
        took = round((time.monotonic() - pending.began) * 1000, 3)
        reason = {"reason_code": code, "reason": reason_words(code)} if code and pending.work != "subscribe" else {}
        meta = {**reason, **what}
        if pending.work == "publish":
            return [Acknowledged(pending.command, pending.channel, b"", {"qos": pending.asked, "ms": took, **meta})]
        if pending.work == "unsubscribe":
            self._filters.discard(pending.channel)
            self._settle_filters()
            return [Unsubscribed(pending.channel, pending.command, meta or None)]
        self._filters.add(pending.channel)
        self._settle_filters()
        lowered = {"requested_qos": pending.asked} if code != pending.asked else {}
        rtt = Measured(int((time.monotonic() - pending.began) * 1e9))
        return [Subscribed(pending.channel, pending.command, {"qos": code, **lowered, **meta}), rtt]

    def _denied(self, pending: Pending, code: int, what: dict[str, Any]) -> Event:
        verb = {"publish": "to publish to", "subscribe": "to subscribe to", "unsubscribe": "to unsubscribe from"}
        title = f"The broker refused {verb[pending.work]} {pending.channel}"
        packet = {"publish": "", "subscribe": "SUBACK", "unsubscribe": "UNSUBACK"}[pending.work]
        why = reason_fault(code, title, what, packet)
        if not self._plan.five:
            # §3.9.3: 0x80 is all that 3.1.1 can say.
            why = msgspec.structs.replace(
                why, kind="auth", cause="SUBACK: failure (0x80)", hint="Check the access list"
            )
        return Notice(text=why.sentence(), level="error", command=pending.command, fault=why)

    def _settle_filters(self) -> None:
        self._wire.reader.filters_changed(several=len(self._filters) > 1 or self._wire.session_present)

    def _ponged(self, command: int, rtt: int) -> list[Event]:
        rows: list[Event] = [Measured(rtt)]
        if command:
            meta = {"type": "pong", "rtt_ms": round(rtt / 1e6, 3)}
            rows.insert(0, Received("", b"", Kind.PING, meta, command))
        return rows

    # Requests and replies (§4.10)

    def _expect_reply(self, command: int, outgoing: Outgoing) -> None:
        if outgoing.response_topic:
            mark = mqtt_property.given(outgoing.correlation_data)
            self._requests[outgoing.response_topic, mark] = command
            if len(self._requests) > MOST_REQUESTS:
                self._requests.popitem(last=False)
            self._wire.reader.answers = self._answers

    def _answers(self, topic: str, correlation: bytes) -> int | None:
        """The request that a message answers. One with a mark may be answered many times."""
        return self._requests.get((topic, correlation))

    # Misbehaviour on purpose

    def _break(self, command: Break) -> None:
        what = ""
        match command.what:
            case "drop":
                self._verdict = dropped("the TCP connection was cut without a DISCONNECT: a last will fires")
                self._wire.cut()
            case "stop-reading":
                self._wire.line.deafen(command.on)
            case "stop-pongs":
                self._silent = command.on
                what = "no pings, so that the keep-alive runs out:"
            case "hold-acks":
                self._wire.hold_acks(command.on)
            case "delay-next" | "corrupt-next":
                self._next_send.arm(command)
        self._link.emit([told(command, what)])

    # Keep-alive

    async def _stay_alive(self) -> None:
        """Ping, and tell what is late before the connection is given up."""
        longest = self._keep_alive * PART
        usual = min(PING_EVERY, longest)
        step = min(STALL_STEP, usual / 2) if usual else STALL_STEP
        pinged = time.monotonic()
        while True:
            await asyncio.sleep(step)
            now = time.monotonic()
            if self._wire.pinging:
                if usual and self._gave_up(self._wire.waited):
                    return
            elif usual and not self._silent and (now - pinged >= longest or self._quiet(now, pinged) >= usual):
                self._wire.ping(0)
                pinged = now
            self._tell_late(now)

    def _quiet(self, now: float, pinged: float) -> float:
        """Seconds without a word from the broker; while it talks there is no need to ask."""
        return now - max(pinged, self._wire.heard_at)

    def _gave_up(self, waited: float) -> bool:
        if not self._wire.line.listening:
            # It is us who do not listen.
            return False
        # A peer that still talks is not dead: its answer may queue behind a flood.
        quiet = min(waited, time.monotonic() - self._wire.heard_at)
        if quiet >= max(self._keep_alive, 1.0):
            cause = f"no PINGRESP for {quiet:.0f} s, the keep-alive is {self._keep_alive:g} s"
            why = Fault(
                kind="lost",
                side="network",
                title="The broker stopped answering",
                cause=cause,
                hint="It hangs, or the line is dead",
            )
            self._verdict = Closed(by="us", clean=False, reason=cause, fault=why)
            self._wire.cut()
            return True
        if quiet >= min(LATE, max(self._keep_alive / 2, 0.5)):
            self._link.emit([Stalled(f"no PINGRESP for {quiet:.0f} s")])
        return False

    def _tell_late(self, now: float) -> None:
        oldest = next(iter(self._wire.pending.values()), None)
        if oldest is not None and (waited := now - oldest.began) >= LATE:
            what = {"publish": "PUBACK", "subscribe": "SUBACK", "unsubscribe": "UNSUBACK"}[oldest.work]
            self._link.emit([Stalled(f"no {what} for {waited:.0f} s ({oldest.channel})")])


def _outgoing_meta(outgoing: Outgoing) -> dict[str, Any]:
    """What the row of a sent message shows: whatever is not as by default."""
    default = Outgoing()
    names = Outgoing.__struct_fields__
    return {name: value for name in names if (value := getattr(outgoing, name)) != getattr(default, name)}
