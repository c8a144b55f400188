"""An MQTT broker that costs nothing: whoever subscribes to bench/N gets N messages that were encoded beforehand.

Runs as a process of its own. For each subscriber it prints one JSON line: seconds from the first byte until the client
went away, which the clients of the benchmarks do once they have them all.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from typing import TypeVar

from rtui.demo.mqtt_codec import Decoder, encode
from rtui.demo.mqtt_packet import Connack, Connect, Packet, Publish, Suback, Subscribe
from tests.benchmarks.blaster import BLOCK, Server, message

P = TypeVar("P", bound=Packet)


def packets(topic: str, qos: int, version: int) -> list[bytes]:
    """`BLOCK` messages with packet identifiers of their own."""
    return [
        encode(Publish(topic, message(number), qos=qos, packet_id=number + 1 if qos else 0), version)
        for number in range(BLOCK)
    ]


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        client: socket.socket = self.request
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        decoder = Decoder()
        connect = self._next(decoder, Connect)
        client.sendall(encode(Connack(), connect.version))
        wanted = self._next(decoder, Subscribe)
        wish = wanted.wishes[0]
        qos, count = min(wish.qos, 1), int(wish.pattern.rpartition("/")[2])
        client.sendall(encode(Suback(wanted.packet_id, (qos,)), connect.version))
        block = packets(wish.pattern, qos, connect.version)
        gone = threading.Event()
        threading.Thread(target=self._drain, args=(gone,), daemon=True).start()
        began = time.monotonic()
        whole = b"".join(block)
        try:
            for _ in range(count // BLOCK):
                client.sendall(whole)
            client.sendall(b"".join(block[: count % BLOCK]))
        except OSError:
            pass
        gone.wait(120)
        print(json.dumps({"n": count, "seconds": time.monotonic() - began}), flush=True)

    def _next(self, decoder: Decoder, kind: type[P]) -> P:
        while data := self.request.recv(65_536):
            for packet in decoder.feed(data):
                if isinstance(packet, kind):
                    return packet
        raise EOFError

    def _drain(self, gone: threading.Event) -> None:
        """Take acknowledgements until the client ends with DISCONNECT, whose bytes no identifier has here."""
        try:
            while data := self.request.recv(1 << 18):
                if data.endswith(b"\xe0\x00"):
                    break
        except OSError:
            pass
        gone.set()


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Handler) as server:
        print(json.dumps({"port": server.server_address[1]}), flush=True)
        server.serve_forever()
