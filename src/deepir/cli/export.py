"""``deepir export``: a trained network becomes an ONNX file that runs without PyTorch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from deepir.cli.options import DataOptions, Threshold, Whole
from deepir.errors import DeepirError, UsageError

if TYPE_CHECKING:
    from deepir.card import Card
    from deepir.data import Dataset
    from deepir.models.cascade import Cascade

DATA = DataOptions()

NEEDED = ("onnx", "onnxscript", "onnxruntime")


@Parameter(name="*")
@dataclass(frozen=True)
class ThresholdOptions:
    """Thresholds that travel with the file."""

    candidate_threshold: Threshold = None
    """Score above which a box is a candidate (default: what the weights state)."""

    operating_threshold: Threshold = None
    """Score from which a box is believed (default: what the weights state)."""


@Parameter(name="*")
@dataclass(frozen=True)
class Int8Options:
    """Whether and how to go down to 8 bits."""

    int8: Annotated[bool, Parameter(negative="")] = False
    """Multiply 8-bit integers, calibrated on frames of --split; what that costs is measured."""

    val_split: str | None = None
    """Split that the loss is measured on (default: val_full of sirst-v2, else val); it holds
    targets and no frame of --split."""


THRESHOLDS, INT8 = ThresholdOptions(), Int8Options()


def export(
    name: str,
    /,
    *,
    out: Path,
    format: Literal["onnx"] = "onnx",  # noqa: A002  # the option's name
    weights: Path | None = None,
    thresholds: ThresholdOptions = THRESHOLDS,
    data: DataOptions = DATA,
    frames: Whole | None = None,
    int8: Int8Options = INT8,
) -> int:
    """Export a trained network (needs PyTorch and onnx); a file that differs is not written.

    The file takes frames of any size and holds the decoding and the thresholds. It is run beside
    PyTorch on real frames, and on odd cuts of them, before it is written.

    Args:
        name: network, see deepir list, or a .safetensors file of weights.
        out: file to write, ending in .onnx.
        format: of the file.
        weights: .safetensors file (default: the weights that came with deepir).
        thresholds: that travel with the file.
        data: frames to compare on; with --int8 also to calibrate on (default then: train).
        frames: how many frames, spread over the split (default: 8; with --int8 64).
        int8: whether and how to go down to 8 bits.
    """
    del format  # there is one
    from deepir.models.requirements import require_torch

    require_torch("deepir export", extra="export", also=NEEDED)
    from deepir.export import check_target, export_int8, export_onnx, spread_frames

    check_target(out)
    network, card = _network(name, weights, thresholds)
    if frames is not None and frames < 1:
        raise UsageError(f"--frames is at least 1, got {frames}")
    if not int8.int8:
        images = spread_frames(data.open(), frames or 8)
        report = export_onnx(network, card, out, images)
        _show(card, report.size, [*map(str, report.differences)], out)
        return 0
    train, val = _splits(data, int8)
    small = export_int8(network, card, out, train=train, val=val, frames=frames or 64)
    _show(card, small.size, [*map(str, small.differences), str(small.loss)], out)
    return 0


def _show(card: Card, size: int, lines: list[str], path: Path) -> None:
    low, high = card.candidate_threshold, card.operating_threshold
    print(f"{card.name}, {size / 1e6:.2f} MB, candidates above {low:g}, believed from {high:g}")
    print("\n".join(lines))
    print(f"wrote {path}")


def _network(name: str, weights: Path | None, given: ThresholdOptions) -> tuple[Cascade, Card]:
    """The network and its card.

    Raises:
        UsageError: a name that is no network, or thresholds that nobody states.
        DeepirError: no weights, weights that cannot be used, or a network without an ONNX form.
    """
    from deepir.models.cascade import Cascade
    from deepir.models.running import chosen_card
    from deepir.models.trained import read_trained

    wanted, path = _source(name, weights)
    found = read_trained(path)
    if wanted not in (None, found.name):
        raise UsageError(
            f"the weights {str(path)!r} are those of {found.name!r}, not of {wanted!r}"
        )
    if not isinstance(found.network, Cascade):
        raise DeepirError(
            f"{found.name} has no ONNX form, as its published resizing belongs to it: it runs in"
            f" PyTorch, with --weights {path}"
        )
    stated = chosen_card(found.name, found.notes, repr(str(path)))
    return found.network, _card(found.name, stated, given, path)


def _source(name: str, weights: Path | None) -> tuple[str | None, Path]:
    """Which network is wanted (None: whatever the file holds), and its file of weights."""
    from deepir import networks
    from deepir.catalogue import find_name
    from deepir.models.trained import SUFFIX
    from deepir.weights import packaged

    if Path(name).suffix.lower() == SUFFIX:
        if weights is not None:
            raise UsageError(f"weights are given twice: {name!r} and --weights {str(weights)!r}")
        return None, Path(name)
    wanted = find_name(name)
    if wanted not in networks.CATALOGUE:
        raise UsageError(f"{wanted} is a filter, there is no network to export")
    path = weights or packaged(wanted, SUFFIX)
    if path is None:
        raise DeepirError(
            f"{wanted} has no trained weights in this installation: train it (`deepir train"
            f" {wanted} ...`) or give --weights PATH"
        )
    return wanted, path


def _card(name: str, stated: Card | None, given: ThresholdOptions, path: Path) -> Card:
    """Thresholds of the options, else those that the weights state."""
    from deepir.card import Card

    low, high = given.candidate_threshold, given.operating_threshold
    if stated is None and (low is None or high is None):
        raise UsageError(
            f"{str(path)!r} states no thresholds: give --candidate-threshold and"
            " --operating-threshold, as val chose them"
        )
    known = stated or Card(name, 0.0, 1.0)
    return replace(
        known,
        candidate_threshold=known.candidate_threshold if low is None else low,
        operating_threshold=known.operating_threshold if high is None else high,
    )


def _splits(data: DataOptions, int8: Int8Options) -> tuple[Dataset, Dataset]:
    """Where to calibrate, and where to measure what it costs.

    Raises:
        UsageError: a split that the dataset does not have, or frames that would be in both.
    """
    from deepir.training.request import SPLITS, USUAL

    usual = SPLITS.get(data.data, USUAL)
    chosen = (data.split or usual[0], int8.val_split or usual[1])
    calibration, measured = (replace(data, split=split).open() for split in chosen)
    known = set(calibration.ids)
    shared = [one for one in measured.ids if one in known]
    if shared:
        raise UsageError(
            f"8 bits are calibrated on {calibration.split!r}, {len(shared)} of the"
            f" {len(measured)} frames of {measured.split!r} among them, the first {shared[0]!r}:"
            " measure what they cost on other frames, with --val-split"
        )
    return calibration, measured
