"""A network as the rest sees it: a frame goes in, boxes come out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepir.box_detector import Network, RawBoxes
from deepir.card import Card, read_card
from deepir.choices import Engine
from deepir.errors import DeepirError, FrameError
from deepir.runtime.engines import (
    INPUT,
    OUTPUTS,
    Run,
    best_engine,
    open_session,
    reason,
    run_openvino,
    run_session,
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
        channels = network_input(image)
        try:
            outputs = self.run(channels)
        except Exception as error:  # the engines' exceptions have no common class
            raise FrameError(
                f"the network fails on {width}x{height} pixels: {reason(error)}"
            ) from None
        boxes, scores = (outputs[name] for name in OUTPUTS)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise FrameError(f"the network's boxes have shape {boxes.shape}, (K, 4) is wanted")
        return RawBoxes(boxes, scores.astype(np.float64))


def open_onnx(content: bytes, source: str, engine: Engine = "auto") -> OnnxNetwork:
    """Open a network from the content of an ONNX file; ``source`` names it in errors.

    The last one opened is kept, so that opening it again costs nothing.

    Raises:
        DeepirError: no ONNX file, a damaged one, or a network of another kind.
        UsageError: an engine that is not installed.
    """
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
    _check_ports(session, file.source)
    card = read_card(session.get_modelmeta().custom_metadata_map, file.source)
    if engine == "onnxruntime":
        network = OnnxNetwork(card, engine, run_session(session))
    else:
        network = OnnxNetwork(card, engine, run_openvino(file.content, file.source))
    try:
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
    others = {name: given[name] for name in OUTPUTS if given[name] != "tensor(float)"}
    if others:
        raise DeepirError(f"{source} gives {others}; float boxes and scores are wanted")


class Agreement(NamedTuple):
    """How far two networks differ on a frame, at most."""

    score: float  # between scores of equal rank
    box_px: float  # from a corner of a box to that of the other's nearest box


def agree(one: Network, other: Network, image: Image) -> Agreement:
    """Compare two networks, or one network in two engines, on a frame (H, W).

    Scores are compared rank by rank, a missing one counts 0. Each box that scores `FAINT` or more
    is compared with the nearest box of the other; none there: infinitely far.
    """
    first, second = one(image), other(image)
    count = max(len(first.scores), len(second.scores))
    ranked = [_ranked(raw.scores, count) for raw in (first, second)]
    gap = float(np.abs(ranked[0] - ranked[1]).max(initial=0.0))
    return Agreement(gap, max(_far(first, second), _far(second, first)))


def _ranked(scores: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.sort(np.concatenate([scores, np.zeros(count - len(scores))]))


def _far(raw: RawBoxes, other: RawBoxes) -> float:
    clear = raw.boxes[raw.scores >= FAINT]
    apart = np.abs(clear[:, None] - other.boxes).max(axis=2)
    return float(apart.min(axis=1, initial=np.inf).max(initial=0.0))
