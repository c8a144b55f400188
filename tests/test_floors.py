"""What an import drags in, seen from a fresh interpreter: import-linter reads the source, this looks at the result."""

from __future__ import annotations

import importlib.util
import json
import pkgutil
import subprocess
import sys

import pytest

import rtui
from tests.waiting import PATIENCE

FRONT = ("textual", "rich")
LIBRARIES = (
    "websockets",
    "python_socks",
    "socketio",
    "engineio",
    "aiohttp",
    "httpx",
    "httpx_sse",
    "httpcore",
    "httptools",
    "h2",
    "brotli",
    "anyio",
    "aiomqtt",
    "paho",
    "grpclib",
    "grpc",
    "grpc_tools",
    "google",
    "multidict",
)
NAMES = ("registry", "websocket", "socketio", "mqtt", "sse", "polling", "grpc")
PROTOCOLS = tuple(f"rtui.protocols.{name}" for name in NAMES)
LOWER = (
    "rtui.core",
    "rtui.protobuf",
    "rtui.encoding",
    "rtui.settings",
    "rtui.capture",
    "rtui.payloads",
    "rtui.protocols",
)


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a new interpreter after it ran `code`."""
    report = (
        "import sys, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.strip().splitlines()[-1]))


def lower_modules() -> list[str]:
    found = (module.name for module in pkgutil.walk_packages(rtui.__path__, "rtui.", onerror=lambda _: None))
    # A `writer` or other program module is safe to import: it acts only under `__main__`.
    return sorted(name for name in found if name.startswith(LOWER))


def test_the_package_itself_is_light() -> None:
    assert not loaded_by("import rtui") & {*FRONT, *LIBRARIES, "asyncio", "msgspec", "sqlite3"}


def test_help_is_light() -> None:
    if importlib.util.find_spec("rtui.cli.main") is None:
        pytest.skip("the command line is not in this tree")
    code = (
        "import sys, runpy\n"
        "sys.argv = ['rtui', '--help']\n"
        "try: runpy.run_module('rtui', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code, end.code"
    )
    assert not loaded_by(code) & {*FRONT, *LIBRARIES, "asyncio"}


def test_the_first_paint_waits_for_no_late_pane() -> None:
    late = [f"rtui.workbench.widgets.{name}" for name in ("composer", "filterbar", "message", "tree")]
    late += ["rtui.workbench.panes.sidebar", "rtui.workbench.screens.dialog", "rtui.workbench.screens.form"]
    loaded_by(f"import sys, rtui.workbench.app; assert (late := set(sys.modules) & set({late})) == set(), late")


def test_without_a_word_no_protocol_is_asked_for_its_flags() -> None:
    code = "import sys, rtui.cli.open; rtui.cli.open.open_.make_context('open', [])\n"
    loaded_by(f"{code}assert (asked := set(sys.modules) & set({PROTOCOLS[1:]})) == set(), asked")


def test_the_detector_detects() -> None:
    assert "asyncio" in loaded_by("import asyncio")


@pytest.mark.parametrize("name", LOWER)
def test_the_lower_floors_know_no_front_end(name: str) -> None:
    modules = [module for module in lower_modules() if module == name or module.startswith(name + ".")]
    assert not loaded_by("\n".join(f"import {module}" for module in modules)) & set(FRONT)


@pytest.mark.parametrize("name", ["core", "settings", "capture", "payloads"])
def test_the_first_floors_know_no_protocol_library(name: str) -> None:
    modules = [module for module in lower_modules() if module.startswith(f"rtui.{name}")]
    assert not loaded_by("\n".join(f"import {module}" for module in modules)) & set(LIBRARIES)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_library_waits_until_a_link_opens(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not in this tree")
    assert not loaded_by(f"import {name}") & {*FRONT, *LIBRARIES}
