"""A simulated plant on the embedded broker: three sites whose devices are clients of their own, without a socket."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from rtui.demo.mqtt_broker import Broker, Timer
from rtui.demo.mqtt_codec import Decoder, encode
from rtui.demo.mqtt_field import Properties
from rtui.demo.mqtt_packet import V5, Connect, Disconnect, Packet, Puback, Publish, Subscribe, Will, Wish
from rtui.demo.mqtt_peer import Peer

TICK: Final = 0.25
"""Seconds between two turns of the plant."""
FLAKY: Final = "porto/pump-2"
UP: Final = 20.0
DOWN: Final = 6.0
"""Seconds that the flaky device stays and stays away."""

SITES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "aachen": ("press-1", "press-2", "pump-1", "meter-1"),
        "porto": ("press-3", "pump-2", "pump-3", "meter-2"),
        "osaka": ("press-4", "pump-4", "gate-1", "meter-3"),
    }
)

TOPICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "plant/#": "three sites; plant/SITE/DEVICE/MEASURE",
        "plant/+/+/status": "online or offline, retained, from each device's last will",
        f"plant/{FLAKY}/#": f"a pump that vanishes without a goodbye every {UP:g} seconds",
        "plant/+/+/telemetry": "JSON of the presses",
        "plant/+/+/power": "plain numbers of the meters; also flow and rpm of the pumps",
        "plant/SITE/DEVICE/set": "publish a number: the device confirms in …/setpoint (retained)",
        "plant/request/METHOD": "publish with a response topic: echo, time, devices",
    }
)

Hear: TypeAlias = Callable[[Publish], None]


class Insider:
    """A client in this process. It speaks the same bytes as the others, only without a socket."""

    def __init__(self, broker: Broker, client_id: str, hear: Hear = lambda _: None) -> None:
        self.client_id = client_id
        self._broker = broker
        self._hear = hear
        self._peer: Peer | None = None
        self._decoder = Decoder(V5)
        self._ids = 0

    @property
    def connected(self) -> bool:
        """Whether the broker knows of it."""
        return self._peer is not None

    def connect(self, will: Will | None = None) -> None:
        """Join the broker."""
        self._decoder = Decoder(V5)
        self._peer = Peer(self._broker, self)
        self._say(Connect(client_id=self.client_id, keep_alive=0, will=will))

    def subscribe(self, *wishes: Wish) -> None:
        """Ask for messages."""
        self._say(Subscribe(self._next_id(), wishes))

    def publish(
        self, topic: str, value: object, *, qos: int = 0, retain: bool = False, properties: Properties | None = None
    ) -> None:
        """Publish text as it is, bytes as they are, anything else as JSON."""
        payload = _payload(value)
        self._say(
            Publish(topic, payload, qos, retain, packet_id=self._next_id() if qos else 0, properties=properties or {})
        )

    def leave(self) -> None:
        """Say goodbye: the will is not sent."""
        self._say(Disconnect())
        self._peer = None

    def vanish(self) -> None:
        """Be gone, as if the cable was cut: the broker sends the will."""
        peer, self._peer = self._peer, None
        if peer:
            peer.lost()

    def write(self, data: bytes) -> None:
        """The broker's bytes; read in a later turn, as an answer inside the question would mix the two up."""
        self._broker.clock.call_later(0, self._read, data)

    def close(self) -> None:
        """The broker has ended the connection."""
        self._peer = None

    def pause_reading(self) -> None:
        """It never says so much that it would have to wait."""

    def resume_reading(self) -> None:
        """See `pause_reading`."""

    def _say(self, packet: Packet) -> None:
        if self._peer:
            self._peer.receive(encode(packet, V5))

    def _read(self, data: bytes) -> None:
        for packet in self._decoder.feed(data):
            if isinstance(packet, Publish):
                if packet.qos:
                    self._say(Puback(packet.packet_id))
                self._hear(packet)

    def _next_id(self) -> int:
        self._ids = self._ids % 0xFFFF + 1
        return self._ids


