"""The detector that reads boxes, as a network gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.calibration import Calibration
from deepir.choices import ReadOut, Scene
from deepir.clutter_level import ClutterLevel
from deepir.errors import FrameError
from deepir.holes import patch_holes
from deepir.readout import MERGE_PX, TOP_K, boxes_published, merged_peaks
from deepir.saliency import Diagnostic
from deepir.structures import Boxes, Detections, Image, Mask, as_boxes


@dataclass(frozen=True)
class SceneFactor:
    """What a network makes of the whole frame: scores beyond ``start`` shrank by ``factor``.

    Raises:
        FrameError: a factor outside (0, 1].

    >>> SceneFactor(0.5, start=0.2).undone([0.1, 0.25]).round(6).tolist()
    [0.1, 0.3]
    """

    factor: float
    start: float

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 1:
            raise FrameError(f"a scene's factor lies in (0, 1], the network gave {self.factor:g}")

    def undone(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Scores (K,) as they were before: what each place is worth by itself. The order stays."""
        values = np.asarray(scores, dtype=np.float64)
        beyond = np.maximum(values - self.start, 0.0)
        local: NDArray[np.float64] = np.minimum(values, self.start) + beyond / self.factor
        return local

    def applied(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Scores (K,) in the light of the scene, the inverse of `undone`."""
        values = np.asarray(scores, dtype=np.float64)
        beyond = np.maximum(values - self.start, 0.0)
        shrunk: NDArray[np.float64] = np.minimum(values, self.start) + beyond * self.factor
        return shrunk


@dataclass(frozen=True, eq=False)
class RawBoxes:
    """What a network says of one frame: ``boxes`` (K, 4) and their ``scores`` (K,) in [0, 1].

    Boxes are half-open pixels of the frame and may leave it; K = 0 is legal. ``scene`` is what has
    been done to the scores in the light of the whole frame; None: nothing.

    Raises:
        FrameError: numbers that disagree in count, or that are NaN or infinite.

    >>> len(RawBoxes([[3, 3, 6, 6]], [0.9]).scores)
    1
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    scene: SceneFactor | None = None

    def __post_init__(self) -> None:
        scores = np.asarray(self.scores, dtype=np.float64)
        boxes = as_boxes(self.boxes)
        if scores.shape != (len(boxes),):
            raise FrameError(f"{len(boxes)} boxes need as many scores, got shape {scores.shape}")
        if not np.isfinite(scores).all():
            raise FrameError(f"the network scored {scores[~np.isfinite(scores)][0]}, no number")
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "scores", scores)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> RawBoxes:
        return RawBoxes(self.boxes[chosen], self.scores[chosen], self.scene)

    def without_scene(self) -> RawBoxes:
        """The same boxes with their scores as they were before the scene was looked at."""
        return self if self.scene is None else RawBoxes(self.boxes, self.scene.undone(self.scores))

    def against(self, clutter: ClutterLevel, *, least: float, start: float) -> RawBoxes:
        """The same boxes, scored against the frame's clutter before the scene is looked at.

        ``least`` is the level of a frame with hardly any candidate; the scene shrinks what then
        exceeds ``start``.
        """
        local = clutter.adjusted(self.without_scene().scores, least=least)
        if self.scene is None:
            return RawBoxes(self.boxes, local)
        scene = SceneFactor(self.scene.factor, start)
        return RawBoxes(self.boxes, scene.applied(local), scene)


Network = Callable[[Image], RawBoxes]
"""A trained network: finite frame (H, W) of any real dtype and any size -> its boxes."""


@dataclass(frozen=True, eq=False)
class BoxResponse:
    """Raw output for one frame: the frame that points are read in, and boxes that lie in it."""

    image: Image  # (H, W), holes as dark as the darkest pixel
    raw: RawBoxes  # clipped to the frame; none that is empty or that a hole fills
    holes: Mask | None  # (H, W) pixels that were NaN or infinite, None if there were none

    @property
    def saliency(self) -> None:
        """Boxes have no map."""
        return

    @property
    def score_map(self) -> None:
        """Nor have its pixels scores."""
        return

    @property
    def diagnostics(self) -> Mapping[str, Diagnostic]:
        """A network tells nothing of its way."""
        return {}


