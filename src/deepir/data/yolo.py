"""YOLO, read and written: ``images/``, ``labels/`` beside it, and ``data.yaml`` with the splits.

A label file has a line a target: class, then centre x, centre y, width and height as shares of the
frame's width and height. An empty file or none is a frame without targets.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepir.data.dataset import InOrder
from deepir.data.images import ImageWriter
from deepir.data.listing import (
    check_ids,
    check_root,
    check_writable_id,
    chosen_split,
    read_limited,
    without_suffix,
)
from deepir.data.writer import MASKS, ROUNDED, TARGET, Lost, note_lost, one_class, write_split
from deepir.data.yolo_labels import Label, in_pixels, label_lines, read_label
from deepir.data.yolo_tree import (
    IMAGES,
    LABELS,
    SETTINGS,
    Tree,
    check_yolo_split,
    read_tree,
    write_settings,
)
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.frames import read_image
from deepir.structures import AnyPath, Sample
from deepir.writing import write_text

MOST_LABEL_BYTES = 2**26
OUTLINES = "outlines become their boxes"


@dataclass(frozen=True)
class Yolo(InOrder):
    """One split of a YOLO dataset.

    Ids are the paths of images below ``images/`` or the split's folder in it, without suffix.
    """

    root: Path
    split: str
    ids: list[str]
    tree: Tree = field(repr=False)
    name: str = "yolo"

    @classmethod
    def open(cls, root: AnyPath | None, split: str | None = None) -> Yolo:
        """List the images of a split (default ``test``, or the only one).

        The splits are those of ``data.yaml``, else the folders in ``images/``. A folder gives its
        images in the order of their names, a list in its own.

        Raises:
            UsageError: no root, a root of another layout, an unknown split.
            DeepirError: a data.yaml or list that cannot be used, a split that is empty or has no
                folder of labels.
        """
        place = check_root("yolo", root)
        tree = read_tree(place)
        if not tree.splits:
            raise UsageError(
                f"{str(place)!r} is not YOLO: no {SETTINGS} that names folders or lists of images"
                f" there, and no folders {IMAGES!r} and {LABELS!r}"
            )
        chosen = chosen_split("yolo", place, tree.splits, split)
        known = {path: sample_id for sample_id, path in tree.paths.items()}
        ids = check_ids([known[path] for path in tree.splits[chosen]], chosen, place)
        folders = {tree.label_root(path) for path in tree.splits[chosen]}
        if not any((place / folder).is_dir() for folder in folders):
            raise DeepirError(
                f"the split {chosen!r} of {str(place)!r} has no folder of labels"
                f" {str(min(folders))!r}: single frames without targets need no file, but all"
                " without any cannot be told from labels that are missing"
            )
        return cls(place, chosen, ids, tree)

    def knows(self, sample_id: str) -> bool:
        """Whether any split has the id."""
        return sample_id in self.tree.paths

    def read(self, sample_id: str) -> Sample:
        """Read image and boxes of one id; the mask is None.

        Raises:
            FrameError: an id that no split has, a missing or unreadable image, a box outside.
            DeepirError: a label file that cannot be read or has a line of another form.
        """
        path = self._image(sample_id)
        image = read_image(path)
        labels = [label.box for label in self._labels(sample_id)]
        return Sample(image, in_pixels(labels, image.shape), None, sample_id, path)

    def identity(self, sample_id: str) -> Hashable:
        """The id itself: it names one file, whatever the split."""
        return sample_id

    def every_id(self) -> list[str]:
        """Ids of the images of all splits."""
        return list(self.tree.paths)

    def left_out(self) -> Lost:
        """Outlines, and classes unless all targets are of one called ``target``."""
        labels: dict[str, list[Label]] = {}
        for sample_id in self.ids:
            try:
                labels[sample_id] = self._labels(sample_id)
            except DeepirError:  # reading the frame says so
                continue
        names = {self.tree.class_name(one.kind) for own in labels.values() for one in own}
        lost: Lost = {}
        for sample_id, own in labels.items():
            if any(one.is_outline for one in own):
                note_lost(lost, [OUTLINES], sample_id)
            if own and names != {TARGET}:
                note_lost(lost, [one_class(names)], sample_id)
        return lost

    def _image(self, sample_id: str) -> Path:
        if sample_id not in self.tree.paths:
            raise FrameError(f"no image {sample_id!r} in {str(self.root)!r}")
        return self.root / self.tree.paths[sample_id]

    def _labels(self, sample_id: str) -> list[Label]:
        path = self.root / self.tree.label_file(self.tree.paths[sample_id])
        try:
            text = read_limited(path, MOST_LABEL_BYTES).decode("utf-8-sig")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise DeepirError(f"labels {str(path)!r} are not readable: {error}") from None
        lines = enumerate(text.splitlines(), start=1)
        return [
            read_label(line, f"{str(path)!r}, line {number}")
            for number, line in lines
            if line.strip()
        ]


def looks_like_yolo(root: Path) -> bool:
    """Whether there is data.yaml, or images of a split with a folder of labels."""
    if (root / SETTINGS).is_file():
        return True
    tree = read_tree(root)
    firsts = [images[0] for images in tree.splits.values()]
    return any((root / tree.label_root(image)).is_dir() for image in firsts)


def yolo_splits(root: Path) -> list[str]:
    """Names of the splits, sorted."""
    return sorted(read_tree(root).splits)


@dataclass
class YoloWriter:
    """Writes frames below ``root`` as YOLO.

    A frame lies in the folder of the first split that holds it; the lists of the splits name it.
    Frames that lie below ``root`` already stay where they are.
    """

    root: Path
    _homes: dict[str, str] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.root / SETTINGS).exists():
            for sample_id, path in read_tree(self.root).paths.items():
                home = without_suffix(str(path)).removesuffix(f"/{sample_id}")
                if home.startswith(f"{IMAGES}/"):
                    self._homes[sample_id] = home.removeprefix(f"{IMAGES}/")

    def add(self, split: str, sample: Sample) -> list[str]:
        """Write image and labels of one frame; returns what is lost.

        Raises:
            FrameError: an id that leaves the folder.
        """
        check_writable_id(sample.id, self.root)
        home = self._homes.setdefault(sample.id, split)
        suffix, lost = ImageWriter(self.root / IMAGES / home).write(sample)
        self._files[sample.id] = f"{IMAGES}/{home}/{sample.id}{suffix}"
        lines = list(label_lines(sample.boxes, sample.image.shape))
        path = self.root / LABELS / home / f"{sample.id}.txt"
        write_text(path, "".join(f"{line}\n" for line in lines))
        if sample.mask is not None:
            lost = [*lost, MASKS]
        read = in_pixels([read_label(line, "").box for line in lines], sample.image.shape)
        return lost if np.array_equal(read, sample.boxes) else [*lost, ROUNDED]

    def finish(self, splits: Mapping[str, Sequence[str]]) -> None:
        """Write the lists of the splits, and data.yaml with these and those that it has.

        Raises:
            UsageError: a split that is called like another entry of data.yaml, or a data.yaml
                that leads elsewhere.
        """
        for split, ids in splits.items():
            lines = [f"./{self._files[sample_id]}" for sample_id in ids]
            write_text(self.root / f"{split}.txt", "\n".join(lines) + "\n")
        write_settings(self.root, {split: f"{split}.txt" for split in splits})


def write_yolo(root: AnyPath, split: str, samples: Iterable[Sample]) -> Lost:
    """Write samples under ``root`` as one split: images, labels, a list, and its line in data.yaml.

    Returns what is lost: masks, and fractions of a pixel that shares do not give back. Files of the
    same ids are replaced; the list is written also where the samples end early.

    Raises:
        UsageError: a split that cannot name a file or is called like another entry of data.yaml.
        FrameError: an id that leaves the folder.
    """
    check_yolo_split(split)
    return write_split(YoloWriter(Path(root)), split, samples)
