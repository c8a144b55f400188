from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.demo.mqtt_topic import LEVELS, TopicTree, split_share, valid_filter, valid_name

levels = st.sampled_from(["", "a", "b", "$SYS", "ä"])
names = st.lists(levels, min_size=1, max_size=4).map("/".join).filter(bool)
filters = (
    st.lists(st.one_of(levels, st.just("+")), min_size=1, max_size=4)
    .flatmap(lambda parts: st.sampled_from([parts, [*parts[:-1], "#"]]))
    .map("/".join)
    .filter(bool)
)


def matches(pattern: list[str], name: list[str], *, first: bool = True) -> bool:
    """The rules of 4.7, written as they are said."""
    if not pattern:
        return not name
    system = first and bool(name) and name[0].startswith("$")
    if pattern[0] == "#":
        return not system
    if not name or (pattern[0] == "+" and system):
        return False
    return pattern[0] in ("+", name[0]) and matches(pattern[1:], name[1:], first=False)


@pytest.mark.parametrize("pattern", ["a", "#", "+", "a/#", "+/+", "/", "a//b", "+/#", "$SYS/#", "/+"])
def test_sound_filters(pattern: str) -> None:
    assert valid_filter(pattern)


@pytest.mark.parametrize("pattern", ["", "a#", "#/a", "a/#/b", "a+", "+a/b", "##", "a/b+", "/".join("a" * 201)])
def test_wrong_filters(pattern: str) -> None:
    assert not valid_filter(pattern)


def test_names_have_no_wildcards_and_not_too_many_levels() -> None:
    assert valid_name("/".join("a" * LEVELS))
    assert not any(map(valid_name, ["", "a/+", "#", "a#b", "/".join("a" * (LEVELS + 1))]))


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("a/b", ("", "a/b")),
        ("$share/g/a/+", ("g", "a/+")),
        ("$share/g//", ("g", "/")),
        ("$share/g", None),
        ("$share//a", None),
        ("$share/g/", None),
        ("$share/g+/a", None),
        ("$share/#/a", None),
        ("$share/g/a#", None),
        ("$shared/g", ("", "$shared/g")),
    ],
)
def test_shared_subscriptions_are_told_by_their_form(written: str, parts: tuple[str, str] | None) -> None:
    assert split_share(written) == parts


@given(st.lists(filters, unique=True, max_size=8), names)
def test_filters_that_match_a_name(patterns: list[str], name: str) -> None:
    tree: TopicTree[str] = TopicTree()
    for pattern in patterns:
        tree.set(pattern, pattern)
    expected = [pattern for pattern in patterns if matches(pattern.split("/"), name.split("/"))]
    assert sorted(tree.matching(name)) == sorted(expected)


@given(st.lists(names, unique=True, max_size=8), filters)
def test_names_that_match_a_filter(stored: list[str], pattern: str) -> None:
    tree: TopicTree[str] = TopicTree()
    for name in stored:
        tree.set(name, name)
    expected = [name for name in stored if matches(pattern.split("/"), name.split("/"))]
    assert sorted(tree.under(pattern)) == sorted(expected)


@given(st.lists(st.tuples(st.booleans(), names), max_size=30))
def test_the_tree_is_a_mapping_and_leaves_no_bare_branches(steps: list[tuple[bool, str]]) -> None:
    tree: TopicTree[str] = TopicTree()
    model: dict[str, str] = {}
    for add, name in steps:
        if add:
            tree.set(name, name)
            model[name] = name
        else:
            assert tree.remove(name) == model.pop(name, None)
        assert len(tree) == len(model)
    assert all(tree.get(name) == name for name in model)
    for name in list(model):
        tree.remove(name)
    assert not tree._root.children
