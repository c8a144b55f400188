"""curl 7 and 8, as typed or copied from a browser ("copy as cURL"): event streams, polling, WebSocket.

`Accept: text/event-stream` or `-N` make it a stream of events, `ws://` a WebSocket; anything else is asked again and
again. What only concerns curl's own output goes without saying in one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote_plus

from rtui.settings.importing.argv import Grammar, Line, parse, table
from rtui.settings.importing.base import Gatherer
from rtui.settings.importing.brace import filled, is_substituted
from rtui.settings.importing.request import (
    EVENT_STREAM,
    cookies,
    header_of,
    headers_into,
    name_of,
    pluses,
    proxy_of,
    safe_url,
    user_into,
)
from rtui.settings.importing.shell import Command
from rtui.settings.session_model import Session

_BODY: Final = table("-d,--data --data-raw --data-binary --data-ascii --data-urlencode --json")
_TAKEN: Final = table(
    "--url -X,--request -H,--header -A,--user-agent -e,--referer -b,--cookie -u,--user -x,--proxy -E,--cert --key "
    "--cacert --connect-timeout --max-redirs --oauth2-bearer --noproxy --url-query"
)
_OUTPUT: Final = table(
    "-o,--output -D,--dump-header -w,--write-out --stderr --trace --trace-ascii --output-dir -c,--cookie-jar --libcurl"
)
_REFUSED: Final = table(
    "--abstract-unix-socket --alt-svc --aws-sigv4 --capath --cert-type --ciphers -K,--config --connect-to "
    "-C,--continue-at --create-file-mode --crlfile --curves --delegation --dns-interface --dns-ipv4-addr "
    "--dns-ipv6-addr --dns-servers --doh-url --egd-file --engine --etag-compare --etag-save --expect100-timeout "
    "-F,--form --form-string --happy-eyeballs-timeout-ms --hsts --interface --keepalive-time --key-type --krb "
    "--limit-rate --local-port --login-options --max-filesize -m,--max-time --netrc-file --parallel-max --pass "
    "--pinnedpubkey --proto --proto-default --proto-redir --proxy-cacert --proxy-cert --proxy-header --proxy-key "
    "-U,--proxy-user --proxy1.0 -Q,--quote --random-file -r,--range --rate --request-target --resolve --retry "
    "--retry-delay --retry-max-time --service-name --socks4 --socks4a --socks5 --socks5-hostname -Y,--speed-limit "
    "-y,--speed-time -t,--telnet-option -z,--time-cond --tls-max --tls13-ciphers --unix-socket -T,--upload-file "
    "-P,--ftp-port -h,--help"
)
_SILENT: Final = table(
    "-s,--silent -S,--show-error -v,--verbose -i,--include -f,--fail --fail-with-body -#,--progress-bar "
    "--no-progress-meter -O,--remote-name -J,--remote-header-name -L,--location -g,--globoff --path-as-is "
    "--tcp-nodelay --compressed -N,--no-buffer --http2 --no-keepalive -4,--ipv4 -6,--ipv6"
)
GRAMMAR: Final = Grammar(
    values=_BODY | _TAKEN | _OUTPUT | _REFUSED,
    switches=_SILENT
    | table("-k,--insecure --http1.1 --http2-prior-knowledge -G,--get -I,--head --basic -0,--http1.0 --http3")
    | table("--digest --ntlm --negotiate --anyauth -n,--netrc -a,--append -Z,--parallel -q,--disable --raw"),
)
_WHY: Final = {
    "form": "multipart bodies cannot be written down in a session",
    "form-string": "multipart bodies cannot be written down in a session",
    "upload-file": "uploads are no streams",
    "max-time": "a stream has no end; `rtui tail --for` ends one after a time",
    "retry": "reconnecting is the session's own: [reconnect]",
    "config": "files that a command names are not read",
    "digest": "only basic and bearer authentication are known",
    "ntlm": "only basic and bearer authentication are known",
    "negotiate": "only basic and bearer authentication are known",
    "netrc": "files that a command names are not read",
}
_MEANT: Final = frozenset({"data", "json", "get", "head", "insecure", "http1.1", "http2-prior-knowledge", "basic"})
_GLOB: Final = re.compile(r"\[\d+-\d+[\]:]|\{[^{}]*,[^{}]*\}")


def harvest(command: Command, where: str, gatherer: Gatherer) -> None:
    """The sessions of one curl command, one for each of its URLs."""
    for words in _sections(command.words[1:]):
        line = parse(words, GRAMMAR)
        urls = [*line.all("url"), *line.arguments]
        if not urls:
            gatherer.leave(where, "curl", "there is no URL")
        for url in urls:
            if is_substituted(url):
                gatherer.leave(where, "curl", "the URL comes from another command")
            else:
                _take(line, url, where, gatherer)
        _leave(line, where, gatherer)


def _sections(words: list[str]) -> Iterator[list[str]]:
    """`--next` begins another request."""
    start = 0
    for place, word in enumerate([*words, "--next"]):
        if word in {"--next", "-:"}:
            yield words[start:place]
            start = place + 1


def _take(line: Line, url: str, where: str, gatherer: Gatherer) -> None:
    url = safe_url(url if "://" in url else f"http://{url}")
    if _GLOB.search(url) and not line.has("globoff"):
        gatherer.leave(where, "[1-9] or {a,b} in the URL", "one URL is one session")
    scheme = url.partition("://")[0].lower()
    if scheme not in {"http", "https", "ws", "wss"}:
        gatherer.leave(where, f"{scheme}://", "no protocol of rtui")
        return
    options: dict[str, Any] = {}
    socket = scheme in {"ws", "wss"}
    pairs = list(_headers(line, where, gatherer))
    for name in headers_into(options, pairs, socket=socket):
        gatherer.leave(where, name, "there is no such thing in a session")
    _connection(line, options)
    _proxy(line, options)
    if not socket:
        url = _body(line, url, options, where, gatherer)
        url = pluses(url, "sse" if _is_stream(line, pairs) else "poll")
    gatherer.add(Session(name=name_of(url), url=filled(url), options=options))


def _is_stream(line: Line, pairs: list[tuple[str, str]]) -> bool:
    accepts = any(name.lower() == "accept" and EVENT_STREAM in value.lower() for name, value in pairs)
    return accepts or line.has("no-buffer")


def _headers(line: Line, where: str, gatherer: Gatherer) -> Iterator[tuple[str, str]]:
    for header in line.all("header"):
        if header.startswith("@"):
            gatherer.leave(where, f"-H {header}", "files that a command names are not read")
        elif is_substituted(header):
            gatherer.leave(where, f"the header {header.partition(':')[0]}", "its value comes from another command")
        elif header.endswith(";") and ":" not in header:
            yield header[:-1], ""
        elif header.partition(":")[2].strip():
            yield header_of(header)
    for option, name in (("user-agent", "User-Agent"), ("referer", "Referer")):
        if line.has(option):
            yield name, line.last(option).removesuffix(";auto")


def _connection(line: Line, options: dict[str, Any]) -> None:
    """Credentials, TLS, limits."""
    if line.has("user"):
        user_into(options, line.last("user"))
    if token := line.last("oauth2-bearer"):
        options["token"] = filled(token)
    for text in line.all("cookie"):
        if "=" in text:
            options["cookies"] = options.get("cookies", {}) | cookies(text)
    for name, key in (("cacert", "ca"), ("key", "key"), ("connect-timeout", "timeout")):
        if value := line.last(name):
            options[key] = filled(value)
    if cert := line.last("cert"):
        options["cert"] = filled(cert.partition(":")[0])
    if line.has("insecure"):
        options["insecure"] = True


def _proxy(line: Line, options: dict[str, Any]) -> None:
    if proxy := line.last("proxy"):
        options["proxy"] = proxy_of(proxy)
    elif line.last("noproxy") == "*":
        options["proxy"] = ""


def _body(line: Line, url: str, options: dict[str, Any], where: str, gatherer: Gatherer) -> str:
    """Method, body and what else a request has; returns the URL, which `-G` gives the data."""
    parts = [part for one in line.options if (part := _part(one.name, one.value, where, gatherer)) is not None]
    data = "&".join(parts)
    query = "&".join([*line.all("url-query"), *([data] if data and line.has("get") else [])])
    if query:
        start, mark, fragment = url.partition("#")
        url = safe_url(f"{start}{'&' if '?' in start else '?'}{query}{mark}{fragment}")
    if data and not line.has("get"):
        options["data"] = filled(data)
        _say_type(line, options)
    method = line.last("request") or ("HEAD" if line.has("head") else "")
    if method and method != ("POST" if "data" in options else "GET"):
        options["method"] = filled(method)
    if line.has("http1.1"):
        options["http"] = "1.1"
    elif line.has("http2-prior-knowledge"):
        options["http"] = "2"
    if line.has("max-redirs"):
        options["redirects"] = line.last("max-redirs")
    return url


def _part(name: str, value: str, where: str, gatherer: Gatherer) -> str | None:
    """What one option adds to the body."""
    if name not in _BODY.values():
        return None
    if is_substituted(value):
        gatherer.leave(where, f"--{name}", "its value comes from another command")
        return None
    if name == "data-urlencode":
        start, equals, rest = value.partition("=")
        return f"{start}={quote_plus(rest)}" if equals and start else quote_plus(rest if equals else value)
    if name == "data-raw" and value.startswith("@"):
        gatherer.leave(where, "--data-raw @…", "a body that begins with @ would name a file")
        return None
    if name in {"data", "data-ascii"} and value.startswith("@"):
        gatherer.leave(where, f"--{name} @…", "the file is sent as it is; curl takes line ends out")
    return value


def _say_type(line: Line, options: dict[str, Any]) -> None:
    """What curl says of a body by itself."""
    headers = options.setdefault("headers", {})
    known = {name.lower() for name in headers}
    if line.has("json"):
        wanted = {"Content-Type": "application/json", "Accept": "application/json"}
    else:
        wanted = {"Content-Type": "application/x-www-form-urlencoded"}
    headers |= {name: value for name, value in wanted.items() if name.lower() not in known}


def _leave(line: Line, where: str, gatherer: Gatherer) -> None:
    """Say what was passed over; values are not told, for they may be secrets."""
    taken = {*_TAKEN.values(), *_BODY.values(), *_MEANT}
    quiet = {*_SILENT.values(), *_OUTPUT.values()}
    unnamed = {"no-buffer", "compressed", "location", "globoff"}
    own = [one.spelled for one in line.options if one.name in quiet - unnamed]
    if own:
        gatherer.leave(where, " ".join(dict.fromkeys(own)), "about curl's own output and ways")
    for one in line.options:
        if one.name == "cookie" and "=" not in one.value:
            gatherer.leave(where, one.spelled, "files that a command names are not read")
        elif one.name == "cert" and ":" in one.value:
            gatherer.leave(where, "the password of the certificate", "keys with a password are not known")
        elif one.name not in taken | quiet:
            gatherer.leave(where, one.spelled, _WHY.get(one.name, "there is no such thing in a session"))
