"""Whole images as the published OSCAR is trained on them, and crops at native resolution for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from deepir.errors import UsageError
from deepir.models.oscar import Oscar, pipeline
from deepir.structures import Boxes, Image, Sample
from deepir.training.mining import Candidates
from deepir.training.sampler import Channels, Drawn, FalseAlarm

REPEATS = 3
"""An epoch shows each image this many times."""

MIRROR = 0.5
"""Probability of a horizontal flip."""

_EPOCH, _IMAGE = 0x45, 0x49  # two sequences of draws that never meet


class PublishedSampler:
    """Images resized into 1000 x 600, mirrored or not, normalised and padded.

    An epoch shows each frame three times. Frames wider than high and all others make separate
    batches; each kind is filled up with random repeats to whole batches, as published. The order
    of an epoch follows from the seed and its number, so nothing is stored.

    Raises:
        UsageError: frames that are not 8-bit, which the published normalisation needs.
    """

    def __init__(
        self,
        frames: Sequence[Sample],
        *,
        batch: int,
        seed: int,
        limits: tuple[int, int] = pipeline.LIMITS,
    ) -> None:
        check_8_bit(frames)
        self.frames = frames
        self.false_alarms: Sequence[FalseAlarm] = ()
        self.batch = batch
        self.seed = seed
        self.limits = limits
        wide = np.array([sample.image.shape[1] > sample.image.shape[0] for sample in frames])
        self._kinds = [np.flatnonzero(wide), np.flatnonzero(~wide)]
        self._order = lru_cache(maxsize=2)(self._shuffled)

    @property
    def epoch(self) -> int:
        """Iterations of one epoch."""
        return sum(-(-len(kind) * REPEATS // self.batch) for kind in self._kinds)

    def draw(self, iteration: int, slot: int) -> Drawn:
        """Image number ``slot`` of a batch: one channel (1, H, W), boxes, NoCo map (H, W)."""
        number, place = divmod(iteration, self.epoch)
        sample = self.frames[int(self._order(number)[place, slot])]
        resized, scale = pipeline.resize(sample.image, limits=self.limits)
        height, width = resized.shape
        boxes = pipeline.resize_boxes(sample.boxes, scale, (height, width))
        rng = np.random.default_rng([self.seed, _IMAGE, iteration, slot])
        if rng.random() < MIRROR:
            resized = np.ascontiguousarray(resized[:, ::-1])
            boxes = pipeline.mirror_boxes(boxes, width)
        boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)]
        channels, noco = published_view(resized, boxes)
        return Drawn(pipeline.pad(channels[0])[None], boxes, pipeline.pad(noco))

    def _shuffled(self, number: int) -> NDArray[np.intp]:
        """Frames of an epoch: (iterations, batch)."""
        rng = np.random.default_rng([self.seed, _EPOCH, number])
        batches = [self._batches(kind, rng) for kind in self._kinds if len(kind)]
        whole: NDArray[np.intp] = rng.permutation(np.concatenate(batches))
        return whole

    def _batches(self, kind: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        shown = rng.permutation(np.tile(kind, REPEATS))
        more = rng.choice(shown, -len(shown) % self.batch)
        return np.concatenate([shown, more]).reshape(-1, self.batch)


def published_view(image: Image, boxes: Boxes) -> tuple[Channels, Channels]:
    """What the published network sees of an 8-bit image (h, w): (1, h, w), and its NoCo map."""
    return pipeline.planes(pipeline.normalise(image)), pipeline.training_noco(image, boxes)


def published_candidates(network: nn.Module, *, native: bool = False) -> Candidates:
    """Function that reads an 8-bit frame (H, W) with an OSCAR network: boxes (K, 4), scores (K,).

    The frame is resized as published, unless it is taken at its ``native`` size.
    """
    oscar = cast(Oscar, network)

    def read(image: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        limits = (max(image.shape), min(image.shape)) if native else pipeline.LIMITS
        prepared = pipeline.prepare(image, limits=limits)
        pixels = torch.from_numpy(prepared.pixels)[None].to(next(oscar.parameters()).device)
        found = oscar.detect(pixels, sizes=[prepared.size], scales=[prepared.scale])[0]
        return found.boxes.cpu().numpy(), found.scores.cpu().numpy()

    return read


def check_8_bit(frames: Sequence[Sample]) -> None:
    """Make sure that the published normalisation fits the frames.

    Raises:
        UsageError: a frame of another depth.
    """
    for sample in frames:
        if sample.image.dtype != np.uint8:
            raise UsageError(
                f"the published OSCAR takes 8-bit frames, {sample.id!r} is {sample.image.dtype}:"
                " train oscar_nano or oscar_small, which take any depth"
            )
