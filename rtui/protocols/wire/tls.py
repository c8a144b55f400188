"""TLS of a client: from the options that every protocol has to an `ssl.SSLContext`, and what was negotiated."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Any

from rtui.core.fault import Failure
from rtui.protocols.base import CommonOptions
from rtui.protocols.wire.reach_fault import usage


def client_context(options: CommonOptions, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """What to trust (`ca`, `insecure`), what to show (`cert`, `key`) and what to offer; libraries take it as it is.

    Raises:
        Failure: if a file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=options.ca or None)
        if options.cert:
            context.load_cert_chain(options.cert, options.key or None)
    except (OSError, ssl.SSLError) as error:
        keys = " or ".join(name for name in ("ca", "cert", "key") if getattr(options, name)) or "ca"
        raise Failure(usage("Certificate file cannot be used", str(error), key=keys)) from error
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def tls_details(tls: ssl.SSLObject | ssl.SSLSocket | None, *, insecure: bool) -> dict[str, Any]:
    """What `Opened` tells of TLS; nothing where there is none."""
    if tls is None:
        return {}
    cipher = tls.cipher()
    certificate = tls.getpeercert() or {}
    subject: Any = certificate.get("subject", ())
    names = {key: value for part in subject for key, value in part}
    return {
        "tls": (tls.version() or "").replace("TLSv", "TLS "),
        "cipher": cipher[0] if cipher else "",
        "alpn": tls.selected_alpn_protocol() or "",
        "certificate": names.get("commonName", ""),
        "certificate_until": certificate.get("notAfter", ""),
        "insecure": insecure,
    }
