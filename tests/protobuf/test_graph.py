from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtui.protobuf.graph import groups

NAMES = st.sampled_from("abcdefgh")
GRAPHS = st.dictionaries(NAMES, st.sets(NAMES))


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph.get(waiting.pop(), set()) - seen:
            seen.add(name)
            waiting.append(name)
    return seen


@given(GRAPHS)
def test_two_are_in_one_group_if_each_needs_the_other(graph: dict[str, set[str]]) -> None:
    place = {name: number for number, group in enumerate(groups(graph)) for name in group}
    assert set(place) == set(graph)
    for one in graph:
        for other in graph:
            both = one == other or (other in reachable(graph, one) and one in reachable(graph, other))
            assert (place[one] == place[other]) == both


@given(GRAPHS)
def test_what_is_needed_comes_first(graph: dict[str, set[str]]) -> None:
    seen: set[str] = set()
    for group in groups(graph):
        seen |= set(group)
        assert all(graph[name] & set(graph) <= seen for name in group)


def test_a_chain_may_be_long() -> None:
    chain = {str(place): {str(place + 1)} for place in range(50_000)}
    assert sum(map(len, groups(chain))) == 50_000
