"""config.toml, keys.toml and themes: read by everybody, so a bad one costs a notice and never the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtui.settings.colour import parse_colour
from rtui.settings.config import Config, load_config
from rtui.settings.files import SettingsError
from rtui.settings.keymap import key_error, load_keymap, old_terminal_sends
from rtui.settings.paths import packaged
from rtui.settings.theme import ThemeSpec, contrast, list_themes, load_theme

THEMES = {path.stem: load_theme(path) for path in sorted(packaged("themes").glob("*.toml"))}
KNOWN = {"app.quit": "ctrl+q", "log.follow": "end", "log.freeze": "f", "tree.find": "slash", "tree.fold": "f"}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "x.toml"
    path.write_text(text)
    return path


def test_no_configuration_is_the_default(tmp_path: Path) -> None:
    assert load_config(tmp_path / "none.toml") == (Config(), [])


def test_a_wrong_key_costs_only_itself(tmp_path: Path) -> None:
    path = written(tmp_path, "theme = 'nord'\nfps = 900\nthem = 1\n[capture]\nmax_size = '1G'\nmax_age = 'long'\n")
    config, problems = load_config(path)
    assert config == Config(theme="nord", capture_max_size=2**30)
    assert [(problem.line, problem.key) for problem in problems] == [(2, "fps"), (3, "them"), (6, "capture.max_age")]


def test_a_broken_configuration_is_the_default_and_a_problem(tmp_path: Path) -> None:
    config, problems = load_config(written(tmp_path, "theme ="))
    assert config == Config()
    assert len(problems) == 1


def test_keys_are_remapped_in_every_spelling(tmp_path: Path) -> None:
    text = '[keys]\n"log.follow" = "F2, ctrl+g"\ntree.find = ["f3", "s"]\n[log]\nfreeze = ""\n'.replace("F2", "f2")
    assert load_keymap(written(tmp_path, text), KNOWN) == (
        {"log.follow": "f2,ctrl+g", "tree.find": "f3,s", "log.freeze": ""},
        [],
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('"log.folow" = "x"', "unknown action; did you mean 'log.follow'?"),
        ('"log.follow" = "ctlr+x"', "'ctlr+x' is not a key: unknown modifier; did you mean 'ctrl'?"),
        ('"log.follow" = "esc"', "'esc' is not a key: did you mean 'escape'?"),
        ('"log.follow" = 1', "must be keys as text"),
        ('"log.follow" = "f"', "'f' is already the key of 'log.freeze'"),
        ('"log.follow" = "ctrl+q"', "'ctrl+q' is already the key of 'app.quit'"),
        ('"app.quit" = "f"', "'f' is already the key of 'log.freeze'"),
    ],
)
def test_what_is_wrong_with_a_key_is_told_and_left_out(tmp_path: Path, entry: str, said: str) -> None:
    keymap, problems = load_keymap(written(tmp_path, f"[keys]\n\n{entry}\n"), KNOWN)
    assert keymap == {}
    assert problems[0].line == 3
    assert problems[0].message.startswith(said)


def test_keys_may_be_swapped_and_shared_between_panes(tmp_path: Path) -> None:
    text = '[keys]\n"log.follow" = "f"\n"log.freeze" = "end"\n"tree.fold" = "end"\n'
    keymap, problems = load_keymap(written(tmp_path, text), KNOWN)
    assert problems == []
    assert keymap == {"log.follow": "f", "log.freeze": "end", "tree.fold": "end"}


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("ctrl+i", "tab"),
        ("ctrl+h", "backspace"),
        ("ctrl+enter", None),
        ("ctrl+shift+x", None),
        ("shift+enter", None),
        ("super+x", None),
        ("ctrl+comma", None),
        *((key, key) for key in ("f12", "shift+f5", "ctrl+x", "alt+x", "alt+X", "G", "question_mark", "shift+tab")),
        *((key, key) for key in ("ctrl+pagedown", "shift+up", "ctrl+space", "ctrl+underscore", "alt+enter")),
    ],
)
def test_what_a_terminal_of_old_sends(key: str, sent: str | None) -> None:
    assert key_error(key) == ""
    assert old_terminal_sends(key) == sent


def test_colours() -> None:
    assert [parse_colour(text) for text in ("#FA0", "#00ff7f", "ansi_bright_red")] == [
        "#ffaa00",
        "#00ff7f",
        "ansi_bright_red",
    ]
    for wrong in ("red", "#12", "#1234567", "", "ansi_pink"):
        with pytest.raises(ValueError, match="must be a colour"):
            parse_colour(wrong)
    assert contrast("#000000", "#ffffff") == 21


def test_every_mistake_of_a_theme(tmp_path: Path) -> None:
    text = (packaged("themes") / "dark.toml").read_text()
    text = text.replace("primary =", "primry =").replace('dim = "#', 'dim = "#zz').replace("dark = true", "dark = 3")
    text += "\n[extra]\n[variables]\nborder = 'blu'\n'rt-in' = '#fff'\n"
    with pytest.raises(SettingsError) as caught:
        load_theme(written(tmp_path, text))
    found = {problem.key: problem.message for problem in caught.value.problems}
    assert found.pop("messages.dim").startswith("must be a colour")
    assert found == {
        "extra": "unknown key",
        "theme.dark": "must be true or false, not 3",
        "colours.primry": "unknown key; did you mean 'primary'?",
        "colours": "missing: primary",
        "variables.border": "must be a colour such as #5fd7ff or ansi_cyan, not 'blu'",
        "variables.rt-in": "is not the name of a theme variable",
    }
    assert all(problem.line for problem in caught.value.problems)


def test_what_a_theme_lacks_is_told_once_for_a_table_and_after_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_theme(written(tmp_path, '[theme]\ndark = true\n[colours]\nprimary = "#zzz"\n'))
    lacking, wrong, absent = caught.value.problems
    assert (lacking.line, lacking.key, lacking.message.startswith("missing: secondary, accent, ")) == (
        3,
        "colours",
        True,
    )
    assert (wrong.line, wrong.key) == (4, "colours.primary")
    assert (absent.line, absent.key, absent.message.startswith("missing: in, out, ")) == (0, "messages", True)


def test_a_broken_theme_of_the_user_does_not_hide_a_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTUI_CONFIG_HOME", str(tmp_path))
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "dark.toml").write_text("[theme]\n")
    (tmp_path / "themes" / "mine.toml").write_text(
        (packaged("themes") / "dark.toml").read_text().replace("dark", "mine", 1)
    )
    found = {entry.name: entry for entry in list_themes()}
    assert found["dark"].theme
    assert found["dark (user)"].problems
    assert found["mine"].source == "user"


def test_the_promised_themes_are_shipped() -> None:
    wanted = {"dark", "light", "monochrome", "high-contrast", "solarized", "nord", "gruvbox", "dracula"}
    assert wanted <= set(THEMES)


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_text_of_shipped_themes_can_be_read(theme: ThemeSpec) -> None:
    """WCAG 2.2, success criterion 1.4.3 (AA): 4.5 to 1."""
    texts = {name: theme.colours[name] for name in ("foreground", "primary", "secondary", "accent")}
    texts |= {name: theme.colours[name] for name in ("warning", "error", "success")} | theme.variables
    needed = 7 if theme.name == "high-contrast" else 4.5
    for ground in ("background", "surface", "panel"):
        ratios = {name: contrast(text, theme.colours[ground]) for name, text in texts.items()}
        assert {name: ratio for name, ratio in ratios.items() if ratio < needed} == {}


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_a_theme_says_whether_it_is_dark(theme: ThemeSpec) -> None:
    darker = contrast(theme.colours["background"], "#ffffff") > contrast(theme.colours["background"], "#000000")
    assert theme.dark == darker


def test_monochrome_has_no_colour() -> None:
    theme = THEMES["monochrome"]
    for colour in (*theme.colours.values(), *theme.variables.values()):
        assert colour[1:3] == colour[3:5] == colour[5:7]
