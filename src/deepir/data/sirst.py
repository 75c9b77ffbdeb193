"""SIRST-V2 in its official layout, read and written.

``mixed/<id>.png``, ``annotations/bboxes/<id>.xml``, ``annotations/masks/<id>_pixels0.png``,
``splits/<split>.txt``. Dai et al., IEEE TGRS 61, 2023; repository YimianDai/open-sirst-v2.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepir.boxes import mask_from_boxes
from deepir.data.dataset import InOrder
from deepir.data.images import ImageWriter, images_below, mask_png, read_mask
from deepir.data.listing import check_writable_id, chosen_split, is_there, read_ids, stays_inside
from deepir.data.voc import HALF_OPEN_FROM_1, annotation_xml, read_annotation
from deepir.data.writer import MADE, ROUNDED, write_split
from deepir.errors import UsageError
from deepir.frames import read_image
from deepir.structures import AnyPath, Mask, Sample
from deepir.writing import write_bytes, write_text

IMAGES, BOXES, MASKS, SPLITS = "mixed", "annotations/bboxes", "annotations/masks", "splits"
DEFAULT_SPLIT = "test_full"


@dataclass(frozen=True)
class SirstV2(InOrder):
    """One split of SIRST-V2, or of any dataset in its layout.

    Images are read as the metric sees them: 8-bit files as OpenCV decodes them to grey, 16-bit
    files as they are. Without a folder of masks every sample's mask is None.
    """

    root: Path
    split: str
    ids: list[str]
    name: str = "sirst-v2"

    @classmethod
    def open(cls, root: AnyPath | None, split: str | None = None) -> SirstV2:
        """Read the list of ids of a split (default ``test_full``, ``test``, or the only one).

        Raises:
            UsageError: no root, a root of another layout, an unknown split.
            DeepirError: an empty list, or an id that leaves the dataset's folder.
        """
        if root is None:
            raise UsageError("sirst-v2 lies in a folder of yours: name it with --root")
        place = Path(root)
        if not looks_like_sirst_v2(place):
            raise UsageError(f"{str(root)!r} is not SIRST-V2: no folders {IMAGES!r} and {SPLITS!r}")
        known = sirst_v2_splits(place)
        wished = DEFAULT_SPLIT if split is None and DEFAULT_SPLIT in known else split
        chosen = chosen_split("sirst-v2", place, known, wished)
        return cls(place, chosen, read_ids(place / SPLITS / f"{chosen}.txt"))

    def knows(self, sample_id: str) -> bool:
        """Whether an image of this id exists, in whatever split."""
        return stays_inside(sample_id) and is_there(self._image(sample_id))

    def read(self, sample_id: str) -> Sample:
        """Read image, boxes and mask of one id.

        Raises:
            FrameError: a missing or unreadable file, a mask of another size, a box outside.
            DeepirError: an annotation that is no XML or holds a word instead of a number.
        """
        path = self._image(sample_id)
        image = read_image(path)
        annotation = read_annotation(self.root / BOXES / f"{sample_id}.xml", HALF_OPEN_FROM_1)
        return Sample(image, annotation.boxes, self._mask(sample_id), sample_id, path)

    def identity(self, sample_id: str) -> Hashable:
        """The id itself: it names one file, whatever the split."""
        return sample_id

    def every_id(self) -> list[str]:
        """Ids of all images in the folder, in whatever split or in none."""
        return list(images_below(self.root / IMAGES).files)

    def left_out(self) -> dict[str, list[str]]:
        """Nothing: a `Sample` holds all that the files do."""
        return {}

    def _image(self, sample_id: str) -> Path:
        return self.root / IMAGES / f"{sample_id}.png"

    def _mask(self, sample_id: str) -> Mask | None:
        folder = self.root / MASKS
        if not folder.is_dir():
            return None
        return read_mask(folder / f"{sample_id}_pixels0.png")


def looks_like_sirst_v2(root: Path) -> bool:
    """Whether the two folders are there that no other layout has."""
    return (root / SPLITS).is_dir() and (root / IMAGES).is_dir()


def sirst_v2_splits(root: Path) -> list[str]:
    """Names of the splits, sorted."""
    return sorted(path.stem for path in (root / SPLITS).glob("*.txt"))


@dataclass(frozen=True)
class SirstV2Writer:
    """Writes frames below ``root`` in the layout of SIRST-V2.

    A sample without a mask gets the filled boxes as mask.
    """

    root: Path

    def add(self, split: str, sample: Sample) -> list[str]:
        """Write image, mask and boxes of one frame; returns what is lost.

        Raises:
            FrameError: an image that a PNG cannot hold, an id that leaves the folder.
        """
        check_writable_id(sample.id, self.root)
        _, lost = ImageWriter(self.root / IMAGES, png_only=True).write(sample)
        mask = sample.mask
        if mask is None:
            mask, lost = mask_from_boxes(sample.boxes, sample.image.shape), [*lost, MADE]
        write_bytes(self.root / MASKS / f"{sample.id}_pixels0.png", mask_png(mask))
        xml = annotation_xml(sample, HALF_OPEN_FROM_1, target="Target", filename=sample.id)
        write_bytes(self.root / BOXES / f"{sample.id}.xml", xml)
        return lost if HALF_OPEN_FROM_1.keeps(sample.boxes) else [*lost, ROUNDED]

    def finish(self, splits: Mapping[str, Sequence[str]]) -> None:
        """Write the lists of ids."""
        for split, ids in splits.items():
            write_text(self.root / SPLITS / f"{split}.txt", "\n".join(ids))


def write_sirst_v2(root: AnyPath, split: str, samples: Iterable[Sample]) -> int:
    """Write samples (8- or 16-bit) under ``root`` as one split; returns how many.

    A sample without a mask gets the filled boxes as mask. Files of the same ids are replaced; the
    list of ids is written last, also where the samples end early (Ctrl-C, a full disk).

    Raises:
        UsageError: a split that cannot name a file.
        FrameError: an image that a PNG cannot hold, an id that leaves the folder.
    """
    written: list[str] = []

    def noted() -> Iterator[Sample]:
        for sample in samples:
            yield sample
            written.append(sample.id)

    write_split(SirstV2Writer(Path(root)), split, noted())
    return len(written)
