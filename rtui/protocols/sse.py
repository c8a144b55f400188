"""Server-sent events (WHATWG HTML §9.2): one request whose answer never ends, over HTTP/1.1 or HTTP/2.

What it can do, in the words that every surface uses. The libraries are imported when a link opens: `wire.web` asks,
`wire.sse_decoder` reads, `wire.sse_session` judges, obeys and resumes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from rtui.core.event import Closed
from rtui.core.fault import Fault
from rtui.protocols.base import Adapter, Link, Verb, Words
from rtui.protocols.request import RequestOptions
from rtui.protocols.shell import CommandLine
from rtui.settings.option import option


class Options(RequestOptions, frozen=True, kw_only=True):
    """Connect options of server-sent events."""

    last_event_id: Annotated[
        str, option("Resume behind the event with this id (Last-Event-ID)", metavar="ID", section="Stream")
    ] = ""
    reconnection_time: Annotated[
        float,
        option(
            "Connect again this long after the stream ended, until the server says otherwise (retry:)",
            kind="duration",
            minimum=0,
            maximum=3600,
            section="Stream",
        ),
    ] = 3.0
    stall_after: Annotated[
        float,
        option("Say so when nothing came for this long; 0 = never", kind="duration", minimum=0, section="Stream"),
    ] = 30.0
    log_comments: Annotated[
        bool, option("Show comments and retry fields in the log", kind="flag", section="Stream")
    ] = False
    max_size: Annotated[int, option("Largest event accepted", kind="size", section="Limits", minimum=1)] = 16 * 1024**2
    max_line: Annotated[int, option("Longest line accepted", kind="size", section="Limits", minimum=1)] = 16 * 1024**2
    joined: Annotated[
        str,
        option(
            "What the joined view strings together: auto, a path such as .choices[0].delta.content, or nothing",
            metavar="PATH",
            section="View",
        ),
    ] = "auto"


class Sse(Adapter):
    """The client of server-sent events."""

    name = "sse"
    title = "SSE"
    schemes = ("sse+http", "sse+https")
    verbs = frozenset({Verb.BREAK})
    words = Words(channel="event type", channels="event types")
    Options = Options

    @classmethod
    def listen_commands(cls, url: str, options: Any, subscriptions: Mapping[str, Any]) -> tuple[CommandLine, ...]:  # noqa: ARG003 - nothing is subscribed to
        """See `Adapter.listen_commands`: curl."""
        from rtui.protocols.wire.curl_shell import curl

        return curl(url, options, stream=True)

    async def run(self, link: Link) -> Closed | None:
        """See `Adapter.run`."""
        from rtui.protocols.wire.sse_session import converse

        return await converse(link)

    def explain(self, error: BaseException) -> Fault:
        """See `Adapter.explain`."""
        from rtui.protocols.wire.reach_fault import explain

        return explain(error)
