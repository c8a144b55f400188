from __future__ import annotations

import datetime as dt
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from tests.hardening.bench import connecting, fault_of
from tests.hardening.peer import Script, hang, listening, sends

UTC = dt.UTC
QUIET = sends()
YEAR = dt.timedelta(days=365)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, str]:
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return ca, str(path)


def serving(certificate: trustme.LeafCert, demands: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if demands is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        demands.configure_trust(context)
    return context


async def complaint(context: ssl.SSLContext | None, url: str, script: Script = QUIET, **options: object) -> str:
    with listening(script, context) as port:
        fault = await fault_of(url.format(port), timeout=20, **options)
    assert fault.kind == "tls", fault
    assert fault.hint
    return fault.title


async def test_each_mistake_has_its_own_sentence(authority: tuple[trustme.CA, str]) -> None:
    ca, path = authority
    now = dt.datetime.now(UTC)
    good = ca.issue_cert("127.0.0.1")
    old = ca.issue_cert("127.0.0.1", not_before=now - 2 * YEAR, not_after=now - YEAR)
    early = ca.issue_cert("127.0.0.1", not_before=now + YEAR, not_after=now + 2 * YEAR)
    other = ca.issue_cert("other.example")
    secure, plain = "wss://127.0.0.1:{}/", "ws://127.0.0.1:{}/"
    titles = [
        await complaint(serving(old), secure, ca=path),
        await complaint(serving(early), secure, ca=path),
        await complaint(serving(other), secure, ca=path),
        await complaint(serving(good), secure),
        await complaint(serving(good), plain),
        await complaint(None, secure),
        await complaint(serving(good, ca), secure, ca=path),
    ]
    assert titles == [
        "The certificate is expired",
        "The certificate is not valid yet",
        "The certificate is for another host",
        "The certificate's authority is unknown",
        "This port wants TLS",
        "This port does not speak TLS",
        titles[-1],
    ]
    # By TLS version and timing, the server sends the alert or only hangs up.
    assert titles[-1] in {"The server wants a client certificate", "Closed right after the TLS handshake"}


async def test_a_client_certificate_is_accepted(authority: tuple[trustme.CA, str], tmp_path: Path) -> None:
    ca, path = authority
    mine = ca.issue_cert("client@example.org")
    both = tmp_path / "mine.pem"
    mine.private_key_and_cert_chain_pem.write_to_path(both)
    with listening(sends(), serving(ca.issue_cert("127.0.0.1"), ca)) as port:
        async with connecting(f"wss://127.0.0.1:{port}/", ca=path, cert=str(both)) as (connection, _):
            await connection.wait_open()
            assert connection.details["tls"].startswith("TLS 1.")


@pytest.mark.parametrize("option", ["ca", "cert"])
async def test_a_file_that_is_no_certificate_is_usage(option: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate", encoding="ascii")
    for path in (wrong, tmp_path / "missing.pem"):
        fault = await fault_of("wss://127.0.0.1:1/", **{option: str(path)})
        assert (fault.kind, fault.title) == ("usage", "Certificate file cannot be used")
        assert option in fault.hint


async def test_an_encrypted_key_is_refused_instead_of_asking_on_the_terminal(tmp_path: Path) -> None:
    command = "openssl req -x509 -newkey rsa:2048 -days 1 -subj /CN=x -passout pass:word -keyout k.pem -out c.pem"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)  # noqa: ASYNC221 - our own words
    fault = await fault_of("wss://127.0.0.1:1/", cert=str(tmp_path / "c.pem"), key=str(tmp_path / "k.pem"))
    assert (fault.kind, fault.title) == ("usage", "Certificate file cannot be used")
    assert "encrypted" in fault.cause


async def test_a_port_that_says_nothing_to_tls(authority: tuple[trustme.CA, str]) -> None:
    with listening(hang) as port:
        fault = await fault_of(f"wss://127.0.0.1:{port}/", timeout=1.0)
    assert (fault.kind, "TLS handshake" in fault.cause) == ("timeout", True)


async def test_a_connection_cut_inside_tls_is_lost(authority: tuple[trustme.CA, str]) -> None:
    ca, path = authority

    def script(sock: socket.socket) -> None:
        from tests.hardening.peer import upgrade

        upgrade(sock)
        sock.close()

    with listening(script, serving(ca.issue_cert("127.0.0.1"))) as port:
        fault = await fault_of(f"wss://127.0.0.1:{port}/", ca=path)
    assert fault.kind == "lost"
