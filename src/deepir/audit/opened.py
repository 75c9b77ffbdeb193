"""Any format, through its own reader: what it refuses is a finding instead of an end."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from deepir.audit.facts import IdList, Seen
from deepir.audit.findings import Finding
from deepir.audit.frame import frame_findings
from deepir.data.coco import Coco
from deepir.data.dataset import FolderDataset
from deepir.data.edges import within_frame
from deepir.data.formats import Format
from deepir.errors import DeepirError
from deepir.frames.sources import IMAGE_SUFFIXES

Opened = dict[str, FolderDataset]


def opened_lists(form: Format, root: Path) -> tuple[list[IdList], list[Finding], Opened]:
    """Open every split: its ids, what refuses to open, and the datasets by split."""
    lists, found, opened = [], [], {}
    for split in form.splits(root):
        try:
            dataset = form.open(root, split)
        except DeepirError as error:
            found.append(Finding("unusable list", "", said(error, root), split))
            continue
        opened[split] = dataset
        lists.append(IdList(split, "", list(dataset.ids)))
    return lists, found, opened


def said(error: Exception, root: Path) -> str:
    """What an error says in one line, with paths below the dataset's folder."""
    text = (getattr(error, "strerror", None) or str(error)).replace(f"{root.as_posix()}/", "")
    return " ".join(text.split())


@dataclass(frozen=True)
class RawBoxes:
    """Boxes (N, 4) of one frame as its annotation has them, in half-open pixels from 0.

    ``said`` is the size (W, H) of the frame that the annotation states.
    """

    file: str
    boxes: NDArray[np.float64]
    said: tuple[int, int] | None


def _coco_boxes(dataset: FolderDataset, sample_id: str) -> RawBoxes | None:
    if not isinstance(dataset, Coco):
        return None
    entry = dataset.entries[sample_id]
    bounds = [one.bbox for one in dataset.targets.get(entry.id, []) if one.bbox is not None]
    boxes = [(x, y, x + width, y + height) for x, y, width, height in bounds]
    said = (entry.width, entry.height) if entry.width and entry.height else None
    array = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return RawBoxes(dataset.file.name, array if said is None else _rounded(array, said), said)


def _rounded(boxes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    return within_frame(boxes, (size[1], size[0])).astype(np.float64)


def _unknown(dataset: FolderDataset, sample_id: str) -> None:
    """Of a format that gives boxes only through its reader."""


RAW_BOXES: dict[str, Callable[[FolderDataset, str], RawBoxes | None]] = {"coco": _coco_boxes}
"""How to see the boxes of a frame that its reader refuses, by format."""


@dataclass(frozen=True)
class OpenedFacts:
    """One dataset of any format."""

    root: Path
    form: Format

    def lists(self) -> tuple[list[IdList], list[Finding]]:
        """Ids of the splits that open, and why the others do not."""
        lists, found, _ = self._opened
        return lists, found

    def identity(self, split: str, sample_id: str) -> Hashable:
        """What the format says."""
        return self._opened[2][split].identity(sample_id)

    def look(self, split: str, sample_id: str) -> Seen:
        """Read one sample; where it is refused, see what its boxes are."""
        dataset = self._opened[2][split]
        try:
            sample = dataset.read(sample_id)
        except (DeepirError, OSError) as error:
            raw = self._raw(dataset, sample_id)
            seen = (
                Seen() if raw is None else Seen(boxes_file=raw.file, boxes=raw.boxes, said=raw.said)
            )
            if frame_findings(seen, split, sample_id):
                return seen
            return replace(seen, problems=[Finding("unusable frame", "", said(error, self.root))])
        return Seen(
            image_file=self._below(sample.path),
            image=sample.image,
            boxes=sample.boxes.astype(np.float64),
            mask=sample.mask,
        )

    def _raw(self, dataset: FolderDataset, sample_id: str) -> RawBoxes | None:
        """Boxes of a frame that is refused; None where they are no numbers that can be shown."""
        try:
            return RAW_BOXES.get(self.form.name, _unknown)(dataset, sample_id)
        except DeepirError:
            return None

    def every_id(self) -> list[str]:
        """None: without a list such a format has no ids."""
        return []

    def without_id(self, ids: set[str], used: set[str]) -> list[Finding]:
        """Images that nothing names, in the folders where images are that something names."""
        last = {PurePosixPath(sample_id).name for sample_id in ids}
        found = []
        for folder in sorted({PurePosixPath(file).parent for file in used if file}):
            for path in sorted((self.root / folder).iterdir()):
                file = self._below(path)
                hidden = path.name.startswith(".")
                if path.suffix.lower() not in IMAGE_SUFFIXES or file in used or hidden:
                    continue
                if path.stem not in last:  # a frame that could not be read has its own finding
                    found.append(Finding("file without id", file, "no split lists it"))
        return found

    def _below(self, path: Path | None) -> str:
        """A path below the root."""
        if path is None:
            return ""
        return (
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        )

    @cached_property
    def _opened(self) -> tuple[list[IdList], list[Finding], Opened]:
        return opened_lists(self.form, self.root)