class Device:
    """One machine: a client with a will, a status, measurements and a set-point."""

    def __init__(self, broker: Broker, place: str, chance: random.Random) -> None:
        self.place = place
        self.topic = f"plant/{place}"
        self.kind = place.rpartition("/")[2].partition("-")[0]
        self.setpoint = {"press": 180.0, "pump": 42.0, "meter": 30.0, "gate": 0.0}[self.kind]
        self._chance = chance
        self._phase = chance.uniform(0, math.tau)
        self._count = 0
        self._due = chance.uniform(0, 1)
        self.client = Insider(broker, f"plant-{place.replace('/', '-')}", self._obey)

    def start(self) -> None:
        """Switch on."""
        status = f"{self.topic}/status"
        self.client.connect(Will(status, b"offline", 1, retain=True, properties={"content_type": "text/plain"}))
        self.client.publish(status, "online", qos=1, retain=True)
        self.client.subscribe(Wish(f"{self.topic}/set", 1))

    def turn(self, elapsed: float) -> None:
        """Measure if it is time."""
        self._due -= elapsed
        if self._due > 0 or not self.client.connected:
            return
        self._due += _EVERY[self.kind]
        self._count += 1
        for measure, value, qos in _MEASURES[self.kind](self):
            self.client.publish(f"{self.topic}/{measure}", value, qos=qos)

    def near(self, value: float, spread: float, digits: int = 1) -> float:
        """A value that swings slowly around `value`, with noise."""
        swing = math.sin(self._phase + self._count / 20)
        return round(value + spread * (swing + self._chance.gauss(0, 0.2)), digits)

    def press(self) -> list[tuple[str, Any, int]]:
        """A press reports one JSON object."""
        telemetry = {
            "temperature": self.near(self.setpoint, 6),
            "pressure": self.near(12.5, 0.8, 2),
            "cycles": 41_000 + self._count,
            "state": "heating" if self._count % 40 < 5 else "pressing",  # noqa: PLR2004 - a part of each round
            "tool": {"id": "T-17", "wear": round(self._count % 1000 / 1000, 3)},
        }
        return [("telemetry", telemetry, 0)]

    def pump(self) -> list[tuple[str, Any, int]]:
        """A pump reports plain numbers."""
        return [("flow", self.near(self.setpoint, 3), 0), ("rpm", str(round(self.near(1450, 40, 0))), 0)]

    def meter(self) -> list[tuple[str, Any, int]]:
        """A meter reports power now and energy so far."""
        return [("power", self.near(self.setpoint, 9, 2), 0), ("energy", str(880_000 + 3 * self._count), 1)]

    def gate(self) -> list[tuple[str, Any, int]]:
        """A gate reports what happens, surely once."""
        driver = self._chance.choice(("ann", "bob", "çelik", "王芳"))
        return [("event", {"event": "opened" if self._count % 2 else "closed", "driver": driver}, 1)]

    def _obey(self, command: Publish) -> None:
        try:
            wanted = float(command.payload)
        except ValueError:
            wanted = math.nan
        if math.isfinite(wanted):
            self.setpoint = wanted
            self.client.publish(f"{self.topic}/setpoint", wanted, qos=1, retain=True)
        else:
            self.client.publish(f"{self.topic}/error", {"error": "a set-point is a number"}, qos=1)


_EVERY: Final = {"press": 1.0, "pump": 0.5, "meter": 1.0, "gate": 7.0}
_MEASURES: Final[Mapping[str, Callable[[Device], list[tuple[str, Any, int]]]]] = MappingProxyType(
    {"press": Device.press, "pump": Device.pump, "meter": Device.meter, "gate": Device.gate}
)


class Plant:
    """All devices and the service that answers requests, until `close`."""

    def __init__(self, broker: Broker, seed: int = 1) -> None:
        self._broker = broker
        self._clock = broker.clock
        chance = random.Random(seed)  # noqa: S311 - a play, not a secret
        self.devices = [Device(broker, f"{site}/{name}", chance) for site, devices in SITES.items() for name in devices]
        self._flaky = next(device for device in self.devices if device.place == FLAKY)
        self._service = Insider(broker, "plant-service", self._serve)
        self._timer: Timer | None = None
        self._last = self._changed = self._clock.time()
        for device in self.devices:
            device.start()
        self._service.connect()
        self._service.subscribe(Wish("plant/request/+", 1))
        self._turn()

    def close(self) -> None:
        """Stop the machines, each with a goodbye."""
        if self._timer:
            self._timer.cancel()
        for device in self.devices:
            device.client.leave()
        self._service.leave()

    def _turn(self) -> None:
        now = self._clock.time()
        self._stumble(now)
        for device in self.devices:
            device.turn(now - self._last)
        self._last = now
        self._timer = self._clock.call_later(TICK, self._turn)

    def _stumble(self, now: float) -> None:
        """Let the flaky device vanish and come back."""
        here = self._flaky.client.connected
        if now - self._changed < (UP if here else DOWN):
            return
        self._changed = now
        if here:
            self._flaky.client.vanish()
        else:
            self._flaky.start()

    def _serve(self, request: Publish) -> None:
        method = request.topic.rpartition("/")[2]
        properties: Properties = {}
        if "correlation_data" in request.properties:
            properties["correlation_data"] = request.properties["correlation_data"]
        properties["content_type"] = "application/json"
        to = request.properties.get("response_topic", f"plant/reply/{method}")
        self._service.publish(to, self._answer(method, request.payload), qos=request.qos, properties=properties)

    def _answer(self, method: str, payload: bytes) -> Any:
        match method:
            case "echo":
                return payload
            case "time":
                return {"uptime": round(self._clock.time() - self._broker.began, 3)}
            case "devices":
                return {device.place: "online" if device.client.connected else "offline" for device in self.devices}
            case _:
                return {"error": f"no method {method}; there are echo, time, devices"}


def _payload(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()
