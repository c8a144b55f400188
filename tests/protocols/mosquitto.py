"""Debian's mosquitto on loopback, for tests: a broker that nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from tests.port import reserved
from tests.waiting import PATIENCE, eventually

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
USER, PASSWORD = "alice", "wonderland-42"
"""The user of the port with passwords; `guest` may do nothing there."""
PLUGIN = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)
"""Refuses in SUBACK what an access list only does not deliver."""
ALLOWED = ("subscribePattern", "publishClientSend")
STRICT = {
    "defaultACLAccess": {"publishClientSend": False, "publishClientReceive": True, "subscribe": False},
    "groups": [{"groupname": "everybody", "roles": [{"rolename": "open"}]}],
    "anonymousGroup": "everybody",
    "roles": [
        {"rolename": "open", "acls": [{"acltype": kind, "topic": "open/#", "allow": True} for kind in ALLOWED]},
    ],
}
"""For `PLUGIN`: whoever comes may use what is below open/."""
RULES = f"""
user {USER}
topic readwrite open/#
topic read $SYS/#
topic read secret/#
"""


@dataclass
class Broker:
    """Where it listens: `ports` by scheme, plus `password` and `mutual` (TLS that wants a client certificate)."""

    folder: Path
    authority: trustme.CA
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def url(self, scheme: str = "mqtt", port: str = "", topic: str = "") -> str:
        return f"{scheme}://localhost:{self.ports[port or scheme]}/{topic}"

    @property
    def ca(self) -> str:
        return str(self.folder / "ca.pem")

    @property
    def certificate(self) -> dict[str, Any]:
        return {"cert": str(self.folder / "client.pem"), "key": str(self.folder / "client.key")}

    async def start(self) -> None:
        """Until it says that every port is open."""
        before = self._runs()
        self._start()
        await eventually(lambda: self._runs() > before or not self.alive)
        assert self.alive, (self.folder / "log").read_text()[-500:]

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _runs(self) -> int:
        log = self.folder / "log"
        return log.read_bytes().count(b" running") if log.exists() else 0

    def _start(self) -> None:
        assert PROGRAM
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([PROGRAM, "-c", str(self.folder / "conf")], stdout=log, stderr=log)
        log.close()

    def send_signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.send_signal(signal.SIGCONT)
            self.send_signal(number)
            await asyncio.to_thread(self.process.wait, PATIENCE)
            self.process = None


@asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[Broker]:
    made = Broker(folder, trustme.CA())
    with ExitStack() as ports:
        for name in ("mqtt", "mqtts", "mqtt+ws", "mqtt+wss", "password", "mutual"):
            made.ports[name] = ports.enter_context(reserved())
        _write_files(made)
        async with running(made):
            yield made


@asynccontextmanager
async def strict_broker(folder: Path) -> AsyncIterator[Broker]:
    """One that says no to everything but open/#, as `STRICT` has it."""
    with reserved() as port:
        made = Broker(folder, trustme.CA(), {"mqtt": port})
        (folder / "rules").write_text(json.dumps(STRICT))
        (folder / "conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
            f"plugin {PLUGIN}\nplugin_opt_config_file {folder}/rules\n"
        )
        async with running(made):
            yield made


@asynccontextmanager
async def running(made: Broker) -> AsyncIterator[None]:
    """From its start until it has ended, whoever ends it."""
    try:
        await made.start()
        yield
    finally:
        await made.stop()


def _write_files(made: Broker) -> None:
    folder = made.folder
    made.authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name, identity in (("server", "localhost"), ("client", "device-1")):
        issued = made.authority.issue_cert(identity, "127.0.0.1")
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        (folder / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    passwords = folder / "passwords"
    passwords.write_text(f"{USER}:{PASSWORD}\n")
    passwords.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
    (folder / "rules").write_text(RULES)
    (folder / "conf").write_text(_configuration(made))


def _configuration(made: Broker) -> str:
    tls = f"certfile {made.folder}/server.pem\nkeyfile {made.folder}/server.key\ncafile {made.folder}/ca.pem\n"
    kinds = {
        "mqtt": "allow_anonymous true\n",
        "mqtts": "allow_anonymous true\n" + tls,
        "mqtt+ws": "allow_anonymous true\nprotocol websockets\n",
        "mqtt+wss": "allow_anonymous true\nprotocol websockets\n" + tls,
        "password": f"allow_anonymous false\npassword_file {made.folder}/passwords\nacl_file {made.folder}/rules\n",
        "mutual": "allow_anonymous true\nrequire_certificate true\n" + tls,
    }
    lines = ["per_listener_settings true\nmax_queued_messages 100000\nmax_inflight_messages 1000\nuser root\n"]
    lines += [f"listener {made.ports[name]} 127.0.0.1\n{text}" for name, text in kinds.items()]
    return "".join(lines)
