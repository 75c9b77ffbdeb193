"""Thresholds and probabilities for trained weights, from frames that they were not trained on.

Scores of a cascade are measured against the clutter of their frame first (`deepir.clutter_level`).
The operating threshold is chosen on *local* scores, those without the scene's say
(`deepir.models.cascade.scene`), and the scene starts there: it reorders what is believed but has no
say in what is believed. Weights that have seen all frames with truth take theirs from a twin that
has not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepir.box_detector import BoxDetector, BoxResponse
from deepir.calibration import Calibration
from deepir.card import Card
from deepir.clutter_level import RANK, ClutterLevel, order_level
from deepir.data import Dataset, SkippedSample
from deepir.errors import DeepirError, UsageError
from deepir.metrics.reliability import fit_platt, reliability
from deepir.metrics.target import PointCurve
from deepir.models.cascade import Cascade
from deepir.models.folding import fold_norms
from deepir.models.oscar import Oscar
from deepir.models.running import UNCHOSEN, UNCHOSEN_OSCAR, TorchNetwork, chosen_card, scene_noted
from deepir.models.trained import Trained, write_trained
from deepir.passes import Progress, one_pass
from deepir.structures import Sample

BUDGETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""False objects a frame for which thresholds are stored."""

ROUNDS = 5
"""The operating threshold says which boxes are believed when peaks are placed, and peaks say what
is a hit: so it is chosen again until it stays, at most so often."""

DECIMALS = 4
"""An operating threshold is rounded up to these."""

CLUTTER_WEIGHT = 0.4
"""Weight of the clutter level for a cascade, see `ClutterLevel`. On val_full mNoCoAP rises up to
0.6, and Pd of planted targets in cluttered frames falls (`docs/experiments.md`)."""

Frames = list[tuple[Sample, BoxResponse]]


@dataclass(frozen=True)
class Calibrated:
    """What a calibration came to; ``pd`` and ``false_objects_per_frame`` at the threshold."""

    card: Card
    calibration: Calibration
    pd: float
    false_objects_per_frame: float
    skipped: list[SkippedSample]


def calibrate(
    trained: Trained,
    dataset: Dataset,
    *,
    budget: float = 1.0,
    scene_floor: float = 0.1,
    clutter_weight: float | None = None,
    progress: Progress | None = None,
) -> Calibrated:
    """Choose thresholds on a split and measure what scores mean there, in float32.

    ``clutter_weight`` says how much a frame's clutter counts (default: `CLUTTER_WEIGHT` for a
    cascade, 0, not at all, for published OSCAR); the median level of the split is the typical one.
    The operating threshold is the lowest with at most ``budget`` false objects a frame. The scene
    of ``trained.network`` is set to begin there, with ``scene_floor`` as its smallest factor; a
    scene that was never fitted stays off.

    Raises:
        UsageError: the split that the network was trained on, a floor outside (0, 1], or a weight
            outside [0, 1].
        DeepirError: no usable frame, or nothing found on them, or nothing but hits or misses.
    """
    if clutter_weight is None:
        clutter_weight = CLUTTER_WEIGHT if isinstance(trained.network, Cascade) else 0.0
    _check(trained, dataset, budget, scene_floor, clutter_weight)
    passes = _Passes(trained, dataset, progress)
    set_scene(passes.network, floor=1.0, start=0.0)
    frames, skipped = passes.run()
    clutter = _typical(passes.detector, frames, clutter_weight) if clutter_weight else None
    detector = replace(passes.detector, clutter=clutter)
    detector = replace(detector, operating_threshold=_operating(detector, frames, budget))
    local = _curve(detector, frames)
    for network in (trained.network, passes.network):
        floor = scene_floor if _is_fitted(network) else 1.0
        set_scene(network, floor=floor, start=detector.operating)
    final = _curve(detector, passes.run()[0])
    calibration = measured(local, final, data=f"{dataset.name} {dataset.split}")
    card = _card(trained, detector, calibration)
    points = local.at(detector.operating)
    return Calibrated(card, calibration, points.pd, points.false_objects_per_frame, skipped)


