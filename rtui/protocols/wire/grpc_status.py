"""How calls end: status codes, and what stands for one where a peer sends none. Pure; no library.

Sources, in the documentation of gRPC: statuscodes.md, http-grpc-status-mapping.md, and "HTTP2 Transport Mapping" in
PROTOCOL-HTTP2.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, TypeAlias
from urllib.parse import unquote

import msgspec

from rtui.core.event import Party
from rtui.core.fault import Fault

Fields: TypeAlias = Sequence[tuple[str, str]]
"""Headers or trailers, names in lower case."""


class Status(IntEnum):
    """The codes of gRPC by their names."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


BY_HTTP: Final = {
    400: Status.INTERNAL,
    401: Status.UNAUTHENTICATED,
    403: Status.PERMISSION_DENIED,
    404: Status.UNIMPLEMENTED,
    429: Status.UNAVAILABLE,
    502: Status.UNAVAILABLE,
    503: Status.UNAVAILABLE,
    504: Status.UNAVAILABLE,
}
RESETS: Final = (
    ("NO_ERROR", Status.INTERNAL),
    ("PROTOCOL_ERROR", Status.INTERNAL),
    ("INTERNAL_ERROR", Status.INTERNAL),
    ("FLOW_CONTROL_ERROR", Status.INTERNAL),
    ("SETTINGS_TIMEOUT", Status.INTERNAL),
    ("STREAM_CLOSED", Status.UNKNOWN),
    ("FRAME_SIZE_ERROR", Status.INTERNAL),
    ("REFUSED_STREAM", Status.UNAVAILABLE),
    ("CANCEL", Status.CANCELLED),
    ("COMPRESSION_ERROR", Status.INTERNAL),
    ("CONNECT_ERROR", Status.INTERNAL),
    ("ENHANCE_YOUR_CALM", Status.RESOURCE_EXHAUSTED),
    ("INADEQUATE_SECURITY", Status.PERMISSION_DENIED),
    ("HTTP_1_1_REQUIRED", Status.UNKNOWN),
)
"""RST_STREAM: the names of RFC 9113 §7 by their numbers, and what they mean to a call."""
REFUSED_STREAM: Final = 7


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How one call ended."""

    code: int
    """Of `Status`, or a number that is not in it."""
    message: str = ""
    """What the server says, or what we saw."""
    by: Party = "them"
    trailers: Fields = ()
    http: int = 0
    """The HTTP status, where it was no answer of gRPC."""
    headers: Fields = ()
    """Of an answer that was none of gRPC."""
    body: bytes = b""
    """What such an answer began with."""
    reset: str = ""
    """The error code of RST_STREAM or GOAWAY, by name."""
    hint: str = ""
    why: Fault | None = None
    """What is wrong, where we know it better than any status tells."""

    @property
    def status(self) -> str:
        """The code by its name."""
        return status_name(self.code)

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.code == Status.OK


def status_name(code: int) -> str:
    """The name, "NOT_FOUND"; a number that has no name stands for itself."""
    return Status(code).name if code in Status._value2member_map_ else f"CODE_{code}"


def reset_name(code: int) -> str:
    """An error code of HTTP/2 by its name."""
    return RESETS[code][0] if 0 <= code < len(RESETS) else f"0x{code:x}"


def field(fields: Fields, name: str) -> str:
    """The first value of a header; "" = it is not there."""
    return next((value for each, value in fields if each == name), "")


def is_grpc(headers: Fields) -> bool:
    """Whether these headers begin an answer of gRPC. A status alone is one, whatever its media type."""
    if field(headers, ":status") != "200":
        return False
    media_type = field(headers, "content-type").partition(";")[0].strip().lower()
    grpc = media_type == "application/grpc" or media_type.startswith("application/grpc+")
    return grpc or bool(field(headers, "grpc-status"))


def told(trailers: Fields) -> Ending:
    """What the trailers say, or the headers that stand for them."""
    text = field(trailers, "grpc-status")
    message = unquote(field(trailers, "grpc-message"), errors="backslashreplace")
    if not text.isascii() or not text.isdigit():
        cause = f"grpc-status is {text!r}" if text else "the server ended the call without a status"
        return Ending(code=Status.UNKNOWN, message=cause, trailers=trailers)
    return Ending(code=int(text[:9]), message=message, trailers=trailers)


def not_grpc(headers: Fields, body: bytes) -> Ending:
    """The answer of a web server or of a proxy."""
    status = field(headers, ":status")
    number = int(status) if status.isascii() and status.isdigit() else 0
    media_type = field(headers, "content-type") or "no Content-Type"
    message = f"HTTP {number}" if number != 200 else f"{media_type} instead of application/grpc"  # noqa: PLR2004
    code = BY_HTTP.get(number, Status.UNKNOWN)
    return Ending(code=code, message=message, http=number, headers=headers, body=body)


def was_reset(code: int) -> Ending:
    """The server ended the call with RST_STREAM."""
    name = reset_name(code)
    status = RESETS[code][1] if 0 <= code < len(RESETS) else Status.UNKNOWN
    return Ending(code=status, message=f"the server reset the stream: {name}", reset=name)
