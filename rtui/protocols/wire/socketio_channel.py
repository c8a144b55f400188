"""Which channels a namespace brings: `/chat,news` is the event `news` of `/chat`, `news` that of the default one."""

from __future__ import annotations

from collections.abc import Callable

from rtui.capture.quote import quoted
from rtui.protocols.wire.socketio_packet import place


def matcher(namespace: str) -> Callable[[str], bool]:
    """Tells whether a channel is an event of `namespace`."""
    return lambda channel: place(channel)[0] == namespace


def expression(namespace: str) -> str:
    """The display filter for what `matcher` knows."""
    own = f"ch:{quoted(f'{namespace},*')}"
    return own if namespace != "/" else f'({own} or not ch:"/*,*")'
