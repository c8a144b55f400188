"""HTTP polling and long polling: one request after the other, each answer a message.

    poll+http:// poll+https://          a request every so often
    longpoll+http:// longpoll+https://  the next request as soon as the last was answered; the server holds it meanwhile

What both can do, in the words that every surface uses. The libraries are imported when a link opens: `wire.web` asks,
`wire.poll_schedule` knows when, `wire.poll_answer` makes messages of what came, `wire.poll_session` runs it all.
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
    """Connect options of polling."""

    every: Annotated[float, option("Ask this often", kind="duration", section="Polling", minimum=0.01)] = 2.0
    jitter: Annotated[
        float,
        option(
            "Ask late by a random part of the interval, at most this share of it (0 to 1)",
            kind="number",
            section="Polling",
            minimum=0,
            maximum=1,
        ),
    ] = 0.0
    only_changes: Annotated[
        bool, option("Only answers that differ from the one before", kind="flag", section="Polling")
    ] = False
    validators: Annotated[
        bool,
        option("Send back ETag and Last-Modified, so that the server may answer 304", kind="flag", section="Polling"),
    ] = True
    items: Annotated[
        str, option("Each item of the list at this JSON path is a message", metavar="PATH", section="Items")
    ] = ""
    item_key: Annotated[
        str,
        option(
            "JSON path inside an item; an item whose value there was seen is left out", metavar="PATH", section="Items"
        ),
    ] = ""
    cursor: Annotated[
        str,
        option("JSON path in the answer to what the next request carries", metavar="PATH", section="Cursor"),
    ] = ""
    cursor_to: Annotated[
        str,
        option("Where it goes: query:NAME, header:NAME or body:PATH", metavar="PLACE", section="Cursor"),
    ] = "query:cursor"
    start_cursor: Annotated[
        str, option("The cursor of the first request; empty = none", metavar="VALUE", section="Cursor")
    ] = ""
    max_size: Annotated[
        int, option("Largest answer accepted, after decompression", kind="size", section="Limits", minimum=1)
    ] = 16 * 1024**2


class LongOptions(Options, frozen=True, kw_only=True):
    """Connect options of long polling."""

    every: Annotated[
        float,
        option("Least time between two requests; 0 = at once", kind="duration", section="Polling", minimum=0),
    ] = 0.0
    hold: Annotated[
        float,
        option(
            "Ask anew if there is no answer for this long; 0 = wait for ever",
            kind="duration",
            section="Polling",
            minimum=0,
        ),
    ] = 0.0


class Polling(Adapter):
    """The polling client."""

    name = "polling"
    title = "HTTP polling"
    schemes = ("poll+http", "poll+https")
    verbs = frozenset({Verb.PING, Verb.BREAK})
    words = Words(
        channel="URL", channels="URLs", separator=" ", ping="poll now", answered="polls that were asked for by hand"
    )
    Options = Options

    @classmethod
    def listen_commands(cls, url: str, options: Any, subscriptions: Mapping[str, Any]) -> tuple[CommandLine, ...]:  # noqa: ARG003 - nothing is subscribed to
        """See `Adapter.listen_commands`: curl."""
        from rtui.protocols.wire.curl_shell import curl

        return curl(url, options, stream=False)

    async def run(self, link: Link) -> Closed | None:
        """See `Adapter.run`."""
        from rtui.protocols.wire.poll_session import converse

        return await converse(link)

    def explain(self, error: BaseException) -> Fault:
        """See `Adapter.explain`."""
        from rtui.protocols.wire.reach_fault import explain

        return explain(error)


class LongPolling(Polling):
    """The long-polling client."""

    name = "longpoll"
    title = "Long polling"
    schemes = ("longpoll+http", "longpoll+https")
    Options = LongOptions
