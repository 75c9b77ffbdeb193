"""Detectors that take the background for low-rank and the target for sparse."""

from __future__ import annotations

from collections.abc import Callable

from deepir.classical.low_rank.ipi import ipi_detector
from deepir.classical.low_rank.nipps import nipps_detector
from deepir.classical.low_rank.pstnn import pstnn_detector
from deepir.classical.low_rank.ript import ript_detector
from deepir.classical.low_rank.smsl import smsl_detector
from deepir.map_detector import MapDetector

DETECTORS: dict[str, Callable[..., MapDetector]] = {
    "ipi": ipi_detector,
    "nipps": nipps_detector,
    "pstnn": pstnn_detector,
    "ript": ript_detector,
    "smsl": smsl_detector,
}