def measured(local: PointCurve, final: PointCurve, *, data: str) -> Calibration:
    """Calibration from all candidates, scored without and with the scene's say.

    Budgets below one false object in all frames together are left out: nothing measures them.

    Raises:
        DeepirError: no candidate at all, or only hits or only misses.
    """
    try:
        odds, alone = fit_platt(*final.columns()), fit_platt(*local.columns())
    except ValueError as error:
        raise DeepirError(f"{data}: {error}") from None
    thresholds = ((budget, local.threshold_at(budget)) for budget in BUDGETS)
    kept = tuple(
        (budget, threshold)
        for budget, threshold in thresholds
        if budget * local.frames >= 1 and math.isfinite(threshold)
    )
    scores, right = final.columns()
    bins = reliability(odds.probability(scores), right)
    return Calibration(odds, alone, kept, bins, local.frames, data)


def like_twin(trained: Trained, twin: Trained) -> tuple[Card, Calibration]:
    """Take thresholds, scene and calibration from a twin that was calibrated.

    Raises:
        UsageError: another network, or a twin that was not calibrated.
    """
    if twin.name != trained.name:
        raise UsageError(f"a twin of {trained.name!r} is wanted, got weights of {twin.name!r}")
    card = chosen_card(twin.name, twin.notes, "the twin")
    if card is None or card.calibration is None:
        raise UsageError(
            f"the twin, weights of {twin.name!r} trained on {_trained_on(twin)}, is not calibrated:"
            " run `deepir calibrate` on it first"
        )
    own = Calibration.from_json(card.calibration)
    data = f"{own.data}, by the twin trained on {_trained_on(twin)}"
    if isinstance(trained.network, Cascade) and isinstance(twin.network, Cascade):
        floor = float(twin.network.scene.floor) if _is_fitted(trained.network) else 1.0
        set_scene(trained.network, floor=floor, start=card.operating_threshold)
    calibration = replace(own, data=data)
    taken = replace(card, name=trained.name, calibration=calibration.to_json())
    return _noted(taken, trained), calibration


def learnt_split(trained: Trained) -> tuple[str, str] | None:
    """Dataset and split that weights were trained on; None where their file does not say so."""
    said = re.fullmatch(r"(\S+) (.+), \d+ frames", trained.notes.get("trained_on", ""))
    return (said[1], said[2]) if said else None


def check_unseen(trained: Trained, dataset: Dataset, learnt: Iterable[str]) -> None:
    """Make sure that no frame of a split is one of those that were ``learnt``, by their ids.

    Raises:
        UsageError: how many are, and the first of them.
    """
    known = set(learnt)
    shared = [one for one in dataset.ids if one in known]
    if shared:
        raise UsageError(
            f"the weights were trained on {_trained_on(trained)}, {len(shared)} of the"
            f" {len(dataset)} frames of {dataset.split!r} among them, the first {shared[0]!r}:"
            " calibrate on other frames, or take the calibration of a twin with --like"
        )


def write_calibrated(path: Path, trained: Trained, card: Card, calibration: Calibration) -> None:
    """Write weights with their card among their notes, beside those that they had."""
    notes = {**trained.notes, **card.properties(), "calibrated_on": calibration.data}
    write_trained(path, trained.name, trained.network, notes)


def set_scene(network: object, *, floor: float, start: float) -> None:
    """Set where a cascade's scene starts and how far it goes; other networks have none.

    The start is stored as the next float32 from ``start`` on: what reaches the threshold stays
    above it.
    """
    if isinstance(network, Cascade):
        stored = np.float32(start)
        if float(stored) < start:
            stored = np.nextafter(stored, np.float32(np.inf))
        network.scene.floor.fill_(floor)
        network.scene.start.fill_(float(stored))


