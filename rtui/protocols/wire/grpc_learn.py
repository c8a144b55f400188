"""What a connection knows before the first call: the schema, and how the server says it is doing."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final, cast

from rtui.core.event import Notice
from rtui.core.fault import Failure, Fault
from rtui.core.words import counted
from rtui.protocols.grpc import Options
from rtui.protocols.wire.grpc_call import Call
from rtui.protocols.wire.grpc_channel import Channel
from rtui.protocols.wire.grpc_fault import ended, explain_ending, explain_http
from rtui.protocols.wire.grpc_message import Messages, packed
from rtui.protocols.wire.grpc_reflection import VERSIONS, Unreflected, Version, reflect
from rtui.protocols.wire.grpc_schema import Method, Schema
from rtui.protocols.wire.grpc_source import compile_protos, read_protoset
from rtui.protocols.wire.grpc_status import Ending, Fields, Status, field
from rtui.protocols.wire.reach_fault import Unopened, fault, usage

HEALTH: Final = "grpc.health.v1.Health/Check"
HEALTH_TIME: Final = 2.0
"""Seconds that the answer may keep the connection from being called open."""
HINT: Final = "Give the schema as .proto files (proto) or as a descriptor set (protoset)"


class Learnt:
    """The schema, where there is one."""

    def __init__(self, schema: Schema | None, source: str, why: Fault | None = None) -> None:
        """`source` is where it is from; `why` there is none."""
        self.notices: list[Notice] = []
        self.details: dict[str, Any] = {}
        self._schema = schema
        self._why = why
        if schema is None:
            text = (why or usage("No schema", "")).sentence()
            self.notices.append(Notice(text=f"{text}. {HINT}", level="warning", meta={"hint": HINT}))
            return
        services = {method.channel.partition("/")[0] for method in schema.methods}
        self.details = {"schema": source, "services": len(services), "methods": len(schema.methods)}
        if unusable := schema.unusable:
            text = "; ".join(f"{name}: {trouble}" for name, trouble in list(unusable.items())[:5])
            self.notices.append(
                Notice(text=f"{counted(len(unusable), 'part')} of the schema cannot be used: {text}", level="warning")
            )

    @property
    def methods(self) -> tuple[Method, ...]:
        """All that can be called."""
        return self._schema.methods if self._schema else ()

    def find(self, channel: str) -> Method | None:
        """The method of that name, if there is one."""
        return self._schema.method(channel) if self._schema else None

    def method(self, channel: str) -> Method:
        """Likewise.

        Raises:
            Failure: there is none.
        """
        if (found := self.find(channel)) is not None:
            return found
        if self._schema is None:
            why = self._why or usage("No schema", "")
            raise Failure(usage("Not sent: there is no schema", why.sentence(), HINT))
        raise Failure(_unknown(channel, self._schema))


def _unknown(channel: str, schema: Schema) -> Fault:
    from difflib import get_close_matches

    names = [method.channel for method in schema.methods]
    near = get_close_matches(channel, names, n=1) or [
        name for name in names if name.lower().endswith("/" + channel.lower().rpartition("/")[2])
    ]
    service = channel.rpartition("/")[0]
    mine = [name for name in names if name.startswith(f"{service}/")] or names
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(mine[:8])}{', …' if len(mine) > 8 else ''}"  # noqa: PLR2004
    return usage("Unknown method", channel, hint)


async def learn(channel: Channel, options: Options, headers: Fields) -> Learnt:
    """What the options name, or what the server tells; `headers` begin a call.

    Raises:
        Failure: the user's files cannot be used.
        Unopened: this is no server of gRPC, or it lets nobody in.
    """
    learnt = await _schema(channel, options, headers)
    if options.health and (method := learnt.find(HEALTH)) is not None:
        learnt.details["health"] = await _health(channel, method, headers)
    return learnt


async def _schema(channel: Channel, options: Options, headers: Fields) -> Learnt:
    if options.protoset:
        return Learnt(Schema.from_protoset(read_protoset(options.protoset), options.protoset), "protoset")
    if options.proto:
        data = await asyncio.to_thread(compile_protos, options.proto, options.import_path)
        return Learnt(Schema.from_protoset(data), "proto")
    if options.reflection == "off":
        return Learnt(None, "", usage("No schema", "the server is not asked (reflection is off)"))
    versions = VERSIONS if options.reflection == "auto" else (cast("Version", options.reflection),)
    return await _reflected(channel, versions, headers, options.timeout)


async def _reflected(channel: Channel, versions: tuple[Version, ...], headers: Fields, patience: float) -> Learnt:
    try:
        async with asyncio.timeout(patience):
            found = await reflect(channel, headers, versions)
    except Unreflected as error:
        ending = error.ending
        if ending.by == "network":
            raise Unopened(ended(channel)) from error
        if ending.http:
            raise Unopened(explain_http(ending, channel.trip)) from error
        return Learnt(None, "", _unreflecting(ending, channel))
    except TimeoutError:
        cause = f"no answer to the reflection request in {patience:g} s"
        return Learnt(None, "", fault("timeout", "network", "No schema", cause))
    return Learnt(found.schema, f"reflection {found.version}")


def _unreflecting(ending: Ending, channel: Channel) -> Fault:
    if ending.code == Status.UNIMPLEMENTED:
        return usage("No schema", "the server has no reflection")
    why = explain_ending(ending, channel.trip)
    return fault(why.kind, why.side, "No schema", f"reflection failed: {why.sentence()}")


async def _health(channel: Channel, method: Method, headers: Fields) -> str:
    """What the server says of itself as a whole: "SERVING"; or why it says nothing."""
    inbox: asyncio.Queue[bytes | Ending] = asyncio.Queue()
    messages = Messages(64 * 1024)
    call = Call(channel, lambda _, item: inbox.put_nowait(item))
    try:
        async with asyncio.timeout(HEALTH_TIME):
            await call.open([(name, f"/{HEALTH}" if name == ":path" else value) for name, value in headers])
            await call.send_data(packed(method.request.encode(b"{}"), gzip=False), end_stream=True)
            replies: list[bytes] = []
            while not isinstance(item := await inbox.get(), Ending):
                messages.encoding = field(call.initial, "grpc-encoding")
                replies += messages.feed([item])
                call.read(len(item))
    except TimeoutError:
        return "no answer"
    except Failure as error:
        return error.fault.title
    finally:
        call.cancel()
    if not item.ok or not replies:
        return item.status
    return str(json.loads(method.reply().decode(replies[0])[0]).get("status", "UNKNOWN"))
