"""aiomqtt's client with a batch reader in front of paho's packet handler.

Every socket read is ours: whole PUBLISH packets of QoS 0 and 1 are cut out in one loop (`wire.mqtt_packet`) and become
one list in the inbox, their PUBACKs one write. All other packets are handed to paho one by one, so it stands at a
packet boundary whenever it is its turn and order is kept between both ways. That this is invisible is proven by a
property test: for any bytes, cut anywhere, `batched=False` (all to paho) reports and answers the same.

What is replaced is replaced on the instance, because

- aiomqtt hides reason codes (a PUBACK that denies looks like success) and puts a queue and a task in the way of each
  message: its callbacks are overridden, `Ending` keeps how the connection ended;
- it defers the registration of a writer to the loop, but not the removal: a flush in between leaves one that spins;
- paho goes on with PUBREL after a PUBREC that denies, and pings by its own clock without telling the time.
"""

# ruff: noqa: SLF001 - paho has no other way in

from __future__ import annotations

import asyncio
import logging
import struct
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final

import aiomqtt
from paho.mqtt import client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from rtui.core.event import Event
from rtui.protocols.wire.inbox import Inbox
from rtui.protocols.wire.mqtt_line import NOT_YET, Line
from rtui.protocols.wire.mqtt_packet import ILLEGAL, INCOMPLETE, Reader, extent, packet_name
from rtui.protocols.wire.mqtt_paho import blank, disconnect_body, packed, shown
from rtui.protocols.wire.mqtt_value import DENIED, Answered, Ending, Pending, Ponged, Unfinished

TAIL_LIMIT: Final = 64 * 1024
"""An incomplete packet larger than this is paho's: joining it to every read would be quadratic."""
HEAD_KEPT: Final = 2048
PINGREQ: Final = b"\xc0\x00"
CONFIRMING: Final = frozenset({0x40, 0x50, 0x70})
"""PUBACK, PUBREC, PUBCOMP."""

# Everything that matters becomes an event or a fault; the library must not write beside them.
logger: Final = logging.getLogger("rtui.mqtt")
logger.addHandler(logging.NullHandler())
logger.propagate = False
logger.setLevel(logging.CRITICAL + 1)


