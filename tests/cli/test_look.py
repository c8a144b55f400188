from __future__ import annotations

import click
import pytest

from rtui.cli.look import Look, Theme, look_of
from rtui.cli.open import open_


def test_flags_win_over_the_file_and_leave_the_rest(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("RTUI_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("STY", raising=False)
    config, problems = Look(ascii=True, fps=5, animations=False).config()
    assert (config.ascii, config.fps, config.mouse, config.animations, problems) == (True, 5, True, False, [])


@pytest.mark.parametrize(("flag", "used"), [(None, False), (True, True), (False, False)])
def test_gnu_screen_has_no_mouse_because_it_would_hold_escape_back(
    flag: bool | None, used: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("RTUI_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("STY", "1234.pts-0.host")
    assert Look(mouse=flag).config()[0].mouse is used


@pytest.mark.parametrize(("given", "meant"), [((), None), (("--reduced-motion",), False)])
def test_reduced_motion_is_no_animations(given: tuple[str, ...], meant: bool | None) -> None:
    context = open_.make_context("rtui", list(given))
    assert look_of(context.params).animations is meant


@pytest.mark.parametrize(
    ("given", "meant"),
    [((), None), (("--present",), 0.0), (("--present-every", "1m"), 60.0), (("--present", "--present-every", "5"), 5)],
)
def test_a_run_may_begin_as_a_presentation(given: tuple[str, ...], meant: float | None) -> None:
    context = open_.make_context("rtui", list(given))
    assert look_of(context.params).present == meant


def test_a_theme_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert Theme().convert("light", None, None) == "light"
    with pytest.raises(click.BadParameter, match="monochrome"):
        Theme().convert("lihgt", None, None)


def test_help_tells_of_them() -> None:
    told = open_.get_help(click.Context(open_))
    assert all(flag in told for flag in ("--ascii", "--no-mouse", "--fps", "--reduced-motion", "--theme"))
