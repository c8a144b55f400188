"""Where the schema comes from, end to end: reflection of all kinds of servers, .proto files, descriptor sets."""

from __future__ import annotations

import json
import socket
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse
from grpclib.const import Cardinality, Handler
from grpclib.server import Server as Library
from grpclib.server import Stream

from rtui.core.command import Send
from rtui.core.event import Notice, Offer, Offered, Received
from rtui.core.fault import Failure
from rtui.demo.grpc import PATHS, Server, serve
from rtui.protocols.grpc import Grpc, Options
from rtui.protocols.wire.grpc_source import compile_protos
from tests.conformance.recorder import Recorder, Run
from tests.waiting import PATIENCE

ACME = Path(__file__).parent / "wire" / "acme"
DEMO = str(files("rtui.demo") / "proto" / "demo.proto")
Answer = Callable[[ServerReflectionRequest], Iterable[bytes] | None]


@pytest.fixture
async def demo() -> AsyncIterator[Server]:
    server = await serve()
    yield server
    await server.close()


def attempt(url: str, **options: Any) -> Run:
    return Run(Grpc(), Recorder(url, Options(**{"proxy": "", "timeout": PATIENCE, **options})))


async def offers(run: Run) -> dict[str, Offer]:
    await run.opened()
    await run.until(lambda: run.link.of(Offered))
    return {offer.channel: offer for offer in run.link.of(Offered)[-1].channels}


async def asked(run: Run, channel: str, payload: str) -> Any:
    """The reply to a unary call, or the notice that refused it."""
    run.ask(Send(id=7, channel=channel, payload=payload.encode()))
    await run.until(lambda: run.link.received or any(notice.command for notice in run.notices()))
    refused = [notice for notice in run.notices() if notice.command]
    return refused[0] if refused else json.loads(run.link.received[0].payload)


