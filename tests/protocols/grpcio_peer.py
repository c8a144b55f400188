"""A gRPC server that nobody here wrote: Google's for Python, with its reflection (v1alpha) and its health service.

    python -m tests.protocols.grpcio_peer [--gzip] [--tls KEY CERT [--client-ca CA]] [--set OPTION=NUMBER …]

Prints {"port": …}. A line on stdin ends it politely, the end of stdin at once. A process of its own: the library starts
threads and writes to stderr from C.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tests.protoset import loaded

SERVICE: Final = "foreign.v1.Calls"
PROTO: Final = Path(__file__).parent / "foreign" / "calls.proto"
DETAILS: Final = "grpc-status-details-bin"


class Calls:
    """The methods of calls.proto, by their names."""

    def __init__(self, pool: DescriptorPool) -> None:
        self.descriptor = pool.FindServiceByName(SERVICE)
        self._pool = pool
        self._cancels = 0

    def handlers(self) -> grpc.GenericRpcHandler:
        """What a server takes."""
        found = {}
        for method in self.descriptor.methods:
            kind = ("stream" if one else "unary" for one in (method.client_streaming, method.server_streaming))
            make: Callable[..., grpc.RpcMethodHandler] = getattr(grpc, "_".join((*kind, "rpc_method_handler")))
            request = message_factory.GetMessageClass(method.input_type)
            found[method.name] = make(
                getattr(self, method.name.lower()), request.FromString, lambda reply: reply.SerializeToString()
            )
        return grpc.method_handlers_generic_handler(SERVICE, found)

    def made(self, name: str, **fields: Any) -> Message:
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(f"foreign.v1.{name}"))(**fields)

    async def echo(self, request: Any, _: Any) -> Message:
        return request  # type: ignore[no-any-return]

    async def count(self, request: Any, _: Any) -> AsyncIterator[Message]:
        text = "x" * request.size
        for number in range(1, request.count + 1):
            yield self.made("Note", text=text, big_number=number)

    async def gather(self, requests: AsyncIterator[Any], _: Any) -> Message:
        texts = [note.text async for note in requests]
        return self.made("Summary", count=len(texts), texts=texts)

    async def converse(self, requests: AsyncIterator[Any], _: Any) -> AsyncIterator[Message]:
        async for note in requests:
            yield note
        yield self.made("Note", text="bye")

    async def tell(self, _: Any, context: Any) -> Message:
        await context.send_initial_metadata((("x-first", "initial"), ("x-first-bin", b"\x00\xff")))
        context.set_trailing_metadata((("x-last", "trailer"), ("x-last-bin", b"\xfe\x01")))
        pairs = {
            name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for name, value in context.invocation_metadata()
        }
        return self.made("Heard", metadata=pairs, deadline=context.time_remaining() or 0)

    async def fail(self, request: Any, context: Any) -> Message:
        context.set_trailing_metadata(((DETAILS, details(request)), ("x-last", "trailer")))
        await context.abort(code(request.code), request.message)
        raise AssertionError

    async def faillate(self, request: Any, context: Any) -> AsyncIterator[Message]:
        for number in range(1, request.after + 1):
            yield self.made("Note", big_number=number)
        await self.fail(request, context)

    async def hang(self, request: Any, _: Any) -> AsyncIterator[Message]:
        try:
            yield request
            await asyncio.Event().wait()
        finally:  # nothing else ends it; a cancel that comes while the answer goes out closes the generator
            self._cancels += 1

    async def cancelled(self, _request: Any, _: Any) -> Message:
        return self.made("Cancels", count=self._cancels)


def code(number: int) -> grpc.StatusCode:
    return next(one for one in grpc.StatusCode if one.value[0] == number)


def details(request: Any) -> bytes:
    """google.rpc.Status with two of its details."""
    status = status_pb2.Status(code=request.code, message=request.message)
    reason = error_details_pb2.ErrorInfo(reason="TOO_SMALL", domain="foreign.v1", metadata={"least": "3"})
    violation = error_details_pb2.BadRequest.FieldViolation(field="items[2].price", description="too low")
    for detail in (reason, error_details_pb2.BadRequest(field_violations=[violation])):
        status.details.add().Pack(detail)
    return bytes(status.SerializeToString())


def credentials(options: argparse.Namespace) -> grpc.ServerCredentials:
    key, cert = (Path(name).read_bytes() for name in options.tls)
    ca = Path(options.client_ca).read_bytes() if options.client_ca else None
    return grpc.ssl_server_credentials([(key, cert)], ca, require_client_auth=ca is not None)


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--client-ca")
    parser.add_argument("--set", action="append", default=[])
    return parser.parse_args(words)


async def serve(options: argparse.Namespace) -> None:
    settings = [(name, int(value)) for name, _, value in (one.partition("=") for one in options.set)]
    compression = grpc.Compression.Gzip if options.gzip else None
    server = grpc.aio.server(options=settings, compression=compression)
    server.add_generic_rpc_handlers((Calls(loaded(PROTO)).handlers(),))
    servicer = health.aio.HealthServicer()
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    await servicer.set(SERVICE, health_pb2.HealthCheckResponse.NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    place = "127.0.0.1:0"
    port = server.add_secure_port(place, credentials(options)) if options.tls else server.add_insecure_port(place)
    await server.start()
    print(json.dumps({"port": port}), flush=True)
    line = await asyncio.to_thread(sys.stdin.readline)
    await server.stop(5 if line else 0)
    print("{}", flush=True)


if __name__ == "__main__":
    asyncio.run(serve(arguments(sys.argv[1:])))
