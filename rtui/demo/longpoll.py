"""The embedded server for polling once more, at an address that says how it wants to be asked."""

from __future__ import annotations

from functools import partial
from typing import Final

from rtui.demo import polling

PATHS: Final = polling.PATHS
serve: Final = partial(polling.serve, scheme="longpoll+http")
