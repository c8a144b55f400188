"""Flags made from declarations: what a protocol's options are called on the command line, and what was given.

A command that connects is a `TargetCommand`. Its flags are made when its arguments are parsed: from the protocol of
the TARGET if its URL or `--protocol` tells, from every registered protocol otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, TypeVar

import click
import msgspec
from click.core import ParameterSource

from rtui.protocols import registry
from rtui.protocols.base import Adapter
from rtui.settings.flag import REPEATABLE, spellings
from rtui.settings.option import Declared, declared, parse_text
from rtui.settings.session import list_sessions

PREFIX: Final = "connect_"
"""Of the parameter names of flags that are made from connect options; `OUTGOING` for those of one send, `SUBSCRIPTION`
for those of subscriptions."""
OUTGOING: Final = "outgoing_"
SUBSCRIPTION: Final = "subscription_"
_META: Final = "rtui.cli.adapters"

F = TypeVar("F", bound=Callable[..., Any])


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line and the environment say about a connection."""

    protocol: str | None
    options: dict[str, Any]
    """From flags and `--set`: they win over the session file."""
    defaults: dict[str, Any]
    """From RTUI_… variables: the session file wins over them."""
    variables: dict[str, str]
    env_file: str | None
    reconnect: bool


class Value(click.ParamType):  # type: ignore[type-arg]
    """A value of one declared option; wrong text is refused by the declaration's own reader."""

    def __init__(self, one: Declared) -> None:
        self.one = one
        self.name = one.kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What `value` means."""
        try:
            read = parse_text(self.one, value) if isinstance(value, str) else value
        except ValueError as error:
            allowed = f" (allowed: {', '.join(self.one.choices)})" if self.one.choices else ""
            self.fail(f"{error}{allowed}", param, ctx)
        if self.one.kind == "file" and read:
            # From the shell, a path is meant from where the user stands, not from the session file.
            return os.path.abspath(os.path.expanduser(read))  # noqa: PTH100, PTH111 - as the session files do it
        if self.one.kind == "files":
            paths = [os.path.abspath(os.path.expanduser(name)) for name in read]  # noqa: PTH100, PTH111
            return [path if os.path.exists(path) else name for path, name in zip(paths, read, strict=True)]  # noqa: PTH110
        if self.one.kind == "body" and read.startswith("@"):
            return f"@{os.path.abspath(os.path.expanduser(read[1:]))}"  # noqa: PTH100, PTH111
        return read

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Choices and files."""
        from click.shell_completion import CompletionItem

        if self.one.kind in {"file", "files"}:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(choice) for choice in self.one.choices if choice.startswith(incomplete)]


class ProtocolOption(click.Option):
    """A flag made from a declaration; help groups it under the section."""

    def __init__(self, one: Declared, prefix: str) -> None:
        repeatable = one.kind in REPEATABLE
        flag = one.kind == "flag"
        super().__init__(
            [prefix + one.key, *spellings(one)],
            help=one.summary,
            type=None if flag else Value(one),
            is_flag=flag,
            multiple=repeatable,
            default=None,
            metavar=one.metavar or None if flag else one.metavar or _METAVARS.get(one.kind, "TEXT"),
            envvar=f"RTUI_{one.key.upper()}" if prefix == PREFIX else None,
        )
        self.one = one
        self.section = one.section or "Protocol"

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """The variable as one value: click would cut it at each space."""
        text = self.resolve_envvar_value(ctx)
        return (text,) if text is not None and self.multiple else text


_METAVARS: Final = {
    "integer": "N",
    "number": "X",
    "duration": "TIME",
    "size": "SIZE",
    "pairs": "'K: V'",
    "list": "NAME",
    "json": "JSON",
    "file": "FILE",
    "files": "PATH",
}


class TargetCommand(click.Command):
    """A command whose flags depend on the protocol of its TARGET."""

    sends = False
    """Whether the options of one send are flags too."""
    subscribes = False
    """Whether the options of subscriptions are flags too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for the protocol first, then parse with its flags; where no word was given, no flag was either."""
        wanted = args or ctx.resilient_parsing  # that is: words are being completed
        ctx.meta[_META] = adapters_for(args) if wanted else []
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters and those of the protocols in question; the command's own names win."""
        own = super().get_params(ctx)
        taken = {name for param in own for name in (*param.opts, *param.secondary_opts)}
        adapters = ctx.meta[_META] if _META in ctx.meta else adapters_for(())
        return own + self._made(adapters, taken)

    def _made(self, adapters: Iterable[type[Adapter]], taken: set[str]) -> list[click.Parameter]:
        made: list[click.Parameter] = []
        for adapter in adapters:
            made += made_flags(PREFIX, adapter.Options, taken)
            made += made_flags(OUTGOING, adapter.Outgoing, taken) if self.sends else []
            made += made_flags(SUBSCRIPTION, adapter.Subscription, taken) if self.subscribes else []
        return made

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first, then one list for each section of the protocols'."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and not isinstance(param, click.Argument):
                sections.setdefault(getattr(param, "section", "Options"), []).append(record)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)


class SendingCommand(TargetCommand):
    """A `TargetCommand` that sends."""

    sends = True


class ReceivingCommand(TargetCommand):
    """A `TargetCommand` that subscribes."""

    subscribes = True


