"""A network as the rest sees it: a frame goes in, boxes come out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepir.box_detector import Network, RawBoxes, SceneFactor
from deepir.card import Card, read_card
from deepir.choices import Engine
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.readout import TOP_K
from deepir.runtime.engines import (
    INPUT,
    OUTPUTS,
    SCENE,
    Outputs,
    Run,
    best_engine,
    open_session,
    reason,
    run_openvino,
    run_session,
    wanted_outputs,
)
from deepir.standardise import SMALLEST, network_input
from deepir.structures import Image

if TYPE_CHECKING:
    import onnxruntime

FAINT = 0.01
"""`agree` compares the places of boxes from this score on; below, there is nothing to place."""


@dataclass(frozen=True, eq=False)
class OnnxNetwork:
    """A trained network, ready to run: call it with a finite frame (H, W) of any size.

    ``card`` is what its file says of it, ``engine`` what runs it.
    """

    card: Card
    engine: Engine
    run: Run

    def __call__(self, image: Image) -> RawBoxes:
        """Boxes in pixels of the frame and their scores, best first; they may leave the frame.

        Raises:
            FrameError: the network fails on this frame, or gives what are no boxes.
        """
        height, width = image.shape
        channels = network_input(image, reuse=True)
        try:
            outputs = self.run(channels)
        except Exception as error:  # the engines' exceptions have no common class
            raise FrameError(
                f"the network fails on {width}x{height} pixels: {reason(error)}"
            ) from None
        boxes, scores = (outputs[name] for name in OUTPUTS)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise FrameError(f"the network's boxes have shape {boxes.shape}, (K, 4) is wanted")
        return RawBoxes(boxes, scores.astype(np.float64), self._scene(outputs))

    def _scene(self, outputs: Outputs) -> SceneFactor | None:
        """What the network made of the whole frame."""
        if SCENE not in outputs or self.card.scene_start is None:
            return None
        factor = outputs[SCENE]
        if factor.size != 1:
            raise FrameError(f"the scene's factor is one number, got shape {factor.shape}")
        return SceneFactor(float(factor.item()), self.card.scene_start)


def open_onnx(content: bytes, source: str, engine: Engine = "auto") -> OnnxNetwork:
    """Open a network from the content of an ONNX file; ``source`` names it in errors.

    The last one opened is kept, so that opening it again costs nothing.

    Raises:
        DeepirError: no ONNX file, a damaged one, or a network of another kind.
        UsageError: an engine that is not installed, or that runs no ONNX files.
    """
    if engine == "torch":
        raise UsageError(f"{source} does not run in torch: take onnxruntime or openvino")
    digest = hashlib.sha256(content).hexdigest()
    return _opened(_File(digest, source, content), best_engine() if engine == "auto" else engine)


@dataclass(frozen=True)
class _File:
    digest: str
    source: str
    content: bytes = field(compare=False, repr=False)


@lru_cache(maxsize=1)
def _opened(file: _File, engine: Engine) -> OnnxNetwork:
    session = open_session(file.content, file.source, optimised=engine == "onnxruntime")
    try:
        _check_ports(session, file.source)
        card = read_card(session.get_modelmeta().custom_metadata_map, file.source)
    except UnicodeDecodeError as error:
        raise DeepirError(f"{file.source} is a damaged ONNX file: {error}") from None
    if card.scene_start is None and SCENE in {port.name for port in session.get_outputs()}:
        raise DeepirError(
            f"{file.source} judges the scene and lacks the property 'scene_start'; export it again"
        )
    network = OnnxNetwork(card, "onnxruntime", run_session(session))
    try:
        network(np.eye(SMALLEST))  # in any case: OpenVINO takes NaN among the weights for 0
        if engine != "onnxruntime":
            network = OnnxNetwork(card, engine, run_openvino(file.content, file.source))
            network(np.eye(SMALLEST))
    except FrameError as error:
        raise DeepirError(f"{file.source} does not work: {error}") from None
    return network


def _check_ports(session: onnxruntime.InferenceSession, source: str) -> None:
    """Refuse a model that takes or gives something else."""
    taken = {port.name: (port.type, port.shape) for port in session.get_inputs()}
    given = {port.name: port.type for port in session.get_outputs()}
    if set(taken) != {INPUT} or not set(OUTPUTS) <= set(given):
        raise DeepirError(
            f"{source} takes {sorted(taken)} and gives {sorted(given)}; a network that takes"
            f" {[INPUT]} and gives {list(OUTPUTS)} is wanted"
        )
    kind, shape = taken[INPUT]
    fits = len(shape) == 4 and shape[1] == 2 and not any(isinstance(n, int) for n in shape[2:])
    if kind != "tensor(float)" or not fits:
        raise DeepirError(
            f"{source} takes {kind} of shape {shape}; float (1, 2, H, W) of any H and W is wanted"
        )
    read = wanted_outputs(given)
    others = {name: given[name] for name in read if given[name] != "tensor(float)"}
    if others:
        raise DeepirError(f"{source} gives {others}; float {', '.join(read)} are wanted")


class Agreement(NamedTuple):
    """How far two networks differ on a frame, at most."""

    score: float  # between scores of equal rank, and of a box and the other's nearest
    box_px: float  # from a corner of a box to that of the other's nearest box


def agree(one: Network, other: Network, image: Image, *, faint: float = FAINT) -> Agreement:
    """Compare two networks, or one network in two engines, on a frame (H, W).

    Scores are compared rank by rank, a missing one counts 0. Each box that scores ``faint`` or more
    is compared with the box of the other that is nearest in place and score; none there: infinitely
    far. Of a full list (`TOP_K` boxes) the last ranks are left out: what is one's last may be cut
    off by the other.
    """
    first, second = one(image), other(image)
    count = max(len(first.scores), len(second.scores))
    ranked = [_ranked(raw.scores, count) for raw in (first, second)]
    gap = float(np.abs(ranked[0] - ranked[1]).max(initial=0.0))
    pairs = [_far(first, second, faint, gap), _far(second, first, faint, gap)]
    return Agreement(max(gap, *(pair.score for pair in pairs)), max(pair.box_px for pair in pairs))


def _ranked(scores: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.sort(np.concatenate([scores, np.zeros(count - len(scores))]))


def _far(raw: RawBoxes, other: RawBoxes, faint: float, gap: float) -> Agreement:
    """How far the clear boxes of one are from their partners in the other."""
    full = len(other.scores) >= TOP_K
    clear = raw[raw.scores >= (max(faint, other.scores.min() + gap) if full else faint)]
    if not len(clear.scores):
        return Agreement(0.0, 0.0)
    if not len(other.scores):
        return Agreement(0.0, np.inf)
    apart = np.abs(clear.boxes[:, None].astype(np.float64) - other.boxes).max(axis=2)
    gaps = np.abs(clear.scores[:, None] - other.scores)
    partner = np.arange(len(clear.scores)), (apart + gaps).argmin(axis=1)
    return Agreement(float(gaps[partner].max()), float(apart[partner].max()))
