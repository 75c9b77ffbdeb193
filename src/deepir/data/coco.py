"""COCO, read and written: ``annotations/instances_<split>.json`` and ``images/``.

Boxes are ``x, y, width, height`` in pixels from 0, so that a box of one pixel has width 1.
"""

from __future__ import annotations

import json
import mmap
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from deepir import __version__
from deepir.data.dataset import InOrder
from deepir.data.edges import within_frame
from deepir.data.images import ImageWriter
from deepir.data.listing import (
    ALL,
    check_ids,
    check_root,
    check_writable_id,
    chosen_split,
    is_there,
    without_suffix,
)
from deepir.data.segmentation import read_segmentation, run_lengths, shared_mask
from deepir.data.writer import TARGET, Lost, note_lost, one_class, write_split
from deepir.errors import FrameError, UsageError
from deepir.frames import read_image
from deepir.structures import AnyPath, Image, Mask, Sample
from deepir.writing import write_text

if TYPE_CHECKING:
    from deepir.data.coco_form import CocoAnnotation, CocoFile, CocoImage

IMAGES, ANNOTATIONS, PREFIX = "images", "annotations", "instances_"
NAMELESS = frozenset(("_annotations.coco", "annotations", "coco", "instances", "labels", "result"))
"""Names of annotation files that say nothing about their split."""

UNBOXED = "mask pixels of frames without boxes are left out"
CROWDS = "regions of crowds, which COCO ignores, are left out"


@dataclass(frozen=True)
class Coco(InOrder):
    """One annotation file of a COCO dataset.

    Ids are the names of the image files without suffix. Images lie beside the annotation file, in
    ``images/``, or in a folder of the split's name. Outlines and run lengths are read as masks; a
    frame with a target that has none has no mask.
    """

    root: Path
    split: str
    ids: list[str]
    file: Path
    entries: dict[str, CocoImage] = field(repr=False)
    content: CocoFile = field(repr=False)
    targets: dict[int | str, list[CocoAnnotation]] = field(repr=False)
    name: str = "coco"

    @classmethod
    def open(cls, root: AnyPath | None, split: str | None = None) -> Coco:
        """Read the annotation file of a split (default ``test``, or the only one).

        ``root`` is a folder, or one annotation file.

        Raises:
            UsageError: no root, no annotation file there, an unknown split.
            DeepirError: an annotation file that cannot be used.
        """
        from deepir.data.coco_form import read_coco_file

        place = check_root("coco", root)
        files = _files(place)
        if not files:
            raise UsageError(
                f"{str(place)!r} is not COCO: no JSON file with images and annotations in it or in"
                " a folder of it"
            )
        chosen = chosen_split("coco", place, files, split)
        content = read_coco_file(files[chosen])
        entries = _by_id(content.images, files[chosen], chosen)
        return cls(
            place, chosen, list(entries), files[chosen], entries, content, content.of_images()
        )

    def knows(self, sample_id: str) -> bool:
        """Whether any annotation file has an image of this id."""
        return sample_id in self.entries or sample_id in self._elsewhere

    def read(self, sample_id: str) -> Sample:
        """Read one image, its boxes and its mask.

        Raises:
            FrameError: an id of another split, a missing or unreadable image, another size than
                the annotations say, a box outside, a mask that cannot be read.
        """
        path = self._image(sample_id)
        image = read_image(path)
        entry = self.entries[sample_id]
        said, found = (entry.width, entry.height), image.shape[::-1]
        if all(said) and said != found:
            raise FrameError(
                f"{str(self.file)!r} says {said} pixels (W, H) for {sample_id!r}, its image has"
                f" {found}"
            )
        targets = [one for one in self.targets.get(entry.id, []) if not one.iscrowd]
        try:
            boxes = [_box(one, image) for one in targets]
            mask = self._mask(targets, image)
        except FrameError as error:
            raise FrameError(f"{sample_id!r} in {str(self.file)!r}: {error}") from None
        return Sample(image, within_frame(boxes, image.shape), mask, sample_id, path)

    def identity(self, sample_id: str) -> Hashable:
        """Image file and targets: several files may annotate one image, each with its own."""
        entry = self.entries[sample_id]
        places = (place / _posix(entry) for place in self._places)
        file = next(filter(is_there, places), None)
        targets = self.targets.get(entry.id, [])
        return file, tuple(repr((one.bbox, one.segmentation, one.iscrowd)) for one in targets)

    def every_id(self) -> list[str]:
        """Ids of this split: images that no annotation file names are none of the dataset's."""
        return list(self.ids)

    def left_out(self) -> Lost:
        """Crowds, and names of classes unless all targets are called ``target``."""
        names: dict[int | str | None, str] = {
            each.id: each.name for each in self.content.categories
        }
        kinds = {names.get(one.category_id, TARGET) for one in self.content.annotations}
        lost: Lost = {}
        for sample_id, entry in self.entries.items():
            own = self.targets.get(entry.id, [])
            if any(one.iscrowd for one in own):
                note_lost(lost, [CROWDS], sample_id)
            if own and kinds != {TARGET}:
                note_lost(lost, [one_class(kinds)], sample_id)
        return lost

    def _image(self, sample_id: str) -> Path:
        if sample_id not in self.entries:
            raise FrameError(f"no image {sample_id!r} in {str(self.file)!r}")
        name = _posix(self.entries[sample_id])
        found = next(filter(is_there, (place / name for place in self._places)), None)
        if found is None:
            looked = ", ".join(repr(str(place)) for place in self._places)
            raise FrameError(f"no image {name!r}; looked in {looked}")
        return found

    @property
    def _places(self) -> list[Path]:
        """Folders in which images may lie, the likeliest first."""
        beside = [self.file.parent, self.file.parent / IMAGES]
        if self.root.is_file():
            return beside
        below = ("", IMAGES, self.split, f"{IMAGES}/{self.split}", "data")
        return list(dict.fromkeys([*beside, *(self.root / name for name in below)]))

    @cached_property
    def _elsewhere(self) -> frozenset[str]:
        """Ids of the other splits."""
        others = (split for split in coco_splits(self.root) if split != self.split)
        return frozenset(each for split in others for each in Coco.open(self.root, split).ids)

    def _mask(self, targets: list[CocoAnnotation], image: Image) -> Mask | None:
        if not self.content.has_masks or not all(one.outlined for one in targets):
            return None
        mask = np.zeros(image.shape, dtype=bool)
        for one in targets:
            mask |= read_segmentation(one.segmentation, image.shape)
        return mask


