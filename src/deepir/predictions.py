"""Detections in a JSON file: as `deepir detect` writes them and `deepir score` reads them.

``{"detections": [{"id": ..., "points": [[x, y, score], ...], "boxes": [[x0, y0, x1, y1], ...]}]}``
where ``boxes`` may be left out; other keys are free, and ``detector``, ``operating_threshold``,
``threshold``, ``floor`` and ``merge_px`` are used where they are there. A calibrated network adds
``probabilities``, one a point, and a filter that tells of its way ``diagnostics`` by name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, FiniteFloat, ValidationError, model_validator

from deepir.diagnostics import Diagnostics, plain_values
from deepir.errors import DeepirError
from deepir.structures import FURTHEST_PX, AnyPath, Detections, best_first

Point = tuple[float, float, float]
Corners = tuple[float, float, float, float]
NonNegative = Annotated[FiniteFloat, Field(ge=0)]


class FrameDetections(BaseModel, strict=True):
    """One frame: ``points`` ``x y score`` in any order, and a box for each or none at all."""

    id: str
    points: list[Point]
    boxes: list[Corners] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> FrameDetections:
        if self.boxes is not None and len(self.boxes) != len(self.points):
            raise ValueError(f"{len(self.points)} points need as many boxes, got {len(self.boxes)}")
        if any(math.isnan(score) for *_, score in self.points):
            raise ValueError("a score is NaN")
        if any(not abs(side) <= FURTHEST_PX for box in self.boxes or () for side in box):
            raise ValueError(f"a box has a coordinate that is no number up to {FURTHEST_PX:g}")
        return self

    def detections(self) -> Detections:
        """Return the frame's detections, best first."""
        rows = [row[:2] for row in self.points]
        return best_first(rows, [row[2] for row in self.points], self.boxes)


class Predictions(BaseModel, strict=True):
    """A file of detections; an id stands in it once."""

    detections: list[FrameDetections]
    detector: str | None = None
    operating_threshold: FiniteFloat | None = None
    threshold: FiniteFloat | None = None
    floor: FiniteFloat | None = None
    merge_px: NonNegative | None = None

    @property
    def is_cut(self) -> bool:
        """Whether candidates above the detector's floor were left out of the file."""
        known = self.threshold is not None and self.floor is not None
        return known and (self.threshold or 0.0) > (self.floor or 0.0)

    @model_validator(mode="after")
    def _once(self) -> Predictions:
        seen: set[str] = set()
        for frame in self.detections:
            if frame.id in seen:
                raise ValueError(f"the id {frame.id!r} stands there twice")
            seen.add(frame.id)
        return self


def read_predictions(path: AnyPath) -> Predictions:
    """Read and check a file of detections.

    Raises:
        DeepirError: no such file, no JSON, or the first place where it does not fit the form.
    """
    path = Path(path)
    try:
        return Predictions.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DeepirError(f"cannot read predictions {str(path)!r}: {error.strerror}") from None
    except ValidationError as error:
        raise DeepirError(f"predictions {str(path)!r} do not fit: {_first(error)}") from None


def frame_entry(
    frame_id: str,
    found: Detections,
    probabilities: NDArray[np.float64] | None = None,
    diagnostics: Diagnostics | None = None,
) -> dict[str, object]:
    """Entry of one frame for the file, numbers written so that reading gives them back."""
    rows = [
        [*point, score]
        for point, score in zip(found.points.tolist(), found.scores.tolist(), strict=True)
    ]
    entry: dict[str, object] = {"id": frame_id, "points": rows}
    if found.boxes is not None:
        entry["boxes"] = found.boxes.tolist()
    if probabilities is not None:
        entry["probabilities"] = probabilities.tolist()
    if diagnostics:
        entry["diagnostics"] = plain_values(diagnostics)
    return entry


_NOT_SHOWN = ("missing", "json_invalid")  # there is nothing, or the whole file


def _first(error: ValidationError) -> str:
    detail = error.errors(include_url=False)[0]
    where = _place(detail["loc"])
    known = detail["type"] not in _NOT_SHOWN
    shown = json.dumps(detail["input"], default=str)[:60] if known else ""
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    got = f", got {shown}" if shown else ""
    return f"{where}{detail['msg']}{got}{more}".replace("\n", " ")


def _place(steps: Sequence[int | str]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return f"{path.lstrip('.')}: " if path else ""
