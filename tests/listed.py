"""Samples in memory as a dataset, and detectors that know the truth or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deepir.box_detector import BoxDetector, RawBoxes
from deepir.errors import FrameError
from deepir.simulate import SimulatedFrames

SHAPE = (72, 88)


@dataclass(frozen=True)
class Listed:
    """Samples under their ids; None stands for one that cannot be read."""

    samples: dict
    name: str = "listed"
    split: str = "some"

    @property
    def ids(self):
        return list(self.samples)

    def __len__(self):
        return len(self.samples)

    def read(self, sample_id):
        if self.samples[sample_id] is None:
            raise FrameError("it is cut off")
        return self.samples[sample_id]

    def knows(self, sample_id):
        return sample_id in self.samples or sample_id.startswith("known")


def two_sources(count=3, *, seed=5):
    """``count`` frames with two targets each from Misc, as many without any from iraytek."""
    samples = {}
    for source, targets in (("Misc", 2), ("iraytek", 0)):
        frames = SimulatedFrames(count, seed=seed + targets, shape=SHAPE, targets=targets)
        for number, sample in enumerate(frames):
            name = f"{source}_{number}"
            samples[name] = replace(sample, id=name)
    return Listed(samples)


def boxes_detector(network, **options):
    """Detector around a function from a frame to boxes and scores; believes from 0.5 on."""
    return BoxDetector("made up", lambda image: RawBoxes(*network(image)), 0.02, 0.5, **options)


def blind(**options):
    """Detector that never finds anything."""
    return boxes_detector(lambda image: ([], []), **options)


def knowing(dataset, **options):
    """Detector that finds whatever brightened a frame of the dataset, and nothing else."""
    known = [sample.image for sample in dataset.samples.values() if sample is not None]

    def network(image):
        gains = [image.astype(float) - frame for frame in known]
        gain = min(gains, key=lambda one: np.count_nonzero(one))
        boxes, scores = [], []
        while gain.max() > 0 and len(boxes) < 6:
            row, column = np.unravel_index(gain.argmax(), gain.shape)
            boxes.append([column - 1, row - 1, column + 2, row + 2])
            scores.append(0.99 - 0.01 * len(boxes))
            gain[max(row - 5, 0) : row + 6, max(column - 5, 0) : column + 6] = 0
        return boxes, scores

    return boxes_detector(network, **options)


def truthful(dataset, **options):
    """Detector that finds the real targets of a dataset's frames, and nothing else."""

    def network(image):
        for sample in dataset.samples.values():
            if sample is not None and np.array_equal(sample.image, image):
                return sample.boxes, np.full(len(sample.boxes), 0.9)
        return [], []

    return boxes_detector(network, **options)