def made_flags(prefix: str, options: type[msgspec.Struct], taken: set[str]) -> list[click.Parameter]:
    """One flag for each declared option whose names are free: of two with the same key, the first describes it."""
    made: list[click.Parameter] = []
    for one in declared(options):
        names = {part for name in spellings(one) for part in name.split("/")}
        if one.flag and not names & taken:
            taken |= names
            made.append(ProtocolOption(one, prefix))
    return made


def adapters_for(args: Sequence[str]) -> list[type[Adapter]]:
    """The protocols that `args` speak of, or all of them."""
    named = [word.partition("=")[2] for word in args if word.startswith("--protocol=")]
    named += [after for word, after in pairwise(args) if word == "--protocol"]
    schemes = {word.partition("://")[0].lower() for word in args if "://" in word and not word.startswith("-")}
    schemes |= {registry.REPLAY for word in args if registry.is_replay(word)}
    every = [registry.adapter(name) for name in registry.names()]
    found = [one for one in every if one.name in named or schemes & set(one.schemes)]
    return found or every


def connect_flags(command: F) -> F:
    """The flags that every command with a TARGET has."""
    flags = [
        click.option("--protocol", metavar="NAME", help="Protocol, where the URL does not tell."),
        click.option("settings", "--set", multiple=True, metavar="KEY=VALUE", help="Any connect option."),
        click.option("variables", "--var", multiple=True, metavar="NAME=VALUE", help="Value of {{ NAME }}."),
        click.option("--env-file", type=click.Path(), metavar="FILE", help="Values of {{ env.NAME }}."),
        click.option("--no-reconnect", is_flag=True, help="End when the connection is lost."),
    ]
    return _with(flags, command)


def capture_flags(command: F) -> F:
    """Where a run is recorded."""
    flags = [
        click.option("--capture", type=click.Path(), metavar="FILE", help="Record into FILE."),
        click.option("--no-capture", is_flag=True, help="Keep no recording."),
    ]
    return _with(flags, command)


def _with(flags: Sequence[Callable[[F], F]], command: F) -> F:
    for flag in reversed(flags):
        command = flag(command)
    return command


def given(ctx: click.Context) -> Given:
    """What `ctx` holds of the flags of `connect_flags` and of the protocol."""
    params = ctx.params
    options: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for name, value in params.items():
        if name.startswith(PREFIX) and value not in (None, ()):
            from_env = ctx.get_parameter_source(name) is ParameterSource.ENVIRONMENT
            (defaults if from_env else options)[name.removeprefix(PREFIX)] = _joined(value)
    return Given(
        protocol=params["protocol"],
        options=options | split_pairs(params["settings"], "--set", "KEY=VALUE"),
        defaults=defaults,
        variables=split_pairs(params["variables"], "--var", "NAME=VALUE"),
        env_file=params["env_file"],
        reconnect=not params["no_reconnect"],
    )


def outgoing(ctx: click.Context, adapter: type[Adapter], *, binary: bool, ack: bool) -> Any:
    """The instance of the adapter's `Outgoing` that the flags of `ctx` describe.

    `binary` if the payload is no text; `ack` if an acknowledgement is wanted: some peers send one only when asked.
    """
    from rtui.settings.message import in_binary
    from rtui.settings.option import build

    values = _values(ctx, OUTGOING)
    if ack and any(one.key == "ack" for one in declared(adapter.Outgoing)):
        values["ack"] = True
    return build(adapter.Outgoing, in_binary(values, adapter.Outgoing) if binary else values)


def subscription(ctx: click.Context, adapter: type[Adapter]) -> Any:
    """The instance of the adapter's `Subscription` that the flags of `ctx` describe."""
    from rtui.settings.option import build

    return build(adapter.Subscription, _values(ctx, SUBSCRIPTION))


def _values(ctx: click.Context, prefix: str) -> dict[str, Any]:
    """What was given of the flags with this prefix, by their keys."""
    return {
        name.removeprefix(prefix): _joined(value)
        for name, value in ctx.params.items()
        if name.startswith(prefix) and value not in (None, ())
    }


def _joined(value: Any) -> Any:
    """The values of a repeated flag as one: tables are merged, lists appended."""
    if not isinstance(value, tuple):
        return value
    if isinstance(value[0], Mapping):
        return {key: item for part in value for key, item in part.items()}
    return [item for part in value for item in part]


def split_pairs(texts: Iterable[str], flag: str, form: str) -> dict[str, str]:
    """`KEY=VALUE` texts as a table."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            # Never echoed: it may be a bare secret.
            raise click.BadParameter(f"must be written {form}", param_hint=f"'{flag}'")
        found[key.strip().replace("-", "_") if flag == "--set" else key.strip()] = value
    return found


class Target(click.ParamType):  # type: ignore[type-arg]
    """A URL, a session's name, a session file or a capture file."""

    name = "target"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Sessions by name; files by the shell."""
        from click.shell_completion import CompletionItem

        names = [entry.name for entry in list_sessions() if entry.name.startswith(incomplete)]
        return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, type="file")]


class Duration(click.ParamType):  # type: ignore[type-arg]
    """`500ms`, `2s`, `1m30s`; a bare number means seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        from rtui.settings.option import parse_duration

        try:
            return parse_duration(value) if isinstance(value, str) else float(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType):  # type: ignore[type-arg]
    """`4096`, `64k`, `16M`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        from rtui.settings.option import parse_size

        try:
            return parse_size(value) if isinstance(value, str) else int(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
