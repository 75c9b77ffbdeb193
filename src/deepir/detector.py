"""What a detector is, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.calibration import Calibration
from deepir.choices import ReadOut, Scene
from deepir.saliency import Diagnostic
from deepir.structures import Detections, Image, Mask


class Response(Protocol):
    """Raw output for one frame; only the detector that gave it can read it."""

    @property
    def image(self) -> Image:
        """Frame (H, W) that points are read in, holes as dark as the darkest pixel."""

    @property
    def saliency(self) -> NDArray[np.float64] | None:
        """Signed raw map (H, W); None from a detector of boxes."""

    @property
    def score_map(self) -> NDArray[np.float64] | None:
        """Scores (H, W) of all pixels; None from a detector of boxes."""

    @property
    def diagnostics(self) -> Mapping[str, Diagnostic]:
        """What the making of it tells, by name; empty where there is nothing to tell."""


R = TypeVar("R", bound=Response)


class Detector(Protocol[R]):
    """Anything that finds targets in a grey frame.

    A benchmark times the two halves of `detect` apart: ``respond`` (the filter or the network) and
    ``read`` (its raw output to scored points).
    """

    @property
    def name(self) -> str:
        """Name in the catalogue."""

    @property
    def family(self) -> str:
        """Kind of detector: ``classical`` or ``network``."""

    @property
    def mode(self) -> str:
        """Name of its settings: ``default`` or ``reference``."""

    @property
    def engine(self) -> str | None:
        """What a network runs in; None for a filter."""

    @property
    def scene(self) -> Scene | None:
        """Whether a network's judgement of the whole scene counts; None for a filter."""

    @property
    def read_out(self) -> ReadOut:
        """How points are read."""

    @property
    def top_k(self) -> int:
        """Candidates of a frame at most."""

    @property
    def floor(self) -> float:
        """Score above which something is a candidate."""

    @property
    def operating(self) -> float:
        """Documented threshold on the score, chosen on val."""

    @property
    def cut(self) -> float:
        """Score that `detect` asks for: a threshold of the user's, else the operating one."""

    @property
    def has_map(self) -> bool:
        """Whether its responses hold a saliency map."""

    @property
    def merge_px(self) -> float | None:
        """Distance within which peaks of two boxes are one target; None: nothing is merged."""

    @property
    def calibration(self) -> Calibration | None:
        """What its scores mean, and where that was measured; None: nowhere."""

    def probability(self, scores: ArrayLike) -> NDArray[np.float64] | None:
        """Probability that detections with these scores (N,) are targets; None: not calibrated."""

    def local_scores(self, response: R, scores: ArrayLike) -> NDArray[np.float64]:
        """Scores (N,) of a response's detections as budgets of false alarms refer to them.

        Those are the scores without what a network makes of the whole scene.
        """

    def respond(self, image: ArrayLike) -> R:
        """Raw output for one frame (H, W)."""

    def read(self, response: R) -> Detections:
        """All candidates of a frame, best first."""

    def believed(self, response: R) -> Detections:
        """What `detect` returns for the frame of this response."""

    def best_score(self, response: R) -> float | None:
        """Highest score of any candidate; None without one."""

    def predicted_mask(self, response: R) -> Mask | None:
        """Pixels (H, W) claimed at the threshold; None for a detector of boxes."""

    def detect(self, image: ArrayLike) -> Detections:
        """What the detector believes in: the candidates that reach its threshold."""
