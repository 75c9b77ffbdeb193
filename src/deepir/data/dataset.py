"""What a dataset is: ids of a split, and a sample for each, read when asked for."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Protocol

from deepir.errors import FrameError
from deepir.structures import Sample


class Dataset(Protocol):
    """Samples of one split, in the order of the split."""

    @property
    def name(self) -> str:
        """Name in the catalogue."""

    @property
    def split(self) -> str:
        """Name of the split."""

    @property
    def ids(self) -> list[str]:
        """Ids of the split, in its order."""

    def __len__(self) -> int: ...

    def read(self, sample_id: str) -> Sample:
        """Read one sample; FrameError where it is unusable, DeepirError where all must stop."""

    def knows(self, sample_id: str) -> bool:
        """Whether the dataset has this id, in whatever split."""


class FolderDataset(Dataset, Protocol):
    """A dataset that lies in a folder, in one of the formats that `deepir data convert` knows."""

    def identity(self, sample_id: str) -> Hashable:
        """What an id stands for: equal in two splits of one dataset if it is the same frame."""

    def every_id(self) -> list[str]:
        """Ids of all images that lie there and could be read, in whatever split or in none."""

    def left_out(self) -> dict[str, list[str]]:
        """What a `Sample` does not hold of the files: a line each, and the ids it is true of."""


@dataclass(frozen=True)
class SkippedSample:
    """An id that could not be used, and why."""

    id: str
    reason: str


def read_samples(dataset: Dataset) -> Iterator[Sample | SkippedSample]:
    """Read the samples of a split one at a time; what is unusable comes as a `SkippedSample`."""
    for sample_id in dataset.ids:
        try:
            yield dataset.read(sample_id)
        except FrameError as error:
            yield SkippedSample(sample_id, str(error))
