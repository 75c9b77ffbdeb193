"""Static quantisation of an exported network to 8-bit integers, and what it costs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from deepir.bench import evaluate
from deepir.box_detector import BoxDetector, RawBoxes
from deepir.card import Card
from deepir.data import Dataset
from deepir.errors import DeepirError, FrameError
from deepir.export.files import check_target, refuse_if_large
from deepir.export.graph import bare, onnx_graph, quiet
from deepir.export.parity import Difference, compare
from deepir.models.cascade import Cascade
from deepir.runtime import OnnxNetwork, open_onnx
from deepir.runtime.engines import INPUT
from deepir.standardise import network_input
from deepir.structures import AnyPath, Image
from deepir.writing import write_bytes

COMPARED = 8
"""Frames of the calibration, at most, that the float32 file is compared with torch on."""

PROPERTY = "int8"
"""Property of a quantised file: `Loss` as a JSON object."""

QUANTISED = ("Conv", "Add", "Relu")
"""Operators that work on integers; the last convolution and the decoding never do."""


@dataclass(frozen=True)
class Loss:
    """What 8 bits cost: the same frames through the file in float32 and in 8 bits."""

    calibrated_on: str
    measured_on: str
    score: float
    """Largest change of a score, at equal rank."""

    mnocoap_float32: float
    mnocoap_int8: float

    def __str__(self) -> str:
        return (
            f"8 bits, calibrated on {self.calibrated_on}: on {self.measured_on} scores change by up"
            f" to {self.score:.3f}, mNoCoAP from {self.mnocoap_float32:.4f} to"
            f" {self.mnocoap_int8:.4f}"
        )


@dataclass(frozen=True)
class Quantised:
    """What was written, and how near the float32 file that it was made of is to torch."""

    path: Path
    size: int  # bytes
    differences: list[Difference]
    loss: Loss


def export_int8(
    network: Cascade,
    card: Card,
    path: AnyPath,
    *,
    train: Dataset,
    val: Dataset,
    frames: int,
) -> Quantised:
    """Write a network as an ONNX file whose convolutions multiply 8-bit integers.

    The float32 file is made and compared with torch first, as `deepir.export.export_onnx` does.
    Ranges of values come from ``frames`` frames of ``train``, spread over the split; the loss is
    measured on all of ``val``, in ONNX Runtime, and stored in the file's property `PROPERTY`. The
    thresholds stay those of the float32 network.

    Raises:
        UsageError: a path that cannot be written or does not end in ``.onnx``.
        DeepirError: no usable frame, none of ``val`` with a target, a network that cannot be
            exported or quantised.
    """
    path = Path(path)
    check_target(path)
    images = spread_frames(train, frames)
    model = onnx_graph(network, card)
    content, source = model.SerializeToString(), repr(str(path))
    differences = compare(content, source, network, images[:: -(-len(images) // COMPARED)])
    refuse_if_large(differences, path)
    small = quantised(model, images)
    calibrated_on = f"{len(images)} frames of {train.name} {train.split}"
    loss = measured_loss(content, small.SerializeToString(), source, val, calibrated_on)
    own = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(small, {**own, PROPERTY: json.dumps(asdict(loss), allow_nan=False)})
    written = small.SerializeToString()
    write_bytes(path, written)
    return Quantised(path, len(written), differences, loss)


def spread_frames(dataset: Dataset, count: int) -> list[Image]:
    """Up to ``count`` usable frames (H, W), evenly spread over a split.

    Raises:
        DeepirError: not one of them is usable.
    """
    places = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int)
    images = []
    for place in places:
        with suppress(FrameError):
            images.append(dataset.read(dataset.ids[place]).image)
    if not images:
        raise DeepirError(f"none of {len(places)} frames of {dataset.split!r} is usable")
    return images


def quantised(model: onnx.ModelProto, images: Iterable[Image]) -> onnx.ModelProto:
    """The model with 8-bit convolutions, their ranges of values taken from ``images`` (H, W).

    Weights have a scale for every output channel; ranges are the smallest and largest values seen.

    Raises:
        DeepirError: ONNX Runtime cannot quantise it.
    """
    from onnxruntime import quantization

    with tempfile.TemporaryDirectory() as folder, quiet():
        before, after = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, before)
        try:
            quantization.quantize_static(
                before,
                after,
                _Frames(images),
                quant_format=quantization.QuantFormat.QDQ,
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                op_types_to_quantize=list(QUANTISED),
                nodes_to_quantize=quantisable(model),
            )
        except Exception as error:  # its exceptions have no common class
            raise DeepirError(f"ONNX Runtime cannot quantise the network: {error}") from error
        small = onnx.load(after)
    onnx.checker.check_model(small, full_check=True)
    return bare(small)


def quantisable(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes between the frame and the last convolution that work on feature maps."""
    nodes = list(model.graph.node)
    maps = {INPUT}
    for node in nodes:
        if node.op_type != "Shape" and maps & set(node.input):
            maps |= set(node.output)
    last = [node for node in nodes if node.op_type == "Conv"][-1]
    wanted, names = set(last.input[:1]), []
    for node in reversed(nodes):
        if wanted & set(node.output) and maps & set(node.output):
            wanted |= set(node.input)
            names += [node.name] if node.op_type in QUANTISED else []
    return names[::-1]


def measured_loss(
    content: bytes, small: bytes, source: str, val: Dataset, calibrated_on: str
) -> Loss:
    """Run a file and its quantised form over a split.

    Raises:
        DeepirError: a split without a usable frame, or without a target.
    """
    noted = [_Noted(open_onnx(each, source, "onnxruntime")) for each in (content, small)]
    before, after = (_mnocoap(each.detector(), val) for each in noted)
    changes = [
        float(np.abs(one - other).max(initial=0.0))
        for one, other in zip(*(each.scores for each in noted), strict=True)
    ]
    measured_on = f"{val.name} {val.split}"
    return Loss(calibrated_on, measured_on, max(changes, default=0.0), before, after)


def _mnocoap(detector: BoxDetector, val: Dataset) -> float:
    hits = evaluate(detector, val).scorer.hits
    if not hits.targets.sum():
        raise DeepirError(
            f"no frame of {val.name} {val.split} holds a target, so it cannot tell what 8 bits"
            " cost: measure on another split (--val-split)"
        )
    return hits.score().mean


@dataclass(frozen=True)
class _Noted:
    """A network that remembers the scores of each frame, best first."""

    network: OnnxNetwork
    scores: list[NDArray[np.float64]] = field(default_factory=list)

    def __call__(self, image: Image) -> RawBoxes:
        raw = self.network(image)
        self.scores.append(raw.scores)
        return raw

    def detector(self) -> BoxDetector:
        card = self.network.card
        low, high = card.candidate_threshold, card.operating_threshold
        return BoxDetector(card.name, self, low, high, clutter=card.clutter)


class _Frames:
    """Frames in the form that the calibration asks for, one after the other."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._left = iter(images)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """What the network takes for the next frame; None after the last."""
        image = next(self._left, None)
        return None if image is None else {INPUT: network_input(image)}
