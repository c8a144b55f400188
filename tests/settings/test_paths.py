from __future__ import annotations

from pathlib import Path

import pytest

import rtui
from rtui.settings.paths import captures_folder, packaged, user_config, user_sessions


def test_environment_variables_move_the_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTUI_CONFIG_HOME", "/c")
    monkeypatch.setenv("RTUI_STATE_HOME", "/s")
    assert (user_sessions(), captures_folder()) == (Path("/c/sessions"), Path("/s/captures"))


def test_without_them_the_system_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RTUI_CONFIG_HOME", raising=False)
    assert user_config().is_absolute()
    assert user_config().name == "rtui"


def test_samples_are_found_in_a_checkout_and_in_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "rtui"
    (tmp_path / "themes").mkdir()
    package.mkdir()
    monkeypatch.setattr(rtui, "__file__", str(package / "__init__.py"))
    assert packaged("themes") == tmp_path / "themes"
    (package / "_data" / "themes").mkdir(parents=True)
    assert packaged("themes") == package / "_data" / "themes"


def test_the_samples_are_there() -> None:
    assert (packaged("sessions") / "demo" / "echo.toml").is_file()
    assert (packaged("themes") / "dark.toml").is_file()
