"""Topic names, topic filters and the tree that matches one against the other (MQTT 5, 4.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

LEVELS: Final = 200
"""Most levels of a topic: each one is a node in a tree, so they are bounded."""
SHARE: Final = "$share/"

T = TypeVar("T")


def valid_name(topic: str) -> bool:
    """Whether messages may be published to `topic`."""
    return bool(topic) and "+" not in topic and "#" not in topic and topic.count("/") < LEVELS


def valid_filter(pattern: str) -> bool:
    """Whether `pattern` may be subscribed to: `+` and `#` fill their level, `#` is the last (4.7.1)."""
    levels = pattern.split("/")
    if not pattern or len(levels) > LEVELS:
        return False
    if any(("+" in level or "#" in level) and len(level) > 1 for level in levels):
        return False
    return "#" not in levels[:-1]


def split_share(pattern: str) -> tuple[str, str] | None:
    """(group, filter) of a shared subscription, ("", pattern) of any other, None if the form is wrong (4.8.2)."""
    if not pattern.startswith(SHARE):
        return ("", pattern) if valid_filter(pattern) else None
    group, slash, rest = pattern.removeprefix(SHARE).partition("/")
    if not group or not slash or "+" in group or "#" in group or not valid_filter(rest):
        return None
    return group, rest


class _Node(Generic[T]):
    __slots__ = ("children", "value")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.value: T | None = None


class TopicTree(Generic[T]):
    """Values under topics or filters, found by either side of the match."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, path: str) -> T | None:
        """What is stored under exactly `path`."""
        node: _Node[T] | None = self._root
        for level in path.split("/"):
            node = node.children.get(level) if node else None
        return node.value if node else None

    def set(self, path: str, value: T) -> None:
        """Store `value` under `path`, in place of what was there."""
        node = self._root
        for level in path.split("/"):
            following = node.children.get(level)
            if following is None:
                following = node.children[level] = _Node()
            node = following
        self._count += node.value is None
        node.value = value

    def remove(self, path: str) -> T | None:
        """Take out what is stored under `path`, and the branches that are bare then."""
        way: list[tuple[_Node[T], str]] = []
        node = self._root
        for level in path.split("/"):
            way.append((node, level))
            following = node.children.get(level)
            if following is None:
                return None
            node = following
        value, node.value = node.value, None
        self._count -= value is not None
        for parent, level in reversed(way):
            child = parent.children[level]
            if child.children or child.value is not None:
                break
            del parent.children[level]
        return value

    def matching(self, topic: str) -> list[T]:
        """What is stored under filters that match the name `topic`."""
        found: list[_Node[T]] = []
        nodes = [self._root]
        wild = not topic.startswith("$")  # a wildcard never stands for a first level that begins with $ (4.7.2)
        for level in topic.split("/"):
            names = (level, "+") if wild else (level,)
            if wild:
                found += _children(nodes, "#")
            nodes = [child for name in names for child in _children(nodes, name)]
            wild = True
        found += nodes
        found += _children(nodes, "#")
        return [node.value for node in found if node.value is not None]

    def under(self, pattern: str) -> Iterator[T]:
        """What is stored under names that match the filter `pattern`."""
        nodes = [self._root]
        for depth, level in enumerate(pattern.split("/")):
            if level == "#":
                nodes = _all_below(nodes, hide_system=not depth)
                break
            nodes = _all_children(nodes, hide_system=not depth) if level == "+" else _children(nodes, level)
        for node in nodes:
            if node.value is not None:
                yield node.value


def _children(nodes: list[_Node[T]], name: str) -> list[_Node[T]]:
    return [child for node in nodes if (child := node.children.get(name)) is not None]


def _all_children(nodes: list[_Node[T]], *, hide_system: bool) -> list[_Node[T]]:
    return [
        child for node in nodes for name, child in node.children.items() if not (hide_system and name.startswith("$"))
    ]


def _all_below(nodes: list[_Node[T]], *, hide_system: bool) -> list[_Node[T]]:
    """`nodes`, which `#` matches as the parent level, and all their descendants."""
    found = list(nodes)
    edge = _all_children(nodes, hide_system=hide_system)
    while edge:
        found += edge
        edge = _all_children(edge, hide_system=False)
    return found
