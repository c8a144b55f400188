"""Connects: the peer (`wire.reach`), TLS with ALPN, the settings of HTTP/2; each timed and known if it fails."""

from __future__ import annotations

import asyncio
import ssl

from rtui.core.fault import Failure
from rtui.protocols.grpc import Options
from rtui.protocols.wire.grpc_channel import Channel
from rtui.protocols.wire.grpc_fault import Ended, explain_opening, no_alpn
from rtui.protocols.wire.reach import connect
from rtui.protocols.wire.reach_fault import Unopened
from rtui.protocols.wire.tls import client_context, tls_details
from rtui.protocols.wire.trip import Peer, Trip


async def dial(peer: Peer, options: Options) -> Channel:
    """A connection that stands.

    Raises:
        Failure: what the user gave cannot be used.
        Unopened: there was no connection.
    """
    trip = Trip(peer, timeout=options.timeout, greeting="HTTP/2 handshake", certified=bool(options.cert))
    context = client_context(options, ["h2"]) if peer.secure else None
    channel: Channel | None = None
    try:
        async with asyncio.timeout(options.timeout):
            _, channel = await connect(lambda: Channel(trip), trip, options.proxy, context, options.server_name)
            await _greet(channel, insecure=options.insecure)
    except BaseException as error:
        if channel is not None:
            channel.cut()
            await asyncio.shield(channel.gone)
        if isinstance(error, Exception) and not isinstance(error, Failure):
            raise Unopened(await explain_opening(error, trip)) from error
        raise
    return channel


async def _greet(channel: Channel, *, insecure: bool) -> None:
    trip = channel.trip
    tls: ssl.SSLObject | None = channel.transport.get_extra_info("ssl_object")
    trip.tls = tls_details(tls, insecure=insecure)
    with trip.stage("handshake"):
        await asyncio.wait([channel.settled])
    if channel.settled.cancelled():
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            raise Unopened(no_alpn(trip))
        raise channel.error or Ended