class Wire(aiomqtt.Client):
    """One connection over a socket that stands already."""

    def __init__(self, sock: Any, reader: Reader, *, limit: int, batched: bool = True, **options: Any) -> None:
        """`limit` is the size of the largest packet accepted; the other options are aiomqtt's."""
        super().__init__(logger=logger, max_inflight_messages=65535, **options)
        self.line = Line(sock, readable=self._readable, writable=self.flush)
        self.inbox = Inbox(self.line.hold)
        self.ending: Ending | None = None
        self.pending: OrderedDict[int, Pending] = OrderedDict()
        """By packet identifier."""
        self.answered: Answered = lambda *_: []
        self.ponged: Ponged = lambda *_: []
        self.greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when CONNACK came or nothing more will."""
        self.head = b""
        """The first bytes of the peer."""
        self.code = 0
        """Of CONNACK."""
        self.accepted = False
        """Whether CONNACK said yes; the connection may be over all the same."""
        self.session_present = False
        self.server: dict[str, Any] = {}
        """The properties of CONNACK."""
        self.heard_at = time.monotonic()
        self.reader = reader
        self._limit = limit
        self._batched = batched
        self._events: list[Event] = []
        self._acks = bytearray()
        self._held: bytearray | None = None
        self._tail = b""
        self._owed = 0
        """Bytes that paho still waits for of the packet it has begun."""
        self._unconfirmed = 0
        self._food = b""
        self._eaten = 0
        self._pings: deque[tuple[int, int]] = deque()
        self._bye = False
        self._moved = asyncio.Event()
        self._replace()

    def _replace(self) -> None:
        paho: Any = self._client
        paho._create_socket = lambda: self.line.socket
        paho._sock_recv = self._fed
        paho._sock_send = self.line.send
        paho._send_command_with_mid = self._confirm
        paho._handle_pingresp = self._on_pingresp
        paho._handle_pubrec = self._on_pubrec
        paho.suppress_exceptions = False

    # What a session does

    def begin(self) -> None:
        """Send CONNECT; `greeted` tells when it is answered."""
        self._client.connect(
            self._hostname, self._port, self._keepalive, clean_start=self._clean_start, properties=self._properties
        )
        self.flush()

    def unfinished(self) -> Unfinished:
        """What was under way when the connection ended."""
        paho = self._client
        pending = {mid: one for mid, one in self.pending.items() if one.work == "publish"}
        return Unfinished(paho._out_messages, paho._in_messages, paho._last_mid, pending)

    def resume(self, left: Unfinished) -> None:
        """Before `begin`: paho sends again what was not confirmed, as a duplicate (§4.4)."""
        paho = self._client
        paho._out_messages, paho._in_messages, paho._last_mid = left.sent, left.received, left.last
        self.pending.update(left.pending)
        self._unconfirmed = len(left.pending)

    def publish_now(self, pending: Pending, payload: bytes, *, retain: bool, properties: Properties | None) -> None:
        """Hand one message to the socket; QoS 1 and 2 are answered later."""
        if self.ending is not None:  # paho would keep it, and send in the next connection what we called not sent
            self._client_trouble(mqtt.MQTT_ERR_NO_CONN)
        info = self._client.publish(pending.channel, payload, pending.asked, retain, properties)
        self._client_trouble(info.rc)
        if pending.asked:
            self.pending[info.mid] = pending
            self._unconfirmed += 1
        self.flush()

    @property
    def pinging(self) -> bool:
        """Whether a PINGRESP is missing."""
        return bool(self._pings)

    @property
    def waited(self) -> float:
        """Seconds since the ping whose answer is missing, whoever sent it."""
        return (time.perf_counter_ns() - self._pings[0][1]) / 1e9 if self._pings else 0.0

    def subscribe_now(
        self, pending: Pending, options: SubscribeOptions | None, properties: Properties | None = None
    ) -> None:
        """Send SUBSCRIBE."""
        result, mid = self._client.subscribe(pending.channel, 0 if options else pending.asked, options, properties)
        self._expect(result, mid, pending)

    def unsubscribe_now(self, pending: Pending) -> None:
        """Send UNSUBSCRIBE."""
        result, mid = self._client.unsubscribe(pending.channel)
        self._expect(result, mid, pending)

    def ping(self, command: int) -> None:
        """Send PINGREQ; `ponged(command, rtt in ns)` follows."""
        self._pings.append((command, time.perf_counter_ns()))
        self._enqueue(PINGREQ)
        self.flush()

    async def room(self, most: int) -> None:
        """Until fewer than `most` messages are unconfirmed (receive maximum, §4.9)."""
        await self._until(lambda: self._unconfirmed < most)

    async def drain(self) -> None:
        """Until the socket has taken everything."""
        await self._until(lambda: not self._client.want_write())

    async def goodbye(self, code: int = 0, reason: str = "") -> None:
        """Send DISCONNECT. The broker ends the connection then; a will does not fire unless `code` is 4."""
        if self.ending is not None or self._bye:
            return
        five = self._client.protocol == mqtt.MQTTv5
        body = disconnect_body(code, reason) if five and (code or reason) else b""
        packet = bytearray([0xE0])
        self._client._pack_remaining_length(packet, len(body))
        self._enqueue(bytes(packet + body))
        self._bye = True
        self.flush()
        await self.drain()
        self.line.say_goodbye()

    async def wait_ended(self) -> None:
        """Until nothing more will come."""
        await self._until(lambda: False)

    def cut(self) -> None:
        """End the TCP connection with a reset, without a goodbye."""
        self.line.close_by_reset()
        self.end(Ending("us"))

    def hold_acks(self, on: bool) -> None:
        """Keep our confirmations back, or send those kept."""
        if on:
            self._held = self._held if self._held is not None else bytearray()
        elif self._held is not None:
            self._acks, self._held = self._held, None
            self._deliver()

    def end(self, ending: Ending) -> None:
        """Nothing more will come; the first reason is the one that counts."""
        if self.ending is None:
            self._deliver()
            self.ending = ending
            self._close_socket()
            self.inbox.close()
            self._moved.set()
            if not self.greeted.done():
                self.greeted.set_result(None)

    # Reading

    def _readable(self) -> None:
        try:
            data = self.line.receive()
        except NOT_YET:
            return
        except OSError as error:
            self.end(Ending("cut", error=error))
            return
        if not data:
            self.end(Ending("cut"))
            return
        self.heard_at = time.monotonic()
        self.take(data)

    def take(self, data: bytes) -> None:
        """Everything that one read brought."""
        size = len(data)
        if not self.greeted.done() and len(self.head) < HEAD_KEPT:
            self.head += data[:HEAD_KEPT]
            if self.head[0] >> 4 != PacketTypes.CONNACK:
                self.end(Ending("illegal", text="no CONNACK"))
                return
        if self._owed:
            given, data = data[: self._owed], data[self._owed :]
            self._owed -= len(given)
            self._feed(given)
        if self._tail:
            data, self._tail = self._tail + data, b""
        position = 0
        while position < len(data) and self.ending is None:
            position = self._step(data, position)
        self._deliver(size)

    def _step(self, data: bytes, position: int) -> int:
        """One run of simple packets, or one other packet."""
        if self._batched and self.greeted.done():
            position = self.reader.cut(data, position, self._events, self._acks)
            if position == len(data):
                return position
        size = extent(data, position)
        if size == ILLEGAL:
            self._illegal(data[position:], "its length has more than four bytes (§1.5.5)")
        elif size > self._limit:
            self.end(Ending("limit", code=size))
        elif size == INCOMPLETE or position + size > len(data):
            self._keep(data[position:], size)
            return len(data)
        else:
            if data[position] >> 4 == PacketTypes.DISCONNECT:
                self._deliver()  # paho closes the socket over it, and what came before is still to be confirmed
            self._feed(data[position : position + size])
        return position + size

    def _keep(self, rest: bytes, size: int) -> None:
        if size == INCOMPLETE or len(rest) < TAIL_LIMIT:
            self._tail = rest
        else:
            self._owed = size - len(rest)
            self._feed(rest)

    def _feed(self, packet: bytes) -> None:
        """Let paho handle one packet, or the next piece of one."""
        self._food, self._eaten = packet, 0
        try:
            result = self._client._packet_read()  # `loop_read` would close the socket over what it finds
        except Exception as error:  # noqa: BLE001 - paho's decoders raise whatever the bytes make them
            if self.greeted.done():
                self._illegal(packet, f"it cannot be decoded ({type(error).__name__})")
                return
            result = mqtt.MQTT_ERR_PROTOCOL
        if not self.greeted.done():
            self._on_answer(result)
        elif result not in {mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_AGAIN}:
            self._illegal(packet, "it is not allowed here or cannot be decoded")

    def _on_answer(self, result: int) -> None:
        if result == mqtt.MQTT_ERR_AGAIN:
            return
        code = self.head[3] if len(self.head) > 3 else 0  # noqa: PLR2004 - after type, length and flags
        self.code = self.code or code
        if self.code or result != mqtt.MQTT_ERR_SUCCESS:
            self.end(Ending("refused" if self.code else "illegal", code=self.code, text="CONNACK cannot be decoded"))
        else:
            self.accepted = True
            if not self.greeted.done():
                self.greeted.set_result(None)

    def _fed(self, size: int) -> bytes:
        """Stands in for paho's read of the socket."""
        given = self._food[self._eaten : self._eaten + size]
        if not given:
            raise BlockingIOError
        self._eaten += len(given)
        return given

    def _illegal(self, packet: bytes, what: str) -> None:
        self.end(Ending("illegal", text=f"{packet_name(packet[0])} packet ({packet[:8].hex(' ')}…): {what}"))

    def _deliver(self, size: int = 0) -> None:
        if self._events:
            events, self._events = self._events, []
            self.inbox.put(events, size)
        if self._acks:
            acks, self._acks = bytes(self._acks), bytearray()
            if self._held is not None:
                self._held += acks
            else:
                self._enqueue(acks)
        if self._client.want_write():
            self.flush()

    # What paho calls back

    def _on_connect(
        self, _client: Any, _userdata: Any, flags: mqtt.ConnectFlags, reason_code: ReasonCode, properties: Any = None
    ) -> None:
        self.session_present = flags.session_present
        self.server = shown(properties)
        self.code = self.head[3] if len(self.head) > 3 else reason_code.value  # noqa: PLR2004

    def _on_disconnect(
        self, _client: Any, _userdata: Any, flags: mqtt.DisconnectFlags, reason_code: ReasonCode, properties: Any = None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.end(Ending("disconnect", reason_code.value, shown(properties)))

    def _on_subscribe(
        self, _client: Any, _userdata: Any, mid: int, reason_codes: list[ReasonCode], properties: Any = None
    ) -> None:
        self._settle(mid, reason_codes[0].value if reason_codes else DENIED, properties)

    def _on_unsubscribe(
        self, _client: Any, _userdata: Any, mid: int, reason_codes: list[ReasonCode], properties: Any = None
    ) -> None:
        self._settle(mid, reason_codes[0].value if reason_codes else 0, properties)

    def _on_publish(self, _client: Any, _userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:
        if mid in self.pending:  # QoS 0 is not waited for
            self._settle(mid, reason_code.value, properties)

    def _settle(self, mid: int, code: int, properties: Any) -> None:
        if (pending := self.pending.pop(mid, None)) is not None:
            self._unconfirmed -= pending.work == "publish"
            self._events += self.answered(pending, code, shown(properties))
            self._moved.set()

    def _on_message(self, _client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        first = 0x30 | message.dup << 3 | message.qos << 1 | message.retain
        topic = bytes(message._topic)  # `topic` raises where it is not UTF-8
        event = self.reader.event(first, topic, bytes(message.payload), packed(message.properties))
        if event is not None:
            self._events.append(event)

    def _on_pingresp(self) -> int:
        if self._pings:
            command, began = self._pings.popleft()
            self._events += self.ponged(command, time.perf_counter_ns() - began)
        return mqtt.MQTT_ERR_SUCCESS

    def _on_pubrec(self) -> int:
        packet = bytes(self._client._in_packet["packet"])
        if len(packet) > 2 and packet[2] >= DENIED:  # noqa: PLR2004 - after the packet identifier
            mid = int.from_bytes(packet[:2], "big")
            properties = blank(PacketTypes.PUBREC)
            if len(packet) > 3:  # noqa: PLR2004
                properties.unpack(packet[3:])  # type: ignore[no-untyped-call]
            if mid in self._client._out_messages:
                code = ReasonCode(PacketTypes.PUBREC, identifier=packet[2])
                return self._client._do_on_publish(mid, code, properties)
            return mqtt.MQTT_ERR_SUCCESS
        return mqtt.Client._handle_pubrec(self._client)

    def _confirm(self, command: int, mid: int, dup: int) -> int:
        """PUBACK, PUBREC, PUBREL and PUBCOMP of one read go out in one write, in order (§4.6)."""
        packet = struct.pack("!BBH", command | (8 if dup else 0), 2, mid)
        if command & 0xF0 in CONFIRMING:
            self._acks += packet
        else:
            self._enqueue(packet)
        return mqtt.MQTT_ERR_SUCCESS

    # Writing

    def flush(self) -> None:
        """Write what the socket takes now; the loop does the rest."""
        if self.ending is None and not self.line.blocked:
            self._client.loop_write()
            self._moved.set()

    def _enqueue(self, packet: bytes) -> None:
        if self._bye:
            return
        # As a PUBACK, whatever it is: paho does something of its own only after PUBLISH and DISCONNECT.
        self._client._packet_queue(0x40, packet, 0, 1)

    # The socket and the loop

    def _on_socket_open(self, _client: Any, _userdata: Any, _sock: Any) -> None:
        self.line.watch()

    def _on_socket_close(self, _client: Any, _userdata: Any, _sock: Any) -> None:
        self.line.unwatch()

    def _on_socket_register_write(self, _client: Any, _userdata: Any, _sock: Any) -> None:
        """Every queue of a packet is followed by a flush; what that leaves, `_send` has the loop watch."""

    def _on_socket_unregister_write(self, _client: Any, _userdata: Any, _sock: Any) -> None:
        """See `_on_socket_register_write`."""

    def _close_socket(self) -> None:
        self.line.unwatch()
        self._client._sock_close()
        self.line.socket.close()

    def _expect(self, result: int, mid: int | None, pending: Pending) -> None:
        self._client_trouble(result)
        assert mid is not None  # noqa: S101 - paho gives one with every success
        self.pending[mid] = pending
        self.flush()

    def _client_trouble(self, result: int) -> None:
        if result != mqtt.MQTT_ERR_SUCCESS:
            raise ConnectionError(mqtt.error_string(MQTTErrorCode(result)))

    async def _until(self, reached: Callable[[], bool]) -> None:
        while self.ending is None and not reached():
            self._moved.clear()
            await self._moved.wait()
