"""What a solver may take of the machine: threads of linear algebra, and memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from threadpoolctl import ThreadpoolController

from deepir.errors import FrameError, UsageError

MEMORY_GB = 4.0
"""Memory that one frame may take unless the user allows more."""

_IN_NUMPY = re.compile(r"[\\/]numpy(\.libs|[\\/]\.dylibs)[\\/]")
"""Where its wheels have their libraries: on Linux and Windows, on macOS."""


@dataclass(frozen=True)
class Resources:
    """Threads of linear algebra while a solver runs, and gigabytes (10^9 bytes) that it may take.

    IPI and NIPPS take 0.55 to 0.8 of the time of one with two threads on two free cores. The other
    methods gain nothing, and where programs need all cores a second one gains nothing to either:
    therefore one is the default. None leaves threads as they are.

    Raises:
        UsageError: no thread, no memory.
    """

    threads: int | None = 1
    memory_gb: float = MEMORY_GB

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads are at least 1, or None, got {self.threads}")
        if not self.memory_gb > 0:
            raise UsageError(f"memory_gb is above 0, got {self.memory_gb}")

    @contextmanager
    def limited(self, *, scipy_alone: bool = False) -> Iterator[None]:
        """Linear algebra uses these threads inside the block, in the whole process.

        With ``scipy_alone`` only SciPy's does, and NumPy's uses one: where each has a library of
        its own, as in their wheels, the threads of both wait for each other.
        """
        if self.threads is None:
            yield
            return
        every, of_numpy = _linear_algebra()
        with every.limit(limits=self.threads, user_api="blas"):
            if scipy_alone:
                with of_numpy.limit(limits=1, user_api="blas"):
                    yield
            else:
                yield

    def check(self, needed: float, shape: tuple[int, ...]) -> None:
        """Refuse a frame of this shape whose solver needs more bytes than allowed.

        Raises:
            FrameError: with the gigabytes that it needs.

        >>> Resources(memory_gb=1.5).check(1.4e9, (1024, 1280))
        """
        if needed <= 1e9 * self.memory_gb:
            return
        raise FrameError(
            f"a frame of {shape[1]}x{shape[0]} needs {needed / 1e9:.1f} GB for its patches,"
            f" allowed are {self.memory_gb:g}: raise memory_gb, take a wider step"
            " or the named approximation"
        )


@cache
def _linear_algebra() -> tuple[ThreadpoolController, ThreadpoolController]:
    """All libraries loaded, which a solver has by the time it runs, and those of NumPy alone."""
    every = ThreadpoolController()
    own = [one.filepath for one in every.lib_controllers if _IN_NUMPY.search(one.filepath)]
    return every, every.select(filepath=own)
