"""Every format that datasets in folders have: how to know it, open it and write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deepir.data.coco import Coco, CocoWriter, coco_splits, looks_like_coco
from deepir.data.dataset import FolderDataset
from deepir.data.listing import check_split_name, is_there
from deepir.data.mask_folders import (
    LAYOUTS,
    RECOGNISED,
    MaskFolder,
    MaskFolderWriter,
    looks_like_mask_folder,
    mask_folder_splits,
)
from deepir.data.pascal_voc import (
    COUNTING,
    PascalVoc,
    PascalVocWriter,
    looks_like_voc,
    voc_splits,
)
from deepir.data.sirst import SirstV2, SirstV2Writer, looks_like_sirst_v2, sirst_v2_splits
from deepir.data.writer import Writer
from deepir.data.yolo import Yolo, YoloWriter, looks_like_yolo, yolo_splits
from deepir.data.yolo_tree import check_yolo_split
from deepir.errors import DeepirError, UsageError, unknown_name


@dataclass(frozen=True)
class Format:
    """One format.

    ``sign`` is what its tree shows, for a person; ``fits`` looks for it in a folder, None for a
    format that a tree does not tell from another one.
    """

    name: str
    open: Callable[[Path | None, str | None], FolderDataset]
    splits: Callable[[Path], list[str]]
    writer: Callable[[Path], Writer]
    sign: str
    fits: Callable[[Path], bool] | None = None
    check_split: Callable[[str], None] = check_split_name


def _mask_folders(layout: str) -> Format:
    known = LAYOUTS.get(layout)
    return Format(
        layout,
        lambda root, split: MaskFolder.open(root, split, layout=layout),
        partial(mask_folder_splits, layout=layout),
        lambda root: MaskFolderWriter(root, layout),
        f"{known.images}/ and {known.masks}/" if known else "folders of images and masks",
        None if known else looks_like_mask_folder,
    )


def _voc(counting: str) -> Format:
    return Format(
        counting,
        lambda root, split: PascalVoc.open(root, split, counting=counting),
        voc_splits,
        lambda root: PascalVocWriter(root, counting),
        "JPEGImages/ and Annotations/",
        looks_like_voc if counting == "voc" else None,
    )


_ALL = (
    Format(
        "sirst-v2",
        SirstV2.open,
        sirst_v2_splits,
        SirstV2Writer,
        "mixed/ and splits/",
        looks_like_sirst_v2,
    ),
    *map(_mask_folders, (RECOGNISED, *LAYOUTS)),
    Format(
        "coco",
        Coco.open,
        coco_splits,
        CocoWriter,
        "JSON files with images and annotations",
        looks_like_coco,
    ),
    *map(_voc, COUNTING),
    Format(
        "yolo",
        Yolo.open,
        yolo_splits,
        YoloWriter,
        "images/ and labels/, data.yaml",
        looks_like_yolo,
        check_yolo_split,
    ),
)

FORMATS = {each.name: each for each in _ALL}
"""Formats by name, in the order in which they are looked for."""


def format_named(name: str) -> Format:
    """The format of a name.

    Raises:
        UsageError: there is none.
    """
    if name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    return FORMATS[name]


def recognise_format(root: Path, *, option: str = "--data") -> Format:
    """The format that a dataset's tree shows; ``option`` is how a user could say it instead.

    Raises:
        UsageError: there is no such folder, or the tree fits none or more than one.
    """
    if not is_there(root):
        raise UsageError(f"no dataset at {str(root)!r}: no such folder")
    found = [each for each in FORMATS.values() if _fits(each, root)]
    if len(found) > 1:
        names = " or ".join(each.name for each in found)
        raise UsageError(f"{str(root)!r} may be {names}: say which with {option}")
    if not found:
        signs = "; ".join(f"{each.name}: {each.sign}" for each in FORMATS.values() if each.fits)
        raise UsageError(
            f"{str(root)!r} has no format that is known by its tree ({signs}): name the folder in"
            " which such a tree begins"
        )
    return found[0]


def _fits(form: Format, root: Path) -> bool:
    try:
        return form.fits is not None and form.fits(root)
    except DeepirError:  # such as a YAML file of something else
        return False
