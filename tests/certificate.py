"""Certificates for servers on the loopback."""

from __future__ import annotations

import ssl

import trustme


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """TLS for a server at localhost and 127.0.0.1, with a new certificate of `authority`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context
