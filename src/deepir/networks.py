"""Trained networks: each is a file of weights that carries its own thresholds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, get_args

from deepir.box_detector import BoxDetector, RawBoxes
from deepir.card import Card
from deepir.choices import Engine
from deepir.errors import DeepirError, UsageError, unknown_name
from deepir.runtime import open_onnx
from deepir.structures import Image
from deepir.weights import packaged, read_weights


class Loaded(Protocol):
    """A network from a file: called with a finite frame (H, W) it gives its boxes."""

    @property
    def card(self) -> Card:
        """Its name and thresholds."""

    def __call__(self, image: Image, /) -> RawBoxes:
        """Boxes in pixels of the frame."""


LOADERS: dict[str, Callable[[bytes, str, Engine], Loaded]] = {".onnx": open_onnx}
"""How to open a file of weights, by its suffix: from its content, its name and the engine asked."""


def oscar_nano(
    *, weights: str | os.PathLike[str] | None = None, engine: Engine = "auto"
) -> BoxDetector:
    """OSCAR in its narrowest width, for real time on two cores: boxes refined in a cascade.

    Score in [0, 1]; the thresholds that val_full chose travel with the weights.
    """
    return _detector("oscar_nano", weights, engine)


def oscar_small(
    *, weights: str | os.PathLike[str] | None = None, engine: Engine = "auto"
) -> BoxDetector:
    """OSCAR in a wider width, for accuracy: boxes refined in a cascade.

    Score in [0, 1]; the thresholds that val_full chose travel with the weights.
    """
    return _detector("oscar_small", weights, engine)


CATALOGUE: dict[str, Callable[..., BoxDetector]] = {
    "oscar_nano": oscar_nano,
    "oscar_small": oscar_small,
}


def _detector(name: str, weights: str | os.PathLike[str] | None, engine: Engine) -> BoxDetector:
    """Open the weights given, else those of this installation.

    Raises:
        UsageError: an unknown engine or kind of file, or weights of another network.
        DeepirError: no weights here, or a file that cannot be used.
    """
    if engine not in get_args(Engine):
        raise unknown_name("engine", str(engine), get_args(Engine))
    path = packaged(name) if weights is None else Path(weights)
    if path is None:
        raise DeepirError(
            f"{name} has no weights in this installation: train it (`deepir train {name} ...`)"
            " or give weights=PATH (--weights)"
        )
    if path.suffix.lower() not in LOADERS:
        raise UsageError(f"weights are a file of {', '.join(LOADERS)}, got {str(path)!r}")
    network = LOADERS[path.suffix.lower()](read_weights(path), repr(str(path)), engine)
    card = network.card
    if card.name != name:
        raise UsageError(f"the weights {str(path)!r} are those of {card.name!r}, not of {name!r}")
    return BoxDetector(name, network, card.candidate_threshold, card.operating_threshold)
