"""Recordings are read as they were taken down."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtui.core.event import Closed, Notice, Offer, Offered, Opened, Received, Sent
from rtui.core.fault import Fault
from rtui.core.record import Kind
from tests.pictures import recording
from tests.pictures.recording import Asked, Recording, Step, load, save

TAKEN = Recording(
    "x",
    1_767_268_800_000_000_000,
    [
        Step(0.1, Opened(details={"remote": "127.0.0.1:18830"})),
        Step(0.2, Offered((Offer(channel="a.B/C", kind="unary", template="{}"),))),
        Step(0.3, Received("a", '{"v": "ü"}'.encode(), meta={"qos": 1})),
        Step(0.4, Received("a", b"\xff\x00", Kind.PING, replies_to=3, settles=True)),
        Step(0.5, Notice(text="no", fault=Fault(kind="busy", side="them", title="Busy"))),
        Step(0.6, Asked(4)),
        Step(0.7, Sent(4, "", b"")),
        Step(0.8, Asked(5)),
        Step(0.9, Closed(by="them", clean=True, reason="done")),
    ],
)


def test_what_was_saved_is_loaded_with_the_usual_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    elsewhere = TAKEN._replace(steps=[Step(0.1, Opened(details={"remote": "127.0.0.1:4711"})), *TAKEN.steps[1:]])
    save(elsewhere, {"mqtt": "mqtt://127.0.0.1:4711"})
    assert load("x") == TAKEN
    assert '"text":"{\\"v\\": \\"ü\\"}"' in (tmp_path / "x.jsonl").read_text(encoding="utf-8"), "it can be read"


def test_what_was_asked_for_is_told_apart() -> None:
    assert TAKEN.watched == TAKEN.steps[:5]
    assert TAKEN.reactions == [(TAKEN.steps[5], TAKEN.steps[6:7]), (TAKEN.steps[7], TAKEN.steps[8:])]
