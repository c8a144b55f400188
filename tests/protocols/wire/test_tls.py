from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from rtui.protocols.base import CommonOptions
from rtui.protocols.wire.probe import speaks_tls
from rtui.protocols.wire.tls import client_context
from tests.hardening.peer import listening, sends


def test_the_same_options_share_a_context() -> None:
    plain = client_context(CommonOptions())
    assert client_context(CommonOptions(timeout=3)) is plain
    assert client_context(CommonOptions(insecure=True)) is not plain
    assert client_context(CommonOptions(), ["h2"]) is not plain
    assert plain.verify_mode == ssl.CERT_REQUIRED


def test_a_file_that_was_renewed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    options = CommonOptions(ca=str(path))
    for name in ("first", "the second"):
        authority = trustme.CA(organization_name=name)
        authority.cert_pem.write_to_path(str(path))
        (trusted,) = client_context(options).get_ca_certs()
        assert name in str(trusted["subject"])


async def test_the_question_whether_a_port_speaks_tls_loads_no_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *given: loaded.append(given))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server)
    with listening(sends(), server) as port:
        assert await speaks_tls("127.0.0.1", port)
    with listening(sends()) as port:
        assert not await speaks_tls("127.0.0.1", port)
    assert not loaded
