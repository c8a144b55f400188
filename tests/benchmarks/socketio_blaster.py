"""A Socket.IO server that costs nothing: N events that were encoded beforehand, then the goodbye.

    http://127.0.0.1:PORT/?n=100000      n events `tick` of about 120 bytes of JSON, over WebSocket (Engine.IO 4)

Runs as a process of its own. For each connection it prints one JSON line: seconds from the first event until the client
went away, which every client does when the server puts it out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import socketserver
import time
from urllib.parse import parse_qs, urlsplit

from tests.benchmarks.blaster import BLOCK, GUID, Server, frame, message

OPEN = b'0{"sid":"e","upgrades":[],"pingInterval":60000,"pingTimeout":60000,"maxPayload":1000000}'
EVENTS = [frame(b'42["tick",' + message(number) + b"]") for number in range(BLOCK)]
WHOLE = b"".join(EVENTS)


def drain(client: socket.socket) -> None:
    """Read until the client's close frame, or the end. What clients say here is shorter than 126 bytes, and masked."""
    data = b""
    while piece := client.recv(65_536):
        data += piece
        while len(data) >= 2 and len(data) >= (size := 6 + (data[1] & 0x7F)):
            if data[0] & 0x0F == 8:
                return
            data = data[size:]


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        client: socket.socket = self.request
        count = self._shake_hands(client)
        if count is None:
            return
        client.sendall(frame(OPEN))
        client.recv(65_536)  # CONNECT of the default namespace
        client.sendall(frame(b'40{"sid":"s"}'))
        began = time.monotonic()
        client.settimeout(120)
        try:
            for _ in range(count // BLOCK):
                client.sendall(WHOLE)
            client.sendall(b"".join(EVENTS[: count % BLOCK]) + frame(b"41"))
            drain(client)
        except ConnectionError:
            pass
        print(json.dumps({"n": count, "seconds": time.monotonic() - began}), flush=True)

    def _shake_hands(self, client: socket.socket) -> int | None:
        """How many events are wanted; None if it is no WebSocket."""
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(65_536)
            if not piece:
                return None
            head += piece
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + GUID).digest())  # noqa: S324
        client.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        return int(parse_qs(urlsplit(lines[0].split(" ")[1]).query).get("n", ["1000"])[0])


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Handler) as server:
        print(json.dumps({"port": server.server_address[1]}), flush=True)
        server.serve_forever()
