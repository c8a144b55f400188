"""TLS of a client: from the options that every protocol has to an `ssl.SSLContext`, and what was negotiated."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from rtui.core.fault import Failure
from rtui.protocols.base import CommonOptions
from rtui.protocols.wire.reach_fault import usage


class _File(NamedTuple):
    """A file as it is now: the same name is another file once it was written."""

    path: str
    written: int
    """Nanoseconds since the epoch."""
    size: int


def client_context(options: CommonOptions, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """What to trust (`ca`, `insecure`), what to show (`cert`, `key`) and what to offer; libraries take it as it is.

    It is shared by all who ask the same: reading the system's authorities holds up the loop for some 20 ms.

    Raises:
        Failure: if a file cannot be used.
    """
    try:
        ca, cert, key = (_file(path) for path in (options.ca, options.cert, options.key))
        return _context(ca, cert, key, options.insecure, tuple(alpn))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; a name with a null byte is a ValueError
        keys = " or ".join(name for name in ("ca", "cert", "key") if getattr(options, name)) or "ca"
        cause = str(error)
        if isinstance(error, OSError) and error.filename:
            cause = f"{error.filename}: {error.strerror}"
        raise Failure(usage("Certificate file cannot be used", cause, key=keys)) from error


@lru_cache(maxsize=16)
def _context(
    ca: _File | None, cert: _File | None, key: _File | None, insecure: bool, alpn: tuple[str, ...]
) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca.path if ca else None)
    if cert:
        context.load_cert_chain(cert.path, key.path if key else None, password=_no_password)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def _file(path: str) -> _File | None:
    if not path:
        return None
    state = Path(path).stat()
    return _File(path, state.st_mtime_ns, state.st_size)


def _no_password() -> str:
    """For an encrypted key. OpenSSL would ask on the terminal, and wait there, under whatever is drawn."""
    raise ssl.SSLError("the key is encrypted, and passphrases are not supported")


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
