from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import ROOT, Cli, serving
from tests.waiting import PATIENCE

ECHO = """
[[steps]]
send = '{"id": 7, "word": "secret-word"}'
[[steps]]
expect = ".id==7"
capture = { token = ".word" }
[[steps]]
send = '{"again": "{{ token }}"}'
[[steps]]
expect = ".again"
"""
NEVER = '[[steps]]\nsend = "ping"\n[[steps]]\nexpect = ".v==1"\nwithin = "200ms"\n[[steps]]\nsleep = "1m"\n'


def session(cli: Cli, url: str, steps: str, name: str = "s") -> str:
    file = cli.folder / f"{name}.toml"
    file.write_text(f'[session]\nurl = "{url}"\n{steps}', encoding="utf-8")
    return file.name


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a file that is always full")
def test_results_that_cannot_be_written_are_no_success(cli: Cli, server: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = cli.start("check", session(cli, f"{server}/echo", ECHO), stdout=full)
        _, said = ended.communicate()
    assert ended.returncode == 1
    assert "stdout: No space left on device" in said


def told(ended: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_steps_that_pass(cli: Cli, server: str) -> None:
    ended = cli.run("check", session(cli, f"{server}/echo", ECHO), "--json")
    assert (ended.returncode, ended.stderr) == (0, "rtui: 4 of 4 steps passed\n")
    lines = told(ended)
    assert [(one["step"], one["verb"], one["outcome"]) for one in lines] == [
        (1, "send", "passed"),
        (2, "expect", "passed"),
        (3, "send", "passed"),
        (4, "expect", "passed"),
    ]
    assert lines[1]["matched"]["direction"] == "in"
    assert lines[1]["captured"] == {"token": "•••"}


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_are_masked_on_every_surface(cli: Cli, server: str, form: tuple[str, ...]) -> None:
    steps = ECHO + "[[steps]]\nsend = '{\"k\": \"{{ env.APIKEY }}\"}'\n[[steps]]\nexpect = '.never'\nwithin = '100ms'\n"
    name = session(cli, f"{server}/echo", steps)
    ended = cli.run("check", name, "--junit", "j.xml", *form, env={"APIKEY": "open-sesame"})
    assert ended.returncode == 1
    shown = ended.stdout + ended.stderr + (cli.folder / "j.xml").read_text(encoding="utf-8")
    assert "•••" in shown
    assert "open-sesame" not in shown
    # Captured as a token: from then on it is a secret, also where it was no secret yet.
    assert "secret-word" not in ended.stdout.partition("\n")[2]
    assert "secret-word" not in (cli.folder / "j.xml").read_text(encoding="utf-8")


def test_a_secret_that_is_a_word_of_ours_hides_none_of_our_own(cli: Cli, server: str) -> None:
    steps = "[[steps]]\nsend = '{{ env.APIKEY }}'\n[[steps]]\nexpect = 'in'\n"
    ended = cli.run("check", session(cli, f"{server}/echo", steps), "--json", env={"APIKEY": "passed"})
    last = told(ended)[-1]
    assert (last["outcome"], last["matched"]["data"]) == ("passed", "•••")


def test_an_expectation_that_fails_shows_the_nearest_rows(cli: Cli, server: str) -> None:
    # Where the second answer was taken, the first one is there.
    answered = '[[steps]]\nsend = "ping"\n[[steps]]\nsend = "pong"\n[[steps]]\nexpect = "pong"\n'
    name = session(cli, f"{server}/echo", answered + NEVER.removeprefix('[[steps]]\nsend = "ping"\n'))
    ended = cli.run("check", name)
    assert ended.returncode == 1
    assert "No message matched: none in 0.2 s" in ended.stdout
    assert "nearest" in ended.stdout
    assert "ping" in ended.stdout.partition("nearest")[2]
    outcomes = [line.split()[0] for line in ended.stdout.splitlines() if line[0] != " "]
    assert outcomes == ["passed", "passed", "passed", "failed", "skipped"]


def test_junit_counts_what_became_of_the_steps(cli: Cli, server: str) -> None:
    good = session(cli, f"{server}/echo", ECHO, "good")
    bad = session(cli, f"{server}/echo", NEVER.replace('"ping"', '"\\u0001<&>"'), "bad")
    ended = cli.run("check", bad, good, "--junit", "out/j.xml")
    assert ended.returncode == 1
    root = ET.parse(cli.folder / "out" / "j.xml").getroot()  # noqa: S314 - our own
    counts = [(one.get("name"), one.get("tests"), one.get("failures"), one.get("skipped")) for one in root]
    assert counts == [("bad", "3", "1", "1"), ("good", "4", "0", "0")]
    assert [case.get("name") for case in root[0]][1] == "2. expect .v==1"


def test_a_wrong_filter_is_told_with_its_line_before_anything_connects(cli: Cli) -> None:
    name = session(cli, "ws://127.0.0.1:1/", '[[steps]]\nexpect = "kind:nosuch"\n')
    ended = cli.run("check", name)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("s.toml:4: steps[0].expect: ")
    linted = cli.run("sessions", "lint", name)
    assert (linted.returncode, linted.stderr.splitlines()[0]) == (2, ended.stderr.splitlines()[0])


def test_a_session_without_steps(cli: Cli, server: str) -> None:
    ended = cli.run("check", server)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "no steps" in ended.stderr


def test_an_unknown_name_in_a_step(cli: Cli, server: str) -> None:
    name = session(cli, f"{server}/echo", "[[steps]]\nsend = '{{ nobody }}'\n")
    ended = cli.run("check", name, "--json")
    assert (ended.returncode, told(ended)[0]["outcome"]) == (2, "invalid")
    assert "nobody" in ended.stderr


def test_refused(cli: Cli) -> None:
    ended = cli.run("check", session(cli, "ws://127.0.0.1:1/", ECHO), "--json")
    assert ended.returncode == 3
    assert "refused" in ended.stderr
    assert [one["outcome"] for one in told(ended)] == ["unreached", "skipped", "skipped", "skipped"]


def test_lost_in_the_middle(cli: Cli, server: str) -> None:
    steps = '[[steps]]\nsleep = "10ms"\n[[steps]]\nexpect = ".never"\nwithin = "1h"\n'
    ended = cli.run("check", session(cli, f"{server}/drop?after=0.2", steps), "--no-reconnect", "--json")
    assert (ended.returncode, [one["outcome"] for one in told(ended)]) == (4, ["passed", "lost"])


def test_interrupted(cli: Cli, server: str) -> None:
    name = session(cli, f"{server}/echo", '[[steps]]\nsend = "x"\n[[steps]]\nsleep = "1m"\n[[steps]]\nsend = "y"\n')
    process = cli.start("check", name, "--json", "--junit", "j.xml")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    outcomes = [first["outcome"], *(json.loads(line)["outcome"] for line in rest.splitlines())]
    assert outcomes == ["passed", "interrupted", "skipped"]
    assert ET.parse(cli.folder / "j.xml").getroot()[0].get("errors") == "1"  # noqa: S314 - our own


def test_a_reader_that_leaves_ends_it_quietly(cli: Cli, server: str) -> None:
    # However late this reader leaves, something is still to be printed.
    name = session(cli, f"{server}/echo", '[[steps]]\nsend = "x"\n' * 3 + '[[steps]]\nsleep = "300ms"\n' * 400)
    process = cli.start("check", name)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize(("protocol", "name"), [("websocket", "echo"), ("socketio", "rooms"), ("grpc", "calls")])
def test_the_samples_pass_against_the_embedded_servers(cli: Cli, protocol: str, name: str) -> None:
    lines = (ROOT / "sessions" / "demo" / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    with serving(protocol, cli.folder) as url:
        port = url.rpartition(":")[2]
        moved = [
            line.replace(line.split(":")[2].split("/")[0], port) if line.startswith("url") else line for line in lines
        ]
        Path(cli.folder / "sample.toml").write_text("\n".join(moved), encoding="utf-8")
        ended = cli.run("check", "sample.toml")
    assert (ended.returncode, ended.stdout.count("passed  ")) == (0, "\n".join(lines).count("[[steps]]")), ended.stderr
