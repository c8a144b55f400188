"""`/tokens` of the embedded SSE server: a text in many small pieces, in the form of OpenAI's chat completions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

DONE: Final = "[DONE]"
MODEL: Final = "demo"
PROMPT: Final = "What are server-sent events?"
"""What is answered where nothing is asked."""
LONGEST_PROMPT: Final = 500
_PIECE: Final = re.compile(r"\s*\w{1,6}|\s*[^\w\s]+|\s+")

TEXT: Final = """\
> {prompt}

# Server-sent events

One HTTP answer that **never has to end**: the server writes an event whenever it has one, the client reads
along. No upgrade, no framing, *just text*.

| field | says |
|---|---|
| `event` | the type; `message` without one |
| `data` | the content; several lines are one event |
| `id` | what to send as `Last-Event-ID` after a cut |
| `retry` | how long to wait before that, in ms |

An event ends with an **empty line**:

```
id: 42
event: quote
data: {{"symbol": "ACME", "price": 99.5}}

```

## When to use it

1. News, prices and progress: much to say, little to ask.
2. Texts that are still being thought of, like this one.
3. Wherever a proxy stands in the way of WebSocket.

For anything that talks back, take [WebSocket](https://www.rfc-editor.org/rfc/rfc6455). ✓
"""


class Message(msgspec.Struct):
    """Something said before."""

    content: str = PROMPT


class Request(msgspec.Struct):
    """What is known here of a request for a chat completion."""

    messages: list[Message] = []
    stream: bool = True

    @property
    def prompt(self) -> str:
        """The last message, on one line."""
        last = self.messages[-1] if self.messages else Message()
        return " ".join(last.content.split())[:LONGEST_PROMPT]


def asked(body: bytes) -> Request:
    """Read the body of a request; msgspec.MsgspecError if it is none."""
    return msgspec.json.decode(body, type=Request) if body.strip() else Request()


def pieces(prompt: str) -> list[str]:
    """The answer, cut as language models cut: into words, parts of words and signs."""
    return _PIECE.findall(TEXT.format(prompt=prompt))


def chunks(parts: list[str]) -> Iterator[str]:
    """The events of a streamed answer: who speaks, each piece, why it ended, the usage, `DONE`."""
    yield _chunk({"role": "assistant", "content": ""})
    for part in parts:
        yield _chunk({"content": part})
    yield _chunk({}, finish="stop")
    yield _dump({**_head("chat.completion.chunk"), "choices": [], "usage": {"completion_tokens": len(parts)}})
    yield DONE


def completion(parts: list[str]) -> dict[str, Any]:
    """The same in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "".join(parts)}, "finish_reason": "stop"}
    return {**_head("chat.completion"), "choices": [choice], "usage": {"completion_tokens": len(parts)}}


def _chunk(delta: dict[str, str], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _dump({**_head("chat.completion.chunk"), "choices": [choice]})


def _head(kind: str) -> dict[str, str]:
    return {"id": "chatcmpl-demo", "object": kind, "model": MODEL}


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
