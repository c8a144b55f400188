"""The last message of each topic, for whoever subscribes later (MQTT 5, 3.3.1.3)."""

from __future__ import annotations

from collections.abc import Iterator

from rtui.demo.mqtt_session import Message
from rtui.demo.mqtt_topic import TopicTree


class Retained:
    """Retained messages, bounded by weight."""

    def __init__(self, limit: int) -> None:
        self._tree: TopicTree[Message] = TopicTree()
        self._limit = limit
        self._weight = 0
        self._expiring: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._tree)

    def keep(self, message: Message) -> bool:
        """Keep `message`, or clear its topic if it is empty; False if there is no room."""
        gone = self._tree.remove(message.topic)
        self._weight -= gone.weight if gone else 0
        self._expiring.pop(message.topic, None)
        if not message.payload:
            return True
        if self._weight + message.weight > self._limit:
            return False
        self._tree.set(message.topic, message)
        self._weight += message.weight
        if message.expires is not None:
            self._expiring[message.topic] = message.expires
        return True

    def matching(self, pattern: str, now: float) -> Iterator[Message]:
        """The messages that a new subscription to `pattern` gets."""
        return (each for each in self._tree.under(pattern) if each.expires is None or each.expires > now)

    def sweep(self, now: float) -> int:
        """Forget what has expired; how many that were."""
        gone = [topic for topic, expires in self._expiring.items() if expires <= now]
        for topic in gone:
            self.keep(Message(topic))
        return len(gone)
