from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from rtui.capture.journal import Journal
from rtui.core.backoff import Policy
from rtui.core.record import Record
from rtui.runtime.hub import Connection, Hub
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session
from rtui.settings.template import Renderer
from tests.runtime.scripted import Attempt, Scripted

QUICK = Policy(first_delay=0.01, max_delay=0.02)


class Stage:
    """A hub over a real capture, with scripted peers and a list of every record stored."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.records: list[Record] = []
        self.secrets = Secrets()
        self.renderer = Renderer({}, {}, self.secrets)
        self.adapters: list[Scripted] = []
        journal.taps.append(self.records.extend)
        self._next: Scripted | None = None
        self.hub = Hub(journal, find=self._find)

    def _find(self, url: str, protocol: str | None) -> tuple[Callable[[], Scripted], str]:
        made = self._next
        assert made is not None
        return lambda: made, url

    def play(
        self, *attempts: Attempt, policy: Policy = QUICK, retry_first: bool = True, session: Session | None = None
    ) -> Connection:
        self._next = Scripted(*attempts)
        self.adapters.append(self._next)
        session = session or Session(name="stage", url="scripted://peer", reconnect=policy)
        return self.hub.open(session, self.secrets, self.renderer, retry_first=retry_first)

    @property
    def words(self) -> list[str]:
        from rtui.core.record import Kind

        return [Kind(record.kind).word for record in self.records]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    journal = Journal.create(tmp_path / "capture.rtui")
    stage = Stage(journal)
    try:
        yield stage
    finally:
        await stage.hub.close_all(0.2)
        journal.close()
