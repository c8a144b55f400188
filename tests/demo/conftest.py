from __future__ import annotations

from collections.abc import Iterator

import pytest

from rtui.demo.mqtt_broker import Broker
from tests.demo.mqtt_hand import HandClock
from tests.port import reserved


@pytest.fixture
def port() -> Iterator[int]:
    """For a server that comes back to where it was."""
    with reserved() as one:
        yield one


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def broker(clock: HandClock) -> Broker:
    """Without sockets, moved by `clock`; see `mqtt_hand`."""
    return Broker(clock)
