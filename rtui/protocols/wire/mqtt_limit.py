"""What a broker of MQTT 5 said in CONNACK that it does not take (§3.2.2.3); no I/O, no library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rtui.core.command import Send
from rtui.core.fault import Fault
from rtui.protocols.mqtt import Outgoing
from rtui.protocols.wire.reach_fault import usage

LARGEST: Final = 268435460
"""Bytes of any packet: the length in four bytes, and its header (§2.1.4)."""
HEADER: Final = 16
"""Bytes of a PUBLISH besides topic and payload, at most and without properties."""


def over_limits(command: Send, outgoing: Outgoing, server: Mapping[str, Any]) -> Fault | None:
    """Why the broker would drop the connection over this message; `server` are the properties of CONNACK."""
    if outgoing.qos > (most := server.get("maximum_qos", 2)):
        return usage("The broker does not take this QoS", f"its highest is {most} (§3.2.2.3.4)")
    if outgoing.retain and not server.get("retain_available", 1):
        return usage("The broker does not retain messages", "it says so in CONNACK (§3.2.2.3.5)")
    if outgoing.topic_alias > (most := server.get("topic_alias_maximum", 0)):
        return usage("The broker does not take this topic alias", f"its highest is {most} (§3.2.2.3.8)")
    size = len(command.payload) + len(command.channel.encode()) + HEADER
    if size > (most := server.get("max_packet_size", LARGEST)):
        return usage("The broker does not take packets of this size", f"{size:,} bytes; its limit is {most:,}")
    return None
