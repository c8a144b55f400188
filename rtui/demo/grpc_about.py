"""What the embedded gRPC server tells of itself: reflection (v1 and v1alpha) and health.

The library has both, but its modules put descriptors into the pool of the whole process, where those of other packages
for the same services could no longer be loaded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.descriptor import FileDescriptor
from grpclib import GRPCError, Status

from rtui.demo import grpc_proto
from rtui.demo.grpc_host import LONGEST, Call, Service, asked
from rtui.demo.grpc_proto import message

SERVING: Final = 1
NOT_SERVING: Final = 2
SERVICE_UNKNOWN: Final = 3


class Health(Service):
    """Everything is well, but for one service that says of itself that it is not."""

    package = "grpc.health.v1"

    def __init__(self, services: Sequence[Service], ill: Service) -> None:
        self._states = {"": SERVING, **{one.name: NOT_SERVING if one is ill else SERVING for one in services}}

    async def check(self, call: Call) -> None:
        """The state of one service; "" is the whole server."""
        state = self._states.get((await asked(call)).service)
        if state is None:
            raise GRPCError(Status.NOT_FOUND, "no such service")
        await call.send_message(self._response(state))

    async def watch(self, call: Call) -> None:
        """The state now, and when it changes, which it does not."""
        state = self._states.get((await asked(call)).service, SERVICE_UNKNOWN)
        await call.send_message(self._response(state))
        await asyncio.sleep(LONGEST)

    def _response(self, state: int) -> Any:
        return message(f"{self.package}.HealthCheckResponse")(status=state)


class ServerReflection(Service):
    """Lists the services and hands out the files that describe them."""

    def __init__(self, version: str, services: Sequence[Service]) -> None:
        self.package = f"grpc.reflection.{version}"
        self._services = [one.name for one in services]

    async def serverreflectioninfo(self, call: Call) -> None:
        """Answer question after question."""
        async for request in call:
            reply = message(f"{self.package}.ServerReflectionResponse")(original_request=request)
            try:
                self._answer(request, reply)
            except KeyError as error:
                reply.error_response.error_code = Status.NOT_FOUND.value
                reply.error_response.error_message = f"not found: {error.args[0]}"
            await call.send_message(reply)

    def _answer(self, request: Any, reply: Any) -> None:
        """Put the answer into `reply`; KeyError if there is no such thing."""
        pool = grpc_proto.pool()
        match request.WhichOneof("message_request"):
            case "list_services":
                for name in self._services:
                    reply.list_services_response.service.add(name=name)
            case "file_by_filename":
                _put(reply, pool.FindFileByName(request.file_by_filename))
            case "file_containing_symbol":
                _put(reply, pool.FindFileContainingSymbol(request.file_containing_symbol))
            case "file_containing_extension":
                asked_for = request.file_containing_extension
                extended = pool.FindMessageTypeByName(asked_for.containing_type)
                found = pool.FindExtensionByNumber(extended, asked_for.extension_number)
                _put(reply, pool.FindFileContainingSymbol(found.full_name))
            case "all_extension_numbers_of_type":
                extended = pool.FindMessageTypeByName(request.all_extension_numbers_of_type)
                found = reply.all_extension_numbers_response
                found.base_type_name = extended.full_name
                found.extension_number.extend(one.number for one in pool.FindAllExtensions(extended))
            case _:
                reply.error_response.error_code = Status.INVALID_ARGUMENT.value
                reply.error_response.error_message = "nothing was asked"


def _put(reply: Any, file: FileDescriptor) -> None:
    """A file and all that it imports, as a client needs them."""
    found = {file.name: file}
    waiting = [file]
    while waiting:
        for needed in waiting.pop().dependencies:
            if needed.name not in found:
                found[needed.name] = needed
                waiting.append(needed)
    reply.file_descriptor_response.file_descriptor_proto.extend(one.serialized_pb for one in found.values())
