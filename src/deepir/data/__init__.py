"""Datasets: a name in the catalogue, a root folder and a split give a sequence of samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deepir.data.dataset import Dataset, SkippedSample, read_samples
from deepir.data.excluding import Excluding, without_listed
from deepir.data.origin import source_of
from deepir.data.simulated import Simulated
from deepir.data.sirst import SirstV2, write_sirst_v2
from deepir.errors import unknown_name

CATALOGUE: dict[str, Callable[[Path | None, str | None], Dataset]] = {
    "simulated": Simulated.open,
    "sirst-v2": SirstV2.open,
}

__all__ = [
    "CATALOGUE",
    "Dataset",
    "Excluding",
    "Simulated",
    "SirstV2",
    "SkippedSample",
    "open_dataset",
    "read_samples",
    "source_of",
    "without_listed",
    "write_sirst_v2",
]


def open_dataset(name: str, *, root: Path | None = None, split: str | None = None) -> Dataset:
    """Open a dataset of the catalogue; nothing but its list of ids is read.

    Raises:
        UsageError: an unknown name or split, a root that is missing or not wanted.
        DeepirError: a list of ids that is empty or leaves the dataset's folder.

    >>> len(open_dataset("simulated"))
    64
    """
    if name not in CATALOGUE:
        raise unknown_name("dataset", name, CATALOGUE)
    return CATALOGUE[name](root, split)
