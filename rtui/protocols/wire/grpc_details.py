"""What a server adds to a failed call: a google.rpc.Status in `grpc-status-details-bin`.

The types are those of google/rpc/error_details.proto (AIP-193), or any other that the schema knows.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from rtui.protobuf import any_value
from rtui.protobuf.codec import Codec
from rtui.protobuf.well_known import base64_bytes

_RPC: Final = error_details_pb2.DESCRIPTOR.package


def details(text: str, pool: DescriptorPool | None = None) -> list[Any]:
    """Each detail as JSON, with its `@type`; what neither `pool` nor we know, or is no Status, as base64.

    `text` is the header's value, with or without padding.
    """
    try:
        status = status_pb2.Status.FromString(base64_bytes(text))
    except (ValueError, DecodeError):
        return [{"raw": text}]
    return [_detail(detail, pool) for detail in status.details]


def _detail(detail: Any, pool: DescriptorPool | None) -> Any:
    pools = [Default(), pool] if pool else [Default()]  # ours first: a peer may call anything google.rpc.BadRequest
    kind = next(filter(None, (any_value.named(detail.type_url, known) for known in pools)), None)
    shown, lost = Codec(kind).decode(detail.value) if kind else (b"", {"undecodable": "no such type"})
    if lost and "undecodable" in lost:
        return {"@type": detail.type_url, "@value": b64encode(detail.value).decode("ascii")}
    value = msgspec.json.decode(shown)
    return {"@type": detail.type_url, **(value if isinstance(value, dict) else {"value": value})}


def sentence(found: Iterable[Any]) -> str:
    """What the details of `details` say that a user can act on, in one line; empty if nothing."""
    return "; ".join(filter(None, map(_said, found)))


def _said(detail: Any) -> str:
    """One detail in words. Fields are taken as they come: a peer may have filled in few of them."""
    read = _WORDS.get(str(detail.get("@type", "")).rpartition("/")[2])
    return read(detail) if read else ""


def _each(name: str, subject: str) -> Callable[[Any], str]:
    def read(detail: Any) -> str:
        return "; ".join(
            f"{one.get(subject, '')}: {one.get('description', '')}".strip(": ") for one in detail.get(name, [])
        )

    return read


def _error_info(detail: Any) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in detail.get("metadata", {}).items())
    of = f" of {detail['domain']}" if "domain" in detail else ""
    return f"reason {detail.get('reason', 'unknown')}{of}" + (f" ({facts})" if facts else "")


_WORDS: Final[dict[str, Callable[[Any], str]]] = {
    f"{_RPC}.BadRequest": _each("fieldViolations", "field"),
    f"{_RPC}.ErrorInfo": _error_info,
    f"{_RPC}.Help": lambda detail: "; ".join(link.get("url", "") for link in detail.get("links", [])),
    f"{_RPC}.LocalizedMessage": lambda detail: detail.get("message", ""),
    f"{_RPC}.PreconditionFailure": _each("violations", "subject"),
    f"{_RPC}.QuotaFailure": _each("violations", "subject"),
    f"{_RPC}.ResourceInfo": lambda detail: f"{detail.get('resourceType', '')} {detail.get('resourceName', '')}".strip(),
    f"{_RPC}.RetryInfo": lambda detail: f"try again after {detail['retryDelay']}" if "retryDelay" in detail else "",
}
