"""Contestants timed in turns, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Parts = dict[str, float]
"""Milliseconds of each part of one call, `WHOLE` among them."""

WHOLE = "whole"

Contestant = Callable[[int], Parts]
"""Does its work on the frame of a round, and says how long that took."""


def take_turns(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, dict[str, Floats]]:
    """Let each contestant run once a round, in another order each: (rounds,) ms of every part.

    Before each call that counts stands one on the same frame that does not, so that nobody pays
    for what its predecessor left in the caches. One such round more goes before all.

    >>> found = take_turns({"one": timed(abs), "other": timed(abs)}, 3)
    >>> found["one"]["whole"].shape
    (3,)
    """
    names = list(contestants)
    kept: dict[str, list[Parts]] = {name: [] for name in names}
    order = np.random.default_rng(0)
    for name in names:
        contestants[name](0)
    for number in range(rounds):
        for place in order.permutation(len(names)):
            name = names[place]
            contestants[name](number)
            kept[name].append(contestants[name](number))
    return {
        name: {part: np.array([each[part] for each in calls]) for part in calls[0]}
        for name, calls in kept.items()
    }


def timed(work: Callable[[int], object]) -> Contestant:
    """Work whose parts nobody asks about."""

    def turn(number: int) -> Parts:
        start = time.perf_counter()
        work(number)
        return {WHOLE: 1e3 * (time.perf_counter() - start)}

    return turn


def spread(times: Floats) -> dict[str, float]:
    """Smallest, median and largest of (rounds,) milliseconds.

    >>> spread(np.array([3.0, 1.0, 8.0]))
    {'minimum_ms': 1.0, 'median_ms': 3.0, 'maximum_ms': 8.0}
    """
    return {
        "minimum_ms": float(times.min()),
        "median_ms": float(np.median(times)),
        "maximum_ms": float(times.max()),
    }


def times_faster(times: Floats, than: Floats) -> float:
    """Median over the rounds of how many times longer ``than`` took in the same round.

    >>> times_faster(np.array([1.0, 2.0, 4.0]), than=np.array([10.0, 10.0, 20.0]))
    5.0
    """
    return float(np.median(than / times))
