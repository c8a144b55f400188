from __future__ import annotations

import pytest

from rtui.demo.mqtt_broker import Broker
from tests.demo.mqtt_hand import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def broker(clock: HandClock) -> Broker:
    """Without sockets, moved by `clock`; see `mqtt_hand`."""
    return Broker(clock)
