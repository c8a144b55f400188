"""TLS mistakes, each in its own sentence."""

from __future__ import annotations

import ssl
from typing import Final

from rtui.core.fault import Fault
from rtui.protocols.wire.trip import Peer

# Verification results of OpenSSL, x509_vfy.h.
EXPIRED: Final = 10
NOT_YET_VALID: Final = 9
WRONG_HOST: Final = frozenset({62, 64})
SELF_SIGNED: Final = frozenset({18, 19})
UNKNOWN_AUTHORITY: Final = frozenset({2, 20, 21})

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


def explain_tls(error: ssl.SSLError, peer: Peer) -> Fault:
    """Why the TLS handshake failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return explain_certificate(error, peer.host)
    # Exceptions that did not come from OpenSSL itself lack the attribute.
    reason = (getattr(error, "reason", None) or str(error)).upper().replace(" ", "_")
    if any(word in reason for word in PLAIN):
        return needs_plain(peer)
    for word, (title, hint) in ALERTS.items():
        if word in reason:
            return _tls(title, f"{peer.place}: {reason.lower().replace('_', ' ')}", hint)
    return _tls("TLS handshake failed", f"{peer.place}: {reason.lower().replace('_', ' ')}", "")


def explain_certificate(error: ssl.SSLCertVerificationError, host: str) -> Fault:
    """Why the server's certificate was not accepted."""
    code, text = error.verify_code, error.verify_message
    if code == EXPIRED:
        return _tls("The certificate is expired", f"{host}: {text}", "The server must renew it; check your clock too")
    if code == NOT_YET_VALID:
        return _tls("The certificate is not valid yet", f"{host}: {text}", "Check your clock")
    if code in WRONG_HOST:
        return _tls("The certificate is for another host", text, "Check the host, or set server_name")
    hint = "Give the authority's file with --ca (ca in a session), or --insecure for a test"
    if code in SELF_SIGNED:
        return _tls("The certificate's authority is not trusted", f"{host}: {text}", hint)
    if code in UNKNOWN_AUTHORITY:
        return _tls("The certificate's authority is unknown", f"{host}: {text}", hint)
    return _tls("The certificate is not accepted", f"{host}: {text}", hint)


def needs_tls(peer: Peer) -> Fault:
    """A plain URL met a TLS port."""
    cause = f"{peer.place} speaks TLS, the URL says {peer.scheme}://"
    return Fault(kind="tls", side="us", title="This port wants TLS", cause=cause, hint=f"Use {peer.twin}://")


def needs_plain(peer: Peer) -> Fault:
    """A TLS URL met a plain port."""
    cause = f"{peer.place} answers without TLS, the URL says {peer.scheme}://"
    return Fault(kind="tls", side="us", title="This port does not speak TLS", cause=cause, hint=f"Use {peer.twin}://")


def _tls(title: str, cause: str, hint: str) -> Fault:
    return Fault(kind="tls", side="them", title=title, cause=cause, hint=hint)
