from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_tools import protoc

from rtui.demo import grpc_proto
from rtui.demo.grpc import PATHS, Server, serve
from rtui.demo.grpc_proto import made, message
from rtui.demo.grpc_scene import UNKNOWN_FIELDS, sample
from rtui.demo.story import HOSTILE
from tests.waiting import PATIENCE

EMPTY = made("google.protobuf.Empty")
SERVICES = ("Chat", "Echo", "Faults", "Telemetry", "Types")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = await serve()
    yield one
    await one.close()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    async with visitor(server) as one:
        yield one


def visitor(server: Server) -> grpc.aio.Channel:
    """A client with a connection of its own, which takes messages of any size."""
    options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=options)


def method(client: grpc.aio.Channel, name: str) -> Any:
    """`Echo/Say` as grpcio calls it."""
    service, _, short = (name if "." in name else f"demo.{name}").partition("/")
    one = grpc_proto.pool().FindServiceByName(service).FindMethodByName(short)
    make = getattr(client, f"{_sides[one.client_streaming]}_{_sides[one.server_streaming]}")
    read = message(one.output_type.full_name).FromString
    return make(f"/{service}/{short}", request_serializer=_serialized, response_deserializer=read)


def _serialized(message: Any) -> bytes:
    return bytes(message.SerializeToString())


_sides = {False: "unary", True: "stream"}


