from __future__ import annotations

import subprocess
import sys

import pytest

from rtui.core.fault import Failure
from rtui.protocols import registry


@pytest.mark.parametrize(
    ("given", "protocol", "normal"),
    [
        ("ws://host/path?q=1", None, "ws://host/path?q=1"),
        ("WSS://host", None, "wss://host"),
        ("localhost:8080/x", None, "ws://localhost:8080/x"),
        ("host:443", None, "wss://host:443"),
        ("http://host/x", "websocket", "ws://host/x"),
        ("https://host/x", "websocket", "wss://host/x"),
        ("host", "websocket", "ws://host"),
        (" ws://[::1]:80/ ", None, "ws://[::1]:80/"),
    ],
)
def test_a_url_finds_its_adapter(given: str, protocol: str | None, normal: str) -> None:
    found, url = registry.for_url(given, protocol)
    assert (found.name, url) == ("websocket", normal)


@pytest.mark.parametrize(
    "url", ["wss//x y", "ws://", "ws://host:notaport", "ws://ho\nst", "ftp://host", "ws://[::1", "mqtt:/x"]
)
def test_a_bad_url_is_a_usage_fault(url: str) -> None:
    with pytest.raises(Failure) as caught:
        registry.for_url(url)
    assert caught.value.fault.kind == "usage"
    assert caught.value.fault.hint


def test_plain_http_asks_for_the_protocol() -> None:
    with pytest.raises(Failure) as caught:
        registry.for_url("https://host/x")
    assert caught.value.fault.title == "The protocol is not clear"
    assert "sse+https://" in caught.value.fault.hint
    assert "wss" not in caught.value.fault.hint


@pytest.mark.parametrize(
    ("url", "names"),
    [
        (" HTTP://host/x", ["socketio", "sse", "polling", "longpoll"]),
        ("https://host", ["socketio", "sse", "polling", "longpoll"]),
        ("ws://host", []),
        ("host:80", []),
        ("gopher://host", []),
    ],
)
def test_the_protocols_that_plain_http_may_carry(url: str, names: list[str]) -> None:
    assert registry.carried_by(url) == names


def test_a_scheme_without_its_slashes_is_no_host() -> None:
    with pytest.raises(Failure) as caught:
        registry.for_url("mqtt:broker/topic")
    assert "mqtt://" in caught.value.fault.hint
    assert registry.for_url("mqtt:1883")[1] == "ws://mqtt:1883"


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(Failure) as caught:
        registry.adapter("websokcet")
    assert "websocket?" in caught.value.fault.hint


def test_every_built_in_agrees_with_its_declaration() -> None:
    for name, (_, schemes) in registry.BUILT_IN.items():
        found = registry.adapter(name)
        assert (found.name, found.schemes) == (name, schemes)


def test_finding_an_adapter_imports_no_library() -> None:
    code = (
        "import sys; from rtui.protocols import registry; registry.for_url('ws://x'); registry.names();"
        "sys.exit(any(name in sys.modules for name in ('websockets', 'asyncio', 'ssl')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
