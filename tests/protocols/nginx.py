"""Debian's nginx on loopback, for tests: a reverse proxy that nobody here wrote, before a peer of the test's own."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import trustme

from tests.port import reserved
from tests.waiting import PATIENCE, eventually

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
USER, PASSWORD = "alice", "wonderland-42"
IDLE = 0.4
"""Seconds after which a proxied stream that says nothing is cut, below /idle/."""
KEPT = 0.2
"""Seconds that a connection is kept for the next request."""
PORTS = ("http", "https", "mutual", "forward")
"""`https` has HTTP/2; `mutual` wants a client certificate besides; `forward` asks where a request wants to go."""

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
  default_type application/json;
  log_format plain '$msec $status $server_protocol $uri';
  access_log {folder}/access.log plain;
  client_body_temp_path {folder}/temp;
  proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/temp;
  uwsgi_temp_path {folder}/temp;
  scgi_temp_path {folder}/temp;
  keepalive_timeout {kept}ms;
  limit_req_zone $binary_remote_addr zone=polls:1m rate=60r/m;
  limit_req_status 429;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Accept-Encoding "";
  proxy_buffering off;
  gzip_types *;
  gzip_min_length 0;
  gzip_proxied any;
  ssl_certificate {folder}/server.pem;
  ssl_certificate_key {folder}/server.key;
  server {{
    listen 127.0.0.1:{ports[http]};
    listen 127.0.0.1:{ports[https]} ssl http2;
    {places}
  }}
  server {{
    listen 127.0.0.1:{ports[mutual]} ssl http2;
    ssl_client_certificate {folder}/ca.pem;
    ssl_verify_client on;
    {places}
  }}
  server {{
    listen 127.0.0.1:{ports[forward]};
    location / {{ proxy_pass http://$http_host$request_uri; }}
  }}
}}
"""

PLACES = {
    "/": "",
    "/idle/": f"proxy_read_timeout {IDLE * 1000:.0f}ms;",
    "/buffered/": "proxy_buffering on; gzip on;",
    "/gzip/": "gzip on;",
    "/private/": "auth_basic 'the inner room'; auth_basic_user_file {folder}/passwords;",
    "/limited/": "limit_req zone=polls; add_header Retry-After 1 always;",
}
"""What is special below each path; all lead to the peer."""
OWN = """
    location /files/ {{ alias {folder}/files/; }}
    location = /moved {{ return 302 /there; }}
    location = /round {{ return 302 /round; }}
"""
"""What nginx answers by itself."""


class Answer(NamedTuple):
    """One line of the access log."""

    time: float
    """Seconds since the Unix epoch."""
    status: int
    version: str
    path: str


@dataclass
class Nginx:
    """Where it listens (`ports` by the names of `PORTS`), and `upstream`, the port of the peer behind it."""

    folder: Path
    authority: trustme.CA
    upstream: int
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def url(self, protocol: str, path: str = "/", port: str = "http", userinfo: str = "") -> str:
        scheme = "http" if port == "http" else "https"
        return f"{protocol}+{scheme}://{userinfo}localhost:{self.ports[port]}{path}"

    @property
    def trust(self) -> dict[str, Any]:
        return {"ca": str(self.folder / "ca.pem")}

    @property
    def certificate(self) -> dict[str, Any]:
        return {"cert": str(self.folder / "client.pem"), "key": str(self.folder / "client.key")}

    @property
    def answers(self) -> list[Answer]:
        """What it has answered, as its access log has it: a stream appears when it ends."""
        lines = (line.split(" ", 3) for line in (self.folder / "access.log").read_text().splitlines())
        return [Answer(float(time), int(status), version, path) for time, status, version, path in lines]

    async def start(self) -> None:
        """Until it answers."""
        self._start()
        await eventually(lambda: (self.folder / "pid").exists() or not self.alive)
        assert self.alive, (self.folder / "error.log").read_text()[-500:]

    def _start(self) -> None:
        assert PROGRAM
        log = self.folder / "error.log"
        self.process = subprocess.Popen([PROGRAM, "-e", str(log), "-c", str(self.folder / "conf")])

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self.process.wait, PATIENCE)
            self.process = None
            (self.folder / "pid").unlink(missing_ok=True)


@asynccontextmanager
async def nginx(folder: Path, upstream: int) -> AsyncIterator[Nginx]:
    made = Nginx(folder, trustme.CA(), upstream)
    _write_files(made)
    with ExitStack() as ports:
        made.ports = {name: ports.enter_context(reserved()) for name in PORTS}
        (folder / "conf").write_text(_configuration(made))
        try:
            await made.start()
            yield made
        finally:
            await made.stop()


def _configuration(made: Nginx) -> str:
    proxied = "".join(
        f"location {path} {{{{ {special} proxy_pass http://127.0.0.1:{made.upstream}/; }}}}\n"
        for path, special in PLACES.items()
    )
    places = (proxied + OWN).format(folder=made.folder)
    return CONFIGURATION.format(folder=made.folder, ports=made.ports, places=places, kept=round(KEPT * 1000))


def _write_files(made: Nginx) -> None:
    folder = made.folder
    for name in ("temp", "files"):
        (folder / name).mkdir()
    (folder / "passwords").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    made.authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name, identity in (("server", "localhost"), ("client", "device-1")):
        issued = made.authority.issue_cert(identity, "127.0.0.1")
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        (folder / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
