"""Frames of a split, decoded once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from deepir.data import Dataset, SkippedSample, read_samples
from deepir.errors import DeepirError
from deepir.holes import patch_holes
from deepir.structures import Sample

_PIECE = 16
"""Hex digits of a fingerprint: enough to tell two sets of frames apart."""


@dataclass(frozen=True, eq=False)
class Frames:
    """The usable frames of a split, their holes filled, and those that are not usable."""

    dataset: Dataset
    samples: list[Sample]
    skipped: list[SkippedSample]

    @property
    def targets(self) -> int:
        """Boxes in all frames."""
        return sum(len(sample.boxes) for sample in self.samples)

    def facts(self) -> dict[str, object]:
        """What tells this set of frames from another one."""
        return {
            "name": self.dataset.name,
            "split": self.dataset.split,
            "frames": len(self.samples),
            "targets": self.targets,
            "empty_frames": sum(not len(sample.boxes) for sample in self.samples),
            "skipped": [one.id for one in self.skipped],
            "fingerprint": fingerprint(self.samples),
        }


def read_frames(
    dataset: Dataset, *, progress: Callable[[int, int | None], None] = lambda *_: None
) -> Frames:
    """Decode every frame of a split; frames that cannot be used are left out and named.

    Raises:
        DeepirError: no usable frame, no target in any of them, or not enough memory.
    """
    samples: list[Sample] = []
    skipped: list[SkippedSample] = []
    for number, one in enumerate(read_samples(dataset), start=1):
        if isinstance(one, SkippedSample):
            skipped.append(one)
        else:
            filled = patch_holes(one.image).filled
            samples.append(one if filled is one.image else replace(one, image=filled))
        progress(number, len(dataset))
    found = Frames(dataset, samples, skipped)
    where = f"split {dataset.split!r} of {dataset.name}"
    if not samples:
        raise DeepirError(
            f"no frame of the {where} can be used; the first of {len(skipped)},"
            f" {skipped[0].id!r}: {skipped[0].reason}"
        )
    if not found.targets:
        raise DeepirError(
            f"no target in the {len(samples)} frames of the {where}: there is nothing to learn or"
            " to score; check its annotations, or name another split"
        )
    return found


def fingerprint(samples: list[Sample]) -> str:
    """Digest of ids, pixels and boxes: another one where anything differs.

    >>> fingerprint([])
    'e3b0c44298fc1c14'
    """
    digest = hashlib.sha256()
    for sample in samples:
        head = f"{sample.id}\0{sample.image.shape}{sample.image.dtype.str}{len(sample.boxes)}\0"
        digest.update(head.encode(errors="surrogateescape"))
        digest.update(sample.image.tobytes())
        digest.update(sample.boxes.tobytes())
    return digest.hexdigest()[:_PIECE]
