"""Imported sessions as files: names, secrets, and what happens when something is in the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rtui.cli.target import declares_for
from rtui.core.fault import Failure
from rtui.settings.env_file import read_env
from rtui.settings.files import SettingsError
from rtui.settings.importing.registry import import_source, import_text
from rtui.settings.importing.store import Plan, add_secrets, plan, write, write_secrets
from rtui.settings.secrets import Secrets
from rtui.settings.session import load_session
from rtui.settings.session_list import session_name
from rtui.settings.session_model import to_data
from rtui.settings.template import Renderer, environment_for, resolve, resolve_message

CANARY = "c4n4ry-{{x}}$'\""
LOUD = r"""
curl -N 'https://tok-canary@h/a?token=q-canary' -H 'X-Api-Key: h-canary' -b 'sid=c-canary' \
  -d '{"user":"me","password":"b-canary","n":{"accessToken":"n-canary"}}'
curl 'https://h/b' -u 'me:u-canary' -d 'a=b&client_secret=f-canary'
mosquitto_pub -h m -P 'p-{{canary}}' -t a -m '{"token":"m-canary"}'
"""


def planned(text: str, root: Path, **how: str) -> Plan:
    return plan(import_text(text, "x", declares_for), root, declares_for, **how)


def test_no_secret_is_in_the_file_and_each_comes_back_from_the_environment(tmp_path: Path) -> None:
    found = planned(LOUD, tmp_path)
    for one in found.planned:
        path = write(one)
        assert "canary" not in path.read_text(encoding="utf-8")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert write_secrets(one, path) == []
    stream, body, broker = (load_session(one.path, declares_for) for one in found.planned)
    secrets = Secrets()
    filled = resolve(stream, Renderer(stream.variables, environment_for(stream), secrets))
    assert filled.url == "sse+https://tok-canary@h/a?token=q-canary"
    assert filled.options["data"] == '{"user":"me","password":"b-canary","n":{"accessToken":"n-canary"}}'
    assert filled.options["headers"]["X-Api-Key"] == "h-canary"
    assert filled.options["cookies"] == {"sid": "c-canary"}
    filled = resolve(body, Renderer({}, environment_for(body), secrets))
    assert (filled.options["password"], filled.options["data"]) == ("u-canary", "a=b&client_secret=f-canary")
    renderer = Renderer({}, environment_for(broker), secrets)
    assert resolve(broker, renderer).options["password"] == "p-{{canary}}"
    assert resolve_message(broker.messages[0], renderer).payload == '{"token":"m-canary"}'
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_secrets_are_named_and_never_told(tmp_path: Path) -> None:
    found = planned(LOUD, tmp_path)
    for one in found.planned:
        assert one.withheld
        assert "canary" not in str(one.withheld)
    assert "canary" not in str(found.left)


def test_names_are_numbered_and_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "H-x.toml").write_text("mine", encoding="utf-8")
    found = planned("curl http://h/x\ncurl -N http://h/x\n", tmp_path)
    assert [one.path.name for one in found.planned] == ["h-x-2.toml", "h-x-3.toml"]
    (tmp_path / "h-x-2.toml").write_text("came since", encoding="utf-8")
    assert write(found.planned[0]).name == "h-x-2-2.toml"
    assert (tmp_path / "h-x-2.toml").read_text(encoding="utf-8") == "came since"


def test_folders_and_names_stay_below_the_root(tmp_path: Path) -> None:
    found = planned("curl http://h/x", tmp_path, folder="../../a b/..", name="../../etc/passwd")
    (one,) = found.planned
    assert one.path == tmp_path / "a-b" / "etc-passwd.toml"


def test_what_the_protocol_does_not_take_is_told(tmp_path: Path) -> None:
    found = planned("mosquitto_sub -h h -t 'a/#/b' -t ok -k soon", tmp_path)
    (one,) = found.planned
    assert [sub.channel for sub in one.session.subscriptions] == ["ok"]
    words = "\n".join(map(str, found.left))
    assert "'a/#/b'" in words
    assert "keep_alive: must be a duration" in words


def test_what_was_imported_is_what_is_read(tmp_path: Path) -> None:
    for one in planned("curl -N http://h/x -H 'A: {{ b }}'\nmosquitto_sub -h h -t a -q 1\n", tmp_path).planned:
        assert to_data(load_session(write(one), declares_for)) == to_data(one.session)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Failure):
        write(planned("curl http://h/x", tmp_path).planned[0])


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rtui.settings.importing import store

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (one,) = planned("curl http://h/x", tmp_path).planned
    monkeypatch.setattr(store, "save_session", full)
    with pytest.raises(OSError, match="No space"):
        write(one)
    assert list(tmp_path.iterdir()) == []


def test_an_env_file_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nA=1", encoding="utf-8")
    assert add_secrets(path, {"A": "other", "B": CANARY + "\n\\"}) == ["A"]
    assert path.read_text(encoding="utf-8").startswith("# mine\nA=1\n")
    assert read_env(path) == {"A": "1", "B": CANARY + "\n\\"}


def test_sources_have_limits_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rtui.settings.importing import registry

    monkeypatch.setattr(registry, "LARGEST", 1024**2)
    (large := tmp_path / "large.har").write_bytes(b" " * (1024**2 + 1))
    (odd := tmp_path / "odd.txt").write_bytes(b"curl http://h\n\xff")
    for source, words in [
        (large, "is larger than 1 MiB"),
        (odd, "odd.txt:2: is not UTF-8 text (byte 0xff at offset 14)"),
        (tmp_path, "is a folder"),
        (tmp_path / "none", "cannot be read: no such file"),
    ]:
        with pytest.raises(SettingsError, match=words.replace("(", r"\(").replace(")", r"\)")):
            import_source(str(source), declares_for)


def test_a_command_that_nobody_knows_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        import_source("curll -H 'Authorization: Bearer canary' http://h", declares_for)
    assert "canary" not in str(caught.value)


def test_a_saved_session_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTUI_CONFIG_HOME", str(tmp_path))
    (one,) = planned("curl http://h/x", tmp_path / "sessions", folder="work").planned
    path = write(one)
    assert session_name(path) == "work/h-x"
    assert session_name(tmp_path / "other.toml") == str(tmp_path / "other.toml")
