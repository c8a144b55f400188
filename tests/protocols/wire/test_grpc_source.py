from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rtui.core.fault import Failure
from rtui.protocols.wire import grpc_source
from rtui.protocols.wire.grpc_schema import Schema
from rtui.protocols.wire.grpc_source import compile_protos, import_root, read_protoset

ACME = Path(__file__).parent / "acme"


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def refused(*files: str, imports: tuple[str, ...] = ()) -> tuple[str, str, str]:
    with pytest.raises(Failure) as caught:
        compile_protos(files, imports)
    fault = caught.value.fault
    assert (fault.kind, fault.meta) == ("usage", {"key": "proto"})
    return fault.title, fault.cause, fault.hint


def channels(data: bytes) -> list[str]:
    return [method.channel for method in Schema.from_protoset(data).methods]


class TestImports:
    def test_they_start_from_the_import_paths(self) -> None:
        found = channels(compile_protos(["shop/more.proto"], [str(ACME)]))
        assert "acme.shop.Extras/Put" in found

    def test_without_import_paths_from_the_nearest_folder_that_has_them(self) -> None:
        assert import_root(ACME / "shop" / "order.proto") == ACME
        assert import_root(ACME / "plain.proto") == ACME
        assert import_root(ACME / "ring" / "second.proto") == ACME / "ring"
        assert "ring.a.Ring/Turn" in channels(compile_protos([str(ACME / "ring" / "first.proto")]))

    def test_a_file_that_cannot_be_read_has_its_own_folder(self, tmp_path: Path) -> None:
        assert import_root(tmp_path / "gone.proto") == tmp_path

    def test_a_relative_name_is_looked_for_from_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(ACME)
        assert channels(compile_protos(["plain.proto"])) == ["Plain/Do"]

    def test_google_api_is_there(self, tmp_path: Path) -> None:
        text = """syntax = "proto3"; package p;
        import "google/api/annotations.proto";
        import "google/rpc/status.proto";
        service S {
            rpc M(google.rpc.Status) returns (google.rpc.Status) { option (google.api.http) = {get: "/m"}; }
        }"""
        assert channels(compile_protos([written(tmp_path, "s.proto", text)])) == ["p.S/M"]

    def test_code_in_the_current_folder_is_not_run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        written(tmp_path, "grpc_tools/__init__.py", "")
        written(tmp_path, "grpc_tools/protoc.py", f"open({str(tmp_path / 'ran')!r}, 'w')")
        written(tmp_path, "p.proto", 'syntax = "proto3"; message M {}')
        monkeypatch.chdir(tmp_path)
        compile_protos(["p.proto"])
        assert not (tmp_path / "ran").exists()


class TestErrors:
    def test_file_and_line_are_told(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        path = written(tmp_path, "bad.proto", 'syntax = "proto3";\nmessage M {\n  string a = 1\n  int32 b = 2;\n}\n')
        assert refused(path) == (
            "The .proto files do not compile",
            f'{path}:4:3: Expected ";".',
            "Correct the file",
        )
        assert capfd.readouterr() == ("", "")

    def test_an_import_that_is_not_found_has_its_own_hint(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.proto", 'syntax = "proto3";\nimport "gone.proto";\nmessage M { Gone gone = 1; }\n')
        _, cause, hint = refused(path)
        assert cause.startswith(f'{path}:2:1: Import "gone.proto" was not found')
        assert hint == "Name the folder that imports start from in import_path"

    def test_many_errors_are_cut(self, tmp_path: Path) -> None:
        fields = "".join(f"  Gone{number} f{number} = {number};\n" for number in range(1, 20))
        path = written(tmp_path, "a.proto", f'syntax = "proto3";\nmessage M {{\n{fields}}}\n')
        _, cause, _ = refused(path)
        assert cause.count("is not defined") == grpc_source.SHOWN
        assert cause.endswith(" … and 14 more")

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        name = str(tmp_path / "gone.proto")
        assert refused(name)[:2] == ("The .proto file cannot be read", f"there is no file {name}")

    def test_control_characters_of_a_file_do_not_pass(self, tmp_path: Path) -> None:
        _, cause, _ = refused(written(tmp_path, "a.proto", 'syntax = "proto3";\nmessage \x1b[2J\u202eM {}\n'))
        assert cause.isprintable()

    def test_no_compiler(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "grpc_tools", None)
        monkeypatch.setenv("PATH", "")
        title, cause, hint = refused(str(ACME / "plain.proto"))
        assert title == "No compiler for .proto files"
        assert cause == "grpcio-tools is not installed, and there is no protoc"
        assert "rtui[protos]" in hint

    def test_a_protoc_of_the_system_does_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script = Path(written(tmp_path, "protoc", f'#!/bin/sh\nexec "{sys.executable}" -m grpc_tools.protoc "$@"\n'))
        script.chmod(0o755)
        monkeypatch.setattr(grpc_source, "find_spec", lambda name: None)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        assert channels(compile_protos([str(ACME / "plain.proto")])) == ["Plain/Do"]

    def test_a_compiler_that_cannot_be_run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script = Path(written(tmp_path, "protoc", "#!/no/such/shell\n"))
        script.chmod(0o755)
        monkeypatch.setattr(grpc_source, "find_spec", lambda name: None)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert refused(str(ACME / "plain.proto"))[1] == f"{script}: No such file or directory"

    def test_a_compiler_that_does_not_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script = Path(written(tmp_path, "protoc", "#!/bin/sh\nexec sleep 60\n"))
        script.chmod(0o755)
        monkeypatch.setattr(grpc_source, "find_spec", lambda name: None)
        monkeypatch.setattr(grpc_source, "PATIENCE", 0.2)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        assert refused(str(ACME / "plain.proto"))[1] == "protoc did not end within 0.2 s"


class TestProtoset:
    def test_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "acme.protoset"
        path.write_bytes(compile_protos([str(ACME / "plain.proto")]))
        assert channels(read_protoset(str(path))) == ["Plain/Do"]

    def test_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        for path, why in ((tmp_path, "Is a directory"), (tmp_path / "gone", "No such file or directory")):
            with pytest.raises(Failure) as caught:
                read_protoset(str(path))
            assert caught.value.fault.cause == f"{path}: {why}"

    @pytest.mark.parametrize(("more", "is_fine"), [(-1, True), (0, True), (1, False)])
    def test_its_size_is_limited(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, is_fine: bool
    ) -> None:
        monkeypatch.setattr(grpc_source, "LARGEST", 100)
        path = Path(written(tmp_path, "x.protoset", "x" * (100 + more)))
        if is_fine:
            assert len(read_protoset(str(path))) == 100 + more
            return
        with pytest.raises(Failure, match="The descriptor set is too large"):
            read_protoset(str(path))
