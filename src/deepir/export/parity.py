"""Does an exported file say what the network says?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import NamedTuple

from deepir.box_detector import Network
from deepir.card import Card
from deepir.errors import DeepirError
from deepir.models.cascade import Cascade
from deepir.models.running import TorchNetwork
from deepir.runtime import OnnxNetwork, agree, open_onnx
from deepir.runtime.engines import run_openvino
from deepir.structures import Image

SCORE = 1e-4
"""A file whose scores differ by more is refused.

A trained `oscar_nano` differs by 5e-7 at most, and its boxes by 1.2e-4 px, on 43 frames of
SIRST-V2's val_full and their cuts, in both engines: the order of sums in float32, no more.
"""

BOX_PX = 0.01
"""A file whose boxes differ by more, in pixels, is refused."""

ODD = (33, 47)
"""Height and width of the smallest cut that is compared: odd, and no multiple of any stride."""


class Difference(NamedTuple):
    """How far an engine is from torch, at most, and over how many frames of how many sizes."""

    engine: str
    score: float
    box_px: float
    frames: int
    sizes: int

    @property
    def small(self) -> bool:
        """Whether it is no more than float32 explains."""
        return self.score <= SCORE and self.box_px <= BOX_PX

    def __str__(self) -> str:
        return (
            f"{self.engine}: scores within {self.score:.2g}, boxes within {self.box_px:.2g} px, on"
            f" {self.frames} frames of {self.sizes} sizes"
        )


def compare(
    content: bytes, source: str, network: Cascade, frames: Iterable[Image]
) -> list[Difference]:
    """Run a file in every engine that is installed, and its network in torch, in float32.

    Beside each frame (H, W) two cuts of it are compared: one without a row and a column, and one of
    33x47 pixels around its centre. Boxes that score above the file's candidate threshold are
    compared with the nearest of the other, all scores by rank and those of such boxes with that
    box; of more than 100 candidates only those that both must list.

    Raises:
        DeepirError: no frame, or a file that an engine does not take.
    """
    one = open_onnx(content, source, "onnxruntime")
    truth = TorchNetwork(one.card, network.eval())
    cuts = [cut for frame in frames for cut in _cuts(frame)]
    if not cuts:
        raise DeepirError("a file is compared on at least one frame, got none")
    engines = {"onnxruntime": one} | _openvino(content, source, one.card)
    return [_difference(engine, truth, other, cuts) for engine, other in engines.items()]


def _difference(engine: str, truth: TorchNetwork, other: Network, cuts: list[Image]) -> Difference:
    faint = truth.card.candidate_threshold
    found = [agree(truth, other, cut, faint=faint) for cut in cuts]
    return Difference(
        engine,
        max(each.score for each in found),
        max(each.box_px for each in found),
        len(cuts),
        len({cut.shape for cut in cuts}),
    )


def _openvino(content: bytes, source: str, card: Card) -> dict[str, OnnxNetwork]:
    """The file in OpenVINO, computing in float32; nothing where OpenVINO is not installed."""
    if find_spec("openvino") is None:
        return {}
    run = run_openvino(content, source, precision="f32")
    return {"openvino in float32": OnnxNetwork(card, "openvino", run)}


def _cuts(frame: Image) -> Iterator[Image]:
    """The frame, the frame less a row and a column, and a small part from its middle."""
    yield frame
    height, width = frame.shape
    if min(height, width) > 1:
        yield frame[1:, :-1]
    if height >= ODD[0] and width >= ODD[1]:
        top, left = (height - ODD[0]) // 2, (width - ODD[1]) // 2
        yield frame[top : top + ODD[0], left : left + ODD[1]]
