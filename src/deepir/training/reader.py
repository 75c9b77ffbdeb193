"""Draws the coming batch while the network works on the present one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from deepir.training.sampler import Drawn

Part = list[Drawn]
"""Images that go through the network together."""


def shares(batch: int, parts: int, *, rank: int, count: int) -> list[range]:
    """Places in a batch that each part of one process takes.

    A batch is dealt out to ``count * parts`` hands in turn; process ``rank`` of ``count`` has the
    hands rank, rank + count, ... So two processes take the same halves as one with two parts.

    >>> shares(8, 2, rank=0, count=1), shares(8, 1, rank=1, count=2)
    ([range(0, 8, 2), range(1, 8, 2)], [range(1, 8, 2)])
    """
    hands = count * parts
    return [range(hand, batch, hands) for hand in range(rank, hands, count)]


class Reader:
    """Draws batches in threads of its own; a context manager that ends them.

    ``waited`` is the time in seconds that `take` has spent waiting: the part of the training that
    more readers could save.
    """

    def __init__(
        self, draw: Callable[[int, int], Drawn], slots: Sequence[range], *, workers: int = 1
    ) -> None:
        self.waited = 0.0
        self._draw = draw
        self._slots = slots
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="deepir-reader")
        self._coming: list[list[Future[Drawn]]] = []

    def ask(self, iteration: int) -> None:
        """Begin to draw this process's part of a batch."""
        self._coming = [
            [self._threads.submit(self._draw, iteration, slot) for slot in slots]
            for slots in self._slots
        ]

    def take(self) -> list[Part]:
        """The batch that was asked for last, in its parts."""
        start = time.perf_counter()
        batch = [[future.result() for future in part] for part in self._coming]
        self.waited += time.perf_counter() - start
        return batch

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
