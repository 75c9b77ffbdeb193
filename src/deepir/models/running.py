"""Networks run in PyTorch, straight from the weights that training or `deepir convert` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from deepir.box_detector import RawBoxes, SceneFactor
from deepir.calibration import Calibration
from deepir.card import THRESHOLDS, Card, read_card
from deepir.choices import Engine
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.models.cascade import Cascade
from deepir.models.cascade.decode import decode_packed
from deepir.models.folding import fold_norms
from deepir.models.oscar.decode import PUBLISHED
from deepir.models.oscar.network import Oscar
from deepir.models.oscar.pipeline import prepare
from deepir.models.trained import parse_trained
from deepir.standardise import network_input
from deepir.structures import Image

UNCHOSEN = (0.003, 0.2)
"""Candidate and operating threshold of a cascade whose file states none: those that training
validates with."""

UNCHOSEN_OSCAR = (0.0, PUBLISHED.floor)
"""The same of published OSCAR, whose rules have dropped what is no candidate already."""


@dataclass(frozen=True, eq=False)
class TorchNetwork:
    """A network in evaluation mode: call it with a finite frame (H, W).

    ``card`` is what its file says of it. The cascade takes any real dtype, published OSCAR what its
    pipeline takes: 8 bits.
    """

    card: Card
    network: Cascade | Oscar
    engine: Literal["torch"] = "torch"

    @torch.inference_mode()
    def __call__(self, image: Image) -> RawBoxes:
        """Boxes in pixels of the frame and their scores, best first.

        Raises:
            FrameError: a depth that the network does not take, or no memory for this frame.
        """
        try:
            if isinstance(self.network, Cascade):
                return _cascade_boxes(self.network, image, self.card.scene_start)
            return _oscar_boxes(self.network, image)
        except RuntimeError as error:  # torch's only kind
            height, width = image.shape
            reason = str(error).strip().splitlines()[0]
            raise FrameError(f"the network fails on {width}x{height} pixels: {reason}") from None


def open_torch(content: bytes, source: str, engine: Engine = "auto") -> TorchNetwork:
    """Open a network from the content of a file of weights; ``source`` names it in errors.

    Thresholds are those that the file states, else `UNCHOSEN`.

    Raises:
        UsageError: an engine that runs ONNX files only.
        DeepirError: no such file of weights, or thresholds that do not fit.
    """
    if engine not in ("auto", "torch"):
        raise UsageError(
            f"{source} runs in torch, not in {engine}: leave --engine out, or make an ONNX file of"
            " it with `deepir export`"
        )
    name, network, notes = parse_trained(content, source)
    if not isinstance(network, Cascade | Oscar):
        raise DeepirError(f"{source} holds {name!r}, which cannot be run yet")
    fallback = UNCHOSEN if isinstance(network, Cascade) else UNCHOSEN_OSCAR
    card = chosen_card(name, notes, source) or Card(name, *fallback)
    folded = fold_norms(network)
    folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return TorchNetwork(scene_noted(card, network), folded)


def scene_noted(card: Card, network: Cascade | Oscar) -> Card:
    """The card with the score from which the network's judgement of the scene counts.

    None where it makes no such judgement: published OSCAR, and a cascade with a floor of 1.
    """
    if isinstance(network, Cascade) and network.scene.floor < 1:
        return replace(card, scene_start=float(network.scene.start))
    return replace(card, scene_start=None)


def chosen_card(name: str, notes: Mapping[str, str], source: str) -> Card | None:
    """Card from the notes of a file of weights; None where they state no threshold.

    Raises:
        DeepirError: one threshold without the other, or thresholds or a calibration that do not
            fit.
    """
    if not any(key in notes for key in THRESHOLDS):
        return None
    own = {key: notes.get(key) for key in ("calibration", "clutter")}
    properties = {**Card(name, 0, 1).properties(), **own}
    for key in THRESHOLDS:
        if key not in notes:
            raise DeepirError(f"{source} states one threshold without the other: {key!r} is wanted")
        properties[key] = notes[key]
    card = read_card({key: text for key, text in properties.items() if text is not None}, source)
    if card.calibration is not None:
        try:
            Calibration.from_json(card.calibration)
        except DeepirError as error:
            raise DeepirError(f"{source}: {error}") from None
    return card


def _cascade_boxes(network: Cascade, image: Image, scene_start: float | None) -> RawBoxes:
    frames = torch.from_numpy(network_input(image))
    maps = network.packed(frames.contiguous(memory_format=torch.channels_last))
    boxes, scores = decode_packed(maps, frames.shape[-2], frames.shape[-1])
    scene = None if scene_start is None else SceneFactor(float(maps.scene), scene_start)
    return RawBoxes(boxes.numpy(), scores.numpy().astype(np.float64), scene)


def _oscar_boxes(network: Oscar, image: Image) -> RawBoxes:
    prepared = prepare(image)
    frames = torch.from_numpy(prepared.pixels)[None]
    found = network.detect(frames, sizes=[prepared.size], scales=[prepared.scale])[0]
    return RawBoxes(found.boxes.numpy(), found.scores.numpy().astype(np.float64))
