"""The detector that reads a saliency map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.choices import ReadOut
from deepir.holes import Patched, patch_holes
from deepir.readout import (
    PUBLISHED_LEVEL,
    TOP_K,
    clutter_ratio,
    map_peak,
    map_published,
    unit_range,
)
from deepir.saliency import Diagnostic, Filter, Saliency, checked_map
from deepir.structures import Detections, Image, Mask

Scale = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Signed raw map (H, W) -> scores (H, W) that compare across frames."""


@dataclass(frozen=True, eq=False)
class MapResponse:
    """Raw output for one frame: the frame that points are read in, the signed map, diagnostics."""

    image: Image  # (H, W), holes as dark as the darkest pixel
    saliency: NDArray[np.float64]  # (H, W) raw units
    holes: Mask | None  # (H, W) pixels that were NaN or infinite, None if there were none
    scale: Scale  # saliency to scores
    diagnostics: Mapping[str, Diagnostic] = field(default_factory=dict)  # see `Saliency`

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Scores (H, W): the scaled map, with holes below everything.

        Raises:
            FrameError: a scale that gives no finite numbers in the shape of the map.
        """
        scores = checked_map(self.scale(self.saliency), self.saliency.shape)
        return scores if self.holes is None else np.where(self.holes, -np.inf, scores)

    @property
    def score_map(self) -> NDArray[np.float64]:
        """The scores (H, W) of all pixels."""
        return self.scores


@dataclass(frozen=True)
class MapDetector:
    """A saliency filter with its read-out.

    ``filter`` maps a float64 frame to a signed map, plain or with diagnostics. With
    ``read_out="peak"`` scores are what ``scale`` makes of it (default:
    `clutter_ratio`); components are cut at ``floor``, and those that reach ``operating`` are
    believed when peaks are placed. With "published" scores are what ``unit`` makes of it (default:
    the map scaled to [0, 1]), cut at ``level`` (0.5), the rule's only threshold.
    ``threshold`` overrides what `detect` returns (default: the operating threshold); a threshold
    below the floor returns every candidate. ``options`` tell what the filter was built with beside
    the mode, and change nothing.
    """

    name: str
    filter: Filter
    peak_floor: float
    peak_operating: float
    mode: str = "default"
    family: str = "classical"
    read_out: ReadOut = "peak"
    threshold: float | None = None
    top_k: int = TOP_K
    scale: Scale = clutter_ratio
    unit: Scale = unit_range
    level: float = PUBLISHED_LEVEL
    options: Mapping[str, object] = field(default_factory=dict, compare=False)

    @property
    def floor(self) -> float:
        """Score above which something is a candidate."""
        return self.peak_floor if self.read_out == "peak" else self.level

    @property
    def operating(self) -> float:
        """Score from which `detect` believes: chosen on val, or the published 0.5."""
        return self.peak_operating if self.read_out == "peak" else self.level

    @property
    def cut(self) -> float:
        """Score that `detect` asks for: the threshold given, else the operating threshold."""
        return self.operating if self.threshold is None else self.threshold

    @property
    def has_map(self) -> bool:
        """True: its responses hold a saliency map."""
        return True

    @property
    def engine(self) -> None:
        """Filters need none."""
        return

    @property
    def scene(self) -> None:
        """Filters do not judge it."""
        return

    @property
    def merge_px(self) -> None:
        """Nothing to merge: components of a map are never duplicates."""
        return

    def saliency(self, image: ArrayLike) -> NDArray[np.float64]:
        """Signed response (H, W) float64 in raw units; NaN and infinite pixels are filled first.

        Raises:
            FrameError: no grey frame (H, W) with a finite pixel.
        """
        return self.respond(image).saliency

    def respond(self, image: ArrayLike) -> MapResponse:
        """Filter one frame (H, W); holes take the value of the nearest pixel for that.

        Raises:
            FrameError: no grey frame (H, W) with a finite pixel, or a filter that gives no finite
                real numbers in the frame's shape.
        """
        frame = patch_holes(image)
        found = self.filter(frame.filled.astype(np.float64, copy=frame.holes is None))
        return self._response(frame, found if isinstance(found, Saliency) else Saliency(found))

    def restored(self, image: ArrayLike, made: Saliency) -> MapResponse:
        """Response to a frame (H, W) whose map the filter made earlier.

        Raises:
            FrameError: as `respond`.
        """
        return self._response(patch_holes(image), made)

    def _response(self, frame: Patched, made: Saliency) -> MapResponse:
        scale = self.scale if self.read_out == "peak" else self.unit
        values = checked_map(made.values, frame.filled.shape)
        return MapResponse(frame.dark, values, frame.holes, scale, made.diagnostics)

    def read(self, response: MapResponse) -> Detections:
        """All candidates above the floor, best first, at most ``top_k``."""
        return self._read(response)

    def believed(self, response: MapResponse) -> Detections:
        """Candidates that reach the threshold, best first."""
        return self._read(response, least=min(self.cut, self.operating)).above(self.cut)

    def _read(self, response: MapResponse, *, least: float = -np.inf) -> Detections:
        scores = response.scores
        if self.read_out == "published":
            return map_published(scores, level=self.level, top_k=self.top_k)
        return map_peak(
            response.image,
            scores,
            floor=self.floor,
            believed=self.operating,
            least=least,
            top_k=self.top_k,
        )

    def best_score(self, response: MapResponse) -> float | None:
        """Highest score of any candidate; None where nothing exceeds the floor."""
        best = float(response.scores.max())
        return best if best > self.floor else None

    @property
    def calibration(self) -> None:
        """Filters are not calibrated."""
        return

    def local_scores(self, response: MapResponse, scores: ArrayLike) -> NDArray[np.float64]:
        """The scores (N,) themselves: a filter does not judge the scene."""
        del response
        return np.asarray(scores, dtype=np.float64)

    def probability(self, scores: ArrayLike) -> None:
        """Over the clutter of a frame says nothing of the odds."""
        del scores

    def predicted_mask(self, response: MapResponse) -> Mask:
        """Pixels (H, W) whose score exceeds the threshold."""
        mask: Mask = response.scores > max(self.cut, self.floor)
        return mask

    def detect(self, image: ArrayLike) -> Detections:
        """What the detector believes in: candidates that reach the threshold, best first.

        ``image`` (H, W), any real dtype. A constant, saturated or one-pixel frame has none.

        Raises:
            FrameError: no grey frame (H, W) with a finite pixel.
        """
        return self.believed(self.respond(image))
