"""The same questions for every adapter. A protocol joins with a `Subject` and one test file that asks them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import pytest

from rtui.core.command import Hangup
from rtui.core.event import Opened, Sent, Stalled
from rtui.core.fault import Fault, FaultKind
from rtui.protocols.base import Verb
from tests.conformance.conftest import Secured
from tests.conformance.recorder import Recorder, Run
from tests.conformance.subject import BURST, INVALID, Peer, Scene, Subject
from tests.port import reserved
from tests.waiting import PATIENCE, eventually

Question: TypeAlias = Callable[[Subject, Peer], Awaitable[None]]
Test: TypeAlias = Callable[..., Awaitable[None]]

CANARY: Final = "canary-7f3a91"
PROMPT: Final = 8.0
"""Seconds that a cancelled attempt may take: on a busy machine, but less than any time-out or polite goodbye."""
RESPONSIVE: Final = 0.25
"""Seconds of work for which the loop may be held under a flood: this thread's own, whatever else the machine does."""


def start(subject: Subject, peer: Peer, scene: Scene, **options: Any) -> Run:
    if scene not in peer.urls:
        pytest.skip(f"{subject.adapter.title} has no {scene}")
    return Run(subject.adapter(), Recorder(peer.urls[scene], subject.options(**options)))


async def opens(subject: Subject, peer: Peer) -> None:
    async with start(subject, peer, "echo") as run:
        await run.opened()
        # On a busy machine the first answer may be late, which is told before it is here.
        assert isinstance(next(event for event in run.link.events if not isinstance(event, Stalled)), Opened)
        assert run.link.details["protocol"]
        assert all(value >= 0 for value in run.link.details["timings"].values())


async def echoes(subject: Subject, peer: Peer) -> None:
    if Verb.SEND not in subject.adapter.verbs:
        pytest.skip(f"{subject.adapter.title} cannot send")
    payloads = [b"text", "čeština 🎉".encode(), b"", b"x" * 1024**2]
    if Verb.BINARY in subject.adapter.verbs:
        payloads += [bytes(range(256)), b"\xff\xfe\x00"]
    async with start(subject, peer, "echo") as run:
        await run.opened()
        for number, payload in enumerate(payloads, 1):
            run.ask(subject.send(number, payload))
        await run.until(lambda: len(run.link.payloads) == len(payloads))
        assert [subject.heard(event) for event in run.link.received] == payloads
        assert [event.command for event in run.link.of(Sent)] == list(range(1, len(payloads) + 1))


async def tells_a_polite_end(subject: Subject, peer: Peer) -> None:
    async with start(subject, peer, "goodbye") as run:
        closed = await run.closed()
        assert (closed.by, closed.clean, closed.fault) == ("them", True, None)


async def tells_a_drop(subject: Subject, peer: Peer) -> None:
    async with start(subject, peer, "drop") as run:
        assert (await fault_of(run)).kind == "lost"


async def tells_refused(subject: Subject, _: Peer) -> None:
    with reserved() as port:
        await expect_fault(subject, f"{subject.scheme}://127.0.0.1:{port}/", "refused")


async def tells_an_unknown_host(subject: Subject, _: Peer) -> None:
    await expect_fault(subject, f"{subject.scheme}://no-such-host.invalid/", "unknown-host")


async def tells_a_refusal_with_its_body(subject: Subject, peer: Peer) -> None:
    async with start(subject, peer, "refusal") as run:
        error = await run.error()
        fault = run.adapter.explain(error)
        assert fault.kind == "auth"
        assert fault.meta
        assert "401" in fault.meta["status"]
        assert fault.meta["body"]
        assert not run.adapter.retryable(error)


async def refuses_an_untrusted_certificate(subject: Subject, peer: Peer) -> None:
    fault = await expect_fault(subject, peer.urls["echo"], "tls")
    assert "authority" in fault.title
    async with start(subject, peer, "echo", insecure=True) as run:
        await run.opened()
        assert run.link.details["insecure"] is True


