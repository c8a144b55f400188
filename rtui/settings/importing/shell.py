r"""A text of POSIX shell commands as words: quotes, `$'…'`, continued lines, comments, pipes, here documents.

Nothing is run and nothing is expanded. A variable becomes a mark that `brace.filled` reads as `{{ env.NAME }}`; the
place of a command substitution is marked too, so that whoever meets it can say that it stays out. Unquoting is
`shlex`'s; `$'…'` (Bash's manual, 3.1.2.4), which browsers write and shlex does not know, is read here.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

import msgspec

from rtui.settings.files import Problem, SettingsError
from rtui.settings.importing.brace import END, REDIRECTED, SUBSTITUTED, VARIABLE

_TOKEN: Final = re.compile(
    r"""
      (?P<continued>\\\r?\n)
    | (?P<single>'[^']*')
    | (?P<ansi>\$'(?:\\.|[^'\\])*')
    | (?P<double>\$?"(?:\\.|[^"\\])*")
    | (?P<escaped>\\.)
    | (?P<comment>(?:(?<=\s)|(?<![\s\S]))\#[^\n]*)
    | (?P<document><<-?[ \t]*(?P<quote>['"]?)(?P<label>\w+)(?P=quote))
    | (?P<operator>\n|&&|\|\||[;&|()]|\d*(?:>>|>&|<&|<<<|[<>]))
    | (?P<run>`[^`]*`|\$\()
    | (?P<variable>\$\{[A-Za-z_]\w*\}|\$[A-Za-z_]\w*)
    | (?P<space>[ \t\r]+)
    | (?P<plain>[^\s'"\\$`;&|()<>#]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_INSIDE: Final = re.compile(r"\\(.)|(`[^`]*`)|(\$\()|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)", re.DOTALL)
_ANSI: Final = re.compile(
    r"\\(?:x(?P<hex>[0-9a-fA-F]{1,2})|u(?P<short>[0-9a-fA-F]{1,4})|U(?P<long>[0-9a-fA-F]{1,8})"
    r"|(?P<octal>[0-7]{1,3})|c(?P<control>.)|(?P<char>.))",
    re.DOTALL,
)
_CHARS: Final = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_WINDOWS: Final = re.compile(r"""\^"|\^[ \t]*\r?$""", re.MULTILINE)
_PIPE: Final = "|"


class Command(msgspec.Struct, kw_only=True):
    """One command with its words, unquoted; the first is its name."""

    line: int
    """Where it begins, from 1."""
    words: list[str]
    before: list[str] | None = None
    """The words of the command whose output it reads, in a pipe."""
    document: str | None = None
    """The here document or here string that it reads."""
    assigned: list[str] = []
    """`NAME=value` before its name, which are variables of its environment."""
    ignored: list[str] = []
    """Signs that were passed over: redirections, and `&` behind it."""


def is_windows(text: str) -> bool:
    """Whether the text is quoted for cmd.exe, which we do not read."""
    return bool(_WINDOWS.search(text))


def commands(text: str, name: str) -> list[Command]:
    """The commands of `text`, which came from `name`.

    Raises:
        SettingsError: with the line, if a quote does not end.
    """
    reader = _Reader(text, name)
    reader.read()
    return reader.commands


class _Reader:
    """Cuts a text into commands. Pieces of the command at hand are gathered as a text that shlex can unquote."""

    def __init__(self, text: str, name: str) -> None:
        self.commands: list[Command] = []
        self._text = text
        self._name = name
        self._pieces: list[str] = []
        self._start = 0
        self._waiting: list[str] = []
        """Labels of here documents that begin on the next line."""
        self._piped = False

    def read(self) -> None:
        """Go through the text once."""
        at = 0
        while at < len(self._text):
            found = _TOKEN.match(self._text, at)
            assert found is not None and found.lastgroup is not None  # noqa: S101, PT018 - the last branch takes any character
            kind = found.lastgroup
            if kind == "plain" and found[0] in {"'", '"'}:
                raise self._refused("a quote does not end", at)
            if not self._pieces and kind not in {"space", "continued"}:
                self._start = at
            at = self._take(kind, found)
        self._end("")

    def _take(self, kind: str, found: re.Match[str]) -> int:
        """Take one token; returns where to go on."""
        if kind == "operator":
            return self._operate(found)
        if kind == "document":
            self._waiting.append(found["label"])
        elif kind == "run" and found[0] == "$(":
            self._pieces.append(SUBSTITUTED)
            return self._behind_parenthesis(found.end())
        else:
            self._pieces.append(_piece(kind, found[0]))
        return found.end()

    def _operate(self, found: re.Match[str]) -> int:
        sign = found[0]
        if sign[-1] in "<>&" and sign not in {"&", "&&"}:
            # The word behind it is told apart by this sign, which no text has.
            self._pieces.append(f" {REDIRECTED}{sign} ")
            return found.end()
        self._end(sign)
        if sign == "\n" and self._waiting:
            return self._read_documents(found.end())
        return found.end()

    def _behind_parenthesis(self, at: int) -> int:
        depth = 1
        while depth and at < len(self._text):
            found = _TOKEN.match(self._text, at)
            assert found is not None  # noqa: S101 - as above
            depth += {"(": 1, "$(": 1, ")": -1}.get(found[0], 0)
            at = found.end()
        return at

    def _read_documents(self, at: int) -> int:
        for label in self._waiting:
            found = re.compile(rf"(.*?)^\t*{re.escape(label)}\r?$\n?", re.DOTALL | re.MULTILINE).match(self._text, at)
            if found is None:
                raise self._refused(f"the here document does not end with {label}", at)
            if self.commands:
                self.commands[-1].document = found[1].removesuffix("\n").removesuffix("\r")
            at = found.end()
        self._waiting = []
        return at

    def _end(self, sign: str) -> None:
        """The command at hand is complete."""
        text, self._pieces = "".join(self._pieces), []
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise self._refused(str(error).lower(), self._start) from None
        command = self._command(words)
        if command is None:
            return
        if sign == "&":
            command.ignored.append(sign)
        if self._piped and self.commands:
            command.before = self.commands.pop().words
        self.commands.append(command)
        self._piped = sign == _PIPE

    def _command(self, words: list[str]) -> Command | None:
        kept, document, ignored = [], None, []
        iterator = iter(words)
        for word in iterator:
            if not word.startswith(REDIRECTED):
                kept.append(word)
            elif word == f"{REDIRECTED}<<<":
                document = next(iterator, "")
            else:
                ignored.append(word.removeprefix(REDIRECTED))
                next(iterator, "")
        assigned: list[str] = []
        while kept and (kept[0] in _PROMPTS or _ASSIGNMENT.fullmatch(kept[0])):
            assigned += {kept.pop(0)} - _PROMPTS
        line = self._text.count("\n", 0, self._start) + 1
        if not kept:
            return None
        return Command(line=line, words=kept, document=document, assigned=assigned, ignored=ignored)

    def _refused(self, message: str, at: int) -> SettingsError:
        return SettingsError([Problem(self._name, self._text.count("\n", 0, at) + 1, "", message)])


_FIXED: Final = {"continued": "", "comment": "", "run": SUBSTITUTED, "space": " "}
_PROMPTS: Final = frozenset({"$", "%", "#", ">", "sudo", "time", "exec", "command", "nohup"})
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)


def _piece(kind: str, text: str) -> str:
    """A token as shlex reads it."""
    match kind:
        case "ansi":
            return _quoted(_unescaped(text[2:-1]))
        case "double":
            return '"' + _INSIDE.sub(_in_double, text.removeprefix("$")[1:-1]) + '"'
        case "variable":
            return f"{VARIABLE}{text.strip('${}')}{END}"
    return _FIXED.get(kind, text)


def _quoted(text: str) -> str:
    """shlex.quote would leave plain words bare, and with them a comment sign or a wrong join."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _in_double(found: re.Match[str]) -> str:
    """Inside of double quotes, a backslash is a sign only before few characters (POSIX, 2.2.3)."""
    escaped, backticks, opening, braced, bare = found.groups()
    if escaped is not None:
        if escaped == "\n":
            return ""
        return escaped if escaped in "$`" else found[0]
    if backticks or opening:
        return SUBSTITUTED
    return f"{VARIABLE}{braced or bare}{END}"


def _unescaped(text: str) -> str:
    r"""The inside of `$'…'`. `\x` and octal escapes are bytes, which may make up a character of UTF-8 together."""
    parts: list[bytes] = []
    end = 0
    for found in _ANSI.finditer(text):
        parts += [text[end : found.start()].encode("utf-8", "surrogatepass"), _ansi_bytes(found)]
        end = found.end()
    parts.append(text[end:].encode("utf-8", "surrogatepass"))
    data = b"".join(parts)
    try:
        read = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        read = data.decode("utf-8", "replace")
    return read.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # Chrome writes an emoji as two halves


def _ansi_bytes(found: re.Match[str]) -> bytes:
    code = found["short"] or found["long"]
    if code:
        return chr(min(int(code, 16), 0x10FFFF)).encode("utf-8", "surrogatepass")
    if found["hex"] or found["octal"]:
        return bytes([int(found["hex"], 16) if found["hex"] else int(found["octal"], 8) & 0xFF])
    if found["control"]:
        return bytes([ord(found["control"]) & 0x1F])
    char = found["char"]
    return _CHARS.get(char, char if char in "\\'\"?" else found[0]).encode("utf-8", "surrogatepass")
