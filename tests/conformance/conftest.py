from __future__ import annotations

import ssl
from typing import NamedTuple

import pytest
import trustme

from tests.certificate import server_context


class Secured(NamedTuple):
    context: ssl.SSLContext
    """Of the server."""
    ca: str
    """File with the authority behind it, which nobody trusts unasked."""


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Secured:
    authority = trustme.CA()
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    return Secured(server_context(authority), str(ca))
