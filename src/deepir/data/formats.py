"""Every format that datasets in folders have: how to know it, open it and write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

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
from deepir.structures import AnyPath

T = TypeVar("T")


@dataclass(frozen=True)
class Format:
    """One format.

    ``sign`` is what its tree shows, for a person; ``fits`` looks for it in a folder, None for a
    format that a tree does not tell from another one.
    """

    name: str
    open: Callable[[AnyPath | None, str | None], FolderDataset]
    splits: Callable[[AnyPath], list[str]]
    writer: Callable[[AnyPath], Writer]
    sign: str
    fits: Callable[[AnyPath], bool] | None = None
    check_split: Callable[[str], None] = check_split_name


def _at(function: Callable[[Path], T]) -> Callable[[AnyPath], T]:
    """The same function, for a folder that is named in any form."""
    return lambda root: function(Path(root))


def _mask_folders(layout: str) -> Format:
    known = LAYOUTS.get(layout)
    return Format(
        layout,
        lambda root, split: MaskFolder.open(root, split, layout=layout),
        _at(lambda root: mask_folder_splits(root, layout=layout)),
        _at(lambda root: MaskFolderWriter(root, layout)),
        f"{known.images}/ and {known.masks}/" if known else "folders of images and masks",
        None if known else _at(looks_like_mask_folder),
    )


def _voc(counting: str) -> Format:
    return Format(
        counting,
        lambda root, split: PascalVoc.open(root, split, counting=counting),
        _at(voc_splits),
        _at(lambda root: PascalVocWriter(root, counting)),
        "JPEGImages/ and Annotations/",
        _at(looks_like_voc) if counting == "voc" else None,
    )


_ALL = (
    Format(
        "sirst-v2",
        SirstV2.open,
        _at(sirst_v2_splits),
        _at(SirstV2Writer),
        "mixed/ and splits/",
        _at(looks_like_sirst_v2),
    ),
    *map(_mask_folders, (RECOGNISED, *LAYOUTS)),
    Format(
        "coco",
        Coco.open,
        _at(coco_splits),
        _at(CocoWriter),
        "JSON files with images and annotations",
        _at(looks_like_coco),
    ),
    *map(_voc, COUNTING),
    Format(
        "yolo",
        Yolo.open,
        _at(yolo_splits),
        _at(YoloWriter),
        "images/ and labels/, data.yaml",
        _at(looks_like_yolo),
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


def recognise_format(root: AnyPath, *, option: str = "--data") -> Format:
    """The format that a dataset's tree shows; ``option`` is how a user could say it instead.

    Raises:
        UsageError: there is no such folder, or the tree fits none or more than one.
    """
    if not is_there(place := Path(root)):
        raise UsageError(f"no dataset at {str(root)!r}: no such folder")
    found = [each for each in FORMATS.values() if _fits(each, place)]
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
