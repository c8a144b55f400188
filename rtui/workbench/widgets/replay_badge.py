"""What is said of a recording that is played: never to be mistaken for a live connection."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rtui.protocols.wire.replay_place import elapsed, speed_word
from rtui.settings.quantity import format_duration

if TYPE_CHECKING:
    from rtui.protocols.playback import Playback

WORD = "REPLAY"


def badge(playback: Playback) -> str:
    """`REPLAY 00:12 / 01:40 x2`, with a word where it does not go on."""
    if playback.over:
        return f"{WORD} ended · {total(playback)}"
    state = "paused · " if playback.paused else ""
    speed = "" if playback.speed == 1 else f" {speed_of(playback.speed)}"
    return f"{WORD} {state}{elapsed(playback.position - playback.begin)} / {total(playback)}{speed}"


def sign(playback: Playback, ascii_only: bool) -> str:
    """One cell: it goes on, stands, or has ended."""
    if playback.over:
        return "#" if ascii_only else "■"
    if playback.paused:
        return "=" if ascii_only else "‖"
    return ">" if ascii_only else "▶"


def speed_of(speed: float) -> str:
    """`x2`, `x0.5`, `max speed`."""
    return "max speed" if speed == math.inf else f"x{speed_word(speed)}"


def shortened(playback: Playback) -> str:
    """What becomes of silences, if they are shortened."""
    return f" silences up to {format_duration(playback.max_silence)}" if playback.max_silence else ""


def total(playback: Playback) -> str:
    """How long it is."""
    return elapsed(playback.end - playback.begin)
