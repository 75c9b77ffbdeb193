"""Formats that keep the image, the mask and the annotation of a frame in folders of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np

from deepir.audit.facts import IdList, Seen
from deepir.audit.findings import Finding
from deepir.audit.opened import opened_lists, said
from deepir.data import mask_folders, pascal_voc, sirst
from deepir.data.edges import within_frame
from deepir.data.formats import Format
from deepir.data.images import read_mask
from deepir.data.listing import MOST_LIST_BYTES, read_limited
from deepir.data.voc import HALF_OPEN_FROM_1, Corners, read_annotation
from deepir.errors import DeepirError
from deepir.frames import read_image
from deepir.frames.sources import IMAGE_SUFFIXES

XML = frozenset((".xml",))
PNG = frozenset((".png",))

T = TypeVar("T")


@dataclass(frozen=True)
class Tree:
    """Where the files of a frame lie; an empty name stands for a folder that the format lacks.

    ``lists`` is a folder of lists, one id a line; without it the format's reader gives the ids.
    ``rounded``: boxes may leave the frame by less than half a pixel.
    """

    images: str
    masks: str = ""
    mask_ending: str = ""
    annotations: str = ""
    corners: Corners = HALF_OPEN_FROM_1
    lists: str = ""
    image_suffixes: frozenset[str] = IMAGE_SUFFIXES
    rounded: bool = False


TREES = {
    "sirst-v2": Tree(
        sirst.IMAGES,
        sirst.MASKS,
        "_pixels0",
        sirst.BOXES,
        lists=sirst.SPLITS,
        image_suffixes=PNG,
    ),
    **{
        name: Tree(layout.images, layout.masks, layout.ending)
        for name, layout in mask_folders.LAYOUTS.items()
    },
    **{
        name: Tree(
            pascal_voc.IMAGES, annotations=pascal_voc.ANNOTATIONS, corners=corners, rounded=True
        )
        for name, corners in pascal_voc.COUNTING.items()
    },
}


@dataclass(frozen=True)
class TreeFacts:
    """One dataset in such folders; what lies there is listed once."""

    root: Path
    form: Format
    tree: Tree

    def lists(self) -> tuple[list[IdList], list[Finding]]:
        """Lines of the lists, or what the format's reader makes of them."""
        if not self.tree.lists:
            lists, found, _ = opened_lists(self.form, self.root)
            return lists, found
        lists, found = [], []
        for path in sorted((self.root / self.tree.lists).glob("*.txt")):
            file = path.relative_to(self.root).as_posix()
            try:
                text = read_limited(path, MOST_LIST_BYTES).decode("utf-8-sig")
            except (OSError, ValueError) as error:
                found.append(Finding("unusable list", file, said(error, self.root), path.stem))
                continue
            lists.append(IdList(path.stem, file, [line.strip() for line in text.splitlines()]))
        return lists, found

    def identity(self, split: str, sample_id: str) -> Hashable:
        """The id: it names one frame, whatever the split."""
        return sample_id

    def look(self, split: str, sample_id: str) -> Seen:
        """Read image, annotation and mask of one id."""
        problems: list[Finding] = []
        files = [folder.find(sample_id, problems) for folder in self._folders]
        image_file, boxes_file, mask_file = files
        image = self._tried(read_image, image_file, problems)
        noted = self._tried(
            lambda path: read_annotation(path, self.tree.corners), boxes_file, problems
        )
        boxes = None if noted is None else noted.boxes
        if boxes is not None and image is not None and self.tree.rounded:
            boxes = within_frame(boxes, (image.shape[0], image.shape[1]))
        return Seen(
            image_file=image_file,
            image=image,
            boxes_file=boxes_file,
            boxes=None if boxes is None else boxes.astype(np.float64),
            said=None if noted is None else noted.size,
            mask_file=mask_file,
            mask=self._tried(read_mask, mask_file, problems),
            problems=problems,
        )

    def every_id(self) -> list[str]:
        """Ids of the images."""
        return list(self._folders[0].files)

    def without_id(self, ids: set[str], used: set[str]) -> list[Finding]:
        """Files of other ids, a finding for each id, and files of other kinds."""
        strays: dict[str, list[str]] = {}
        for folder in self._folders:
            for sample_id in folder.files.keys() - ids:
                strays.setdefault(sample_id, []).extend(folder.files[sample_id])
        found = [
            Finding("file without id", files[0], f"no split lists it{_more(files)}", id=sample_id)
            for sample_id, files in sorted(strays.items())
        ]
        return found + [
            Finding("file without id", file, f"no {folder.kind} is called so")
            for folder in self._folders
            for file in folder.others
        ]

    @cached_property
    def _folders(self) -> tuple[_Folder, _Folder, _Folder]:
        """Images, annotations, masks."""
        tree, root = self.tree, self.root
        return (
            _Folder.listed(root, "image", tree.images, tree.image_suffixes),
            _Folder.listed(root, "annotation", tree.annotations, XML),
            _Folder.listed(root, "mask", tree.masks, tree.image_suffixes, tree.mask_ending),
        )

    def _tried(self, read: Callable[[Path], T], file: str, problems: list[Finding]) -> T | None:
        """What a file holds; None where there is none or it cannot be read, which is noted."""
        if not file:
            return None
        try:
            return read(self.root / file)
        except (DeepirError, OSError) as error:
            problems.append(Finding("unreadable file", file, said(error, self.root)))
            return None


@dataclass(frozen=True)
class _Folder:
    """Files below a folder, as paths below the dataset's root: by id, and those of other kinds.

    ``kind`` is empty where the dataset has no such folder, so that nothing is missing.
    """

    kind: str
    name: str
    ending: str
    files: dict[str, list[str]]
    others: list[str]

    @classmethod
    def listed(
        cls, root: Path, kind: str, name: str, suffixes: frozenset[str], ending: str = ""
    ) -> _Folder:
        """List the files; hidden ones are left out."""
        wanted = bool(name) and (kind != "mask" or (root / name).is_dir())
        folder = cls(kind if wanted else "", name, ending, {}, [])
        if wanted:
            for path in sorted(_visible_files(root / name)):
                stem = path.with_suffix("").as_posix()
                file = f"{name}/{path.as_posix()}"
                if path.suffix.lower() in suffixes and stem.endswith(ending):
                    folder.files.setdefault(stem.removesuffix(ending), []).append(file)
                else:
                    folder.others.append(file)
        return folder

    def find(self, sample_id: str, problems: list[Finding]) -> str:
        """The file of an id; empty where there is none, which is noted."""
        found = self.files.get(sample_id, [])
        if len(found) == 1:
            return found[0]
        if found:
            reason = f"there is {found[1]} too, for the same id"
            problems.append(Finding("duplicate id", found[0], reason))
        elif self.kind:
            place = f"{self.name}/{sample_id}{self.ending}"
            problems.append(Finding("missing file", place, f"there is no such {self.kind}"))
        return ""


def _visible_files(folder: Path) -> list[PurePosixPath]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(place).relative_to(folder)
        found += [PurePosixPath((below / name).as_posix()) for name in names if name[0] != "."]
    return found


def _more(files: list[str]) -> str:
    return f", nor {', '.join(files[1:])}" if files[1:] else ""
