"""What a dataset is: ids of a split, and a sample for each, read when asked for."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Protocol

from deepir.errors import FrameError
from deepir.structures import Sample


class Dataset(Protocol):
    """Samples of one split, in the order of the split.

    ``for sample in dataset`` reads one after the other, ``dataset[3]`` the fourth, and `read` the
    one of an id. Each stops at a frame that cannot be used; `read_samples` goes on.
    """

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

    def __getitem__(self, index: int, /) -> Sample: ...

    def __iter__(self) -> Iterator[Sample]: ...

    def read(self, sample_id: str) -> Sample:
        """Read one sample; FrameError where it is unusable, DeepirError where all must stop."""

    def knows(self, sample_id: str) -> bool:
        """Whether the dataset has this id, in whatever split."""


class _ById(Protocol):
    """What `InOrder` needs of the class that it is mixed into."""

    @property
    def ids(self) -> list[str]: ...

    def read(self, sample_id: str) -> Sample: ...


class InOrder:
    """Mixed into a dataset that has ``ids`` and ``read``: samples by number, and all in order.

    Raises:
        IndexError: a number that the split does not have.
        FrameError: the sample is unusable.

    >>> from deepir.data import open_dataset
    >>> frames = open_dataset("simulated")
    >>> len(frames), frames[-1].id, next(iter(frames)).id == frames.ids[0]
    (64, 'test-terrain_000063', True)
    """

    def __len__(self: _ById) -> int:
        return len(self.ids)

    def __getitem__(self: _ById, index: int, /) -> Sample:
        return self.read(self.ids[operator.index(index)])

    def __iter__(self: _ById) -> Iterator[Sample]:
        return map(self.read, self.ids)

    def __contains__(self: _ById, sample_id: object) -> bool:
        """Whether the split has an id; without this, asking would read every frame."""
        return sample_id in self.ids


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