class Reflecting:
    """A server that has nothing but reflection, and tells what `answer` says of each question; None = not found."""

    def __init__(self, services: Iterable[str], answer: Answer) -> None:
        self._services = list(services)
        self._answer = answer
        self.asked: list[ServerReflectionRequest] = []

    def __mapping__(self) -> dict[str, Handler]:
        handler = Handler(self.info, Cardinality.STREAM_STREAM, ServerReflectionRequest, ServerReflectionResponse)
        return {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": handler}

    async def info(self, stream: Stream[ServerReflectionRequest, ServerReflectionResponse]) -> None:
        async for question in stream:
            self.asked.append(question)
            answer = ServerReflectionResponse()
            if question.HasField("list_services"):
                for name in self._services:
                    answer.list_services_response.service.add(name=name)
            elif (told := self._answer(question)) is not None:
                answer.file_descriptor_response.file_descriptor_proto.extend(told)
            else:
                answer.error_response.error_code = 5
            await stream.send_message(answer)


@asynccontextmanager
async def reflecting(server: Reflecting) -> AsyncIterator[str]:
    library = Library([server])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        await library.start(sock=taken.dup())
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        library.close()
        await library.wait_closed()


def file(name: str, package: str, *imports: str, asked: str = "", holds: str = "") -> FileDescriptorProto:
    """A file with a message `M` that perhaps holds another, and perhaps a service that takes one."""
    made = FileDescriptorProto(name=name, package=package, syntax="proto3", dependency=imports)
    message = made.message_type.add(name="M")
    message.field.add(name="text", number=1, label=1, type=9)
    if holds:
        message.field.add(name="inner", number=2, label=1, type=11, type_name=holds)
    if asked:
        made.service.add(name="S").method.add(name="Do", input_type=asked, output_type=asked)
    return made


class TestReflection:
    async def test_the_demo_server_tells_all_its_methods(self, demo: Server) -> None:
        async with attempt(demo.url) as run:
            found = await offers(run)
            assert {f"/{channel}" for channel in found if channel.startswith("demo.")} == set(PATHS)
            assert found["demo.Echo/Say"].kind == "unary"
            assert found["demo.Chat/Join"].kind == "bidi stream"
            assert run.link.details["schema"] == "reflection v1"
            assert not [notice for notice in run.notices() if notice.level != "info"]

    async def test_its_templates_can_be_sent_as_they_are(self, demo: Server) -> None:
        async with attempt(demo.url) as run:
            template = (await offers(run))["demo.Types/Mirror"].template
            assert len(json.loads(template)) > 20
            assert isinstance(await asked(run, "demo.Types/Mirror", template), dict)

    @pytest.mark.parametrize("version", ["1.0.4", "1.0.0"])
    async def test_what_node_serves(self, version: str) -> None:
        told = json.loads((ACME / f"node-{version}.json").read_bytes())
        descriptors = [b64decode(text) for text in told["descriptors"]]
        async with reflecting(Reflecting(told["services"], lambda _: descriptors)) as url, attempt(url) as run:
            found = await offers(run)
            assert {"acme.shop.Orders/Chat", "ring.a.Ring/Turn", "Plain/Do"} <= set(found)
            assert run.notices() == []
            order = json.loads(found["acme.shop.Orders/Get"].template)
            assert order["priceByRegion"] == {"key": {"currencyCode": "", "units": "0", "nanos": 0}}
            assert "one of cardNumber, cashAmount, coupon" in found["acme.shop.Orders/Get"].description

    async def test_each_file_may_come_alone(self) -> None:
        first = file("a.proto", "p", "b.proto", "gone.proto", asked=".p.M", holds=".q.M")
        by_name = {"b.proto": file("b.proto", "q", "c.proto", holds=".r.M"), "c.proto": file("c.proto", "r")}

        def answer(question: ServerReflectionRequest) -> list[bytes] | None:
            found = first if question.file_containing_symbol == "p.S" else by_name.get(question.file_by_filename)
            return [found.SerializeToString()] if found else None

        async with reflecting(server := Reflecting(["p.S"], answer)) as url, attempt(url) as run:
            found = await offers(run)
            template = json.loads(found["p.S/Do"].template)
            assert template == {"text": "", "inner": {"text": "", "inner": {"text": ""}}}
            assert run.notices() == []
            assert [question.file_by_filename for question in server.asked].count("gone.proto") == 1

    async def test_files_by_another_name_than_their_imports_are_found_by_their_types(self) -> None:
        by_type = {
            "p.S": file("a.proto", "p", "vendor/b.proto", asked=".p.M", holds=".q.M"),
            "q.M": file("b.proto", "q", "vendor/c.proto", holds=".r.M"),
            "r.M": file("c.proto", "r"),
        }

        def answer(question: ServerReflectionRequest) -> list[bytes] | None:
            found = by_type.get(question.file_containing_symbol)
            return [found.SerializeToString()] if found else None

        async with reflecting(Reflecting(["p.S"], answer)) as url, attempt(url) as run:
            template = json.loads((await offers(run))["p.S/Do"].template)
            assert template == {"text": "", "inner": {"text": "", "inner": {"text": ""}}}
            assert run.notices() == []

    async def test_what_is_not_described_is_named(self) -> None:
        described = file("a.proto", "p", asked=".p.M", holds=".q.Gone").SerializeToString()

        def answer(question: ServerReflectionRequest) -> list[bytes] | None:
            return [described] if question.file_containing_symbol == "p.S" else None

        async with reflecting(Reflecting(["p.S", "p.Secret"], answer)) as url, attempt(url) as run:
            assert list(await offers(run)) == ["p.S/Do"]
            (notice,) = run.notices()
            assert notice.level == "warning"
            assert "p.Secret: the server offers it, but does not describe it" in notice.text
            assert "q.Gone: no file defines it; fields of this type are shown as bytes" in notice.text

    async def test_descriptors_that_make_no_sense(self) -> None:
        async with reflecting(Reflecting(["p.S"], lambda _: [b"\n\xff"])) as url, attempt(url) as run:
            error = await run.error()
            assert isinstance(error, Failure)
            assert error.fault.title == "Schema cannot be read"
            assert "protoset" in error.fault.hint

    async def test_a_server_that_always_invents_another_import(self) -> None:
        def answer(question: ServerReflectionRequest) -> list[bytes]:
            number = len(server.asked)
            return [file(f"{number}.proto", f"p{number}", f"{number + 1}.proto", "x" * 1_000_000).SerializeToString()]

        server = Reflecting(["p.S"], answer)
        async with reflecting(server) as url, attempt(url) as run:
            error = await run.error()
            assert isinstance(error, Failure)
            assert error.fault.title == "Schema too large"


class TestFiles:
    @pytest.fixture(params=["proto", "protoset"])
    def given(self, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
        """The options that name the demo's schema."""
        if request.param == "proto":
            return {"proto": [DEMO]}
        made = tmp_path / "demo.protoset"
        made.write_bytes(compile_protos([DEMO]))
        return {"protoset": str(made)}

    async def test_they_stand_for_reflection(self, demo: Server, given: dict[str, Any]) -> None:
        async with attempt(demo.url, **given) as run:
            found = await offers(run)
            assert {f"/{channel}" for channel in found} == set(PATHS)
            assert run.link.details["schema"] == next(iter(given))
            reply = await asked(run, "demo.Types/Mirror", found["demo.Types/Mirror"].template)
            assert isinstance(reply, dict)

    async def test_what_they_lack_cannot_be_called(self, demo: Server, tmp_path: Path) -> None:
        (tmp_path / "less.proto").write_text(
            'syntax = "proto3"; package demo; message M {} service Echo { rpc Say(M) returns (M); }'
        )
        async with attempt(demo.url, proto=["less.proto"], import_path=[str(tmp_path)]) as run:
            assert list(await offers(run)) == ["demo.Echo/Say"]
            refused = await asked(run, "demo.Chat/Rooms", "{}")
            assert isinstance(refused, Notice)
            assert "demo.Chat/Rooms" in refused.text

    async def test_fields_that_they_lack_are_told(self, demo: Server, tmp_path: Path) -> None:
        (tmp_path / "less.proto").write_text(
            'syntax = "proto3"; package demo; message M {} service Types { rpc Sample(M) returns (M); }'
        )
        async with attempt(demo.url, proto=[str(tmp_path / "less.proto")]) as run:
            await run.opened()
            assert await asked(run, "demo.Types/Sample", "{}") == {}
            (reply,) = run.link.of(Received)
            assert reply.meta
            assert "1" in reply.meta["unknown"]
            assert len(b64decode(reply.meta["raw"])) > 100

    @pytest.mark.parametrize(
        ("text", "cause"),
        [
            ('syntax = "proto3";\nmessage M {\n  string a = 1\n}\n', ':4:1: Expected ";".'),
            ('syntax = "proto3";\nimport "gone.proto";\n', ':2:1: Import "gone.proto" was not found'),
            ('syntax = "proto3";\n\nmessage M {}\nmessage M {}\n', ':4:9: "M" is already defined.'),
        ],
    )
    async def test_a_broken_file_is_told_with_its_line(
        self, demo: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, cause: str
    ) -> None:
        path = tmp_path / "bad.proto"
        path.write_text(text)
        async with attempt(demo.url, proto=[str(path)]) as run:
            error = await run.error()
            assert isinstance(error, Failure)
            assert (error.fault.kind, error.transient) == ("usage", False)
            assert f"{path}{cause}" in error.fault.cause
        assert capfd.readouterr() == ("", "")

    async def test_a_descriptor_set_that_is_none(self, demo: Server, tmp_path: Path) -> None:
        path = tmp_path / "my.protoset"
        path.write_text('syntax = "proto3";')
        async with attempt(demo.url, protoset=str(path)) as run:
            error = await run.error()
            assert isinstance(error, Failure)
            assert (error.fault.title, error.transient) == ("Not a descriptor set", False)
            assert str(path) in error.fault.cause
