"""Image files of a dataset: found by id whatever their suffix is, and written as they were."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import tifffile

from deepir.data.listing import without_suffix
from deepir.errors import DeepirError, FrameError
from deepir.frames import read_image
from deepir.frames.sources import IMAGE_SUFFIXES
from deepir.frames.stills import image_count
from deepir.structures import Image, Mask, Sample
from deepir.writing import write_bytes

PNG, TIFF = ".png", ".tiff"
ANEW = "files are written anew, in grey"
"""What is lost of a source file that the format cannot take as it is: its colour and kind."""


@dataclass(frozen=True)
class Images:
    """Image files below a folder by id: the path in it without suffix."""

    folder: Path
    files: dict[str, list[Path]]

    def __contains__(self, sample_id: str) -> bool:
        return sample_id in self.files

    def find(self, sample_id: str) -> Path:
        """The file of an id.

        Raises:
            FrameError: there is none, or there are several.
        """
        found = self.files.get(sample_id, [])
        if len(found) == 1:
            return found[0]
        names = " and ".join(repr(path.name) for path in found)
        problem = f"two images for one id: {names}" if found else "no image"
        raise FrameError(f"{problem} of {sample_id!r} in {str(self.folder)!r}")

    def id_of(self, line: str) -> str:
        """Id that a line of a list means: lists name files with or without suffix."""
        return line if line in self.files else _known(without_suffix(line), self.files, line)


def _known(name: str, files: dict[str, list[Path]], line: str) -> str:
    return name if name in files else line


def images_below(folder: Path) -> Images:
    """Look for image files in a folder and the folders in it; nothing is decoded.

    Ids come in the order of their names. What macOS leaves beside a file (``._a.png``) is none.
    """
    files: dict[str, list[Path]] = {}
    for path in sorted(image_paths(folder)):
        files.setdefault(without_suffix(path.as_posix()), []).append(folder / path)
    return Images(folder, dict(sorted(files.items())))


def image_paths(folder: Path) -> Iterator[PurePosixPath]:
    """Image files below a folder, relative to it, in no order."""
    for place, _, names in os.walk(folder):
        below = PurePosixPath(Path(place).relative_to(folder).as_posix())
        for name in names:
            if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("._"):
                yield below / name


def read_mask(path: Path) -> Mask:
    """Mask of a file: what is brighter than half its brightest pixel; nothing where all is 0.

    So it may hold 0 and 1, 0 and 255, or smooth edges.

    Raises:
        FrameError: as `deepir.frames.read_image`.
    """
    levels = read_image(path)
    return np.asarray(levels > levels.max() / 2)


def png(levels: Image) -> bytes:
    """Levels (H, W) uint8 or uint16 as a PNG file."""
    _, encoded = cv2.imencode(PNG, levels)
    return encoded.tobytes()


def mask_png(mask: Mask) -> bytes:
    """Mask (H, W) as a PNG file of 0 and 255."""
    return png(mask.astype(np.uint8) * 255)


@dataclass(frozen=True)
class ImageWriter:
    """Writes the images of samples into a folder, at their own depth.

    A file that holds just these levels is copied byte by byte, so colour and compression stay;
    anything else becomes a PNG, or where a PNG cannot hold it and ``png_only`` is not set a TIFF.
    """

    folder: Path
    png_only: bool = False

    def write(self, sample: Sample) -> tuple[str, list[str]]:
        """Write one image; returns the suffix of its file and what is lost.

        Raises:
            FrameError: a depth that the folder cannot hold.
        """
        kept = self._as_it_is(sample)
        suffix, content = kept or self._encoded(sample)
        write_bytes(self.folder / f"{sample.id}{suffix}", content)
        return suffix, [ANEW] if sample.path and not kept else []

    def _as_it_is(self, sample: Sample) -> tuple[str, bytes] | None:
        """Suffix and content of the file behind a sample, if it shows what the sample shows."""
        path = sample.path
        if path is None:
            return None
        suffix = path.suffix.lower()
        if suffix not in ((PNG,) if self.png_only else IMAGE_SUFFIXES):
            return None
        try:
            image = read_image(path)
            same = image.dtype == sample.image.dtype and np.array_equal(
                image, sample.image, equal_nan=image.dtype.kind == "f"
            )
            return (suffix, path.read_bytes()) if same and image_count(path) == 1 else None
        except (DeepirError, OSError):
            return None

    def _encoded(self, sample: Sample) -> tuple[str, bytes]:
        if sample.image.dtype in (np.uint8, np.uint16):
            return PNG, png(sample.image)
        if self.png_only:
            raise FrameError(f"a PNG holds uint8 or uint16, {sample.id!r} is {sample.image.dtype}")
        stream = io.BytesIO()
        tifffile.imwrite(stream, sample.image, photometric="minisblack", metadata=None)
        return TIFF, stream.getvalue()
