"""Requests as commands of curl: event streams and polling."""

from __future__ import annotations

from collections.abc import Iterator

from rtui.protocols.request import RequestOptions
from rtui.protocols.shell import (
    CommandLine,
    address,
    credentials,
    flags,
    header,
    hidden,
    names,
    number,
    tls,
    unsaid,
    word,
)
from rtui.protocols.wire.web_request import media_type, queried
from rtui.settings.importing.request import EVENT_STREAM

_SAID = names(
    "method data query cookies http redirects headers timeout proxy ca cert key insecure username password token "
    "last_event_id"
)
"""Options that curl has words for."""
_OURS = names(
    "every jitter only_changes items item_key cursor cursor_to start_cursor validators max_size max_line stall_after "
    "log_comments joined reconnection_time hold"
)
"""Options of what is done with the answer, which no request can say."""


def curl(url: str, options: RequestOptions, *, stream: bool) -> tuple[CommandLine, ...]:
    """The command that makes the same request; a `stream` is printed as it comes."""
    plain = queried(url.rpartition("+")[2] if "+" in url.partition("://")[0] else url, options.query)
    given: dict[str, object] = {
        "-N": stream,
        "-L": options.redirects > 0,
        "--max-redirs": options.redirects if options.redirects not in {0, type(options)().redirects} else "",
        "-X": options.method if options.method.upper() != ("POST" if options.data else "GET") else "",
        "-u": credentials(options),
        "--connect-timeout": number(options.timeout) if options.timeout != type(options)().timeout else "",
        "--http1.1": options.http == "1.1",
        "--http2-prior-knowledge": options.http == "2" and plain.startswith("http://"),
        "--http2": options.http == "2" and not plain.startswith("http://"),
        **tls(options, "--cacert", "--cert", "--key", "-k"),
    }
    words = ["curl", *flags(given), *_proxy(options), *_headers(options, stream=stream), *_body(options)]
    text = " ".join([*words, word(address(plain))])
    return (CommandLine(tool="curl", text=text, unsaid=unsaid(options, _SAID | _OURS)),)


def _proxy(options: RequestOptions) -> Iterator[str]:
    if not options.proxy:
        yield "--noproxy '*'"
    elif options.proxy != "env":
        yield f"-x {word(address(options.proxy))}"


def _headers(options: RequestOptions, *, stream: bool) -> Iterator[str]:
    given = {name.lower() for name in options.headers}
    if stream and "accept" not in given:
        yield f"-H {word(f'Accept: {EVENT_STREAM}')}"
    if options.token:
        yield f"-H {word('Authorization: Bearer ' + hidden('token', options.token))}"
    if last := getattr(options, "last_event_id", ""):
        yield f"-H {word(f'Last-Event-ID: {last}')}"
    if options.data and "content-type" not in given:
        yield f"-H {word(f'Content-Type: {_type(options.data)}')}"
    for name, value in options.headers.items():
        yield f"-H {word(header(name, value) if value else f'{name};')}"
    if options.cookies:
        pairs = (f"{name}={hidden(name, value)}" for name, value in options.cookies.items())
        yield f"-b {word('; '.join(pairs))}"


def _type(data: str) -> str:
    """As it is told by the content; of a file, the content is not known before it is read."""
    return "application/json" if data.startswith("@") else media_type(data.encode("utf-8", "surrogateescape"))


def _body(options: RequestOptions) -> Iterator[str]:
    if options.data.startswith("@"):
        yield f"--data-binary {word(options.data)}"
    elif options.data:
        yield f"--data-raw {word(options.data)}"
