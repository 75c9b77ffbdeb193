"""IPI and NIPPS on fewer patches, as detectors that every verb takes.

    deepir bench benchmarks/approximations.py:ipi_fast --data sirst-v2 --root SIRST_V2 ...

The approximation is an option from Python (`load_detector("ipi", approximate="fast")`); this file
gives it a name for the command line. Floors and thresholds are those of the exact methods unless
they are given.
"""

from __future__ import annotations

from dataclasses import replace

from deepir.catalogue import load_detector
from deepir.choices import Mode
from deepir.map_detector import MapDetector


def ipi_fast(*, mode: Mode = "default") -> MapDetector:
    """IPI, `approximate="fast"`."""
    return _named("ipi", mode)


def nipps_fast(*, mode: Mode = "default") -> MapDetector:
    """NIPPS, `approximate="fast"`."""
    return _named("nipps", mode)


def _named(name: str, mode: Mode) -> MapDetector:
    detector = load_detector(name, mode=mode, approximate="fast")
    assert isinstance(detector, MapDetector)
    return replace(detector, name=f"{name}_fast")