async def ended(call: Any) -> grpc.aio.AioRpcError:
    """How a call that fails does it."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await (call if hasattr(call, "__await__") else drained(call))
    return caught.value


async def drained(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def words(*texts: str) -> AsyncIterator[Any]:
    for text in texts:
        yield made("Words", text=text)


@pytest.mark.parametrize("name", grpc_proto.FILES)
def test_a_file_is_read_as_protoc_reads_it(tmp_path: Path, name: str) -> None:
    folder = Path(str(files("rtui.demo"))) / "proto"
    rpc = Path(str(error_details_pb2.__file__)).parents[2]
    out = tmp_path / "set"
    folders = [f"-I{folder}", f"-I{files('grpc_tools') / '_proto'}", f"-I{rpc}"]
    assert protoc.main(["protoc", *folders, f"--descriptor_set_out={out}", name]) == 0
    (compiled,) = FileDescriptorSet.FromString(out.read_bytes()).file
    assert grpc_proto.read(grpc_proto.text(name), name) == compiled


def test_every_method_is_listed() -> None:
    services = [grpc_proto.pool().FindServiceByName(f"demo.{name}") for name in SERVICES]
    assert set(PATHS) == {f"/{service.full_name}/{one.name}" for service in services for one in service.methods}


async def test_the_four_kinds_of_call(client: grpc.aio.Channel) -> None:
    assert (await method(client, "Echo/Say")(made("Words", text="hi"))).text == "hi"
    repeated = [one async for one in method(client, "Echo/Repeat")(made("RepeatRequest", text="x", times=3))]
    assert [(one.text, one.number) for one in repeated] == [("x", 1), ("x", 2), ("x", 3)]
    collected = await method(client, "Echo/Collect")(words("one", "three"))
    assert (list(collected.texts), collected.count, collected.characters) == (["one", "three"], 2, 8)
    assert [one.text async for one in method(client, "Echo/Talk")(words("a", "b"))] == ["a", "b"]


async def test_a_reply_comes_before_the_next_request(client: grpc.aio.Channel) -> None:
    call = method(client, "Echo/Talk")()
    for text in ("first", "second"):
        await call.write(made("Words", text=text))
        assert (await call.read()).text == text
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_metadata_goes_there_and_comes_back(client: grpc.aio.Channel) -> None:
    call = method(client, "Echo/Metadata")(EMPTY, metadata=[("who", "me"), ("key-bin", b"\x00\xff")])
    got = dict((await call).metadata)
    assert (got["who"], got["key-bin"]) == ("me", b64encode(b"\x00\xff").decode())
    initial = dict(await call.initial_metadata())
    assert (initial["demo-server"], initial["demo-bin"]) == ("rtui", bytes(range(4)))
    assert float(dict(await call.trailing_metadata())["demo-took-ms"]) >= 0


async def watched(client: grpc.aio.Channel, **request: Any) -> list[Any]:
    found = [one async for one in method(client, "Telemetry/Watch")(made("WatchRequest", rate=2000, **request))]
    for one in found:
        assert one.at.seconds > 0
        one.ClearField("at")
    return found


async def test_the_story_is_the_same_for_the_same_seed(client: grpc.aio.Channel) -> None:
    first = await watched(client, count=200)
    assert first == await watched(client, count=200, seed=1)
    assert first != await watched(client, count=200, seed=2)
    assert [one.id for one in first] == [*range(1, 201)]
    assert {one.WhichOneof("what") for one in first} == {"order", "trade", "sensor", "alert", "heartbeat"}


async def test_only_some_kinds_are_told(client: grpc.aio.Channel) -> None:
    found = await watched(client, count=20, kinds=["ALERT", "TRADE"])
    assert {one.WhichOneof("what") for one in found} == {"alert", "trade"}
    assert {one.alert.level for one in found if one.HasField("alert")} <= {1, 2, 3}


@pytest.mark.parametrize("kinds", [["KIND_UNSPECIFIED"], [99], ["KIND_UNSPECIFIED", "ALERT"]])
async def test_kinds_that_nothing_is_of_leave_nobody_waiting(client: grpc.aio.Channel, kinds: list[Any]) -> None:
    """What a template asks for as it stands once spun for ever in search of an event."""
    async with asyncio.timeout(PATIENCE):
        found = await watched(client, count=20, kinds=kinds)
    assert len(found) == 20
    assert ({one.WhichOneof("what") for one in found} == {"alert"}) is ("ALERT" in kinds)


async def test_a_burst_is_complete_and_in_order(client: grpc.aio.Channel) -> None:
    burst = method(client, "Telemetry/Burst")(made("BurstRequest", rate=20_000, count=3000, size=5))
    found = [(one.number, one.pad) async for one in burst]
    assert found == [(number, ".....") for number in range(1, 3001)]


async def test_every_type_comes_as_it_is(client: grpc.aio.Channel) -> None:
    got = await method(client, "Types/Sample")(EMPTY)
    assert got.SerializeToString(deterministic=True) == sample().SerializeToString(deterministic=True)
    assert {field.name for field, _ in got.ListFields()} == set(got.DESCRIPTOR.fields_by_name) - {"word", "thing"}
    mirrored = await method(client, "Types/Mirror")(got)
    assert mirrored.SerializeToString(deterministic=True) == got.SerializeToString(deterministic=True)


async def test_fields_that_nobody_knows(client: grpc.aio.Channel) -> None:
    got = await method(client, "Types/Newer")(EMPTY)
    assert (got.sku, got.qty) == ("A-1", 2)
    assert got.SerializeToString().endswith(UNKNOWN_FIELDS)


async def test_a_failure_has_the_status_asked_for_and_details(client: grpc.aio.Channel) -> None:
    failed = await ended(method(client, "Faults/Fail")(made("FailRequest", code="NOT_FOUND", message="no rack ü")))
    assert (failed.code(), failed.details()) == (grpc.StatusCode.NOT_FOUND, "no rack ü")
    status = status_pb2.Status.FromString(dict(failed.trailing_metadata())["grpc-status-details-bin"])
    kinds = [one.TypeName().rpartition(".")[2] for one in status.details]
    assert kinds == ["BadRequest", "ErrorInfo", "RetryInfo", "Help", "LocalizedMessage"]


async def test_a_failure_behind_messages(client: grpc.aio.Channel) -> None:
    call = method(client, "Faults/Cut")(made("FailRequest", after=2))
    assert [(await call.read()).number, (await call.read()).number] == [1, 2]
    assert (await ended(call)).code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_only_with_a_token(client: grpc.aio.Channel) -> None:
    assert (await ended(method(client, "Faults/Private")(EMPTY))).code() is grpc.StatusCode.UNAUTHENTICATED
    granted = await method(client, "Faults/Private")(EMPTY, metadata=[("authorization", "Bearer demo")])
    assert dict(granted.metadata) == {"granted": "yes"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Reset", grpc.StatusCode.INTERNAL),  # as "PROTOCOL-HTTP2.md" has it for RST_STREAM NO_ERROR
        ("Leave", grpc.StatusCode.UNAVAILABLE),
        ("Drop", grpc.StatusCode.UNAVAILABLE),
        ("Missing", grpc.StatusCode.UNIMPLEMENTED),
        ("Hang", grpc.StatusCode.DEADLINE_EXCEEDED),
    ],
)
async def test_ends_that_are_no_answer(client: grpc.aio.Channel, name: str, code: grpc.StatusCode) -> None:
    deadline = 0.2 if name == "Hang" else PATIENCE
    assert (await ended(method(client, f"Faults/{name}")(EMPTY, timeout=deadline))).code() is code


async def test_the_others_stay_when_one_is_dropped(server: Server, client: grpc.aio.Channel) -> None:
    async with visitor(server) as other:
        await method(other, "Echo/Say")(made("Words", text="hi"))
        talk = method(other, "Echo/Talk")()
        await talk.write(made("Words", text="before"))
        assert (await talk.read()).text == "before"
        await ended(method(client, "Faults/Drop")(EMPTY))
        await talk.write(made("Words", text="after"))
        assert (await talk.read()).text == "after"
        talk.cancel()


async def test_a_slow_answer(client: grpc.aio.Channel) -> None:
    request = made("SlowRequest", delay={"nanos": 50_000_000})
    began = time.monotonic()
    assert await method(client, "Faults/Slow")(request) == request
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize(
    ("name", "request_"),
    [("Faults/Slow", {"delay": {"seconds": -1}}), ("Faults/Fail", {"code": 77}), ("Telemetry/Watch", {"rate": -1.0})],
)
async def test_what_cannot_be_done_is_told(client: grpc.aio.Channel, name: str, request_: dict[str, Any]) -> None:
    types = {"Slow": "SlowRequest", "Fail": "FailRequest", "Watch": "WatchRequest"}
    failed = await ended(method(client, name)(made(types[name.rpartition("/")[2]], **request_)))
    assert failed.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_what_cannot_be_read_is_told(client: grpc.aio.Channel) -> None:
    say = client.unary_unary("/demo.Echo/Say", request_serializer=bytes)
    assert (await ended(say(b"\x0a\xff"))).code() is grpc.StatusCode.INVALID_ARGUMENT
    squeezed = say(made("Words", text="x" * 9999).SerializeToString(), compression=grpc.Compression.Gzip)
    assert (await ended(squeezed)).code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_huge_message(client: grpc.aio.Channel) -> None:
    assert len((await method(client, "Faults/Huge")(made("HugeRequest", size=3_000_000))).pad) == 3_000_000


async def test_attacks_are_in_messages_and_in_the_status(client: grpc.aio.Channel) -> None:
    call = method(client, "Faults/Hostile")(EMPTY)
    assert [(await call.read()).text for _ in HOSTILE] == list(HOSTILE)
    assert (await ended(call)).details() == HOSTILE[0]


async def test_guests_hear_each_other_until_they_leave(client: grpc.aio.Channel) -> None:
    join = method(client, "Chat/Join")
    ann, bob = join(), join()
    await ann.write(made("Line", name="ann", room="tea"))
    assert (await said(ann)).people == ["ann"]
    await bob.write(made("Line", name="bob", room="tea", text="hello"))
    assert [(one.name, one.text) for one in (await said(ann), await said(ann))] == [
        ("bob", "came in"),
        ("bob", "hello"),
    ]
    rooms = await method(client, "Chat/Rooms")(EMPTY)
    assert dict(rooms.people) == {"tea": 2}
    bob.cancel()
    left = await said(ann)
    assert (left.name, left.text, list(left.people)) == ("bob", "went out", ["ann"])
    await ann.done_writing()
    assert await said(ann) is grpc.aio.EOF
    assert await ann.code() is grpc.StatusCode.OK


async def said(call: Any) -> Any:
    """What a person says next; the parrot talks when it likes."""
    while (one := await call.read()) is not grpc.aio.EOF and one.name == "polly":
        pass
    return one


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_a_client_learns_the_methods_by_reflection(client: grpc.aio.Channel, version: str) -> None:
    request = message(f"grpc.reflection.{version}.ServerReflectionRequest")
    ask = method(client, f"grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")()
    await ask.write(request(list_services=""))
    listed = {one.name for one in (await ask.read()).list_services_response.service}
    assert listed == {*(f"demo.{name}" for name in SERVICES), "grpc.health.v1.Health"}
    await ask.write(request(file_containing_symbol="demo.Echo"))
    first, *others = (await ask.read()).file_descriptor_response.file_descriptor_proto
    assert {one.name for one in FileDescriptorProto.FromString(first).service} == set(SERVICES)
    assert {FileDescriptorProto.FromString(one).name for one in others} > {"google/protobuf/any.proto"}
    await ask.write(request(file_by_filename="none.proto"))
    assert (await ask.read()).error_response.error_code == 5
    await ask.write(request())
    assert (await ask.read()).error_response.error_code == 3
    ask.cancel()


async def test_the_reflection_serves_all_that_is_needed(server: Server) -> None:
    def learn() -> set[str]:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
            everything = pool.FindMessageTypeByName("demo.Everything")
            pool.FindMessageTypeByName("google.rpc.ErrorInfo")
            return {field.name for field in everything.fields}

    learned = await asyncio.get_running_loop().run_in_executor(None, learn)
    assert learned == set(message("Everything").DESCRIPTOR.fields_by_name)


@pytest.mark.parametrize(
    ("service", "state"), [("", "SERVING"), ("demo.Echo", "SERVING"), ("demo.Faults", "NOT_SERVING")]
)
async def test_the_health_is_told(client: grpc.aio.Channel, service: str, state: str) -> None:
    check = client.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    answer = await check(health_pb2.HealthCheckRequest(service=service))
    assert health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status) == state


async def test_no_such_service_has_a_health(client: grpc.aio.Channel) -> None:
    request = message("grpc.health.v1.HealthCheckRequest")(service="nobody")
    failed = await ended(method(client, "grpc.health.v1.Health/Check")(request))
    assert failed.code() is grpc.StatusCode.NOT_FOUND
    watch = method(client, "grpc.health.v1.Health/Watch")(request)
    assert (await watch.read()).status == 3
    watch.cancel()


@pytest.mark.parametrize(("name", "request_"), [("Faults/Hang", EMPTY), ("Telemetry/Watch", made("WatchRequest"))])
async def test_closing_does_not_wait_for_a_call(port: int, name: str, request_: Any) -> None:
    server = await serve(port=port)
    async with visitor(server) as client:
        call = method(client, name)(request_)
        await method(client, "Echo/Say")(made("Words"))  # behind it on the same connection
        began = time.monotonic()
        await server.close()
        assert time.monotonic() - began < 20
        assert (await ended(call)).code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    again = await serve(port=port)
    await again.close()


async def test_noise_is_no_trouble(server: Server, client: grpc.aio.Channel) -> None:
    for noise in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\x00" * 100):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(noise)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()
    assert (await method(client, "Echo/Say")(made("Words", text="still here"))).text == "still here"


async def test_a_call_ends_with_its_client(server: Server, client: grpc.aio.Channel) -> None:
    call = method(client, "Chat/Join")()
    await call.write(made("Line", room="short"))
    await call.read()
    call.cancel()

    async def empty() -> bool:
        return not dict((await method(client, "Chat/Rooms")(EMPTY)).people)

    async with asyncio.timeout(PATIENCE):
        while not await empty():  # noqa: ASYNC110 - asked over the wire
            await asyncio.sleep(0.01)
