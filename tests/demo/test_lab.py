from __future__ import annotations

import shutil
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from rtui.core.fault import Failure
from rtui.demo import lab


async def test_every_server_is_announced_and_answers() -> None:
    told: list[dict[str, Any]] = []
    running = await lab.serve(port_base=0, announce=told.append)
    try:
        assert [each["protocol"] for each in told] == list(lab.OFFSETS)
        schemes = [each["url"].partition("://")[0] for each in told]
        assert schemes == ["ws", "sse+http", "poll+http", "longpoll+http", "socketio+http", "grpc", "mqtt"]
        async with connect(told[0]["url"] + "/echo", proxy=None) as client:
            await client.send("hi")
            assert await client.recv() == "hi"
    finally:
        await running.close()


async def test_a_taken_default_port_is_replaced_but_a_chosen_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        base = port - lab.OFFSETS["websocket"]
        with pytest.raises(Failure) as caught:
            await lab.serve(["websocket"], port_base=base)
        assert str(port) in caught.value.fault.title
        monkeypatch.setattr(lab, "PORT_BASE", base)
        told: list[dict[str, Any]] = []
        running = await lab.serve(["websocket"], announce=told.append)
        await running.close()
        assert not told[0]["url"].endswith(f":{port}")


async def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(Failure) as caught:
        await lab.serve(["gopher"])
    assert "gopher" in caught.value.fault.title


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
async def test_tls_has_an_authority_that_can_be_trusted() -> None:
    told: list[dict[str, Any]] = []
    running = await lab.serve(port_base=0, tls=True, announce=told.append)
    try:
        schemes = [each["url"].partition("://")[0] for each in told]
        assert schemes == ["wss", "sse+https", "poll+https", "longpoll+https", "socketio+https", "grpcs", "mqtts"]
        context = ssl.create_default_context(cafile=told[0]["ca"])
        async with connect(told[0]["url"] + "/echo", ssl=context, proxy=None) as client:
            await client.send("hi")
            assert await client.recv() == "hi"
    finally:
        await running.close()
    assert not exists(told[0]["ca"])


async def test_without_openssl_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(Failure) as caught:
        await lab.serve(port_base=0, tls=True)
    assert "openssl" in caught.value.fault.title


def exists(path: str) -> bool:
    return Path(path).exists()
