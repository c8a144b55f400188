from __future__ import annotations

from pathlib import Path

import pytest

from rtui.settings.keymap import key_error, load_keymap, old_terminal_sends
from rtui.workbench.action import Book, by_id
from rtui.workbench.bindings import ACTIONS, default_keys, desk_bindings, titles, to_textual


def test_every_action_says_what_it_does() -> None:
    for action in ACTIONS.values():
        assert action.title
        assert action.help
        assert not action.help.endswith(".")
        assert "\n" not in action.help


def test_no_two_actions_share_a_key() -> None:
    keys = [key for action in ACTIONS.values() for key in action.keys.split(",") if key]
    assert sorted(keys) == sorted(set(keys))


def test_default_keys_exist_in_a_legacy_terminal() -> None:
    for name, keys in default_keys().items():
        known = set(filter(None, keys.split(",")))
        assert not any(map(key_error, known)), name
        others = {key for key in known if old_terminal_sends(key) != key}
        assert others <= {"alt+f", "alt+b"}, name
        assert not known or known - others, name


def test_ids_are_unique_and_all_have_a_title() -> None:
    assert set(titles()) == set(default_keys())
    ids = [binding.id for binding in desk_bindings() if not isinstance(binding, tuple)]
    assert len(ids) == len(set(ids))
    book = Book("A")
    book.action("x", "", "X")(lambda _desk: None)
    with pytest.raises(ValueError, match=r"app\.x"):
        by_id([*book.actions, *book.actions])


def test_a_key_can_be_changed_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('[keys]\n"app.ping" = "f12"\n"log.freeze" = ""\n')
    keymap, problems = load_keymap(path, default_keys())
    assert problems == []
    assert to_textual(keymap) == {"app.ping": "f12", "log.freeze": "unbound-log.freeze"}


def test_an_unknown_id_is_reported_with_line_and_neighbour(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('[keys]\n\n"app.pnig" = "f12"\n')
    keymap, problems = load_keymap(path, default_keys())
    assert keymap == {}
    assert f"{path}:3" in str(problems[0])
    assert "app.ping" in str(problems[0])
