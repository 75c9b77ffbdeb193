"""Folders of images and masks, as the small-target datasets ship them: a table of layouts.

The masks are all the truth there is: boxes are the bounds of their 8-connected components.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepir.boxes import components, mask_from_boxes
from deepir.data.dataset import InOrder
from deepir.data.images import Images, ImageWriter, images_below, mask_png, read_mask
from deepir.data.listing import (
    ALL,
    check_ids,
    check_root,
    check_writable_id,
    chosen_split,
    read_lines,
)
from deepir.data.writer import MADE, Lost, write_split
from deepir.errors import UsageError, unknown_name
from deepir.frames import read_image
from deepir.structures import AnyPath, Boxes, Mask, Sample, as_boxes
from deepir.writing import write_bytes, write_text

RECOGNISED = "mask-folder"
"""Name under which the layout is recognised from the tree; writing then takes `WRITTEN`."""

WRITTEN = "basicirstd"
BOUNDS = "boxes become the bounds of the mask's components"


@dataclass(frozen=True)
class Layout:
    """Where the files are: ``<images>/<id>.*``, ``<masks>/<id><ending>.*`` and lists of ids.

    ``lists`` is the folder that lists are written into, ``read_from`` are patterns of the folders
    that they are read from, the first that has any. ``named``: a list is called
    ``<split>_<name of the dataset>.txt``.
    """

    images: str
    masks: str
    lists: str
    read_from: tuple[str, ...]
    ending: str = ""
    named: bool = False


LAYOUTS = {
    "sirst-v1": Layout("images", "masks", "idx_427", ("idx_*", "."), ending="_pixels0"),
    "dnanet": Layout("images", "masks", "50_50", ("[0-9]*_[0-9]*",)),
    "basicirstd": Layout("images", "masks", "img_idx", ("img_idx", "."), named=True),
    "irstd-1k": Layout("IRSTD1k_Img", "IRSTD1k_Label", ".", (".",)),
}
"""SIRST v1 of its authors; NUAA-SIRST and NUDT-SIRST with DNANet; the same and IRSTD-1k with
BasicIRSTD; IRSTD-1k of its authors."""


@dataclass(frozen=True)
class MaskFolder(InOrder):
    """One split of a folder of images and masks; ``name`` is that of its layout."""

    root: Path
    split: str
    ids: list[str]
    name: str
    images: Images = field(repr=False)
    masks: Images = field(repr=False)

    @classmethod
    def open(
        cls, root: AnyPath | None, split: str | None = None, *, layout: str = RECOGNISED
    ) -> MaskFolder:
        """Read the list of ids of a split (default ``test``, or the only one).

        Without lists the split is ``all``, in the order of the names.

        Raises:
            UsageError: no root, a root of another layout, an unknown split.
            DeepirError: an empty list, or an id that leaves the dataset's folder.
        """
        folder = check_root(layout, root)
        name = recognised_layout(folder) if layout == RECOGNISED else layout
        known = _checked(name, folder)
        images = images_below(folder / known.images)
        lists = _lists(folder, known, images)
        chosen = chosen_split(name, folder, lists, split)
        ids = _ids(chosen, lists[chosen], images)
        masks = images_below(folder / known.masks)
        return cls(folder, chosen, ids, name, images, masks)

    def knows(self, sample_id: str) -> bool:
        """Whether an image of this id exists, in whatever split."""
        return sample_id in self.images

    def read(self, sample_id: str) -> Sample:
        """Read image and mask of one id.

        Raises:
            FrameError: a missing, doubled or unreadable file, a mask of another size.
        """
        path = self.images.find(sample_id)
        image = read_image(path)
        mask = read_mask(self.masks.find(f"{sample_id}{LAYOUTS[self.name].ending}"))
        boxes = components(mask).boxes if mask.shape == image.shape else as_boxes([])
        return Sample(image, boxes, mask, sample_id, path)

    def identity(self, sample_id: str) -> Hashable:
        """The id itself: it names one file, whatever the split."""
        return sample_id

    def every_id(self) -> list[str]:
        """Ids of all images in the folder, in whatever split or in none."""
        return list(self.images.files)

    def left_out(self) -> Lost:
        """Nothing: a `Sample` holds all that these files do."""
        return {}


def looks_like_mask_folder(root: Path) -> bool:
    """Whether there are folders of images and of masks of any layout."""
    return any(_has_folders(root, layout) for layout in LAYOUTS.values())


def recognised_layout(root: Path) -> str:
    """Name of the layout whose folders, names of masks and lists are there.

    Raises:
        UsageError: none of them.
    """
    fitting = [name for name, layout in LAYOUTS.items() if _has_folders(root, layout)]
    if not fitting:
        wanted = sorted({f"{one.images}/ and {one.masks}/" for one in LAYOUTS.values()})
        raise UsageError(f"{str(root)!r} holds no masks: neither {', nor '.join(wanted)}")
    return max(fitting, key=lambda name: _likeness(root, LAYOUTS[name]))


def _likeness(root: Path, layout: Layout) -> tuple[bool, bool]:
    """Whether masks are called as the layout calls them, and whether lists are where it has them.

    The first of equals wins, so a tree without lists is taken for the plainest one that it fits.
    """
    masks = images_below(root / layout.masks)
    images = images_below(root / layout.images)
    named = any(f"{sample_id}{layout.ending}" in masks for sample_id in images.files)
    return named, bool(_list_files(root, layout, images))


def _has_folders(root: Path, layout: Layout) -> bool:
    return (root / layout.images).is_dir() and (root / layout.masks).is_dir()


def _checked(name: str, root: Path) -> Layout:
    if name not in LAYOUTS:
        raise unknown_name("layout of mask folders", name, [RECOGNISED, *LAYOUTS])
    layout = LAYOUTS[name]
    if not _has_folders(root, layout):
        raise UsageError(
            f"{str(root)!r} is no {name}: no folders {layout.images!r} and {layout.masks!r}"
        )
    return layout


def mask_folder_splits(root: Path, *, layout: str = RECOGNISED) -> list[str]:
    """Names of the splits, sorted.

    Raises:
        UsageError: a root of another layout.
    """
    name = recognised_layout(root) if layout == RECOGNISED else layout
    known = _checked(name, root)
    return sorted(_lists(root, known, images_below(root / known.images)))


def _lists(root: Path, layout: Layout, images: Images) -> dict[str, Path | None]:
    """Split names, and the list of each; without any list ``all`` and None."""
    found = _list_files(root, layout, images)
    if not found:
        return {ALL: None}
    folders = {path.parent for path in found}
    names = [path.stem for path in found]
    if layout.named:
        names = _without_dataset(names, root)
    if len(folders) > 1:
        names = [f"{path.parent.name}-{name}" for path, name in zip(found, names, strict=True)]
    return dict(zip(names, found, strict=True))


def _list_files(root: Path, layout: Layout, images: Images) -> list[Path]:
    """Lists in the first folder or folders that have any; in the root other texts may lie."""
    for pattern in layout.read_from:
        found = sorted(root.glob(f"{pattern}/*.txt"))
        if pattern == ".":
            found = [path for path in found if _is_list(path, images)]
        if found:
            return found
    return []


def _is_list(path: Path, images: Images) -> bool:
    """Whether a text file among others begins with an id."""
    try:
        lines = read_lines(path)
    except ValueError:
        return False
    return bool(lines) and images.id_of(lines[0]) in images


def _without_dataset(names: list[str], root: Path) -> list[str]:
    """Names without the dataset's, that is the folder's, or if it was renamed what all end with.

    >>> _without_dataset(["train_NUAA-SIRST", "test_NUAA-SIRST"], Path("renamed"))
    ['train', 'test']
    """
    own = f"_{root.resolve().name}"
    if all(name.endswith(own) and name != own for name in names):
        return [name.removesuffix(own) for name in names]
    parts = [re.fullmatch(r"(train|val|test|trainval)_(.+)", name) for name in names]
    if len({part and part[2] for part in parts}) == 1:
        return [part[1] if part else name for part, name in zip(parts, names, strict=True)]
    return names


def _ids(split: str, path: Path | None, images: Images) -> list[str]:
    """Ids of a split; lists may name files with their suffix."""
    if path is None:
        return check_ids(list(images.files), split, images.folder)
    return check_ids([images.id_of(line) for line in read_lines(path)], split, path)


@dataclass(frozen=True)
class MaskFolderWriter:
    """Writes frames below ``root`` in one of the layouts.

    A sample without a mask gets the filled boxes as mask.
    """

    root: Path
    layout: str = RECOGNISED

    def add(self, split: str, sample: Sample) -> list[str]:
        """Write image and mask of one frame; returns what is lost.

        Raises:
            FrameError: an id that leaves the folder.
        """
        check_writable_id(sample.id, self.root)
        layout = self._layout
        _, lost = ImageWriter(self.root / layout.images).write(sample)
        mask = sample.mask
        if mask is None:
            mask, lost = mask_from_boxes(sample.boxes, sample.image.shape), [*lost, MADE]
        path = self.root / layout.masks / f"{sample.id}{layout.ending}.png"
        write_bytes(path, mask_png(mask))
        return lost if _are_bounds(sample.boxes, mask) else [*lost, BOUNDS]

    def finish(self, splits: Mapping[str, Sequence[str]]) -> None:
        """Write the lists of ids."""
        ending = f"_{self.root.resolve().name}" if self._layout.named else ""
        for split, ids in splits.items():
            path = self.root / self._layout.lists / f"{split}{ending}.txt"
            write_text(path, "\n".join(ids))

    @property
    def _layout(self) -> Layout:
        return LAYOUTS[WRITTEN if self.layout == RECOGNISED else self.layout]


def _are_bounds(boxes: Boxes, mask: Mask) -> bool:
    """Whether the boxes are those that reading finds, in whatever order."""
    found = components(mask).boxes
    return np.array_equal(np.unique(found, axis=0), np.unique(boxes, axis=0)) and len(found) == len(
        boxes
    )


def write_mask_folder(
    root: AnyPath, split: str, samples: Iterable[Sample], *, layout: str = RECOGNISED
) -> Lost:
    """Write samples under ``root`` as one split of a layout (default: that of BasicIRSTD).

    Returns what is lost: boxes that are not the bounds of the components of the mask. Files of the
    same ids are replaced; the list is written also where the samples end early.

    Raises:
        UsageError: an unknown layout, a split that cannot name a file.
        FrameError: an id that leaves the folder.
    """
    if layout != RECOGNISED and layout not in LAYOUTS:
        raise unknown_name("layout of mask folders", layout, [RECOGNISED, *LAYOUTS])
    return write_split(MaskFolderWriter(Path(root), layout), split, samples)
