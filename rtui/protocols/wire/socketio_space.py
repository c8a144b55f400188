"""The namespaces of one connection: asked for, joined, refused, left; with connection-state recovery."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from rtui.core.event import Notice, Subscribed, Unsubscribed
from rtui.core.fault import Fault
from rtui.protocols.socketio import Options
from rtui.protocols.wire.reach_fault import fault, usage
from rtui.protocols.wire.socketio_ack import Tell, Write
from rtui.protocols.wire.socketio_fault import refused_namespace, silent_namespace
from rtui.protocols.wire.socketio_packet import Packet, Type

OFFSET: Final = re.compile(r'"([\w.:-]+)"\]', re.ASCII)
"""What ends the arguments of an event where recovery is on. Volatile events have none, and are not told apart."""
OLD: Final = 3
"""The Engine.IO of servers 2.x: no auth but a query, and the default namespace is joined unasked."""


class Asked(msgspec.Struct):
    """A CONNECT without an answer."""

    command: int
    timer: asyncio.TimerHandle

    def end(self) -> None:
        """Wait no more."""
        self.timer.cancel()


class Spaces:
    """Which namespaces we are in."""

    def __init__(self, memory: dict[str, Any], options: Options, tell: Tell, write: Write) -> None:
        """`memory` holds `recovery` over reconnects: namespace → session id (`pid`) and last offset."""
        self.joined: dict[str, dict[str, Any]] = {}
        """Namespace → what the server told at its CONNECT (`sid`, `pid`)."""
        self.settled = asyncio.Event()
        """Set once every namespace asked for is answered."""
        self.refusal: Fault | None = None
        """The last one."""
        self.old = False
        """Whether the server spoke as one of 2.x."""
        self._asked: dict[str, Asked] = {}
        self._recovery: dict[str, dict[str, Any]] = memory.setdefault("recovery", {})
        self._last: dict[str, str] = {}
        self._options = options
        self._tell = tell
        self._write = write
        self._engine = 4

    def begin(self, engine: int) -> None:
        """A new connection: we are nowhere."""
        self.close()
        self.joined, self.refusal, self.old = {}, None, False
        self.settled.clear()
        self._engine = engine

    @property
    def unanswered(self) -> str:
        """A namespace that does not answer, or nothing."""
        return next(iter(self._asked), "")

    # What we want

    def ask(self, name: str, command: int = 0, auth: Any = None) -> None:
        """Join a namespace, with its own `auth` or the session's."""
        if name in self.joined:
            if command:
                self._tell(Subscribed(name, command, self.joined[name] or None, stood=True))
            return
        if "," in name:
            why = usage("Not a namespace", f"{name} holds a comma, which ends a namespace on the wire")
            self._tell(Notice(text=why.sentence(), level="error", command=command, fault=why))
            return
        auth = self._options.auth if auth is None else auth
        if (before := self._asked.pop(name, None)) is not None:
            before.end()
        # Those that open the link have half the time: one that is never answered must not keep the others out.
        self._asked[name] = Asked(command, self._patience(name, self._options.timeout / (1 if command else 2)))
        self.settled.clear()
        if self._engine != OLD:
            self._write(Packet(Type.CONNECT, name, None, self._credentials(name, auth)))
        elif name != "/":
            # What a client 2.x gives a namespace is a query behind its name.
            query = f"?{urlencode(auth)}" if isinstance(auth, Mapping) and auth else ""
            self._write(Packet(Type.CONNECT, name + query))

    def part(self, name: str, command: int) -> None:
        """Leave a namespace."""
        if self.joined.pop(name, None) is not None:
            self._write(Packet(Type.DISCONNECT, name))
        self._recovery.pop(name, None)
        self._tell(Unsubscribed(name, command))

    def _credentials(self, name: str, auth: Any) -> str:
        known = self._recovery.get(name, {})
        if not known:
            return "" if auth is None else msgspec.json.encode(auth).decode()
        return msgspec.json.encode({**known, **(auth if isinstance(auth, Mapping) else {})}).decode()

    def _patience(self, name: str, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self._silent, name, seconds)

    def _silent(self, name: str, seconds: float) -> None:
        asked = self._asked.pop(name)
        self._refused(name, asked.command, silent_namespace(name, seconds))

    # What the server says

    def on_connect(self, packet: Packet) -> None:
        """The server let us in, or is an old one that lets everybody in."""
        told: dict[str, Any] = msgspec.json.decode(packet.data) if packet.data else {}
        if self._engine != OLD and "sid" not in told:
            self.old = True
            self.settled.set()
            return
        name = packet.namespace
        meta = {key: value for key, value in told.items() if key in {"sid", "pid"}}
        if (pid := meta.get("pid")) is not None:
            meta["recovered"] = self._recovery.get(name, {}).get("pid") == pid
        self.joined[name] = meta
        self._tell(Subscribed(name, self._answered(name), meta or None))

    def on_refusal(self, packet: Packet) -> None:
        """The server does not let us in."""
        self._recovery.pop(packet.namespace, None)
        command = self._answered(packet.namespace)
        self._refused(packet.namespace, command, refused_namespace(packet.namespace, packet.data))

    def on_disconnect(self, name: str) -> None:
        """The server put us out."""
        if self.joined.pop(name, None) is None:
            return
        # Servers forget the session of those that they put out.
        self._recovery.pop(name, None)
        why = fault("closed", "them", "The server closed the namespace", name, "Subscribe again to come back")
        self._tell(Unsubscribed(name))
        self._tell(Notice(text=why.sentence(), level="warning", fault=why))

    def _answered(self, name: str) -> int:
        asked = self._asked.pop(name, None)
        if asked is not None:
            asked.end()
        if not self._asked:
            self.settled.set()
        return asked.command if asked is not None else 0

    def _refused(self, name: str, command: int, why: Fault) -> None:
        self.refusal = why
        self._tell(Notice(text=why.sentence(), level="error", command=command, fault=why, meta={"namespace": name}))
        if not self._asked:
            self.settled.set()

    # Recovery

    def saw(self, name: str, number: int | None, arguments: str) -> tuple[str, str]:
        """An event came: its arguments, and the offset to go on from, which the server appends where recovery is on."""
        # What was missed comes before the answer to CONNECT.
        if number is not None or "pid" not in self.joined.get(name, self._recovery.get(name, ())):
            return arguments, ""
        cut = max(arguments.rfind(","), 0)
        offset = OFFSET.fullmatch(arguments, cut + 1)
        if offset is None:
            return arguments, ""
        self._last[name] = offset[1]
        return arguments[: cut or 1] + "]", offset[1]

    def keep(self) -> None:
        """Remember for the next connection where this one got to."""
        for name, told in self.joined.items():
            if "pid" in told:
                before = self._recovery.get(name, {}) if told["recovered"] else {}
                self._recovery[name] = {**before, "pid": told["pid"], **self._offset(name)}

    def _offset(self, name: str) -> dict[str, str]:
        return {"offset": self._last[name]} if name in self._last else {}

    def close(self) -> None:
        """No answer is awaited any more."""
        for asked in self._asked.values():
            asked.end()
        self._asked = {}
