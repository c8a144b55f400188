"""A protocol's declarations, as small as they can be."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from rtui.settings.option import option


class Options(msgspec.Struct, frozen=True, kw_only=True):
    timeout: Annotated[float, option("Time", kind="duration", minimum=0.1, maximum=3600)] = 10.0
    max_size: Annotated[int, option("Size", kind="size", minimum=1)] = 16 * 1024**2
    headers: Annotated[dict[str, str], option("Headers", kind="pairs")] = {}
    subprotocols: Annotated[list[str], option("Subprotocols", kind="list")] = []
    mode: Annotated[str, option("Mode", choices=("fast", "slow"))] = "fast"
    ca: Annotated[str, option("CA", kind="file", section="TLS")] = ""
    will_topic: Annotated[str, option("Will topic")] = ""
    insecure: Annotated[bool, option("Insecure", kind="flag", section="TLS")] = False
    attempts: Annotated[int | None, option("Attempts", kind="integer")] = None
    ratio: Annotated[float, option("Ratio", kind="number")] = 1.0
    auth: Annotated[Any, option("Auth", kind="json")] = None
    token: Annotated[str, option("Token", secret=True)] = ""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    frame: Annotated[str, option("Frame", choices=("text", "binary"))] = "text"


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    qos: Annotated[int, option("QoS", kind="integer", choices=("0", "1", "2"))] = 0


class Shape:
    Options = Options
    Outgoing = Outgoing
    Subscription = Subscription

    @classmethod
    def channels(cls, url: str) -> tuple[str, ...]:
        return ()

    @classmethod
    def subscription_flaw(cls, wanted: str) -> str:
        return "no blanks" if " " in wanted else ""


def find(url: str, protocol: str) -> type[Shape]:
    return Shape
