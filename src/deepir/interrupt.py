"""Ctrl-C in a long run: finish the frame at hand, keep what is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Stop:
    """Whether the user asked to stop."""

    requested: bool = False


@contextmanager
def stop_on_interrupt(*also: signal.Signals) -> Iterator[Stop]:
    """Turn the first Ctrl-C into a request that the loop looks at between two frames.

    So no count is left half updated. A second Ctrl-C raises KeyboardInterrupt at once. Other
    signals, such as SIGTERM, are the same request, however often they come. Outside the main
    thread, where signals cannot be caught, nothing changes.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request(number: int, frame: FrameType | None) -> None:
        if stop.requested and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        stop.requested = True

    before = {each: signal.signal(each, request) for each in (signal.SIGINT, *also)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
