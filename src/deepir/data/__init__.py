"""Datasets: a name in the catalogue, a root folder and a split give a sequence of samples."""

from __future__ import annotations

from collections.abc import Callable

from deepir.data.coco import Coco, write_coco
from deepir.data.converting import Conversion, convert_dataset
from deepir.data.dataset import Dataset, FolderDataset, SkippedSample, read_samples
from deepir.data.excluding import Excluding, without_listed
from deepir.data.formats import FORMATS, Format, format_named, recognise_format
from deepir.data.mask_folders import MaskFolder, write_mask_folder
from deepir.data.origin import source_of
from deepir.data.pascal_voc import PascalVoc, write_voc
from deepir.data.simulated import Simulated
from deepir.data.sirst import SirstV2, write_sirst_v2
from deepir.data.yolo import Yolo, write_yolo
from deepir.errors import unknown_name
from deepir.structures import AnyPath

CATALOGUE: dict[str, Callable[[AnyPath | None, str | None], Dataset]] = {
    "simulated": Simulated.open,
    **{name: each.open for name, each in FORMATS.items()},
}

__all__ = [
    "CATALOGUE",
    "FORMATS",
    "Coco",
    "Conversion",
    "Dataset",
    "Excluding",
    "FolderDataset",
    "Format",
    "MaskFolder",
    "PascalVoc",
    "Simulated",
    "SirstV2",
    "SkippedSample",
    "Yolo",
    "convert_dataset",
    "format_named",
    "open_dataset",
    "read_samples",
    "recognise_format",
    "source_of",
    "without_listed",
    "write_coco",
    "write_mask_folder",
    "write_sirst_v2",
    "write_voc",
    "write_yolo",
]


def open_dataset(name: str, *, root: AnyPath | None = None, split: str | None = None) -> Dataset:
    """Open a dataset of the catalogue; nothing but its list of ids is read.

    Raises:
        UsageError: an unknown name or split, a root that is missing or not wanted.
        DeepirError: a list of ids that is empty or leaves the dataset's folder.

    >>> frames = open_dataset("simulated")
    >>> len(frames), sum(len(sample.boxes) for sample in frames)
    (64, 105)
    """
    if name not in CATALOGUE:
        raise unknown_name("dataset", name, CATALOGUE)
    return CATALOGUE[name](root, split)
