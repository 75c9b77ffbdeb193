"""Trained networks that come with the package, beside their check sums.

``NAME.onnx`` to detect with, ``NAME.safetensors`` to train on from.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from deepir.errors import DeepirError

FOLDER = Path(__file__).parent

SUMS = "SHA256SUMS"
"""List of check sums in the form of ``sha256sum *.onnx *.safetensors``."""


def packaged(name: str, suffix: str = ".onnx") -> Path | None:
    """Weights of a network in this installation; None where there are none.

    ``.onnx`` to detect with, ``.safetensors`` to train on from.
    """
    path = FOLDER / f"{name}{suffix}"
    return path if path.is_file() else None


def read_weights(path: Path) -> bytes:
    """Content of a file of weights; one that came with the package must be what was packaged.

    Raises:
        DeepirError: nothing to read there, or a packaged file whose check sum is not in the list.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe or a device may never end
            raise OSError("it is no file")
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DeepirError(f"cannot read the weights {str(path)!r}: {reason}") from None
    if path.absolute().parent == FOLDER:
        _check(path.name, content)
    return content


def _check(name: str, content: bytes) -> None:
    listed, found = _sums().get(name), hashlib.sha256(content).hexdigest()
    if found != listed:
        wanted = f"{listed[:12]}... is listed" if listed else f"{SUMS} does not list it"
        raise DeepirError(
            f"the packaged weights {name!r} are not those that were packaged: their SHA-256 is"
            f" {found[:12]}..., {wanted}; install deepir again"
        )


def _sums() -> dict[str, str]:
    listing = FOLDER / SUMS
    if not listing.is_file():
        return {}
    rows = [line.split() for line in listing.read_text("utf-8").splitlines()]
    return {row[1].lstrip("*"): row[0].lower() for row in rows if len(row) == 2}
