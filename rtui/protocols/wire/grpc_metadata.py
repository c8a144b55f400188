"""Metadata of calls: what may be sent, and how what came is shown. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Final

from rtui.core.fault import Failure
from rtui.protobuf.well_known import base64_bytes
from rtui.protocols.wire.http import safe_headers
from rtui.protocols.wire.reach_fault import usage

OURS: Final = frozenset({"te", "content-type", "user-agent", "connection", "host", "content-length"})
BINARY: Final = "-bin"
_KEY: Final = re.compile(r"[0-9a-z_.-]+")
_VALUE: Final = re.compile(r"[ -~]*")


def outgoing(pairs: Mapping[str, str]) -> list[tuple[str, str]]:
    """The headers that carry `pairs`.

    Raises:
        Failure: a key or a value that gRPC does not allow.
    """
    return [_checked(key.strip().lower(), value) for key, value in pairs.items()]


def _checked(key: str, value: str) -> tuple[str, str]:
    if not _KEY.fullmatch(key):
        hint = "Letters, digits and _ . - make a key"
        raise Failure(usage("Invalid metadata key", repr(key), hint))
    if key.startswith("grpc-") or key in OURS:
        raise Failure(usage("Metadata key is taken", key, "gRPC itself sends it"))
    if key.endswith(BINARY):
        return key, _binary(key, value)
    if not _VALUE.fullmatch(value):
        hint = "Use a key that ends in -bin, and base64"
        raise Failure(usage("Invalid metadata value", f"{key} has a character that is not ASCII", hint))
    return key, value.strip()


def _binary(key: str, value: str) -> str:
    """In the alphabet and without the padding that servers expect."""
    try:
        return base64.b64encode(base64_bytes(value.strip())).rstrip(b"=").decode("ascii")
    except ValueError:
        hint = "Keys in -bin carry bytes: base64 of either alphabet"
        raise Failure(usage("Metadata value is no base64", key, hint)) from None


def shown(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What users sent, without what HTTP and gRPC need, and without secrets."""
    hidden = ("content-type", "te", "user-agent", "date", "server")
    return safe_headers(
        (name, _padded(value) if name.endswith(BINARY) else value)
        for name, value in fields
        if not name.startswith((":", "grpc-")) and name not in hidden
    )


def _padded(value: str) -> str:
    """Some servers pad and some do not ("Custom-Metadata" in PROTOCOL-HTTP2.md): equal bytes shall look equal."""
    try:
        return base64.b64encode(base64_bytes(value)).decode("ascii")
    except ValueError:
        return value
