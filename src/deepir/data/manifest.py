"""Which files a published dataset consists of: their SHA-256 sums, and where they can be had.

Sums are facts about files; the files themselves belong to their authors and are not part of this
package.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deepir.errors import unknown_name

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Publication:
    """Where a dataset was published, and how it asks to be used."""

    source: str  # address of its folder; a file's path follows after a slash
    terms: str


PUBLICATIONS = {
    "sirst-v2": Publication(
        source="https://raw.githubusercontent.com/YimianDai/open-sirst-v2/"
        "a927e5c67a7d2e22c7c96b54703ffe9ae01a1f35",
        terms="SIRST-V2 states no licence: ask its authors before you pass it on, and cite Dai et"
        " al., IEEE TGRS 61, 2023",
    ),
}


@dataclass(frozen=True)
class Manifest:
    """The files of one published dataset: ``sums`` holds a SHA-256, 64 hex digits, by path."""

    name: str
    publication: Publication
    sums: dict[str, str]

    def below(self, folder: str) -> list[str]:
        """Paths of the files in a folder of the dataset."""
        return [path for path in self.sums if path.startswith(f"{folder}/")]


@cache
def load_manifest(name: str) -> Manifest:
    """Read the list of a published dataset, which is in the form of ``sha256sum``.

    So ``sha256sum --check`` takes it too, in the dataset's folder.

    Raises:
        UsageError: no list of this name.

    >>> len(load_manifest("sirst-v2").below("mixed"))
    1024
    """
    if name not in PUBLICATIONS:
        raise unknown_name("published dataset", name, PUBLICATIONS)
    lines = (FOLDER / f"{name.replace('-', '_')}.sha256").read_text("utf-8").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines)
    return Manifest(name, PUBLICATIONS[name], {path.lstrip("*"): total for total, path in pairs})


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, 64 hex digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
