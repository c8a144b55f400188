"""Who gets a message: subscriptions by filter, shared ones by group, and the plan per topic that they make."""

from __future__ import annotations

from typing import Final

import msgspec

from rtui.demo.mqtt_packet import Wish
from rtui.demo.mqtt_session import Message, Session
from rtui.demo.mqtt_topic import TopicTree, split_share

PLANS: Final = 4096
"""Topics whose plan is remembered; then all are forgotten, which is cheap beside keeping an order."""


class Group:
    """One shared subscription: its members take turns (4.8.2)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: dict[Session, tuple[Wish, int]] = {}

    def deliver(self, message: Message) -> None:
        """Give `message` to the next member, one that is connected and keeps up if there is any."""
        session = self._next()
        wish, identifier = self.members[session]
        self.members[session] = self.members.pop(session)  # to the end of the queue
        retain = message.retain and wish.retain_as_published
        session.deliver(message, min(wish.qos, message.qos), retain, _listed(identifier), self.name)

    def _next(self) -> Session:
        connected = (session for session in self.members if session.line)
        ready = (session for session in self.members if session.line and session.line.ready and not session.waiting)
        return next(ready, None) or next(connected, None) or next(iter(self.members))


class Route(msgspec.Struct, frozen=True):
    """One receiver: its overlapping subscriptions made one, so that it gets one copy (3.3.4)."""

    session: Session
    qos: int
    as_published: bool
    identifiers: tuple[int, ...]


class Plan(msgspec.Struct, frozen=True):
    """Everybody who gets the messages of one topic."""

    routes: tuple[Route, ...]
    own: dict[Session, Route | None]
    """What sessions with no-local subscriptions get of their own messages."""
    groups: tuple[Group, ...]

    def deliver(self, message: Message, source: Session | None) -> bool:
        """Hand `message` out; whether anybody got it."""
        reached = False
        for route in self.routes:
            mine = self.own.get(route.session, route) if route.session is source else route
            if mine is not None:
                retain = message.retain and mine.as_published
                mine.session.deliver(message, min(mine.qos, message.qos), retain, mine.identifiers)
                reached = True
        for group in self.groups:
            group.deliver(message)
            reached = True
        return reached


class _Audience:
    """The subscribers of one filter."""

    def __init__(self) -> None:
        self.members: dict[Session, tuple[Wish, int]] = {}
        self.groups: dict[str, Group] = {}


class Subscriptions:
    """All subscriptions of all sessions."""

    def __init__(self) -> None:
        self._tree: TopicTree[_Audience] = TopicTree()
        self._plans: dict[str, Plan] = {}
        self.count = 0

    def add(self, session: Session, wish: Wish, identifier: int) -> bool:
        """Subscribe, in place of the same subscription; whether it is new."""
        group, pattern = split_share(wish.pattern) or ("", wish.pattern)
        audience = self._tree.get(pattern)
        if audience is None:
            self._tree.set(pattern, audience := _Audience())
        members = audience.members
        if group:
            members = audience.groups.setdefault(group, Group(wish.pattern)).members
        new = session not in members
        members[session] = (wish, identifier)
        session.subscriptions[wish.pattern] = wish
        self.count += new
        self._plans.clear()
        return new

    def remove(self, session: Session, written: str) -> bool:
        """Unsubscribe; False if it was not subscribed."""
        if session.subscriptions.pop(written, None) is None:
            return False
        group, pattern = split_share(written) or ("", written)
        audience = self._tree.get(pattern)
        if audience is not None:
            _leave(audience, session, group)
            if not audience.members and not audience.groups:
                self._tree.remove(pattern)
        self.count -= 1
        self._plans.clear()
        return True

    def group(self, written: str) -> Group | None:
        """The shared subscription of that full name, while it has members."""
        group, pattern = split_share(written) or ("", written)
        audience = self._tree.get(pattern)
        return audience.groups.get(group) if audience else None

    def plan(self, topic: str) -> Plan:
        """Who gets the messages of `topic`."""
        plan = self._plans.get(topic)
        if plan is None:
            if len(self._plans) >= PLANS:
                self._plans.clear()
            plan = self._plans[topic] = _plan(self._tree.matching(topic))
        return plan


def _leave(audience: _Audience, session: Session, group: str) -> None:
    if not group:
        audience.members.pop(session, None)
        return
    members = audience.groups[group].members
    members.pop(session, None)
    if not members:
        del audience.groups[group]


def _plan(audiences: list[_Audience]) -> Plan:
    matches: dict[Session, list[tuple[Wish, int]]] = {}
    for audience in audiences:
        for session, match in audience.members.items():
            matches.setdefault(session, []).append(match)
    return Plan(
        routes=tuple(_route(session, found) for session, found in matches.items()),
        own={session: _own(session, found) for session, found in matches.items() if any(w.no_local for w, _ in found)},
        groups=tuple(group for audience in audiences for group in audience.groups.values()),
    )


def _own(session: Session, found: list[tuple[Wish, int]]) -> Route | None:
    others = [(wish, identifier) for wish, identifier in found if not wish.no_local]
    return _route(session, others) if others else None


def _route(session: Session, found: list[tuple[Wish, int]]) -> Route:
    return Route(
        session,
        qos=max(wish.qos for wish, _ in found),
        as_published=any(wish.retain_as_published for wish, _ in found),
        identifiers=tuple(identifier for _, identifier in found if identifier),
    )


def _listed(identifier: int) -> tuple[int, ...]:
    return (identifier,) if identifier else ()
