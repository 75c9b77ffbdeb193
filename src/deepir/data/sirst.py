"""SIRST-V2 in its official layout, read and written.

``mixed/<id>.png``, ``annotations/bboxes/<id>.xml``, ``annotations/masks/<id>_pixels0.png``,
``splits/<split>.txt``. Dai et al., IEEE TGRS 61, 2023; repository YimianDai/open-sirst-v2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.boxes import mask_from_boxes
from deepir.data.voc import SIDES, read_voc_boxes
from deepir.errors import DeepirError, FrameError, UsageError, unknown_name
from deepir.frames import read_image
from deepir.structures import Mask, Sample
from deepir.writing import write_bytes, write_text

IMAGES, BOXES, MASKS, SPLITS = "mixed", "annotations/bboxes", "annotations/masks", "splits"
ORIGIN = 1  # coordinates in the XML files start at 1; less 1 they are half-open pixels
DEFAULT_SPLIT = "test_full"


@dataclass(frozen=True)
class SirstV2:
    """One split of SIRST-V2, or of any dataset in its layout.

    Images are read as the metric sees them: 8-bit files as OpenCV decodes them to grey, 16-bit
    files as they are. Without a folder of masks every sample's mask is None.
    """

    root: Path
    split: str
    ids: list[str]
    name: str = "sirst-v2"

    @classmethod
    def open(cls, root: Path | None, split: str | None = None) -> SirstV2:
        """Read the list of ids of a split (default ``test_full``).

        Raises:
            UsageError: no root, a root of another layout, an unknown split.
            DeepirError: an empty list, or an id that leaves the dataset's folder.
        """
        if root is None:
            raise UsageError("sirst-v2 lies in a folder of yours: name it with --root")
        lists = root / SPLITS
        if not lists.is_dir() or not (root / IMAGES).is_dir():
            raise UsageError(f"{str(root)!r} is not SIRST-V2: no folders {IMAGES!r} and {SPLITS!r}")
        chosen = split or DEFAULT_SPLIT
        known = [path.stem for path in lists.glob("*.txt")]
        if chosen not in known:
            raise unknown_name("split", chosen, known)
        return cls(root, chosen, _read_ids(lists / f"{chosen}.txt"))

    def __len__(self) -> int:
        return len(self.ids)

    def knows(self, sample_id: str) -> bool:
        """Whether an image of this id exists, in whatever split."""
        return _stays_inside(sample_id) and self._image(sample_id).is_file()

    def read(self, sample_id: str) -> Sample:
        """Read image, boxes and mask of one id.

        Raises:
            FrameError: a missing or unreadable file, a mask of another size, a box outside.
            DeepirError: an annotation that is no XML or holds a word instead of a number.
        """
        path = self._image(sample_id)
        image = read_image(path)
        boxes = read_voc_boxes(self.root / BOXES / f"{sample_id}.xml", origin=ORIGIN)
        return Sample(image, boxes, self._mask(sample_id), sample_id, path)

    def _image(self, sample_id: str) -> Path:
        return self.root / IMAGES / f"{sample_id}.png"

    def _mask(self, sample_id: str) -> Mask | None:
        folder = self.root / MASKS
        if not folder.is_dir():
            return None
        levels = read_image(folder / f"{sample_id}_pixels0.png")
        return np.asarray(levels > levels.max() / 2)


def _read_ids(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeepirError(f"the list of ids {str(path)!r} is not readable: {error}") from None
    ids = [line.strip() for line in lines if line.strip()]
    if not ids:
        raise DeepirError(f"the split {path.stem!r} is empty: no ids in {str(path)!r}")
    for sample_id in ids:
        if not _stays_inside(sample_id):
            raise DeepirError(f"id {sample_id!r} in {str(path)!r} leaves the dataset's folder")
    twice = [sample_id for sample_id, uses in Counter(ids).items() if uses > 1]
    if twice:
        raise DeepirError(f"id {twice[0]!r} stands more than once in {str(path)!r}")
    return ids


def _stays_inside(sample_id: str) -> bool:
    path = PurePosixPath(sample_id)
    odd = "\\" in sample_id or ":" in sample_id or "\0" in sample_id
    return not (odd or path.is_absolute() or ".." in path.parts or not path.parts)


def write_sirst_v2(root: Path, split: str, samples: Iterable[Sample]) -> int:
    """Write samples (8- or 16-bit) under ``root`` as one split; returns how many.

    A sample without a mask gets the filled boxes as mask. Files of the same ids are replaced; the
    list of ids is written last, also where the samples end early (Ctrl-C, a full disk).

    Raises:
        UsageError: a split that cannot name a file.
        FrameError: an image that a PNG cannot hold, an id that leaves the folder.
    """
    if not split or "/" in split or not _stays_inside(split):
        raise UsageError(f"a split is named like a file, such as 'train_full', got {split!r}")
    ids: list[str] = []
    try:
        for sample in samples:
            _write_sample(root, sample)
            ids.append(sample.id)
    finally:
        if ids:
            write_text(root / SPLITS / f"{split}.txt", "\n".join(ids))
    return len(ids)


def _write_sample(root: Path, sample: Sample) -> None:
    if not _stays_inside(sample.id):
        raise FrameError(f"id {sample.id!r} cannot name a file under {str(root)!r}")
    if sample.image.dtype not in (np.uint8, np.uint16):
        raise FrameError(f"a PNG holds uint8 or uint16, {sample.id!r} is {sample.image.dtype}")
    mask = sample.mask
    if mask is None:
        mask = mask_from_boxes(sample.boxes, sample.image.shape)
    write_bytes(root / IMAGES / f"{sample.id}.png", _png(sample.image))
    write_bytes(root / MASKS / f"{sample.id}_pixels0.png", _png(mask.astype(np.uint8) * 255))
    write_bytes(root / BOXES / f"{sample.id}.xml", _xml(sample))


def _png(levels: NDArray[np.uint8 | np.uint16]) -> bytes:
    _, encoded = cv2.imencode(".png", levels)
    return encoded.tobytes()


def _xml(sample: Sample) -> bytes:
    root = Element("annotation")
    SubElement(root, "filename").text = sample.id
    size = SubElement(root, "size")
    height, width = sample.image.shape
    for name, value in (("width", width), ("height", height), ("depth", 1)):
        SubElement(size, name).text = str(value)
    for box in sample.boxes.tolist():
        target = SubElement(root, "object")
        SubElement(target, "name").text = "Target"
        bounds = SubElement(target, "bndbox")
        for side, value in zip(SIDES, box, strict=True):
            SubElement(bounds, side).text = f"{value + ORIGIN:.9g}"
    indent(root)
    return tostring(root, encoding="unicode").encode()