class _Passes:
    """A network in torch, and passes of it over a split."""

    def __init__(self, trained: Trained, dataset: Dataset, progress: Progress | None) -> None:
        if not isinstance(trained.network, Cascade | Oscar):
            raise DeepirError(f"{trained.name!r} cannot be run, so it cannot be calibrated")
        self.network = fold_norms(trained.network)
        unchosen = UNCHOSEN if isinstance(trained.network, Cascade) else UNCHOSEN_OSCAR
        network = TorchNetwork(Card(trained.name, *unchosen), self.network)
        self.detector = BoxDetector(trained.name, network, *unchosen)
        self._dataset = dataset
        self._progress = progress

    def run(self) -> tuple[Frames, list[SkippedSample]]:
        """The network's answer to every frame of the split, and what could not be used."""
        frames: Frames = []
        done = one_pass(
            self._dataset,
            lambda sample: frames.append((sample, self.detector.respond(sample.image))),
            progress=self._progress,
        )
        if done.interrupted:
            raise KeyboardInterrupt
        return frames, done.skipped


def _typical(detector: BoxDetector, frames: Frames, weight: float) -> ClutterLevel | None:
    """Clutter level of these frames, the median; None where there are none."""
    levels = [
        order_level(response.raw.scores, RANK, least=detector.floor) for _, response in frames
    ]
    return ClutterLevel(RANK, weight, float(np.median(levels))) if levels else None


def _operating(detector: BoxDetector, frames: Frames, budget: float) -> float:
    """Lowest local score within the budget, rounded up."""
    chosen = detector.operating
    for _ in range(ROUNDS):
        curve = _curve(replace(detector, operating_threshold=chosen), frames)
        threshold = curve.threshold_at(budget)
        if not math.isfinite(threshold):
            count = len(curve.columns()[0])
            raise DeepirError(
                f"no threshold keeps to {budget:g} false alarms a frame on {len(frames)} frames:"
                f" {count} candidates{', and the best score alone is too frequent' * (count > 0)}"
            )
        rounded = min(math.ceil(10**DECIMALS * threshold) / 10**DECIMALS, 1.0)
        if rounded == chosen:
            break
        chosen = rounded
    return chosen


def _curve(detector: BoxDetector, frames: Frames) -> PointCurve:
    """Pd against false objects of all candidates, from what the network itself said."""
    curve = PointCurve()
    for sample, response in frames:
        found = detector.read(detector.judged(response))
        curve.update(found, sample.image.shape, boxes=sample.boxes)
    return curve


def _card(trained: Trained, detector: BoxDetector, calibration: Calibration) -> Card:
    card = Card(
        trained.name,
        detector.floor,
        detector.operating,
        calibration.to_json(),
        clutter=detector.clutter,
    )
    return _noted(card, trained)


def _noted(card: Card, trained: Trained) -> Card:
    network = trained.network
    return scene_noted(card, network) if isinstance(network, Cascade | Oscar) else card


def _is_fitted(network: object) -> bool:
    return isinstance(network, Cascade) and bool(network.scene.weight.any())


def _trained_on(trained: Trained) -> str:
    return trained.notes.get("trained_on", "frames that its file does not name")


def _check(
    trained: Trained, dataset: Dataset, budget: float, scene_floor: float, clutter_weight: float
) -> None:
    if not 0 < scene_floor <= 1:
        raise UsageError(f"the scene's smallest factor lies in (0, 1], got {scene_floor:g}")
    if not 0 <= clutter_weight <= 1:
        raise UsageError(f"the weight of the clutter lies in [0, 1], got {clutter_weight:g}")
    if not budget > 0:
        raise UsageError(f"a budget of false alarms a frame is above 0, got {budget:g}")
    if _trained_on(trained).startswith(f"{dataset.name} {dataset.split},"):
        raise UsageError(
            f"the weights were trained on {_trained_on(trained)}: calibrate on other frames, or"
            " take the calibration of a twin with --like"
        )
