"""What the broker tells about itself: retained counters under $SYS, in the names that mosquitto made common."""

from __future__ import annotations

from typing import Final

import rtui
from rtui.demo.mqtt_broker import Broker, Timer
from rtui.demo.mqtt_session import Message

EVERY: Final = 5.0
"""Seconds between two looks at the counters."""


class System:
    """Publishes the counters that have changed, again and again until `close`."""

    def __init__(self, broker: Broker, every: float = EVERY) -> None:
        self._broker = broker
        self._every = every
        self._told: dict[str, str] = {}
        self._timer: Timer | None = None
        self._tick()

    def close(self) -> None:
        """Tell no more."""
        if self._timer:
            self._timer.cancel()

    def _tick(self) -> None:
        broker = self._broker
        broker.tally.publish_expired += broker.retained.sweep(broker.clock.time())
        for name, value in readings(broker).items():
            if self._told.get(name) != value:
                self._told[name] = value
                broker.publish(Message(f"$SYS/broker/{name}", value.encode(), retain=True))
        broker.flush()
        self._timer = broker.clock.call_later(self._every, self._tick)


def readings(broker: Broker) -> dict[str, str]:
    """Topic below `$SYS/broker` → value."""
    tally = broker.tally
    connected = len(broker.connections)
    waiting = sum(session.waiting for session in broker.sessions.values())
    return {
        "version": f"rtui demo broker {rtui.__version__}",
        "uptime": f"{broker.clock.time() - broker.began:.0f} seconds",
    } | {
        name: str(number)
        for name, number in {
            "clients/connected": connected,
            "clients/disconnected": len(broker.sessions) - connected,
            "clients/expired": tally.sessions_expired,
            "clients/maximum": tally.clients_maximum,
            "clients/total": len(broker.sessions),
            "connections/total": tally.clients_total,
            "subscriptions/count": broker.subscriptions.count,
            "retained messages/count": len(broker.retained),
            "messages/received": tally.messages_received,
            "messages/sent": tally.messages_sent,
            "messages/stored": waiting,
            "publish/messages/received": tally.publish_received,
            "publish/messages/sent": tally.publish_sent,
            "publish/messages/dropped": tally.publish_dropped,
            "publish/messages/expired": tally.publish_expired,
            "bytes/received": tally.bytes_received,
            "bytes/sent": tally.bytes_sent,
            "wills/sent": tally.wills_sent,
            "errors/protocol": tally.protocol_errors,
        }.items()
    }
