"""One connection to the broker: what each packet of a client means (MQTT 5, 3 and 4; 3.1.1 where it differs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, Protocol

import msgspec

from rtui.demo.mqtt_broker import Broker, Timer
from rtui.demo.mqtt_codec import LARGEST, Decoder, encode
from rtui.demo.mqtt_field import Properties, violation
from rtui.demo.mqtt_packet import (
    V5,
    V311,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)
from rtui.demo.mqtt_reason import CONNECT_CODE, FAILURE, ProtocolError, Reason
from rtui.demo.mqtt_session import Session, message_of
from rtui.demo.mqtt_topic import SHARE, valid_name

GATHERED: Final = 64 * 1024
"""Bytes after which a connection is written at once instead of at the end of the turn."""
UNREAD: Final = 64 * 1024
"""Bytes of answers to a client that does not read; then it is not read any more either."""


class Wire(Protocol):
    """Where the bytes go: a TCP or TLS stream, a WebSocket, a client in this process."""

    def write(self, data: bytes) -> None:
        """Send, buffering if need be; `Peer.pause` says when that is enough."""

    def close(self) -> None:
        """End after what was written, not waiting long for a peer that does not read."""

    def pause_reading(self) -> None:
        """Let the client wait."""

    def resume_reading(self) -> None:
        """Read on."""


class Peer:
    """The broker's end of one connection."""

    def __init__(self, broker: Broker, wire: Wire) -> None:
        self.version = 0
        self.window = 0
        self.largest = LARGEST
        self.aliases: dict[str, int] = {}
        self.aliases_left = 0
        self.ready = True
        self._broker = broker
        self._wire = wire
        self._tally = broker.tally
        self._decoder = Decoder(limit=broker.limits.first_packet)
        self._session: Session | None = None
        self._topics: dict[int, str] = {}
        self._keep_alive = 0.0
        self._heard = broker.clock.time()
        self._timer: Timer | None = broker.clock.call_later(broker.limits.first_wait, self._check_first)
        self._explains = True
        self._gathered: list[bytes] = []
        self._size = 0
        self._unread = 0
        self._held = False
        self._closed = False
        broker.accepted.add(self)

    # What the wire reports

    def receive(self, data: bytes) -> None:
        """Bytes came: act on every packet that they complete, then write all answers and deliveries."""
        if self._closed:
            return
        self._heard = self._broker.clock.time()
        self._tally.bytes_received += len(data)
        try:
            for packet in self._decoder.feed(data):
                self._tally.messages_received += 1
                self._handle(packet)
                if self._closed:
                    break
        except ProtocolError as error:
            self._tally.protocol_errors += 1
            self.end(error.reason, str(error))
        self._broker.flush()

    def pause(self) -> None:
        """The client does not keep up: deliveries wait from now on."""
        self.ready = False

    def resume(self) -> None:
        """The client has caught up."""
        self.ready = True
        self._unread = 0
        if self._held:
            self._held = False
            self._wire.resume_reading()
        if self._session:
            self._session.pump()
        self._broker.flush()

    def lost(self) -> None:
        """The connection is gone, without a goodbye unless there was one."""
        self._leave(with_will=True)
        self._broker.flush()

    # What the broker and the session ask for

    def now(self) -> float:
        """Loop time."""
        return self._broker.clock.time()

    def send(self, data: bytes) -> None:
        """Write soon: at the end of the turn, or when enough has come together."""
        if self._closed:
            return
        if not self._gathered:
            self._broker.gather(self)
        self._gathered.append(data)
        self._size += len(data)
        self._tally.messages_sent += 1
        if self._size > GATHERED:
            self.flush()

    def release(self, packet_id: int) -> None:
        """Send a PUBREL."""
        self._answer(Pubrel(packet_id))

    def flush(self) -> None:
        """Write what was gathered."""
        if not self._gathered:
            return
        data = b"".join(self._gathered)
        self._gathered.clear()
        self._size = 0
        self._tally.bytes_sent += len(data)
        if not self.ready:
            self._unread += len(data)
            if self._unread > UNREAD and not self._held:
                self._held = True
                self._wire.pause_reading()
        self._wire.write(data)

    def end(self, reason: Reason, text: str) -> None:
        """Tell the client why, as far as its version can say it, then close; its will is due."""
        if self._closed:
            return
        self._say(reason, text)
        self._close(with_will=True)

    # What the packets mean

    def _handle(self, packet: Packet) -> None:
        handler = _HANDLERS.get(type(packet))
        if handler is None:
            raise violation(f"a client does not send {type(packet).__name__.upper()}")
        handler(self, packet)

    def _joined(self) -> Session:
        if self._session is None:  # cannot be: the decoder lets nothing come before the CONNECT
            raise violation("not connected")
        return self._session

    def _on_connect(self, packet: Connect) -> None:
        self.version = packet.version
        reason = self._judge(packet)
        if reason:
            self.end(reason, f"{reason.words}: see the broker's policy")
            return
        name = packet.client_id or self._broker.new_name()
        opened = self._broker.open(self, name, clean=packet.clean_start)
        if opened is None:
            self.end(Reason.QUOTA_EXCEEDED, "too many sessions")
            return
        self._session, present = opened
        self._welcome(packet, present=present)
        self._session.resume(self)

    def _judge(self, packet: Connect) -> Reason:
        if "authentication_method" in packet.properties:
            return Reason.BAD_AUTHENTICATION_METHOD
        access = self._broker.access
        if reason := access.login(packet.username, packet.password):
            return reason
        if not packet.client_id and packet.version == V311 and not packet.clean_start:
            return Reason.CLIENT_IDENTIFIER_NOT_VALID
        if packet.will and not valid_name(packet.will.topic):
            return Reason.TOPIC_NAME_INVALID
        if packet.will and not access.may_publish(packet.will.topic):
            return Reason.NOT_AUTHORIZED
        return Reason.SUCCESS

    def _welcome(self, packet: Connect, *, present: bool) -> None:
        """Take over what the client wants, bounded by the limits, and tell what it got."""
        session, limits, wanted = self._joined(), self._broker.limits, packet.properties
        keep_alive = min(packet.keep_alive, limits.keep_alive) if packet.version == V5 else packet.keep_alive
        session.will = packet.will
        session.expiry = self._expiry(packet)
        self._decoder.limit = limits.packet
        self.window = min(wanted.get("receive_maximum", 0xFFFF), limits.window)
        self.largest = wanted.get("maximum_packet_size", LARGEST)
        self.aliases_left = min(wanted.get("topic_alias_maximum", 0), limits.aliases)
        self._explains = bool(wanted.get("request_problem_information", 1))
        self._keep_alive = keep_alive * 1.5
        self._watch()
        told = Properties(
            receive_maximum=limits.receive_maximum,
            maximum_packet_size=limits.packet,
            topic_alias_maximum=limits.aliases,
        )
        if not packet.client_id:
            told["assigned_client_identifier"] = session.client_id
        if keep_alive != packet.keep_alive:
            told["server_keep_alive"] = keep_alive
        if session.expiry != wanted.get("session_expiry_interval", 0):
            told["session_expiry_interval"] = session.expiry
        if wanted.get("request_response_information"):
            # A digest, because a client identifier may hold wildcards and 65,535 bytes.
            told["response_information"] = f"reply/{sha256(session.client_id.encode()).hexdigest()[:16]}"
        self._answer(Connack(present, 0, told))

    def _expiry(self, packet: Connect) -> int:
        """Seconds that the session outlives the connection; 3.1.1 knows only "not" and "for ever" (3.1.2.4)."""
        most = self._broker.limits.session_expiry
        if packet.version == V5:
            return min(packet.properties.get("session_expiry_interval", 0), most)
        return 0 if packet.clean_start else most

    def _on_publish(self, packet: Publish) -> None:
        self._tally.publish_received += 1
        if packet.properties:
            packet = self._resolve(packet)
        if packet.qos == 2:  # noqa: PLR2004 - exactly QoS 2
            self._on_publish_once(packet)
            return
        reason = self._accept(packet)
        if packet.qos:
            self._answer(Puback(packet.packet_id, reason, self._because(reason)))

    def _on_publish_once(self, packet: Publish) -> None:
        """QoS 2 (4.3.3, method B): hand it out at once, keep the identifier until PUBREL to know its duplicates."""
        session, reason = self._joined(), Reason.SUCCESS
        if packet.packet_id not in session.received:
            if self.version == V5 and len(session.received) >= self._broker.limits.receive_maximum:
                raise ProtocolError(Reason.RECEIVE_MAXIMUM_EXCEEDED, "too many unreleased messages of QoS 2")
            reason = self._accept(packet)
            if reason < FAILURE:
                session.received.add(packet.packet_id)
        self._answer(Pubrec(packet.packet_id, reason, self._because(reason)))

    def _resolve(self, packet: Publish) -> Publish:
        """Replace a topic alias by its topic (3.3.2.3.4)."""
        if "subscription_identifier" in packet.properties:
            raise violation("a client's PUBLISH has no subscription identifier")
        alias = packet.properties.get("topic_alias")
        if alias is None:
            return packet
        if not 0 < alias <= self._broker.limits.aliases:
            raise ProtocolError(Reason.TOPIC_ALIAS_INVALID, f"topic alias {alias}; up to {self._broker.limits.aliases}")
        if packet.topic:
            self._topics[alias] = packet.topic
            return packet
        if alias not in self._topics:
            raise violation(f"topic alias {alias} stands for nothing yet")
        return msgspec.structs.replace(packet, topic=self._topics[alias])

    def _accept(self, packet: Publish) -> Reason:
        """Publish the message unless something forbids it; only version 5 can tell the client."""
        if not valid_name(packet.topic):
            raise ProtocolError(Reason.TOPIC_NAME_INVALID, "a topic of too many levels")
        if not self._broker.access.may_publish(packet.topic):
            self._tally.publish_dropped += 1
            return Reason.NOT_AUTHORIZED
        if packet.properties.get("payload_format_indicator") and not _is_text(packet.payload):
            return Reason.PAYLOAD_FORMAT_INVALID
        return self._broker.publish(message_of(packet, self._heard), self._session)

    def _on_puback(self, packet: Puback) -> None:
        self._joined().acknowledge(packet.packet_id, 1)

    def _on_pubrec(self, packet: Pubrec) -> None:
        session = self._joined()
        if packet.code >= FAILURE:
            session.acknowledge(packet.packet_id, 2)
        elif session.receive(packet.packet_id):
            self.release(packet.packet_id)
        else:
            self._answer(Pubrel(packet.packet_id, Reason.PACKET_IDENTIFIER_NOT_FOUND))

    def _on_pubrel(self, packet: Pubrel) -> None:
        received = self._joined().received
        known = packet.packet_id in received
        received.discard(packet.packet_id)
        self._answer(Pubcomp(packet.packet_id, 0 if known else Reason.PACKET_IDENTIFIER_NOT_FOUND))

    def _on_pubcomp(self, packet: Pubcomp) -> None:
        self._joined().acknowledge(packet.packet_id, 2)

    def _on_subscribe(self, packet: Subscribe) -> None:
        session = self._joined()
        if any(wish.no_local and wish.pattern.startswith(SHARE) for wish in packet.wishes):
            raise violation("no-local in a shared subscription")
        identifier = packet.properties.get("subscription_identifier", [0])[0]
        results = [self._broker.subscribe(session, wish, identifier) for wish in packet.wishes]
        codes = [code if self.version == V5 or code < FAILURE else FAILURE for code, _ in results]
        worst = Reason(max(codes))
        self._answer(Suback(packet.packet_id, tuple(codes), self._because(worst)))
        for wish, (code, new) in zip(packet.wishes, results, strict=True):
            if code < FAILURE:
                self._broker.greet(session, wish, identifier, new=new)

    def _on_unsubscribe(self, packet: Unsubscribe) -> None:
        session = self._joined()
        gone = [self._broker.subscriptions.remove(session, pattern) for pattern in packet.patterns]
        codes = tuple(int(Reason.SUCCESS if each else Reason.NO_SUBSCRIPTION_EXISTED) for each in gone)
        self._answer(Unsuback(packet.packet_id, codes if self.version == V5 else ()))

    def _on_pingreq(self, _: Pingreq) -> None:
        self._answer(Pingresp())

    def _on_disconnect(self, packet: Disconnect) -> None:
        session, expiry = self._joined(), packet.properties.get("session_expiry_interval")
        if expiry is not None:
            if expiry and not session.expiry:
                raise violation("a session that was to end with the connection cannot be prolonged")
            session.expiry = min(expiry, self._broker.limits.session_expiry)
        self._close(with_will=packet.code != Reason.SUCCESS)

    # How it is said

    def _answer(self, packet: Packet) -> None:
        data = encode(packet, self.version)
        if len(data) <= self.largest:
            self.send(data)

    def _because(self, reason: Reason) -> Properties:
        """The reason string of an answer, unless the client wants none (3.1.2.11.7)."""
        return {"reason_string": reason.words} if reason >= FAILURE and self._explains and self.version == V5 else {}

    def _say(self, reason: Reason, text: str) -> None:
        """The packet that goes before the end, if there is one."""
        if self._session is None:
            version = self._decoder.version
            code = reason if version == V5 else CONNECT_CODE.get(reason, 0)
            # A first packet that is no CONNECT gets no answer: whoever it is does not speak MQTT.
            if code and (version or reason is Reason.UNSUPPORTED_PROTOCOL_VERSION):
                properties: Properties = {"reason_string": text}
                self.send(encode(Connack(False, code, properties), version))
        elif self.version == V5:
            self._answer(Disconnect(reason, {"reason_string": text} if self._explains else {}))

    def _close(self, *, with_will: bool) -> None:
        self._leave(with_will=with_will)
        self.flush()
        self._wire.close()

    def _leave(self, *, with_will: bool) -> None:
        if self._closed:
            return
        self._closed = True
        self._broker.accepted.discard(self)
        if self._timer:
            self._timer.cancel()
        session, self._session = self._session, None
        if session:
            self._broker.leave(session, with_will=with_will)

    # What silence means

    def _check_first(self) -> None:
        self.end(Reason.KEEP_ALIVE_TIMEOUT, "no CONNECT came")

    def _watch(self) -> None:
        """End a client that was silent for one and a half keep-alive intervals (3.1.2.10)."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not self._keep_alive:
            return
        left = self._heard + self._keep_alive - self.now()
        if left <= 0:
            self.end(Reason.KEEP_ALIVE_TIMEOUT, f"nothing was heard for {self._keep_alive:g} seconds")
            self._broker.flush()
        else:
            self._timer = self._broker.clock.call_later(left, self._watch)


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


_HANDLERS: Final[Mapping[type[Packet], Callable[[Peer, Any], None]]] = MappingProxyType(
    {
        Connect: Peer._on_connect,  # noqa: SLF001 - this table is part of the class
        Publish: Peer._on_publish,  # noqa: SLF001
        Puback: Peer._on_puback,  # noqa: SLF001
        Pubrec: Peer._on_pubrec,  # noqa: SLF001
        Pubrel: Peer._on_pubrel,  # noqa: SLF001
        Pubcomp: Peer._on_pubcomp,  # noqa: SLF001
        Subscribe: Peer._on_subscribe,  # noqa: SLF001
        Unsubscribe: Peer._on_unsubscribe,  # noqa: SLF001
        Pingreq: Peer._on_pingreq,  # noqa: SLF001
        Disconnect: Peer._on_disconnect,  # noqa: SLF001
    }
)
