"""What is installed: themes and sessions are in the wheel, and found from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contents of the wheel, as pip would unpack them."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def rtui(installed: Path, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed), "RTUI_CONFIG_HOME": str(folder / "config")}
    command = [sys.executable, "-m", "rtui", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def test_the_wheel_holds_every_theme_and_session(installed: Path) -> None:
    for kind in ("themes", "sessions"):
        ours = {path.relative_to(ROOT / kind) for path in (ROOT / kind).rglob("*.toml")}
        assert ours
        assert {
            path.relative_to(installed / "rtui/_data" / kind)
            for path in (installed / "rtui/_data" / kind).rglob("*.toml")
        } == ours


def test_the_wheel_holds_the_style_sheet_and_the_licence(installed: Path) -> None:
    assert list(installed.rglob("*.tcss"))
    assert list(installed.glob("*.dist-info/licenses/LICENSE"))
    assert not list(installed.rglob("test_*.py"))


def test_samples_are_found_from_another_folder(installed: Path, tmp_path: Path) -> None:
    assert "demo/ticker" in rtui(installed, tmp_path, "sessions")
    assert "monochrome" in rtui(installed, tmp_path, "themes")


def test_the_command_is_declared(installed: Path) -> None:
    (entries,) = installed.glob("*.dist-info/entry_points.txt")
    assert "rtui = rtui.cli.main:main" in entries.read_text(encoding="utf-8")
