"""Pascal VOC, read and written: JPEGImages, Annotations, ImageSets/Main.

Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 88, 2010: the first
pixel is 1, and the upper sides of a box name its last pixel. Many tools count otherwise, and a
file does not tell, so each way of counting is a format of its own.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deepir.data.dataset import InOrder
from deepir.data.edges import within_frame
from deepir.data.images import Images, ImageWriter, images_below
from deepir.data.listing import (
    ALL,
    check_ids,
    check_root,
    check_writable_id,
    chosen_split,
    read_lines,
)
from deepir.data.voc import Corners, annotation_xml, read_annotation
from deepir.data.writer import MASKS, ROUNDED, TARGET, Lost, note_lost, one_class, write_split
from deepir.errors import DeepirError, FrameError, UsageError, unknown_name
from deepir.frames import read_image
from deepir.structures import AnyPath, Sample
from deepir.writing import write_bytes, write_text

IMAGES, ANNOTATIONS, LISTS = "JPEGImages", "Annotations", "ImageSets/Main"

COUNTING = {
    "voc": Corners(1, inclusive=True),
    "voc-half-open": Corners(1),
    "voc-zero-based": Corners(0),
}
"""``voc`` as published; ``voc-half-open`` from 1, the upper sides name the pixel after the last, as
in SIRST-V2; ``voc-zero-based`` half-open from 0, as most annotation tools of today export."""

_OF_A_CLASS = re.compile(r"(.*\S)\s+(-1|0|1)")


@dataclass(frozen=True)
class PascalVoc(InOrder):
    """One split of a VOC dataset; ``name`` says how its boxes count.

    An ``object`` without ``bndbox`` is no target, a difficult one is a target.
    """

    root: Path
    split: str
    ids: list[str]
    name: str
    images: Images = field(repr=False)

    @classmethod
    def open(
        cls, root: AnyPath | None, split: str | None = None, *, counting: str = "voc"
    ) -> PascalVoc:
        """Read the list of ids of a split (default ``test``, or the only one).

        Without lists the split is ``all``, in the order of the names. Lists of one class
        (``ship_train.txt``, with 1 or -1 behind each id) are no splits.

        Raises:
            UsageError: no root, a root of another layout, an unknown split or way of counting.
            DeepirError: an empty list, or an id that leaves the dataset's folder.
        """
        place = check_root(counting, root)
        if counting not in COUNTING:
            raise unknown_name("way of counting in VOC", counting, COUNTING)
        if not looks_like_voc(place):
            raise UsageError(
                f"{str(place)!r} is not Pascal VOC: no folders {IMAGES!r} and {ANNOTATIONS!r}"
            )
        images = images_below(place / IMAGES)
        lists = _lists(place, images)
        chosen = chosen_split(counting, place, lists, split)
        path = lists[chosen]
        lines = list(images.files) if path is None else map(images.id_of, read_lines(path))
        ids = check_ids(list(lines), chosen, path or images.folder)
        return cls(place, chosen, ids, counting, images)

    def knows(self, sample_id: str) -> bool:
        """Whether an image of this id exists, in whatever split."""
        return sample_id in self.images

    def read(self, sample_id: str) -> Sample:
        """Read image and boxes of one id.

        Raises:
            FrameError: a missing, doubled or unreadable file, another size than the annotation
                says, a box outside.
            DeepirError: an annotation that is no XML or holds a word instead of a number.
        """
        path = self.images.find(sample_id)
        image = read_image(path)
        annotation = read_annotation(self._xml(sample_id), COUNTING[self.name])
        said, found = annotation.size, image.shape[::-1]
        if said is not None and said != found:
            raise FrameError(
                f"the annotation of {sample_id!r} says {said} pixels (W, H), its image has {found}"
            )
        if (annotation.boxes < 0).any() and COUNTING[self.name].origin:
            raise FrameError(
                f"a box of {sample_id!r} begins before the first pixel, which is 1 in {self.name};"
                " where it is 0, the format is voc-zero-based"
            )
        return Sample(image, within_frame(annotation.boxes, image.shape), None, sample_id, path)

    def identity(self, sample_id: str) -> Hashable:
        """The id itself: it names one file, whatever the split."""
        return sample_id

    def every_id(self) -> list[str]:
        """Ids of all images in the folder, in whatever split or in none."""
        return list(self.images.files)

    def left_out(self) -> Lost:
        """Names of classes, unless all targets are called ``target``."""
        classes: dict[str, set[str]] = {}
        for sample_id in self.ids:
            try:
                found = read_annotation(self._xml(sample_id), COUNTING[self.name]).classes
            except DeepirError:  # reading the frame says so
                continue
            if found:
                classes[sample_id] = set(found)
        every = set().union(*classes.values())
        lost: Lost = {}
        for sample_id in classes if every != {TARGET} else ():
            note_lost(lost, [one_class(every)], sample_id)
        return lost

    def _xml(self, sample_id: str) -> Path:
        return self.root / ANNOTATIONS / f"{sample_id}.xml"


def looks_like_voc(root: Path) -> bool:
    """Whether the two folders are there."""
    return (root / IMAGES).is_dir() and (root / ANNOTATIONS).is_dir()


def voc_splits(root: Path) -> list[str]:
    """Names of the splits, sorted."""
    return sorted(_lists(root, images_below(root / IMAGES)))


def _lists(root: Path, images: Images) -> dict[str, Path | None]:
    """Split names, and the list of each; without any list ``all`` and None."""
    found = sorted((root / LISTS).glob("*.txt"))
    lists: dict[str, Path | None] = {
        path.stem: path for path in found if not _is_of_a_class(path, images)
    }
    return lists or {ALL: None}


def _is_of_a_class(path: Path, images: Images) -> bool:
    lines = read_lines(path)
    return bool(lines) and all(line not in images and _OF_A_CLASS.fullmatch(line) for line in lines)


@dataclass(frozen=True)
class PascalVocWriter:
    """Writes frames below ``root`` as Pascal VOC."""

    root: Path
    counting: str = "voc"

    def add(self, split: str, sample: Sample) -> list[str]:
        """Write image and boxes of one frame; returns what is lost.

        Raises:
            FrameError: an id that leaves the folder.
        """
        check_writable_id(sample.id, self.root)
        suffix, lost = ImageWriter(self.root / IMAGES).write(sample)
        corners = COUNTING[self.counting]
        xml = annotation_xml(
            sample, corners, target=TARGET, filename=f"{sample.id}{suffix}", folder=IMAGES
        )
        write_bytes(self.root / ANNOTATIONS / f"{sample.id}.xml", xml)
        if sample.mask is not None:
            lost = [*lost, MASKS]
        return lost if corners.keeps(sample.boxes) else [*lost, ROUNDED]

    def finish(self, splits: Mapping[str, Sequence[str]]) -> None:
        """Write the lists of ids."""
        for split, ids in splits.items():
            write_text(self.root / LISTS / f"{split}.txt", "\n".join(ids) + "\n")


def write_voc(
    root: AnyPath, split: str, samples: Iterable[Sample], *, counting: str = "voc"
) -> Lost:
    """Write samples under ``root`` as one split, boxes counted as `COUNTING` says.

    Returns what is lost: masks. Files of the same ids are replaced; the list is written also where
    the samples end early.

    Raises:
        UsageError: an unknown way of counting, a split that cannot name a file.
        FrameError: an id that leaves the folder.
    """
    if counting not in COUNTING:
        raise unknown_name("way of counting in VOC", counting, COUNTING)
    return write_split(PascalVocWriter(Path(root), counting), split, samples)
