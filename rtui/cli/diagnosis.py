"""What `rtui doctor` finds: one function per thing looked at, each saying what is missing and what that costs."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

import msgspec

from rtui.cli.interview import MOUSE, SAMPLES, SYNC, Answers
from rtui.cli.output import HELPLESS
from rtui.settings.paths import user_config, user_state

State = Literal["ok", "less", "bad"]
"""All there; works with something missing; rtui, or a part of it, cannot work."""
Environment = Mapping[str, str]

DEPTHS: Final = {"kitty": 256, "256color": 256, "16color": 16}
"""Colours by the end of TERM, as Rich reads it."""
TRUE_COLOUR: Final = 1 << 24
FEWER: Final = "themes are shown in the nearest colours that there are"
NONE: Final = "nothing is told by colour; signs, words and reverse say the same"
EXTRAS: Final = {
    "socketio2": "Socket.IO servers of version 2 cannot be reached",
    "protos": "gRPC schemas cannot be read from .proto files; reflection and descriptor sets work",
}
"""The optional parts that users choose, and what it costs to be without one."""
_REQUIREMENT: Final = re.compile(r"([\w.-]+)(?:\[[^\]]*\])?([^;]*)(?:;.*extra\s*==\s*['\"]([\w-]+)['\"])?")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    group: str
    name: str
    state: State = "ok"
    value: str
    cost: str = ""
    """What is lost; empty if nothing is."""
    remedy: str = ""


def depth(environment: Environment) -> int:
    """Colours that will be used: 0, 16, 256 or 2^24. NO_COLOR counts even when it is empty, as it does for Textual."""
    from rtui.workbench.output import has_no_colours

    term = environment.get("TERM", "").strip().lower()
    if "NO_COLOR" in environment or term in HELPLESS:
        return 0
    if environment.get("COLORTERM", "").strip().lower() in {"truecolor", "24bit"}:
        return TRUE_COLOUR
    if has_no_colours(term):
        return 0
    return DEPTHS.get(term.rpartition("-")[2], 16)


def colours(environment: Environment) -> Finding:
    """How many, and from which variable that is known."""
    count = depth(environment)
    why = ", ".join(f"{name}={environment[name]}" for name in ("NO_COLOR", "COLORTERM", "TERM") if name in environment)
    state: State = "ok" if count == TRUE_COLOUR or "NO_COLOR" in environment else "less"
    return Finding(
        group="terminal",
        name="colours",
        state=state,
        value=f"{count:,} ({why or 'TERM is not set'})" if count else f"none ({why})",
        cost=""
        if state == "ok"
        else FEWER
        if count
        else "nothing is told by colour; signs, words and reverse say the same",
        remedy="" if state == "ok" else "if the terminal has them all: export COLORTERM=truecolor (SSH drops it)",
    )


def cursor(environment: Environment) -> Finding:
    """Whether there can be a picture at all."""
    term = environment.get("TERM", "")
    if term.strip().lower() not in HELPLESS:
        return Finding(group="terminal", name="cursor", value="can be moved")
    return Finding(
        group="terminal",
        name="cursor",
        state="bad",
        value=f"cannot be moved (TERM={term})",
        cost="the workbench does not open; `rtui tail`, `rtui send` and the other commands work",
        remedy="set TERM to what the terminal is, such as xterm-256color",
    )


def size(columns: int, rows: int) -> Finding:
    """Which panes there is room for. 0 columns: not a terminal."""
    from rtui.workbench.layout import PANES, Layout

    if not columns:
        return Finding(group="terminal", name="size", state="less", value="output is not a terminal")
    layout = Layout()
    layout.resize(columns, rows)
    folded = [pane for pane in PANES if not layout.fits(pane)]
    return Finding(
        group="terminal",
        name="size",
        state="less" if folded else "ok",
        value=f"{columns}×{rows}",
        cost=f"no room beside the log for: {', '.join(folded)}" if folded else "",
        remedy="their keys (f2 … f6) show one at a time" if folded else "",
    )


def spoken(answers: Answers | None, environment: Environment) -> Iterator[Finding]:
    """What only the terminal itself can say."""
    if answers is None or not answers.device:
        why = "not asked: no terminal" if answers is None else "the terminal did not answer"
        yield Finding(
            group="terminal",
            name="answers",
            state="less",
            value=why,
            cost="mouse, synchronised output and the width of characters are not known",
            remedy="run `rtui doctor` in the terminal itself, not in a pipe" if answers is None else "",
        )
        return
    yield mouse(answers, environment)
    yield synchronised(answers)
    yield clipboard(answers)
    yield keyboard(answers)
    yield widths(answers)


def mouse(answers: Answers, environment: Environment) -> Finding:
    """SGR reports, which have no limit of 223 columns."""
    from rtui.cli.look import holds_escape

    if holds_escape(environment):
        return Finding(
            group="terminal",
            name="mouse",
            state="less",
            value="not used: GNU screen would hold `esc` back until the next key",
            cost="no mouse: every action has a key or is in the palette (ctrl+p)",
            remedy="--mouse uses it all the same",
        )
    known = answers.modes.get(MOUSE)
    value = {True: "yes", False: "no", None: "cannot be asked here"}[known]
    cost = "" if known else "no mouse: every action has a key or is in the palette (ctrl+p)"
    if known is None:
        cost = f"perhaps {cost}"
    return Finding(group="terminal", name="mouse", state="ok" if known else "less", value=value, cost=cost)


def synchronised(answers: Answers) -> Finding:
    """DECRQM 2026: a frame appears at once."""
    known = answers.modes.get(SYNC, False)
    return Finding(
        group="terminal",
        name="synchronised output",
        state="ok" if known else "less",
        value="yes" if known else "no",
        cost="" if known else "fast updates may flicker or tear",
        remedy="" if known else "a lower rate is calmer: --fps 10",
    )


def clipboard(answers: Answers) -> Finding:
    """OSC 52 has no answer; some terminals name it among their attributes."""
    if answers.clipboard:
        return Finding(group="terminal", name="clipboard", value="yes (OSC 52)")
    return Finding(
        group="terminal",
        name="clipboard",
        state="less",
        value="not known: OSC 52 is sent, and has no answer",
        cost="if the terminal ignores it, copying does nothing, and rtui cannot tell",
        remedy="copy a row with `y` and paste it; some terminals want OSC 52 allowed in their settings",
    )


def keyboard(answers: Answers) -> Finding:
    """No default key needs more than a legacy terminal sends; keys.toml may: `soundness` tells which."""
    value = "every key told apart" if answers.keyboard else "as of old; the default keys need no more"
    return Finding(group="terminal", name="keyboard", value=value)


def widths(answers: Answers) -> Finding:
    """Whether the terminal and rtui agree on how many cells a character takes."""
    wrong = [f"{SAMPLES[name][0]} {cells}" for name, cells in answers.widths.items() if cells != SAMPLES[name][1]]
    if answers.widths and not wrong:
        return Finding(group="terminal", name="unicode width", value="as counted")
    return Finding(
        group="terminal",
        name="unicode width",
        state="less",
        value=f"cells used otherwise than counted: {', '.join(wrong)}" if wrong else "cannot be asked here",
        cost="columns may be out of line" if wrong else "",
        remedy="--ascii draws rtui's own signs with ASCII only" if wrong else "",
    )


def locale(environment: Environment) -> Finding:
    """What the terminal is told to expect."""
    name = next((environment[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(key)), "")
    fine = "utf8" in name.lower().replace("-", "")
    return Finding(
        group="surroundings",
        name="locale",
        state="ok" if fine else "less",
        value=name or "not set",
        cost="" if fine else "signs and text that is not ASCII may be shown wrongly",
        remedy="" if fine else "export LANG=C.UTF-8, or --ascii",
    )


def ssh(environment: Environment) -> Finding:
    """What is done differently on a line."""
    from rtui.workbench.output import allowance, is_remote
    from rtui.workbench.pump import RATES, top_rate

    if not is_remote(environment):
        return Finding(group="surroundings", name="ssh", value="no")
    rate = f"{allowance(environment) / 1000:.0f} kB/s, {top_rate(RATES[0], environment):.0f} times a second"
    return Finding(
        group="surroundings",
        name="ssh",
        value="yes",
        cost=f"the log is drawn with at most {rate}; nothing is animated, and dialogs do not dim what is behind them",
    )


def tmux(environment: Environment) -> Finding:
    """What stands between, and decides on the clipboard."""
    if "TMUX" not in environment:
        return Finding(group="surroundings", name="tmux", value="no")
    through = _tmux_option("-s", "set-clipboard") == "on" or _tmux_option("-g", "allow-passthrough") in {"on", "all"}
    return Finding(
        group="surroundings",
        name="tmux",
        state="ok" if through else "less",
        value="yes" if through else "yes; it keeps OSC 52 to itself",
        cost="" if through else "what is copied does not reach the clipboard",
        remedy="" if through else "tmux set -s set-clipboard on",
    )


def _tmux_option(scope: str, name: str) -> str:
    try:
        told = subprocess.run(
            ["tmux", "show-options", f"{scope}v", name], capture_output=True, text=True, timeout=2, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()


def editor(environment: Environment) -> Finding:
    """For long messages and for session files."""
    from rtui.settings.config import load_config
    from rtui.workbench.editor import command

    words = command(load_config()[0].editor, environment)
    found = shutil.which(words[0], path=environment.get("PATH")) is not None
    return Finding(
        group="surroundings",
        name="editor",
        state="ok" if found else "less",
        value=" ".join(words) if found else f"{words[0]} is not there",
        cost="" if found else "messages and session files cannot be edited outside rtui",
        remedy="" if found else "export EDITOR=… or set `editor` in config.toml",
    )


def openssl(environment: Environment) -> Finding:
    """Makes the authority of the demo servers."""
    found = shutil.which("openssl", path=environment.get("PATH"))
    return Finding(
        group="surroundings",
        name="openssl",
        state="ok" if found else "less",
        value=found or "not there",
        cost="" if found else "`rtui serve --tls` does not work; connections with TLS do",
        remedy="" if found else "install openssl",
    )


def folder(name: str, path: Path) -> Finding:
    """Whether files can be made in `path`, or it can be made itself. Leaves nothing behind."""
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            return Finding(group="folders", name=name, value=str(path))
    except OSError as error:
        cost = {"state": "nothing can be recorded", "config": "sessions and themes cannot be saved"}[name]
        remedy = f"choose another: export RTUI_{name.upper()}_HOME=…"
        value = f"{path}: {error.strerror}"
        return Finding(group="folders", name=name, state="bad", value=value, cost=cost, remedy=remedy)


def versions() -> Iterator[Finding]:
    """Python, and what rtui is said to need, by its own metadata."""
    yield Finding(group="libraries", name="python", value=f"{platform.python_version()} ({sys.executable})")
    try:
        requirements = metadata.requires("rtui") or []
    except metadata.PackageNotFoundError:
        yield Finding(group="libraries", name="rtui", state="less", value="not installed: its needs are not known")
        return
    for requirement in requirements:
        if (parts := _REQUIREMENT.match(requirement)) and (parts[3] is None or parts[3] in EXTRAS):
            yield library(parts[1], parts[2].strip(), parts[3] or "")


def library(name: str, wanted: str, extra: str) -> Finding:
    """One library; those of an `extra` may be missing."""
    group = f"extra {extra}" if extra else "libraries"
    try:
        return Finding(group=group, name=name, value=metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(
            group=group,
            name=name,
            state="less" if extra else "bad",
            value="not installed",
            cost=EXTRAS.get(extra, "parts of rtui do not work"),
            remedy=f"pip install 'rtui[{extra}]'" if extra else f"pip install '{name}{wanted}'",
        )


def examine(answers: Answers | None, columns: int, rows: int, environment: Environment = os.environ) -> list[Finding]:
    """Everything, in the order in which it is told."""
    return [
        cursor(environment),
        colours(environment),
        size(columns, rows),
        *spoken(answers, environment),
        locale(environment),
        ssh(environment),
        tmux(environment),
        editor(environment),
        openssl(environment),
        folder("config", user_config()),
        folder("state", user_state()),
        *versions(),
    ]
