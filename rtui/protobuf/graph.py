"""Groups of things that need each other, each after all that it needs. No I/O.

R. Tarjan, "Depth-First Search and Linear Graph Algorithms" (SIAM J. Comput. 1, 1972), with a stack of our own: how long
the chains are is up to a server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


def groups(needs: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """The strongly connected components of `needs`; names that are no key of it are left out."""
    return _Search(needs).run()


class _Search:
    """One walk over the graph."""

    def __init__(self, needs: Mapping[str, Iterable[str]]) -> None:
        self._needs = needs
        self._number: dict[str, int] = {}
        """In the order of the first visit."""
        self._lowest: dict[str, int] = {}
        """The lowest number that can be reached inside the group."""
        self._open: list[str] = []
        self._is_open: set[str] = set()

    def run(self) -> Iterator[list[str]]:
        for start in self._needs:
            if start not in self._number:
                yield from self._walk(start)

    def _walk(self, start: str) -> Iterator[list[str]]:
        path = [(start, self._enter(start))]
        while path:
            name, rest = path[-1]
            following = next((one for one in rest if self._leads_on(name, one)), None)
            if following is not None:
                path.append((following, self._enter(following)))
                continue
            path.pop()
            if path:
                parent = path[-1][0]
                self._lowest[parent] = min(self._lowest[parent], self._lowest[name])
            if self._lowest[name] == self._number[name]:
                yield self._leave(name)

    def _enter(self, name: str) -> Iterator[str]:
        self._number[name] = self._lowest[name] = len(self._number)
        self._open.append(name)
        self._is_open.add(name)
        return iter(self._needs[name])

    def _leads_on(self, name: str, needed: str) -> bool:
        """Whether `needed` is still to be visited; if its group is open, `name` belongs to that."""
        if needed in self._is_open:
            self._lowest[name] = min(self._lowest[name], self._number[needed])
        return needed in self._needs and needed not in self._number

    def _leave(self, name: str) -> list[str]:
        place = len(self._open) - 1
        while self._open[place] != name:
            place -= 1
        group, self._open[place:] = self._open[place:], []
        self._is_open.difference_update(group)
        return group
