from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from rtui.core.fault import Fault
from rtui.core.lifecycle import State
from rtui.workbench.widgets.glyph import ASCII, UNICODE
from rtui.workbench.widgets.status import ConnectionHeader, StatusLine, header_pieces, status_pieces
from tests.workbench.widgets.fake import HOSTILE, Host


def connection(**changed: Any) -> Any:
    values = {
        "state": State.OPEN,
        "age": 83.0,
        "retry_in": None,
        "attempt": 0,
        "fault": None,
        "stalled": "",
        "url": "ws://127.0.0.1:1/echo",
        "details": {},
        "rtt": 400_000,
        "adapter": SimpleNamespace(title="WebSocket"),
        "meter": SimpleNamespace(rate=1200.0, history=lambda: [1, 5, 3]),
        "link": SimpleNamespace(options=SimpleNamespace(insecure=False)),
        "faults": frozenset(),
    }
    return SimpleNamespace(**{**values, **changed})


def test_an_open_connection_in_a_line() -> None:
    texts = [text for _, text in header_pieces(connection(), UNICODE)]
    assert texts == ["● open 00:01:23", "ws://127.0.0.1:1/echo", "WebSocket", "rtt 0.4 ms", "1.2k/s ▂█▅"]


def test_trouble_comes_first() -> None:
    fault = Fault(kind="refused", side="network", title="Connection refused", hint="Start the server.")
    waiting = connection(state=State.WAITING, attempt=2, retry_in=3.2, fault=fault)
    texts = [text for _, text in header_pieces(waiting, ASCII)]
    assert texts[:3] == ["@ waiting, attempt 3 in 3 s", "Connection refused", "Start the server."]
    insecure = connection(link=SimpleNamespace(options=SimpleNamespace(insecure=True)), stalled="no pong for 12 s")
    assert [style for style, _ in header_pieces(insecure, ASCII)][1:3] == ["error", "error"]


def test_a_full_disk_is_said() -> None:
    journal = SimpleNamespace(last=1234, backlog=7, lagging=True, trouble="disk is full: 12 messages not stored")
    texts = [text for _, text in status_pieces(journal)]
    assert texts[0] == "disk is full: 12 messages not stored"
    assert "7" in texts[1]
    assert texts[-1] == "1,234 rows recorded"


async def test_lines_are_clean_and_fit() -> None:
    header = ConnectionHeader()
    hostile = connection(url=HOSTILE, stalled=HOSTILE, details={"protocol": HOSTILE})
    async with Host(header).run_test(size=(60, 20)) as pilot:
        header.tick(hostile)
        await pilot.pause()
        strip = header.render_line(0)
        assert strip.text.isprintable()
        assert strip.cell_length == 60


async def test_the_status_line_reports_its_journal() -> None:
    line = StatusLine()
    async with Host(line).run_test(size=(60, 20)) as pilot:
        line.tick(SimpleNamespace(last=5, backlog=0, lagging=False, trouble=""))
        await pilot.pause()
        assert "5 rows recorded" in line.render_line(0).text
