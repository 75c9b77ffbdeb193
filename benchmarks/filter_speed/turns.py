"""Detectors that take turns, timed by the clock and by the processor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from network_speed.turns import WHOLE, Contestant, Floats, Parts, take_turns

from deepir.map_detector import MapDetector
from deepir.structures import Image

PROCESSOR = "processor"

Key = TypeVar("Key")
Result = TypeVar("Result")


class Spent(NamedTuple):
    """Milliseconds (rounds,) of a detector."""

    wall_ms: Floats
    processor_ms: Floats


def detecting(
    built: Mapping[Key, MapDetector], images: Sequence[Image], rounds: int
) -> dict[Key, Spent]:
    """Time `detect` of each detector on the frame of the round."""
    contestants = {str(key): turn(detector, images) for key, detector in built.items()}
    found = take_turns(contestants, rounds)
    return {key: Spent(found[str(key)][WHOLE], found[str(key)][PROCESSOR]) for key in built}


def turn(detector: MapDetector, images: Sequence[Image]) -> Contestant:
    """One call on the frame of a round."""

    def run(number: int) -> Parts:
        wall, spent = time.perf_counter(), time.process_time()
        detector.detect(images[number % len(images)])
        return {
            WHOLE: 1e3 * (time.perf_counter() - wall),
            PROCESSOR: 1e3 * (time.process_time() - spent),
        }

    return run


def processor_ms(work: Callable[[], Result], runs: int) -> tuple[float, Result]:
    """Median milliseconds of the processor, all threads counted, and what the last run gave.

    More than one run is preceded by one that does not count.
    """
    result = work() if runs > 1 else None
    spent = []
    for _ in range(runs):
        start = time.process_time()
        result = work()
        spent.append(1e3 * (time.process_time() - start))
    assert result is not None  # runs are 1 or more
    return float(np.median(spent)), result
