"""The service `Faults` of the embedded gRPC server: calls that do not end well, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details
from grpclib import GRPCError, Status

from rtui.demo.grpc_host import LONGEST, Call, Host, Service, asked, bounded, drop, leave
from rtui.demo.grpc_proto import made
from rtui.demo.story import HOSTILE

TOKEN: Final = "demo"  # noqa: S105 - it is printed where it is wanted
BIGGEST: Final = 1 << 26
BETWEEN: Final = 0.2


class Faults(Service):
    """Each method is something that goes wrong."""

    host: Host
    """Set when there is one: some faults are of the connection."""

    async def fail(self, call: Call) -> None:
        """End with the status asked for."""
        raise _failure(await asked(call))

    async def cut(self, call: Call) -> None:
        """Some messages, then the status asked for."""
        request = await asked(call)
        for number in range(1, min(1000, request.after or 3) + 1):
            await call.send_message(made("Numbered", number=number))
            await asyncio.sleep(BETWEEN)
        raise _failure(request)

    async def private(self, call: Call) -> None:
        """For those who have the token."""
        await asked(call)
        if call.metadata is None or call.metadata.get("authorization") != f"Bearer {TOKEN}":
            info = details.ErrorInfo(reason="NO_TOKEN", domain="demo", metadata={"wanted": f"Bearer {TOKEN}"})
            raise GRPCError(Status.UNAUTHENTICATED, "only with a token", [info])
        await call.send_message(made("Headers", metadata={"granted": "yes"}))

    async def slow(self, call: Call) -> None:
        """An answer that takes its time."""
        request = await asked(call)
        await asyncio.sleep(bounded(request.delay.seconds + request.delay.nanos / 1e9, 1, LONGEST))
        await call.send_message(request)

    async def hang(self, call: Call) -> None:
        """No answer at all."""
        await asked(call)
        await asyncio.sleep(LONGEST)

    async def reset(self, call: Call) -> None:
        """RST_STREAM instead of a status."""
        await asked(call)
        await call.cancel()

    async def leave(self, call: Call) -> None:
        """GOAWAY, and the connection ends."""
        await asked(call)
        leave(self.host.connection_of(call))

    async def drop(self, call: Call) -> None:
        """The connection is reset."""
        await asked(call)
        drop(self.host.connection_of(call))

    async def huge(self, call: Call) -> None:
        """One large message."""
        request = await asked(call)
        await call.send_message(made("Numbered", number=request.size, pad="." * min(BIGGEST, request.size)))

    async def hostile(self, call: Call) -> None:
        """Attack the terminal, with the last words too."""
        await asked(call)
        for number, text in enumerate(HOSTILE, 1):
            await call.send_message(made("Echoed", text=text, number=number))
        raise GRPCError(Status.ABORTED, HOSTILE[0])


def _failure(request: Any) -> GRPCError:
    code = request.code or Status.FAILED_PRECONDITION.value
    try:
        status = Status(code)
    except ValueError:
        return GRPCError(Status.INVALID_ARGUMENT, f"{code} is no status of gRPC")
    return GRPCError(status, request.message or "as you asked for", explained(request))


def explained(request: Any) -> list[Message]:
    """Details of most kinds there are (google/rpc/error_details.proto), and one that no client knows."""
    violation = details.BadRequest.FieldViolation(field="code", description="you chose it")
    help_ = details.Help.Link(description="what the codes mean", url="https://grpc.io/docs/guides/status-codes/")
    retry = details.RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    return [
        details.BadRequest(field_violations=[violation]),
        details.ErrorInfo(reason="ASKED_FOR", domain="demo", metadata={"after": str(request.after)}),
        retry,
        details.Help(links=[help_]),
        details.LocalizedMessage(locale="de", message="wie gewünscht"),
    ]