def _box(one: CocoAnnotation, image: Image) -> list[float]:
    if one.bbox is not None:
        x, y, width, height = one.bbox
        return [x, y, x + width, y + height]
    if not one.outlined:
        raise FrameError(f"annotation {one.id!r:.60} has neither bbox nor segmentation")
    rows, columns = np.nonzero(read_segmentation(one.segmentation, image.shape))
    if not len(rows):
        raise FrameError(f"annotation {one.id!r:.60} has no bbox and no pixel in its segmentation")
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def _posix(entry: CocoImage) -> str:
    """Name of an image's file below its folder, however the system wrote it that made the list."""
    return PurePosixPath(entry.file_name.replace("\\", "/")).as_posix()


def _by_id(images: list[CocoImage], path: Path, split: str) -> dict[str, CocoImage]:
    """Images by their id, in the order of the file; names that differ in suffix only keep it."""
    short = [without_suffix(_posix(image)) for image in images]
    uses = Counter(short)
    ids = [
        name if uses[name] == 1 else _posix(image)
        for name, image in zip(short, images, strict=True)
    ]
    return dict(zip(check_ids(ids, split, path), images, strict=True))


def looks_like_coco(root: Path) -> bool:
    """Whether there is an annotation file."""
    return bool(_files(root))


def coco_splits(root: Path) -> list[str]:
    """Names of the splits, sorted."""
    return sorted(_files(root))


def _files(place: Path) -> dict[str, Path]:
    """Annotation files by split, in a folder and the folders in it.

    Where there are ``instances_*.json``, files of other names are of other tasks.

    Raises:
        UsageError: two of them are of one split.
    """
    if place.is_file():
        return {_split_name(place, place.parent): place} if _mentions_images(place) else {}
    found = [*sorted(place.glob("*.json")), *sorted(place.glob("*/*.json"))]
    official = [path for path in found if path.name.startswith(PREFIX)]
    files: dict[str, Path] = {}
    for path in filter(_mentions_images, official or found):
        split = _split_name(path, place)
        if split in files:
            raise UsageError(
                f"two annotation files are of the split {split!r}, {str(files[split])!r} and"
                f" {str(path)!r}: name one of them as the dataset's root"
            )
        files[split] = path
    return files