async def cancels_quickly_and_leaves_nothing(subject: Subject, peer: Peer) -> None:
    for scene in ("echo", "flood", "stall"):
        if scene in peer.urls:
            await _cancels(start(subject, peer, scene), stalled=scene == "stall")


async def _cancels(run: Run, stalled: bool) -> None:
    before = residue()
    async with run:
        await run.opened()
        began = time.monotonic()
        run.task.cancel()
        await asyncio.wait([run.task], timeout=PATIENCE)
        assert time.monotonic() - began < PROMPT
        assert run.task.cancelled()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith(run.adapter.name)]
    # The peer's half of the socket lives in this process too: it ends a moment later, a stalled peer's not at all.
    spare = 1 if stalled else 0
    await eventually(lambda: residue() <= before + spare)


async def cancels_while_connecting(subject: Subject, _: Peer) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        before = residue()
        for scheme in (subject.scheme, subject.secure_scheme):
            run = Run(subject.adapter(), Recorder(f"{scheme}://127.0.0.1:{port}/", subject.options()))
            async with run:
                accepted, _address = await asyncio.get_running_loop().run_in_executor(None, mute.accept)
                began = time.monotonic()
                run.task.cancel()
                await asyncio.wait([run.task], timeout=PATIENCE)
                assert time.monotonic() - began < PROMPT
                assert run.task.cancelled()
                accepted.close()
        await eventually(lambda: residue() <= before)


async def names_the_stage_that_timed_out(subject: Subject, _: Peer) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"{subject.scheme}://127.0.0.1:{mute.getsockname()[1]}/"
        timeout = 0.3
        while not _is_stage(await expect_fault(subject, url, "timeout", timeout=timeout)):
            timeout *= 4  # on a busy machine the time may be up before this stage
            assert timeout < PATIENCE


def _is_stage(fault: Fault) -> bool:
    return any(word in fault.cause for word in ("handshake", "HTTP request"))


async def refuses_what_the_protocol_lacks(subject: Subject, peer: Peer) -> None:
    async with start(subject, peer, "echo") as run:
        await run.opened()
        for command in subject.unsupported:
            run.ask(command)
        await run.until(lambda: len(run.notices()) == len(subject.unsupported))
        assert [notice.command for notice in run.notices()] == [command.id for command in subject.unsupported]
        assert all(notice.fault and notice.fault.kind == "usage" for notice in run.notices())
        if Verb.SEND in subject.adapter.verbs:
            run.ask(subject.send(99, b"still alive"))
            await run.until(lambda: run.link.payloads)
        else:
            run.ask(Hangup(id=99))
            closed = await run.closed()
            assert (closed.by, closed.fault) == ("us", None)


async def keeps_order_in_a_burst(subject: Subject, peer: Peer) -> None:
    async with start(subject, peer, "flood") as run:
        await run.opened()
        with uncollected():
            worst = await _longest_turn(run)
        await run.until(lambda: len(run.link.payloads) >= BURST)
        numbers = [peer.number(payload) for payload in run.link.payloads[:BURST]]
        assert numbers == list(range(numbers[0], numbers[0] + BURST))
        assert worst < RESPONSIVE


async def _longest_turn(run: Run) -> float:
    """Seconds of work that the loop took at most between two looks, until the whole flood is here."""
    worst = 0.0
    while len(run.link.payloads) < BURST and not run.task.done():
        began = time.thread_time()
        await asyncio.sleep(0.001)
        worst = max(worst, time.thread_time() - began)
    return worst


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Work is measured without the garbage collector's, which grows with all that other tests have left."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def a_stalled_peer_costs_nothing(subject: Subject, peer: Peer) -> None:
    async with start(subject, peer, "stall") as run:
        await run.opened()
        with uncollected():
            before = time.thread_time()
            await asyncio.sleep(0.3)
            assert time.thread_time() - before < 0.06


