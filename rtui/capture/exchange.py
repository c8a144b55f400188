"""Which rows ask for an answer and which rows are one, as conditions on the columns of a capture.

What asks for an answer, by protocol:

    all          a ping, or a poll that the user asked for; not the automatic ones
    WebSocket    a message with the id and the method of JSON-RPC 2.0, or a graphql-transport-ws "subscribe" with an id
    Socket.IO    an event sent with an acknowledgement wanted
    MQTT         QoS 1 and 2 (until PUBACK, PUBCOMP); a response topic (until a message comes there)
    gRPC         the message that opens a call

A refusal is an answer. That nothing came in time, or that the connection went first, is none.
"""

from __future__ import annotations

from typing import Final

from rtui.core.record import Direction, Kind

_RPC: Final = """link IN (SELECT id FROM links WHERE protocol = 'websocket')
    AND CASE WHEN json_valid(CAST(payload AS TEXT)) THEN
        coalesce(json_type(CAST(payload AS TEXT), '$.id') IN ('integer', 'real', 'text')
            AND (json_type(CAST(payload AS TEXT), '$.method') = 'text'
                OR json_extract(CAST(payload AS TEXT), '$.type') = 'subscribe'), 0)
        ELSE 0 END"""
_MARKED: Final = """CASE WHEN json_valid(meta) THEN
        json_type(meta, '$.ack') IS NOT NULL
        OR json_type(meta, '$.response_topic') IS NOT NULL
        OR coalesce(json_extract(meta, '$.qos'), 0) IN (1, 2)
        OR (json_type(meta, '$.call') IS NOT NULL AND reply_to IS NULL)
        ELSE 0 END"""

ASKS: Final = f"""(direction = {Direction.OUT:d} AND (
    (kind = {Kind.PING:d} AND reply_to IS NULL AND instr(coalesce(meta, ''), '"automatic":true') = 0)
    OR (kind = {Kind.MESSAGE:d} AND ({_MARKED} OR ({_RPC})))))"""
"""The row asks for an answer. 0 or 1; what came in fails at the first test."""

ANSWERED: Final = f"""EXISTS (SELECT 1 FROM answers AS answer WHERE answer.reply_to = records.seq AND (
    (answer.direction = {Direction.IN:d} AND (answer.kind = {Kind.MESSAGE:d}
        OR (answer.kind IN ({Kind.ACK:d}, {Kind.PING:d})
            AND CASE WHEN json_valid(records.meta)
                THEN json_type(records.meta, '$.response_topic') IS NULL ELSE 1 END)))
    OR (answer.kind = {Kind.ERROR:d} AND CASE WHEN json_valid(answer.meta)
        THEN coalesce(json_extract(answer.meta, '$.fault'), '') NOT IN ('timeout', 'lost', 'closed') ELSE 1 END)))"""  # noqa: S608 - our own names and numbers
"""A later row answers the row. It is found by the index below the view `answers` (`schema.TABLES`)."""
