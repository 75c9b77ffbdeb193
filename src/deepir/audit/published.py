"""Is it the published dataset? Every file's check sum against the list of the publication."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from deepir.audit.findings import Finding
from deepir.data.manifest import Manifest, sha256_of

IMAGES = "mixed"
_TEXT = (".xml", ".txt")

Map = Callable[[Callable[[str], bool | None], list[str]], Iterable[bool | None]]
"""Calls a function with each of some values; the outcomes come in the same order."""


@dataclass(frozen=True)
class Published:
    """How many files of a published dataset are there as they were published: of how many."""

    images: tuple[int, int]
    others: tuple[int, int]
    findings: list[Finding]

    @property
    def line(self) -> str:
        """One line for a person."""
        (images, all_images), (others, all_others) = self.images, self.others
        return (
            f"{images:,} of {all_images:,} images are the published benchmark, {others:,} of"
            f" {all_others:,} of its annotations and lists"
        )


def compare_published(root: Path, manifest: Manifest, every: Map = map) -> Published | None:
    """Compare a folder with a publication; None where no image of it is there."""
    paths = list(manifest.sums)

    def is_as_published(path: str) -> bool | None:
        return _is_same(root / path, manifest.sums[path])

    same = dict(zip(paths, every(is_as_published, paths), strict=True))
    images = manifest.below(IMAGES)
    if not any(same[path] for path in images):
        return None
    others = [path for path in paths if not path.startswith(f"{IMAGES}/")]
    changed = [
        Finding("not as published", path, "its content is another than the published one")
        for path in paths
        if same[path] is False
    ]
    return Published(_share(images, same), _share(others, same), changed)


def _share(paths: list[str], same: dict[str, bool | None]) -> tuple[int, int]:
    return sum(same[path] is True for path in paths), len(paths)


def _is_same(path: Path, total: str) -> bool | None:
    """Whether a file has a check sum, None where it is not there.

    Text may have the line ends of another system.
    """
    try:
        if not path.is_file():  # a device has no end
            return None
        if sha256_of(path) == total:
            return True
        if path.suffix in _TEXT:
            text = path.read_bytes().replace(b"\r\n", b"\n")
            return hashlib.sha256(text).hexdigest() == total
    except OSError:
        return None
    return False
