"""Floor and operating threshold of every filter and mode, chosen on SIRST-V2's val_full.

Over the clutter of a frame (`deepir.readout.clutter_ratio`). The floor gives the highest mNoCoAP
there, the operating threshold is the lowest one with at most one false object a frame
(`benchmarks/choose_thresholds.py`, figures in `docs/experiments.md`).
"""

from __future__ import annotations

from deepir.choices import Mode
from deepir.map_detector import MapDetector, Scale
from deepir.readout import clutter_ratio
from deepir.saliency import Filter

CHOSEN: dict[str, dict[Mode, tuple[float, float]]] = {
    "fkrw": {"default": (0.3, 0.92), "reference": (0.1, 1.41)},
    "ipi": {"default": (0.7, 1.0), "reference": (0.7, 1.0)},
    "lcm": {"default": (0.2, 0.91), "reference": (0.2, 0.92)},
    "max_mean": {"default": (0.3, 0.97), "reference": (0.2, 1.02)},
    "max_median": {"default": (0.1, 0.98), "reference": (0.5, 1.08)},
    "mpcm": {"default": (0.3, 1.01), "reference": (0.3, 1.16)},
    "nipps": {"default": (0.3, 1.2), "reference": (0.7, 1.29)},
    "pstnn": {"default": (1, 1.09), "reference": (1.5, 1.51)},
    "ript": {"default": (0.1, 1.21), "reference": (0.1, 1.49)},
    "rlcm": {"default": (0.3, 1.14), "reference": (0.3, 1.11)},
    "smsl": {"default": (0.3, 0.99), "reference": (0.1, 0.97)},
    "tllcm": {"default": (0.3, 1.1), "reference": (0.3, 1.11)},
    "top_hat": {"default": (0.7, 0.93), "reference": (0.1, 0.94)},
    "wldm": {"default": (0.3, 0.92), "reference": (0.2, 0.99)},
}
"""Floor and operating threshold by name and mode."""


def chosen_detector(
    name: str, found: Filter, mode: Mode, *, scale: Scale = clutter_ratio
) -> MapDetector:
    """The detector of a filter, with the floor and threshold of its name and mode."""
    floor, operating = CHOSEN[name][mode]
    return MapDetector(name, found, floor, operating, mode, scale=scale)
