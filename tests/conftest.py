"""What holds for all tests: how they draw their examples, and what the garbage collector looks through."""

from __future__ import annotations

import gc
import signal

from hypothesis import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

# The same examples each time: a test that fails has been changed, or what it tests has. To look for more than
# those: `pytest --hypothesis-profile=random`. No deadlines: a busy machine is no bug.
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("steady")


def pytest_configure() -> None:
    """A script's `pytest &` ignores SIGINT, and so would every program that a test starts and interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What is imported is no garbage: it need not be looked through after each test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    if settings.default is not None and settings.default.derandomize:
        # Hypothesis also draws the constants of our modules: of those imported by then, which is to say that the
        # tests that this process ran before would decide what is drawn.
        providers._get_local_constants = Constants