async def keeps_its_memory(subject: Subject, peer: Peer) -> None:
    memory: dict[str, Any] = {"kept": True}
    for _ in range(2):
        run = Run(subject.adapter(), Recorder(peer.urls["echo"], subject.options(), memory))
        async with run:
            await run.opened()
            run.ask(Hangup(id=1))
            closed = await run.closed()
            assert (closed.by, closed.fault) == ("us", None)
    assert memory["kept"]


async def invalid_text_survives(subject: Subject, peer: Peer) -> None:
    async with start(subject, peer, "invalid-text") as run:
        await run.until(lambda: any(INVALID in payload for payload in run.link.payloads))


async def tells_no_secret(subject: Subject, peer: Peer) -> None:
    secret = dict.fromkeys(subject.secret, CANARY)
    for scene in ("echo", "refusal", "drop"):
        for key, value in secret.items():
            if scene in peer.urls:
                seen = await _everything(start(subject, peer, scene, **{key: value}))
                assert CANARY not in seen, f"{key} in {scene}"


async def _everything(run: Run) -> str:
    async with run:
        await run.until(lambda: run.task.done() or run.link.of(Opened))
        names = [task.get_name() for task in asyncio.all_tasks()]
        if not run.task.done():
            run.ask(Hangup(id=1))
        await asyncio.wait([run.task], timeout=PATIENCE)
        error = run.task.exception()
        parts = [run.link.events, names, error or run.task.result()]
        if error:
            fault = run.adapter.explain(error)
            parts += [fault, msgspec.json.encode(fault).decode(), fault.sentence()]
        return repr(parts)


QUESTIONS: Final[tuple[Question, ...]] = (
    opens,
    echoes,
    tells_a_polite_end,
    tells_a_drop,
    tells_refused,
    tells_an_unknown_host,
    tells_a_refusal_with_its_body,
    refuses_an_untrusted_certificate,
    cancels_quickly_and_leaves_nothing,
    cancels_while_connecting,
    names_the_stage_that_timed_out,
    refuses_what_the_protocol_lacks,
    keeps_order_in_a_burst,
    a_stalled_peer_costs_nothing,
    keeps_its_memory,
    invalid_text_survives,
    tells_no_secret,
)

asked = pytest.mark.parametrize(
    "question",
    [question for question in QUESTIONS if question is not refuses_an_untrusted_certificate],
    ids=lambda question: question.__name__,
)
"""For a test that asks everything but what needs an authority that is not trusted."""


def over_tcp(subject: Subject) -> Test:
    """The test that asks `subject` everything over plain TCP."""

    @asked
    async def test(question: Question) -> None:
        async with subject.peer(None) as server:
            await question(subject, server)

    return test


def over_tls(subject: Subject) -> tuple[Test, Test]:
    """The tests over TLS: of an authority that nobody trusts, and of one that is trusted."""

    async def untrusted(secured: Secured) -> None:
        async with subject.peer(secured.context) as server:
            await refuses_an_untrusted_certificate(subject, server)

    @asked
    async def trusted(question: Question, secured: Secured) -> None:
        async with subject.peer(secured.context) as server:
            await question(subject.giving(ca=secured.ca), server)

    return untrusted, trusted


async def fault_of(run: Run) -> Fault:
    """Why an attempt ended, whichever way the adapter tells it."""
    await asyncio.wait([run.task], timeout=PATIENCE)
    error = run.task.exception()
    if error is not None:
        return run.adapter.explain(error)
    closed = run.task.result()
    assert closed is not None
    assert closed.fault is not None
    return closed.fault


async def expect_fault(subject: Subject, url: str, kind: FaultKind, **options: Any) -> Fault:
    async with Run(subject.adapter(), Recorder(url, subject.options(**options))) as run:
        fault = await fault_of(run)
    assert fault.kind == kind, fault
    assert fault.title
    return fault


def residue() -> int:
    """Open sockets of this process."""
    gc.collect()
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return 0
    return sum(1 for entry in os.scandir(folder) if _target(entry.path).startswith("socket:"))


def _target(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
