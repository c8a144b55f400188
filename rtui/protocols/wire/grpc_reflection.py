"""Asks a server what it has: gRPC server reflection, v1 and before it v1alpha, which differ in the name alone.

The messages are read and written with a schema of our own (grpc/reflection/v1/reflection.proto): generated modules
would meet those of other libraries in protobuf's one pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from rtui.core.clean import clean
from rtui.core.fault import Failure
from rtui.protobuf.message import UNREADABLE
from rtui.protocols.wire.grpc_call import Call
from rtui.protocols.wire.grpc_message import Messages, packed
from rtui.protocols.wire.grpc_schema import Files, Schema
from rtui.protocols.wire.grpc_status import Ending, Status, field
from rtui.protocols.wire.reach_fault import fault

if TYPE_CHECKING:
    from rtui.protocols.wire.grpc_channel import Channel
    from rtui.protocols.wire.grpc_status import Fields

Version: TypeAlias = Literal["v1", "v1alpha"]

VERSIONS: Final[tuple[Version, ...]] = ("v1", "v1alpha")
SERVICES: Final = tuple(f"grpc.reflection.{version}.ServerReflection" for version in VERSIONS)
LIMIT: Final = 64 * 1024**2
"""Bytes of one answer."""
AT_ONCE: Final = 64
"""Questions that are on their way together: few enough to fit into any window."""
_REQUEST: Final = {"host": 1, "file_by_filename": 3, "file_containing_symbol": 4, "list_services": 7}


class Unreflected(Exception):
    """The server did not answer; how the call ended."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.message)
        self.ending = ending


class Found(msgspec.Struct, frozen=True):
    """What the server told."""

    version: Version
    schema: Schema


async def reflect(channel: Channel, headers: Fields, versions: tuple[Version, ...] = VERSIONS) -> Found:
    """Everything that the server says it has.

    `headers` begin a call; the path in them is replaced.

    Raises:
        Unreflected: it has no reflection, or does not want to tell.
        Failure: what it told is no such answer.
    """
    *others, last = versions
    for version in others:
        try:
            return await _Asking(channel, version).everything(headers)
        except Unreflected as error:
            if error.ending.code != Status.UNIMPLEMENTED or error.ending.http:
                raise
    return await _Asking(channel, last).everything(headers)


class _Asking:
    """One stream of questions, each answered before the next."""

    def __init__(self, channel: Channel, version: Version) -> None:
        self._version: Version = version
        self._inbox: asyncio.Queue[bytes | Ending] = asyncio.Queue()
        self._messages = Messages(LIMIT)
        self._call = Call(channel, lambda _, item: self._inbox.put_nowait(item))
        self._files = Files()

    async def everything(self, headers: Fields) -> Found:
        path = f"/grpc.reflection.{self._version}.ServerReflection/ServerReflectionInfo"
        await self._call.open([(name, path if name == ":path" else value) for name, value in headers])
        try:
            listed = (await self._ask([{"list_services": ""}]))[0]
            services = [each.name for each in listed.list_services_response.service if each.name not in SERVICES]
            await self._fetch("file_containing_symbol", services)
            schema = await self._built(services)
        finally:
            self._call.cancel()
        return Found(self._version, schema)

    async def _built(self, services: Sequence[str]) -> Schema:
        """The schema, when all is there: imports that did not come along, types that are in no file that did."""
        names, types = set[str](), set[str]()
        while True:
            while wanted := self._files.wanted - names:
                names |= wanted
                await self._fetch("file_by_filename", sorted(wanted))
            schema = await asyncio.to_thread(self._files.schema, services)
            unknown = schema.missing - types
            types |= unknown
            if not await self._fetch("file_containing_symbol", sorted(unknown)):
                return schema

    async def _fetch(self, question: str, names: Sequence[str]) -> bool:
        """Add the files that answer; whether any did."""
        is_news = False
        for start in range(0, len(names), AT_ONCE):
            for answer in await self._ask([{question: name} for name in names[start : start + AT_ONCE]]):
                is_news |= self._files.add(answer.file_descriptor_response.file_descriptor_proto)
        return is_news

    async def _ask(self, questions: Sequence[Mapping[str, str]]) -> list[Any]:
        """Their answers, which come in the same order; a distant server is waited for but once."""
        request, response = _types()
        for question in questions:
            await self._call.send_data(packed(request(**question).SerializeToString(), gzip=False))
        answers: list[Any] = []
        while len(answers) < len(questions):
            item = await self._inbox.get()
            if isinstance(item, Ending):
                raise Unreflected(item)
            self._messages.encoding = field(self._call.initial, "grpc-encoding")
            answers += [_parsed(response, message) for message in self._messages.feed([item])]
            self._call.read(len(item))
        return answers


def _parsed(response: Any, message: bytes) -> Any:
    try:
        return response.FromString(message)
    except UNREADABLE as error:
        hint = "Give the schema as .proto files (proto) or as a descriptor set (protoset)"
        raise Failure(fault("protocol", "them", "Reflection makes no sense", clean(str(error)), hint)) from error


@cache
def _types() -> tuple[Any, Any]:
    """The classes of request and response, in a pool of their own."""
    kinds = FieldDescriptorProto
    file = FileDescriptorProto(name="reflection.proto", package="r", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, int, str]) -> None:
        found = file.message_type.add(name=name)
        for key, number, label, type_ in fields:
            scalar = {"string": kinds.TYPE_STRING, "bytes": kinds.TYPE_BYTES, "int32": kinds.TYPE_INT32}.get(type_)
            found.field.add(
                name=key,
                number=number,
                label=kinds.Label.ValueType(label),
                type=scalar or kinds.TYPE_MESSAGE,
                type_name=None if scalar else f".r.{type_}",
            )

    one, many = kinds.LABEL_OPTIONAL, kinds.LABEL_REPEATED
    message("Request", *((name, number, one, "string") for name, number in _REQUEST.items()))
    # A oneof: what is chosen is sent, even if it is empty.
    file.message_type[0].oneof_decl.add(name="message_request")
    for each in file.message_type[0].field[1:]:
        each.oneof_index = 0
    message("Files", ("file_descriptor_proto", 1, many, "bytes"))
    message("Service", ("name", 1, one, "string"))
    message("Services", ("service", 1, many, "Service"))
    message("Error", ("error_code", 1, one, "int32"), ("error_message", 2, one, "string"))
    message(
        "Response",
        ("file_descriptor_response", 4, one, "Files"),
        ("list_services_response", 6, one, "Services"),
        ("error_response", 7, one, "Error"),
    )
    pool = DescriptorPool()
    pool.Add(file)
    return tuple(GetMessageClass(pool.FindMessageTypeByName(f"r.{name}")) for name in ("Request", "Response"))  # type: ignore[return-value]
