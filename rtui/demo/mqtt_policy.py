"""What the broker allows: who may log in, what may be published and read, how much of everything."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from rtui.demo.mqtt_reason import Reason

MIB: Final = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Every bound of the broker; nothing that a client can make grow is missing here."""

    packet: int = 16 * MIB
    first_packet: int = 256 * 1024
    """Bytes of a CONNECT: an unknown client gets less room."""
    first_wait: float = 10.0
    """Seconds for the CONNECT to arrive."""
    connections: int = 256
    sessions: int = 1024
    session_expiry: int = 7 * 86_400
    """Seconds that a session may outlive its connection, whatever the client asks."""
    subscriptions: int = 10_000
    """Per session."""
    backlog: int = 32 * MIB
    """Waiting messages per session; what comes on top is dropped and counted."""
    retained: int = 64 * MIB
    window: int = 1024
    """Most messages of QoS 1 and 2 in flight to one client."""
    receive_maximum: int = 1024
    aliases: int = 64
    """Most topic aliases per connection and direction."""
    keep_alive: int = 600
    """Longest keep-alive, in seconds."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who may do what. Clients without user name are welcome unless `anonymous` is off."""

    users: Mapping[str, str] = MappingProxyType({"demo": "demo"})
    anonymous: bool = True
    forbidden: str = "denied"
    """First level of the topics that nobody may use, so that a denial can be seen."""

    def login(self, username: str | None, password: bytes | None) -> Reason:
        """Whether these credentials open the door."""
        if username is None:
            return Reason.SUCCESS if self.anonymous else Reason.NOT_AUTHORIZED
        expected = self.users.get(username)
        # Compared even for an unknown user, so that the time does not tell who exists.
        same = hmac.compare_digest((expected or "").encode(), password or b"")
        return Reason.SUCCESS if same and expected is not None else Reason.BAD_USER_NAME_OR_PASSWORD

    def may_publish(self, topic: str) -> bool:
        """Whether a client may publish to `topic`; $-topics are the broker's own."""
        return not topic.startswith("$") and topic.partition("/")[0] != self.forbidden

    def may_subscribe(self, pattern: str) -> bool:
        """Whether a client may subscribe to `pattern` (without its $share part)."""
        return pattern.partition("/")[0] != self.forbidden
