"""The commands are read back by a real shell: what grpcurl would get is what is checked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.protocols.grpc import Options, Outgoing
from rtui.protocols.wire import grpc_shell
from rtui.protocols.wire.grpc_shell import grpcurl

ACME = Path(__file__).parent / "acme"
PLAIN = "grpc://127.0.0.1:5000"
CHANNEL = "p.S/M"
CANARY = "cánary-'$(x)\"-4711"

pytestmark = pytest.mark.skipif(not shutil.which("sh"), reason="needs a POSIX shell")


def words(command: str, environment: dict[str, str] | None = None) -> list[str]:
    """What a shell makes of the arguments; standard input last, if there is any."""
    script = f"grpcurl() {{ printf '%s\\0' \"$@\"; case \" $* \" in *' -d @ '*) cat;; esac; }}\n{command}"
    known = {"PATH": "/usr/bin:/bin", **(environment or {})}
    done = subprocess.run(["sh", "-c", script], env=known, capture_output=True, check=True)
    assert done.stderr == b""
    return (
        done.stdout.decode().split("\0")[:-1] if not done.stdout.endswith(b"\n") else done.stdout.decode().split("\0")
    )


def command(payload: bytes = b"", url: str = PLAIN, outgoing: Outgoing | None = None, **options: Any) -> str:
    return grpcurl(url, Options(**options), CHANNEL, payload, outgoing)


def test_the_least() -> None:
    assert command() == "grpcurl -plaintext 127.0.0.1:5000 p.S/M"


def test_a_request() -> None:
    assert command(b'{ "name": "x",\n "n": 9007199254740993.10 }') == (
        """grpcurl -plaintext -d '{"name":"x","n":9007199254740993.10}' 127.0.0.1:5000 p.S/M"""
    )


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("grpc://host", "host:80"),
        ("grpcs://host", "host:443"),
        ("grpcs://user@host:1/p.S/M", "host:1"),
        ("grpc://[::1]:5000", "[::1]:5000"),
    ],
)
def test_host_and_port(url: str, place: str) -> None:
    assert words(command(url=url))[-2:] == [place, CHANNEL]


def test_tls() -> None:
    told = words(
        command(url="grpcs://h", ca="my ca.pem", cert="c.pem", key="k.pem", server_name="other", insecure=True)
    )
    assert told == [
        *("-insecure", "-cacert", "my ca.pem", "-cert", "c.pem", "-key", "k.pem", "-servername", "other"),
        *("h:443", CHANNEL),
    ]


def test_one_file_may_hold_certificate_and_key() -> None:
    assert words(command(url="grpcs://h", cert="both.pem"))[:4] == ["-cert", "both.pem", "-key", "both.pem"]


def test_grpcurl_refuses_two_names() -> None:
    told = words(command(url="grpcs://h", server_name="one", authority="two"))
    assert "-servername" not in told
    assert told[:2] == ["-authority", "two"]


def test_limits() -> None:
    told = words(command(deadline=1.5, keep_alive=60, max_message=32 * 1024**2, emit_defaults=True))
    assert told[1:-2] == ["-max-time", "1.5", "-keepalive-time", "60", "-max-msg-sz", "33554432", "-emit-defaults"]
    assert words(command(outgoing=Outgoing(deadline=0.25), deadline=1.5))[1:3] == ["-max-time", "0.25"]


def test_schemas() -> None:
    assert words(command(protoset="a b.pb"))[1:3] == ["-protoset", "a b.pb"]
    told = words(command(proto=["shop/order.proto"], import_path=["protos", "more"]))
    assert told[1:-2] == ["-import-path", "protos", "-import-path", "more", "-proto", "shop/order.proto"]


def test_without_import_paths_grpcurl_is_told_where_imports_start() -> None:
    file = str(ACME / "shop" / "order.proto")
    assert words(command(proto=[file]))[1:-2] == ["-import-path", str(ACME), "-proto", file]


def test_metadata_of_the_call_goes_before_that_of_the_connection() -> None:
    outgoing = Outgoing(metadata={"X-Tenant": "b"})
    told = words(command(outgoing=outgoing, metadata={"x-tenant": "a", "x-trace-bin": "AAEC"}))
    assert told[1:-2] == ["-H", "x-tenant: b", "-H", "x-trace-bin: AAEC"]


class TestSecrets:
    def test_a_token(self) -> None:
        made = command(token=CANARY)
        assert CANARY not in made
        assert words(made, {"TOKEN": "t 1"})[1:3] == ["-H", "authorization: Bearer t 1"]

    @pytest.mark.parametrize("url", [PLAIN, "grpc://us%20er:c4nary@127.0.0.1:5000"])
    def test_a_password(self, url: str) -> None:
        name, password = ("", "") if "@" in url else ("us er", "c4nary")
        made = command(url=url, username=name, password=password)
        assert "c4nary" not in made
        assert words(made, {"PASSWORD": "pa'ss"})[1:3] == ["-H", "authorization: Basic dXMgZXI6cGEnc3M="]

    @pytest.mark.parametrize(
        ("name", "value", "variable", "kept"),
        [
            ("authorization", f"Bearer {CANARY}", "AUTHORIZATION", "Bearer "),
            ("authorization", CANARY, "AUTHORIZATION", ""),
            ("x-api-key", CANARY, "X_API_KEY", ""),
            ("x-token-bin", "QUJD", "X_TOKEN_BIN", ""),
            ("Cookie", f"a={CANARY}", "COOKIE", ""),
        ],
    )
    def test_metadata_named_like_credentials(self, name: str, value: str, variable: str, kept: str) -> None:
        made = command(outgoing=Outgoing(metadata={name: value}), token="t0ken")
        assert value not in made
        assert CANARY not in made
        told = words(made, {variable: "s3", "TOKEN": "t0ken"})
        assert f"{name.lower()}: {kept}s3" in told

    def test_metadata_goes_before_the_token(self) -> None:
        assert "$TOKEN" not in command(token="t", metadata={"Authorization": "Bearer x"})


def test_a_long_request_comes_by_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_shell, "LONGEST", 20)
    assert words(command(b'{"text":"it\'s $HOME `x`"}'))[1:] == [
        *("-d", "@", "127.0.0.1:5000", CHANNEL),
        '{"text":"it\'s $HOME `x`"}\n',
    ]
    assert '-d \'{"text":"012345678"}\'' in command(b'{"text":"012345678"}')


def test_what_is_no_json_cannot_steer_the_terminal_it_is_pasted_into() -> None:
    made = command(b'{"a": \x1b]52;c;eA==\x07\r\nrm -rf\x00')
    assert made.isprintable()


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(TEXTS, TEXTS)
def test_the_shell_gives_on_what_was_written(value: str, text: str) -> None:
    payload = msgspec.json.encode({"text": text})
    told = words(command(payload, metadata={"x-note": value}))
    assert told == ["-plaintext", "-H", f"x-note: {value}", "-d", payload.decode(), "127.0.0.1:5000", CHANNEL]