@dataclass(frozen=True)
class BoxDetector:
    """A network of boxes with its read-out.

    Candidates are the boxes that score above ``candidate_threshold``. With ``read_out="peak"``
    each reports its NoCo peak, those that reach ``operating_threshold`` being believed when peaks
    are placed, and of those that are one target (`deepir.readout.merged_peaks`, peaks within
    ``merge_px``) the best stays. With "published" each reports its centre, and nothing is merged.
    ``threshold`` overrides what `detect` returns (default: the operating threshold); a threshold
    below the floor returns every candidate. ``clutter`` says how scores are measured against the
    clutter of the frame, before every threshold; None: not at all. With ``scene="off"`` a network's
    judgement of the whole scene is undone. It only reorders what reaches the operating threshold,
    so what is believed stays the same. ``calibration`` says what scores mean; None where nobody
    measured.
    ``engine`` names what the network runs in.
    """

    name: str
    network: Network
    candidate_threshold: float
    operating_threshold: float
    mode: str = "default"
    family: str = "network"
    read_out: ReadOut = "peak"
    threshold: float | None = None
    top_k: int = TOP_K
    merge_px: float = MERGE_PX
    scene: Scene = "on"
    calibration: Calibration | None = None
    engine: str | None = None
    clutter: ClutterLevel | None = None

    @property
    def floor(self) -> float:
        """Score above which a box is a candidate."""
        return self.candidate_threshold

    @property
    def operating(self) -> float:
        """Score from which `detect` believes, chosen on val."""
        return self.operating_threshold

    @property
    def cut(self) -> float:
        """Score that `detect` asks for: the threshold given, else the operating threshold."""
        return self.operating if self.threshold is None else self.threshold

    @property
    def has_map(self) -> bool:
        """False: its responses hold boxes."""
        return False

    def respond(self, image: ArrayLike) -> BoxResponse:
        """Run the network on one frame (H, W); holes take the value of the nearest pixel for that.

        Boxes are clipped to the frame. A flat frame has none, whatever the network would say.

        Raises:
            FrameError: no grey frame (H, W) with a finite pixel, or one that the network fails on.
        """
        frame = patch_holes(image)
        if frame.filled.min() == frame.filled.max():
            return BoxResponse(frame.dark, RawBoxes(as_boxes(()), np.zeros(0)), frame.holes)
        raw = _inside(self.network(frame.filled), frame.filled.shape)
        if frame.holes is not None:
            raw = raw[~_fills(frame.holes, raw.boxes)]
        return self.judged(BoxResponse(frame.dark, raw, frame.holes))

    def judged(self, response: BoxResponse) -> BoxResponse:
        """What the network said of each box, in the light of the frame's clutter and the scene."""
        raw = response.raw
        if self.clutter is not None:
            raw = raw.against(self.clutter, least=self.floor, start=self.operating)
        if self.scene == "off":
            raw = raw.without_scene()
        return replace(response, raw=raw)

    def read(self, response: BoxResponse) -> Detections:
        """All candidates above the floor, best first, at most ``top_k``."""
        raw = response.raw[response.raw.scores > self.floor]
        if self.read_out == "published":
            return boxes_published(raw.boxes, raw.scores, top_k=self.top_k)
        return merged_peaks(
            response.image,
            raw.boxes,
            raw.scores,
            believed=self.operating,
            within=self.merge_px,
            top_k=self.top_k,
        )

    def believed(self, response: BoxResponse) -> Detections:
        """Candidates that reach the threshold, best first."""
        # Weaker boxes paint no map and remove none that is stronger: not to read them saves time.
        kept = response.raw[response.raw.scores >= min(self.cut, self.operating)]
        return self.read(replace(response, raw=kept)).above(self.cut)

    def best_score(self, response: BoxResponse) -> float | None:
        """Highest score of any candidate; None where no box exceeds the floor."""
        best = float(response.raw.scores.max(initial=-np.inf))
        return best if best > self.floor else None

    def local_scores(self, response: BoxResponse, scores: ArrayLike) -> NDArray[np.float64]:
        """Scores (N,) of a response's detections, without the scene's say."""
        values = np.asarray(scores, dtype=np.float64)
        return values if response.raw.scene is None else response.raw.scene.undone(values)

    def probability(self, scores: ArrayLike) -> NDArray[np.float64] | None:
        """Probability that detections with these scores (N,) are targets; None: not calibrated."""
        if self.calibration is None:
            return None
        odds = self.calibration.odds if self.scene == "on" else self.calibration.local
        return odds.probability(scores)

    def predicted_mask(self, response: BoxResponse) -> None:
        """Boxes claim no pixels."""
        return

    def detect(self, image: ArrayLike) -> Detections:
        """What the detector believes in: candidates that reach the threshold, best first.

        ``image`` (H, W), any real dtype and any size.

        Raises:
            FrameError: no grey frame (H, W) with a finite pixel, or one that the network fails on.
        """
        return self.believed(self.respond(image))


def _inside(raw: RawBoxes, shape: tuple[int, ...]) -> RawBoxes:
    """Boxes clipped to a frame of (H, W); those with nothing left are gone."""
    height, width = shape
    boxes = raw.boxes.clip(0, np.array([width, height] * 2, np.float32))
    kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return RawBoxes(boxes[kept], raw.scores[kept], raw.scene)


def _fills(holes: Mask, boxes: Boxes) -> NDArray[np.bool_]:
    """Which boxes (N, 4) hold no pixel but holes: (N,)."""
    low, high = np.floor(boxes[:, :2]).astype(int), np.ceil(boxes[:, 2:]).astype(int)
    corners = np.concatenate([low, high], axis=1).tolist()
    return np.array([holes[y0:y1, x0:x1].all() for x0, y0, x1, y1 in corners], dtype=bool)