def _split_name(path: Path, root: Path) -> str:
    """Split that a file is of, by its own name or that of its folder.

    >>> _split_name(Path("d/annotations/instances_val2017.json"), Path("d"))
    'val2017'
    >>> _split_name(Path("d/train/_annotations.coco.json"), Path("d"))
    'train'
    """
    if path.stem not in NAMELESS:
        return path.stem.removeprefix(PREFIX) or ALL
    return ALL if path.parent == root or path.parent.name == ANNOTATIONS else path.parent.name


def _mentions_images(path: Path) -> bool:
    """Whether a JSON file mentions images and annotations, so that it may be an annotation file."""
    if not path.is_file():  # opening a pipe would wait
        return False
    try:
        with (
            path.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as it,
        ):
            return it.find(b'"images"') >= 0 and it.find(b'"annotations"') >= 0
    except (OSError, ValueError):  # an empty file cannot be mapped
        return False


@dataclass
class CocoWriter:
    """Writes frames below ``root``; a frame has one number in the files of all splits."""

    root: Path
    _images: dict[str, dict[str, Any]] = field(default_factory=dict)
    _targets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _masked: set[str] = field(default_factory=set)

    def add(self, split: str, sample: Sample) -> list[str]:
        """Write the image of one frame and keep its annotations; returns what is lost.

        Raises:
            FrameError: an id that leaves the folder.
        """
        check_writable_id(sample.id, self.root)
        suffix, lost = ImageWriter(self.root / IMAGES).write(sample)
        number = self._images.get(sample.id, {}).get("id", len(self._images) + 1)
        height, width = sample.image.shape
        self._images[sample.id] = {
            "id": number,
            "file_name": f"{sample.id}{suffix}",
            "width": width,
            "height": height,
        }
        self._targets[sample.id] = list(_annotations(sample, number))
        if sample.mask is not None:
            self._masked.add(sample.id)
            if sample.mask.any() and not len(sample.boxes):
                lost = [*lost, UNBOXED]
        return lost

    def finish(self, splits: Mapping[str, Sequence[str]]) -> None:
        """Write an annotation file a split."""
        for split, ids in splits.items():
            targets = [one for sample_id in ids for one in self._targets[sample_id]]
            content = {
                "info": {
                    "description": f"written by deepir {__version__}",
                    "masks": not self._masked.isdisjoint(ids),
                },
                "images": [self._images[sample_id] for sample_id in ids],
                "annotations": [
                    {"id": number, **one} for number, one in enumerate(targets, start=1)
                ],
                "categories": [{"id": 1, "name": TARGET}],
            }
            text = json.dumps(content, ensure_ascii=False, allow_nan=False)
            write_text(self.root / ANNOTATIONS / f"{PREFIX}{split}.json", text + "\n")


def _annotations(sample: Sample, number: int) -> Iterator[dict[str, Any]]:
    parts = (
        [None] * len(sample.boxes)
        if sample.mask is None
        else shared_mask(sample.mask, sample.boxes)
    )
    for (x0, y0, x1, y1), part in zip(sample.boxes.tolist(), parts, strict=True):
        width, height = x1 - x0, y1 - y0
        fields = {
            "image_id": number,
            "category_id": 1,
            "bbox": [_short(side) for side in (x0, y0, width, height)],
            "area": _short(width * height) if part is None else int(part.sum()),
            "iscrowd": 0,
        }
        yield fields if part is None else {**fields, "segmentation": run_lengths(part)}


def _short(number: float) -> float:
    """A whole number as JSON shows it best."""
    return int(number) if number == int(number) else number


def write_coco(root: AnyPath, split: str, samples: Iterable[Sample]) -> Lost:
    """Write samples under ``root`` as one split, ``annotations/instances_<split>.json``.

    Masks are written as run lengths, each pixel with the box that it is in or nearest to. Returns
    what is lost: masks of frames that have no box. Images of the same ids are replaced; the
    annotations are written also where the samples end early.

    Raises:
        UsageError: a split that cannot name a file.
        FrameError: an id that leaves the folder.
    """
    return write_split(CocoWriter(Path(root)), split, samples)
