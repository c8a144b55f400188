"""TLS mistakes, each in its own sentence."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from rtui.core.fault import Fault

# Verification results of OpenSSL, x509_vfy.h.
EXPIRED: Final = 10
NOT_YET_VALID: Final = 9
WRONG_HOST: Final = frozenset({62, 64})
SELF_SIGNED: Final = frozenset({18, 19})
UNKNOWN_AUTHORITY: Final = frozenset({2, 20, 21})

PROBE_TIME: Final = 1.0

ALERTS: Final = {
    "CERTIFICATE_REQUIRED": ("The server wants a client certificate", "Give cert and key"),
    "HANDSHAKE_FAILURE": ("The server refused the TLS handshake", "It may want a client certificate or other ciphers"),
    "BAD_CERTIFICATE": ("The server rejects our client certificate", "Check cert and key"),
    "UNKNOWN_CA": ("The server does not trust our client certificate", "Check who signed cert"),
    "CERTIFICATE_EXPIRED": ("Our client certificate is expired", "Renew cert"),
    "UNRECOGNIZED_NAME": ("The server does not know this name", "Check server_name and the host"),
    "PROTOCOL_VERSION": ("No TLS version in common", "The server's TLS is too old or too new"),
    "UNSUPPORTED_PROTOCOL": ("No TLS version in common", "The server's TLS is too old or too new"),
}
PLAIN: Final = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "UNKNOWN_PROTOCOL",
)


def explain_certificate(error: ssl.SSLCertVerificationError, host: str) -> Fault:
    """Why the server's certificate was not accepted."""
    code, text = error.verify_code, error.verify_message
    if code == EXPIRED:
        return _tls("The certificate is expired", f"{host}: {text}", "The server must renew it; check your clock too")
    if code == NOT_YET_VALID:
        return _tls("The certificate is not valid yet", f"{host}: {text}", "Check your clock")
    if code in WRONG_HOST:
        return _tls("The certificate is for another host", text, "Check the host, or set server_name")
    hint = "Give the authority's file as ca, or --insecure for a test"
    if code in SELF_SIGNED:
        return _tls("The certificate's authority is not trusted", f"{host}: {text}", hint)
    if code in UNKNOWN_AUTHORITY:
        return _tls("The certificate's authority is unknown", f"{host}: {text}", hint)
    return _tls("The certificate is not accepted", f"{host}: {text}", hint)


def explain_tls(error: ssl.SSLError, place: str) -> Fault:
    """Why the TLS handshake failed."""
    # Exceptions that did not come from OpenSSL itself lack the attribute.
    reason = (getattr(error, "reason", None) or str(error)).upper().replace(" ", "_")
    if any(word in reason for word in PLAIN):
        return explain_plain(place)
    for word, (title, hint) in ALERTS.items():
        if word in reason:
            return _tls(title, f"{place}: {reason.lower().replace('_', ' ')}", hint)
    return _tls("TLS handshake failed", f"{place}: {reason.lower().replace('_', ' ')}", "")


def explain_plain(place: str) -> Fault:
    """TLS met a plain port."""
    cause = f"{place} answers without TLS, the URL says wss://"
    return Fault(kind="tls", side="us", title="This port does not speak TLS", cause=cause, hint="Use ws://")


async def speaks_tls(host: str, port: int) -> bool:
    """Whether a TLS handshake succeeds there; nothing is sent over it, so nothing is verified."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(PROBE_TIME):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except (OSError, ValueError):
        return False
    writer.transport.abort()
    return True


async def speaks_http(host: str, port: int) -> bool:
    """Whether plain HTTP is answered there."""
    try:
        async with asyncio.timeout(PROBE_TIME):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode("idna"))
                return (await reader.read(5)).startswith(b"HTTP/")
            finally:
                writer.transport.abort()
    except (OSError, ValueError):
        return False


def _tls(title: str, cause: str, hint: str) -> Fault:
    return Fault(kind="tls", side="them", title=title, cause=cause, hint=hint)
