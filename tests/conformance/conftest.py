from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import trustme

from tests.certificate import server_context
from tests.port import reserved


class Secured(NamedTuple):
    context: ssl.SSLContext
    """Of the server."""
    ca: str
    """File with the authority behind it, which nobody trusts unasked."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, str]:
    made = trustme.CA()
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    made.cert_pem.write_to_path(str(ca))
    return made, str(ca)


@pytest.fixture
def secured(authority: tuple[trustme.CA, str]) -> Secured:
    """Of each test its own: servers put their protocols into the context."""
    made, ca = authority
    return Secured(server_context(made), ca)


@pytest.fixture
def port() -> Iterator[int]:
    """For a server that is restarted."""
    with reserved() as held:
        yield held
