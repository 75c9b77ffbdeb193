"""Where a network in training sees targets that are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from deepir.structures import Boxes, Image, Sample
from deepir.training.sampler import FalseAlarm

Candidates = Callable[[Image], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""A frame (H, W) to boxes (K, 4) and scores (K,)."""

Reading = Callable[[nn.Module], Candidates]
"""From a network to the function that reads a frame with it."""


def own_candidates(network: nn.Module) -> Candidates:
    """Return the network's own reading of a frame."""
    return cast(Candidates, network.candidates)


def frames_to_mine(count: int, wanted: int, *, seed: int, iteration: int) -> list[int]:
    """Which of ``count`` frames are searched at this iteration: ``wanted`` of them, or all."""
    rng = np.random.default_rng([seed, iteration, 0x4D])
    return [int(index) for index in rng.permutation(count)[:wanted]]


def mine(
    candidates: Candidates,
    frames: Sequence[Sample],
    chosen: Sequence[int],
    *,
    score: float,
    apart_px: float,
) -> list[FalseAlarm]:
    """Candidates of the chosen frames that score above ``score`` and lie away from all targets."""
    found = []
    for index in chosen:
        sample = frames[index]
        boxes, scores = candidates(sample.image)
        believed = boxes[scores > score]
        centre = (believed[:, :2] + believed[:, 2:]) / np.float32(2)
        false = ~_is_near(centre, sample.boxes, apart_px)
        found += [FalseAlarm(index, x, y) for x, y in centre[false].tolist()]
    return found


def refreshed(
    known: Sequence[FalseAlarm], chosen: Sequence[int], found: Sequence[FalseAlarm]
) -> list[FalseAlarm]:
    """All false alarms known now: those of frames that were searched again are replaced."""
    again = set(chosen)
    return [alarm for alarm in known if alarm.frame not in again] + list(found)


def _is_near(points: NDArray[np.float32], boxes: Boxes, reach: float) -> NDArray[np.bool_]:
    apart = np.maximum(boxes[None, :, :2] - points[:, None], points[:, None] - boxes[None, :, 2:])
    near: NDArray[np.bool_] = np.any(np.all(apart < reach, axis=2), axis=1)
    return near
