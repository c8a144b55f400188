"""The command line and the embedded server, as in tests/cli; the schema that scripted gRPC servers speak."""

from __future__ import annotations

from tests.cli.conftest import cli, server
from tests.hardening.grpc_bench import schema

__all__ = ["cli", "schema", "server"]
