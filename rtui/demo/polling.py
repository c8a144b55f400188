"""The embedded server for polling and long polling: a path for everything an answer can be, good and bad."""

from __future__ import annotations

import ssl as tls
from collections.abc import Mapping
from typing import Final

from rtui.demo import http
from rtui.demo.polling_scene import SCENES

PATHS: Final[Mapping[str, str]] = {
    "/": "lists these paths",
    "/price?every=3&seed=1": "a price that changes every few seconds, with ETag and Last-Modified: 304 meanwhile",
    "/items?every=2&keep=5": "the newest entries of a list that grows, with ids",
    "/queue?cursor=0&hold=20&every=4": "long polling: waits for what comes after the cursor (query, X-Cursor, body)",
    "/vanishing-cursor?every=1": "the same, without a cursor in every third answer",
    "/clock": "another answer each time",
    "/busy?every=4&code=429": "every fourth answer is that status, with Retry-After",
    "/slow?seconds=3": "answers late",
    "/echo": "method, URL, headers and body of the request",
    "/empty": "204",
    "/bad-json": "JSON that ends too early",
    "/bad-utf8": "JSON that is not UTF-8",
    "/hostile": "text that attacks terminals: escape sequences, bidi controls, markup",
    "/cut": "an answer that ends inside its body",
    "/huge?size=1048576": "an answer of that many bytes",
    "/bomb?size=67108864": "a small compressed answer that inflates to that many bytes",
    "/status?code=401": "answers with that HTTP status and a body (429 and 503 with Retry-After)",
    "/redirect?to=/": "leads to another path",
    "/loop": "leads in a circle",
}
"""Path with its parameters and their defaults → what it answers."""


async def serve(
    host: str = "127.0.0.1", port: int = 0, ssl: tls.SSLContext | None = None, *, scheme: str = "poll+http"
) -> http.Server:
    """Start serving `PATHS`; port 0 takes a free one."""
    return await http.serve(SCENES, PATHS, scheme=scheme, host=host, port=port, ssl=ssl)
