"""One ONNX file out of a network, kept when it gives what the network gives."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from deepir.card import Card
from deepir.errors import DeepirError, UsageError
from deepir.export.graph import onnx_graph
from deepir.export.parity import BOX_PX, SCORE, Difference, compare
from deepir.models.cascade import Cascade
from deepir.structures import AnyPath, Image
from deepir.writing import check_output_file, write_bytes

SUFFIX = ".onnx"


class Report(NamedTuple):
    """What was written, and how near it is to torch in each engine."""

    path: Path
    size: int  # bytes
    differences: list[Difference]


def export_onnx(network: Cascade, card: Card, path: AnyPath, frames: Iterable[Image]) -> Report:
    """Write a network as an ONNX file (`deepir.runtime`) that takes frames of any size.

    The file is compared with torch on ``frames``, grey (H, W) of any depth, see
    `deepir.export.parity.compare`; it appears only if the two agree.

    Raises:
        UsageError: a path that cannot be written or does not end in ``.onnx``.
        DeepirError: no frame, a network that cannot be exported, or a file that differs.
    """
    path = Path(path)
    check_target(path)
    content = onnx_graph(network, card).SerializeToString()
    differences = compare(content, repr(str(path)), network, frames)
    refuse_if_large(differences, path)
    write_bytes(path, content)
    return Report(path, len(content), differences)


def check_target(path: Path) -> None:
    """Make sure before the long work that the file can be written, and read again.

    Raises:
        UsageError: it cannot.
    """
    if path.suffix.lower() != SUFFIX:
        raise UsageError(f"an exported file ends in {SUFFIX}, got {str(path)!r}")
    check_output_file(path)


def refuse_if_large(differences: Iterable[Difference], path: Path) -> None:
    """Refuse a file that differs from its network.

    Raises:
        DeepirError: in which engine, by how much, and how much is allowed.
    """
    for difference in differences:
        if not difference.small:
            raise DeepirError(
                f"{str(path)!r} is not written, it differs from torch: {difference};"
                f" {SCORE:g} and {BOX_PX:g} px are allowed"
            )
