"""Responses that an earlier run kept, so that what is slow to make is made once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Generic, Protocol

from deepir.detector import Detector, R
from deepir.structures import Sample


@dataclass(frozen=True)
class Kept(Generic[R]):
    """A detector's response to a frame, and the milliseconds that the making of it took."""

    response: R
    milliseconds: float


class Archive(Protocol[R]):
    """Keeps the responses of one detector, frame by frame."""

    def find(self, sample: Sample) -> Kept[R] | None:
        """The response kept for a frame; None where there is none that can be trusted."""

    def keep(self, sample: Sample, response: R, milliseconds: float) -> None:
        """Keep a response that took so long.

        Raises:
            OSError: this response cannot be kept.
        """

    def facts(self) -> dict[str, object]:
        """What a result says of it, see `deepir.results.FIELDS`."""


def response_to(detector: Detector[R], sample: Sample, archive: Archive[R] | None) -> R:
    """The response kept for a frame; where there is none, the detector's, which is then kept.

    Raises:
        FrameError: a frame that the detector cannot take.
    """
    if archive and (kept := archive.find(sample)):
        return kept.response
    before = time.perf_counter()
    response = detector.respond(sample.image)
    if archive:
        archive.keep(sample, response, 1e3 * (time.perf_counter() - before))
    return response
