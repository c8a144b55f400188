"""What went wrong, in words a user can act on.

    Fault.kind                              side        retried?
    ├── usage      bad input from the user  us          no
    ├── unknown-host                        network     yes, after the first success
    ├── refused    nobody listens           network     yes
    ├── unreachable                         network     yes
    ├── timeout    no answer in time        network     yes
    ├── tls        certificate, versions    them        no
    ├── handshake  not the expected answer  them        by status
    ├── auth       401, 403, bad password   them        no
    ├── busy       429, 503                 them        yes, after Retry-After
    ├── protocol   illegal bytes            them        yes
    ├── limit      larger than allowed      us          no
    ├── closed     the peer ended it        them        by code
    ├── lost       cut without a goodbye    network     yes
    ├── storage    file, disk, permission   us          no
    └── bug        an error of ours         us          no

A fault is a value, not an exception; `Failure` carries one through code that raises. Foreign exceptions are
translated once, by the adapter's `explain`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

FaultKind: TypeAlias = Literal[
    "usage",
    "unknown-host",
    "refused",
    "unreachable",
    "timeout",
    "tls",
    "handshake",
    "auth",
    "busy",
    "protocol",
    "limit",
    "closed",
    "lost",
    "storage",
    "bug",
]
Side: TypeAlias = Literal["us", "them", "network"]

TRANSIENT: Final[frozenset[FaultKind]] = frozenset(
    {"refused", "unreachable", "timeout", "busy", "protocol", "closed", "lost"}
)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A title, the cause and a hint; `meta` holds what a tester wants besides (status, headers, body)."""

    kind: FaultKind
    side: Side
    title: str
    """One short sentence without a full stop: "Connection refused"."""
    cause: str = ""
    """What was observed, with names and numbers."""
    hint: str = ""
    """What the user can do about it."""
    retry_after: float | None = None
    """Seconds the peer asked us to wait."""
    final: bool = False
    """Never tried again without the user: whatever the kind says, to repeat it could do it twice."""
    meta: Mapping[str, Any] | None = None

    @property
    def transient(self) -> bool:
        """Whether another attempt may succeed, by the kind alone."""
        return self.kind in TRANSIENT and not self.final

    def sentence(self) -> str:
        """Title and cause in one line, for a log row."""
        return f"{self.title}: {self.cause}" if self.cause else self.title


class Failure(Exception):
    """Raised where a `Fault` ends the work at hand."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence())
        self.fault = fault

    @property
    def transient(self) -> bool:
        """Whether another attempt may succeed."""
        return self.fault.transient
