"""`rtui send`: one message, many, or a file; and the replies if wanted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from rtui.cli.calling import Calling
from rtui.cli.flags import Duration, SendingCommand, Target, capture_flags, connect_flags, given, outgoing
from rtui.cli.live import Remarks, connected, first_of, handed_over, how_it_ended, link_row, recording
from rtui.cli.printer import Printer, form_for, format_option, render_for, selection
from rtui.cli.report import note
from rtui.cli.sending import Replies, Sending, Wanted, payloads
from rtui.cli.signals import interruption
from rtui.cli.spool import Spool
from rtui.cli.target import Resolved, load, resolved, unsubscribed
from rtui.core.fault import Failure, Fault
from rtui.protocols.base import Verb

STDIN: Final = 0
ENDED: Final = 2
"""Which of the waits of `_send` is the connection's end."""


@click.command(cls=SendingCommand)
@click.argument("target", type=Target())
@click.argument("data", required=False)
@click.option("--to", "channel", default="", metavar="CHANNEL", help="Topic, event or method to send to.")
@click.option("--ack", is_flag=True, help="Wait for the acknowledgement and print it.")
@click.option("--wait", type=click.IntRange(0), metavar="N", help="Wait for N replies and print them.")
@click.option(
    "duration", "--for", type=Duration(), metavar="TIME", help="Print replies for TIME, or wait so long for N."
)
@click.option(
    "--binary",
    type=click.Choice(["hex", "base64", "msgpack", "cbor", "protobuf"]),
    help="What is sent is binary; DATA is hex, base64, or for the others JSON (bytes in it: h'01 ff').",
)
@click.option("--message", default="", metavar="TYPE", help="Message type for --binary protobuf: pkg.Type.")
@click.option("--descriptor", default="", metavar="FILE", help="Its descriptor set, if the session names none.")
@click.option("--every", type=Duration(), metavar="TIME", help="Send again after TIME.")
@click.option("--times", type=click.IntRange(1), metavar="N", help="Send N times.")
@format_option
@click.option("--include-sent", is_flag=True, help="Print what was sent, too.")
@connect_flags
@capture_flags
@click.pass_context
def send(ctx: click.Context, /, target: str, data: str | None, **flags: Any) -> int:
    """Send DATA to TARGET: text, `-` for one message per line of stdin, or `@path` for a file as it is.

    Without DATA, stdin is read as with `-`. DATA may hold templates, such as {{ uuid() }}; stdin and files are sent as
    they are.

    Where a message calls a method (gRPC), the replies are printed, and the command ends with the call: with 1 if its
    status is not OK. A method that takes a stream gets every message in one call, which is half-closed behind the last.
    """
    request = given(ctx)
    one = resolved(load(target, request), request)
    calls = Verb.HALF_CLOSE in one.adapter.verbs
    wanted = Wanted(
        data=data,
        channel=flags["channel"] or (_method(one) if calls else ""),
        outgoing=outgoing(ctx, one.adapter, binary=flags["binary"] is not None, ack=flags["ack"]),
        binary=flags["binary"],
        protobuf=_codec(one, flags),
        ack=flags["ack"],
        wait=flags["wait"],
        duration=flags["duration"],
        every=flags["every"] or 0.0,
        times=flags["times"],
        format=flags["format_"],
        sent=flags["include_sent"],
        calls=calls,
    )
    _check(one, wanted, to=flags["channel"])
    # One attempt: a message that may or may not have arrived is not sent again.
    session = msgspec.structs.replace(
        one.session, reconnect=msgspec.structs.replace(one.session.reconnect, enabled=False)
    )
    once = msgspec.structs.replace(one, session=unsubscribed(session, one.adapter) if calls else session)
    return asyncio.run(_send(once, wanted, flags["capture"], keep=not flags["no_capture"]))


def _method(one: Resolved) -> str:
    """The method that the URL names."""
    if named := one.adapter.channels(one.session.url):
        return named[0]
    hint = "Give it with --to, or as the path of the URL: package.Service/Method"
    raise Failure(Fault(kind="usage", side="us", title="No method to call", hint=hint))


def _codec(one: Resolved, flags: Mapping[str, Any]) -> Callable[[bytes], bytes] | None:
    """From JSON to protobuf, by what the flags and the session name; None where it is not wanted."""
    if flags["binary"] != "protobuf":
        if flags["message"] or flags["descriptor"]:
            raise click.UsageError("--message and --descriptor go with --binary protobuf")
        return None
    from rtui.runtime.decoding import Types, pack, types_of
    from rtui.settings.session_model import ProtobufTypes

    types = types_of(one.session)
    if flags["descriptor"]:
        types = Types(ProtobufTypes(descriptor=flags["descriptor"]), Path())
    return lambda text: pack(types, text, flags["channel"], flags["message"])


def _check(one: Resolved, wanted: Wanted, to: str) -> None:
    """Refuse what the protocol cannot do before anything is connected."""
    title, verbs = one.adapter.title, one.adapter.verbs
    if Verb.SEND not in verbs:
        hint = "`rtui tail` prints what comes; what is asked for stands in the URL and in options such as --data."
        raise Failure(Fault(kind="usage", side="us", title=f"{title} cannot send", hint=hint))
    if to and Verb.SUBSCRIBE not in verbs:
        hint = "Leave --to out: a message goes to whoever listens at the URL."
        raise Failure(Fault(kind="usage", side="us", title=f"{title} has no channels to send to", hint=hint))
    if wanted.ack and Verb.ACK not in verbs:
        hint = "Use --wait N to wait for replies."
        raise Failure(Fault(kind="usage", side="us", title=f"{title} has no acknowledgements", hint=hint))
    if wanted.from_stdin and (wanted.every or wanted.times):
        raise click.UsageError("--every and --times repeat DATA or @path, not stdin")


async def _send(one: Resolved, wanted: Wanted, capture: str | None, *, keep: bool) -> int:
    messages = payloads(wanted, one.renderer)
    first = None if wanted.from_stdin else await anext(messages)  # wrong DATA is refused before anything is connected
    with interruption() as interrupted, recording(capture, keep=keep) as journal:
        async with Spool() as output:
            typed = wanted.from_stdin and os.isatty(STDIN)
            if typed:
                note("each line is a message; ctrl+d ends")
            remarks = Remarks(attended=typed)
            async with connected(journal, one, remarks, retry_first=False) as connection:
                render = render_for(form_for(wanted.format, output), {connection.id: link_row(connection)})
                printer = Printer(output, render, selection(sent=wanted.sent, acks=wanted.ack))
                replies = Replies(printer, wanted.replies)
                journal.taps.append(replies.tap)
                journal.brakes.append(lambda: output.full)
                work = (Calling if wanted.calls else Sending)(connection, wanted, replies, remarks)
                waits = (interrupted.came.wait(), work.run(first, messages), connection.wait_closed(), output.gone())
                which = await first_of(*waits)
                status = how_it_ended(connection, complete=work.complete) if which == ENDED else work.status
            return await handed_over(output, status, interrupted.came, timed_out=work.timed_out)
