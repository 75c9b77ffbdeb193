"""Crops to train on, each a function of the seed, the iteration and its place in the batch alone.

So the same crops come on one process or many, and after a resumed run, without any stored state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from deepir.standardise import standardised
from deepir.structures import Boxes, Image, Sample
from deepir.training.augment import Crop, Cutout, cut, cut_out, expose, paste, plant, turn, worsen
from deepir.training.settings import Mixture as Mixture

Channels = NDArray[np.float32]


class FalseAlarm(NamedTuple):
    """Where a network saw a target in a training frame that has none there."""

    frame: int
    x: float
    y: float


class Drawn(NamedTuple):
    """One image of a batch, as the network takes it."""

    channels: Channels
    """(C, H, W)."""

    boxes: Boxes
    """(N, 4) in its pixels, none of them empty."""

    noco: Channels | None = None
    """(H, W) for networks that learn the normalised contrast."""


class Sampler(Protocol):
    """What a training run draws its images from."""

    frames: Sequence[Sample]
    false_alarms: Sequence[FalseAlarm]

    def draw(self, iteration: int, slot: int) -> Drawn:
        """Image number ``slot`` of a batch: the same for the same numbers, in any thread."""


View = Callable[[Image, Boxes], tuple[Channels, Channels | None]]
"""What a network sees of a finished crop: channels (C, h, w), and its NoCo map if it learns one."""


def local_contrast(image: Image, boxes: Boxes) -> tuple[Channels, None]:
    """View of our own networks: `deepir.standardise`, whatever the boxes."""
    del boxes
    return standardised(image), None


LEAST_TARGET_PX = 2.0
"""No target is shrunk below it."""

LARGE_FRAME_PX = 800
"""Frames with a longer side than this may be shrunk to a half, others to 0.8."""

OFF_CENTRE = 0.35
"""A crop's subject lies anywhere up to this share of the side from its centre."""


class _Subject(NamedTuple):
    """What a crop is about: a place in a frame, and the smallest side of the target there."""

    frame: int
    x: float
    y: float
    smallest: float = float("inf")


class CropSampler:
    """Draws crops of ``size`` px from training frames.

    ``frames`` are kept decoded. ``false_alarms`` may be replaced at any time (mining).
    """

    def __init__(
        self,
        frames: Sequence[Sample],
        *,
        size: int,
        seed: int,
        mixture: Mixture | None = None,
        view: View = local_contrast,
    ) -> None:
        self.frames = frames
        self.size = size
        self.seed = seed
        self.mixture = mixture or Mixture()
        self.view = view
        self.false_alarms: Sequence[FalseAlarm] = ()
        self._targets = [
            (index, box) for index, sample in enumerate(frames) for box in sample.boxes
        ]
        self._empty = [index for index, sample in enumerate(frames) if not len(sample.boxes)]
        self._cutouts: list[Cutout] = [
            cutout for sample in frames for cutout in cut_out(sample.image, sample.boxes)
        ]

    def draw(self, iteration: int, slot: int) -> Drawn:
        """Crop number ``slot`` of a batch: channels (C, size, size) and boxes (N, 4) in its pixels.

        Beyond the frame's border channels are 0, as the network's own padding is.
        """
        rng = np.random.default_rng([self.seed, iteration, slot])
        subject = self._subject(rng)
        crop = self._cut(subject, rng)
        crop = self.augmented(crop, rng, empty=not len(self.frames[subject.frame].boxes))
        height, width = crop.image.shape
        top = int(rng.integers(self.size - height + 1))
        left = int(rng.integers(self.size - width + 1))
        channels, noco = self.view(crop.image, crop.boxes)
        boxes = crop.boxes + np.array((left, top, left, top), np.float32)
        padded = None if noco is None else self._padded(noco, top, left)
        return Drawn(self._padded(channels, top, left), boxes, padded)

    def _padded(self, part: Channels, top: int, left: int) -> Channels:
        """Channels or a map (..., h, w) in zeros of (..., size, size)."""
        whole = np.zeros((*part.shape[:-2], self.size, self.size), np.float32)
        whole[..., top : top + part.shape[-2], left : left + part.shape[-1]] = part
        return whole

    def augmented(self, crop: Crop, rng: np.random.Generator, *, empty: bool) -> Crop:
        """The crop after whatever the mixture lets happen to it; ``empty``: its frame is."""
        chance = self.mixture
        if rng.random() < chance.turn:
            crop = turn(crop, rng)
        if rng.random() < chance.paste:
            crop = paste(crop, self._cutouts, rng)
        if rng.random() < (chance.plant_empty if empty else chance.plant):
            crop = plant(crop, rng)
        if rng.random() < chance.expose:
            crop = expose(crop, rng)
        if rng.random() < chance.worsen:
            crop = worsen(crop, rng)
        return crop

    def _cut(self, subject: _Subject, rng: np.random.Generator) -> Crop:
        index, x, y, smallest = subject
        sample = self.frames[index]
        height, width = sample.image.shape
        scale = self._scale(max(height, width), smallest, rng)
        side = self.size / scale
        window = (
            *_span(x + rng.uniform(-OFF_CENTRE, OFF_CENTRE) * side, side, width),
            *_span(y + rng.uniform(-OFF_CENTRE, OFF_CENTRE) * side, side, height),
        )
        x0, x1, y0, y1 = window
        crop = cut(sample.image, sample.boxes, (x0, y0, x1, y1), scale)
        fitting = crop.image[: self.size, : self.size]  # rounding may give one pixel more
        boxes = np.minimum(crop.boxes, np.float32(self.size))
        return Crop(fitting, boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)])

    def _subject(self, rng: np.random.Generator) -> _Subject:
        kind = rng.random()
        if kind < self.mixture.target and self._targets:
            index, (x0, y0, x1, y1) = self._targets[int(rng.integers(len(self._targets)))]
            return _Subject(index, (x0 + x1) / 2, (y0 + y1) / 2, float(min(x1 - x0, y1 - y0)))
        if kind < self.mixture.target + self.mixture.false_alarm and self.false_alarms:
            alarm = self.false_alarms[int(rng.integers(len(self.false_alarms)))]
            return _Subject(alarm.frame, alarm.x, alarm.y)
        if self._empty and rng.random() < self.mixture.empty:
            index = self._empty[int(rng.integers(len(self._empty)))]
        else:
            index = int(rng.integers(len(self.frames)))
        height, width = self.frames[index].image.shape
        return _Subject(index, rng.uniform(0, width), rng.uniform(0, height))

    def _scale(self, longest: int, smallest: float, rng: np.random.Generator) -> float:
        if rng.random() >= self.mixture.rescale:
            return 1.0
        low = 0.5 if longest > LARGE_FRAME_PX else 0.8
        scale = float(np.exp(rng.uniform(np.log(low), np.log(2.0))))
        return max(scale, min(1.0, LEAST_TARGET_PX / smallest))


def _span(centre: float, side: float, length: int) -> tuple[int, int]:
    """Whole pixels of a window of ``side`` around ``centre``, moved inside ``length`` pixels."""
    wanted = min(int(side), length)
    start = int(np.clip(round(centre - side / 2), 0, length - wanted))
    return start, start + wanted
