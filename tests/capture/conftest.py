from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rtui.capture.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal.create(tmp_path / "run.rtui")
    yield made
    made.close()
