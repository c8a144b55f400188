"""Why a WebSocket that should carry MQTT was refused."""

from __future__ import annotations

import msgspec
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.http11 import Response

from rtui.core.fault import Fault
from rtui.protocols.wire.http import retry_after, safe_headers
from rtui.protocols.wire.http_fault import BODY_SHOWN, STATUS_WORDS
from rtui.protocols.wire.reach_fault import fault
from rtui.protocols.wire.trip import Trip


def explain_upgrade(error: InvalidHandshake, response: Response, trip: Trip) -> Fault:
    """The server's answer in words."""
    code = response.status_code
    status = f"{code} {response.reason_phrase}".rstrip()
    kind, title, hint = STATUS_WORDS.get(code, ("handshake", "The server refused the handshake", "See its answer"))
    title = title.format(word="WebSocket")
    cause = f"{trip.peer.place} answered HTTP {status}"
    if not isinstance(error, InvalidStatus) or code < 300:  # noqa: PLR2004 - success, but no upgrade
        kind, title, hint = "handshake", "Not a WebSocket server", "Check ws_path; some brokers want /mqtt, some /"
        cause = f"{cause}: {error}"
    elif code == 404:  # noqa: PLR2004 - not found
        hint = "Check ws_path; some brokers want /mqtt, some /"
    body = bytes(response.body or b"")[:BODY_SHOWN].decode(errors="backslashreplace")
    headers = safe_headers(response.headers.raw_items())
    why = fault(kind, "them", title, cause, hint, status_code=code, status=status, headers=headers, body=body)
    return msgspec.structs.replace(why, retry_after=retry_after(response.headers.get("Retry-After", "")))
