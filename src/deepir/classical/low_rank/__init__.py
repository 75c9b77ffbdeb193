"""Detectors that take the background for low-rank and the target for sparse."""

from __future__ import annotations

from collections.abc import Callable

from deepir.map_detector import MapDetector

DETECTORS: dict[str, Callable[..., MapDetector]] = {}
