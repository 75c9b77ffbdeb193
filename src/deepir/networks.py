"""Trained networks: each is a file of weights that carries its own thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, get_args

from deepir.box_detector import BoxDetector, RawBoxes
from deepir.calibration import Calibration
from deepir.card import Card
from deepir.choices import Engine, Scene
from deepir.errors import DeepirError, UsageError, unknown_name
from deepir.runtime import open_onnx
from deepir.structures import AnyPath, Image
from deepir.weights import packaged, read_weights


class Loaded(Protocol):
    """A network from a file: called with a finite frame (H, W) it gives its boxes."""

    @property
    def card(self) -> Card:
        """Its name and thresholds."""

    @property
    def engine(self) -> Engine:
        """What it runs in."""

    def __call__(self, image: Image, /) -> RawBoxes:
        """Boxes in pixels of the frame."""


def open_torch(content: bytes, source: str, engine: Engine = "auto") -> Loaded:
    """Open weights that training or `deepir convert` wrote, in PyTorch.

    Raises:
        UsageError: PyTorch is not installed, or another engine is asked for.
        DeepirError: no such weights.
    """
    from deepir.models.requirements import require_torch

    require_torch(f"the file of weights {source}")
    from deepir.models import running

    return running.open_torch(content, source, engine)


LOADERS: dict[str, Callable[[bytes, str, Engine], Loaded]] = {
    ".onnx": open_onnx,
    ".safetensors": open_torch,
}
"""How to open a file of weights, by its suffix: from its content, its name and the engine asked."""


def oscar_nano(
    *,
    weights: AnyPath | None = None,
    engine: Engine = "auto",
    scene: Scene | None = None,
    false_alarms_per_frame: float | None = None,
) -> BoxDetector:
    """OSCAR in its narrowest width, for real time on two cores: boxes refined in a cascade.

    Score in [0, 1]; the thresholds that val_full chose travel with the weights. With a budget,
    ``false_alarms_per_frame``, `detect` returns what reaches the threshold that kept to it on val.
    ``scene="off"`` undoes what the network makes of the whole frame; a budget does so too, as it
    refers to scores without it.
    """
    network = _opened("oscar_nano", weights, engine)
    return _detector(network, scene, false_alarms_per_frame)


def oscar_small(
    *,
    weights: AnyPath | None = None,
    engine: Engine = "auto",
    scene: Scene | None = None,
    false_alarms_per_frame: float | None = None,
) -> BoxDetector:
    """OSCAR in a wider width, for accuracy: boxes refined in a cascade.

    Score in [0, 1]; the thresholds that val_full chose travel with the weights. With a budget,
    ``false_alarms_per_frame``, `detect` returns what reaches the threshold that kept to it on val.
    ``scene="off"`` undoes what the network makes of the whole frame; a budget does so too, as it
    refers to scores without it.
    """
    network = _opened("oscar_small", weights, engine)
    return _detector(network, scene, false_alarms_per_frame)


def oscar_r18_256(*, weights: AnyPath | None = None, engine: Engine = "auto") -> BoxDetector:
    """Published OSCAR (TGRS 2023) with its own resizing, for 8-bit frames; runs in PyTorch.

    Its rules keep what scores above 0.05 before the coarse score and NoCo weigh in; all that is a
    candidate. Peaks are placed as if what reaches 0.05 in the end were believed.
    """
    return _detector(_opened("oscar_r18_256", weights, engine), None, None)


def oscar_r18_128(*, weights: AnyPath | None = None, engine: Engine = "auto") -> BoxDetector:
    """Published light OSCAR (TGRS 2023), otherwise as oscar_r18_256.

    Its rules keep what scores above 0.05 before the coarse score and NoCo weigh in; all that is a
    candidate. Peaks are placed as if what reaches 0.05 in the end were believed.
    """
    return _detector(_opened("oscar_r18_128", weights, engine), None, None)


CATALOGUE: dict[str, Callable[..., BoxDetector]] = {
    "oscar_nano": oscar_nano,
    "oscar_small": oscar_small,
    "oscar_r18_256": oscar_r18_256,
    "oscar_r18_128": oscar_r18_128,
}


def _opened(name: str, weights: AnyPath | None, engine: Engine) -> Loaded:
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
    return network


def _detector(network: Loaded, scene: Scene | None, budget: float | None) -> BoxDetector:
    """Give a network its read-out, with the thresholds and the calibration of its card.

    Raises:
        UsageError: an unknown choice for the scene, or a budget that cannot be kept to.
        DeepirError: a calibration that does not fit.
    """
    if scene not in (None, *get_args(Scene)):
        raise unknown_name("choice for the scene", str(scene), get_args(Scene))
    card = network.card
    stored = card.calibration
    calibration = None if stored is None else Calibration.from_json(stored)
    detector = BoxDetector(
        card.name,
        network,
        card.candidate_threshold,
        card.operating_threshold,
        scene=scene or "on",
        calibration=calibration,
        engine=network.engine,
        clutter=card.clutter,
    )
    if budget is None:
        return detector
    if calibration is None:
        raise UsageError(
            f"these weights of {card.name} are not calibrated, so no threshold is known for"
            f" {budget:g} false alarms a frame: use a threshold, or `deepir calibrate`"
        )
    if scene == "on":
        raise UsageError(
            "thresholds for a budget of false alarms refer to scores without the scene's say:"
            " leave one of scene and false_alarms_per_frame out"
        )
    return replace(detector, threshold=calibration.threshold_for(budget), scene="off")
