"""Detectors made of contrasts that rank, count or walk: FKRW, RLCM, TLLCM and WLDM.

All of them, in both modes, score by the frame's own tail (`deepir.classical.tail`), whose number of
pixels is the option ``tail``: give more of them where a frame holds more than half a dozen targets.
Floors and operating thresholds are chosen on val_full as in `deepir.classical.filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from deepir.choices import Mode
from deepir.classical.contrast import CELLS
from deepir.classical.facet_walker import BETA, DEVIATIONS, TAIL_PIXELS, Seeds, fkrw, walked_facet
from deepir.classical.local_difference import SCALES, SIDE, bright_wldm, wldm
from deepir.classical.modes import choose
from deepir.classical.ranked_contrast import CELL, LARGEST, RankedBorder, rlcm, tllcm
from deepir.classical.tail import tail_scale
from deepir.map_detector import MapDetector, Scale

BLACK = 0.01
"""Share of a frame's mean below which a neighbour's level counts as that, in default mode."""

Floats = NDArray[np.float64]


def fkrw_detector(
    *,
    mode: Mode = "default",
    deviations: float = DEVIATIONS,
    beta: float = BETA,
    seeds: Seeds | None = None,
    tail: int | None = None,
) -> MapDetector:
    """FKRW; default: the facet response in the regions of the walks, seeds on the ring alone.

    Over the tail, chosen on val_full: floor 0.5, operating threshold 1.5; reference 1, 4.0.
    """
    chosen: Seeds = choose(mode, seeds, default="ring", reference="ring and white")
    published = partial(fkrw, deviations=deviations, beta=beta, seeds=chosen)
    pixels = choose(mode, tail, default=TAIL_PIXELS, reference=64)
    ours = partial(walked_facet, deviations=deviations, beta=beta, seeds=chosen, pixels=pixels)
    found = choose(mode, None, default=ours, reference=published)
    scale: Scale = _as_it_is
    if mode == "reference":
        scale = tail_scale(pixels, share=0.01)
    floor, operating = choose(mode, None, default=(0.5, 1.5), reference=(1.0, 4.0))
    return MapDetector("fkrw", found, floor, operating, mode, scale=scale)


def rlcm_detector(
    *,
    mode: Mode = "default",
    cell: int | None = None,
    border: RankedBorder | None = None,
    tail: int | None = None,
) -> MapDetector:
    """RLCM; reference: cells of 9 pixels, zeros outside; default: of 7, the border repeated.

    Over the tail, chosen on val_full: floor 1, operating threshold 2.7; reference 0.5, 3.0.
    """
    side = choose(mode, cell, default=7, reference=CELL)
    outside: RankedBorder = choose(mode, border, default="replicate", reference="zero")
    black = choose(mode, None, default=BLACK, reference=0.0)
    floor, operating = choose(mode, None, default=(1.0, 2.7), reference=(0.5, 3.0))
    found = partial(rlcm, cell=side, border=outside, black=black)
    pixels = 8 * side * side if tail is None else tail
    scale = tail_scale(pixels, share=0.01)
    return MapDetector("rlcm", found, floor, operating, mode, scale=scale)


def tllcm_detector(
    *,
    mode: Mode = "default",
    cells: Sequence[int] = CELLS,
    largest: int = LARGEST,
    border: RankedBorder | None = None,
    tail: int | None = None,
) -> MapDetector:
    """TLLCM, the 9 largest of cells of 3, 5, 7 and 9 pixels; default: the border repeated.

    Over the tail, chosen on val_full: floor 1.5, operating threshold 3.0; reference 2, 5.2.
    """
    outside: RankedBorder = choose(mode, border, default="replicate", reference="zero")
    black = choose(mode, None, default=BLACK, reference=0.0)
    floor, operating = choose(mode, None, default=(1.5, 3.0), reference=(2.0, 5.2))
    found = partial(tllcm, cells=cells, largest=largest, border=outside, black=black)
    pixels = choose(mode, tail, default=128, reference=384)
    scale = tail_scale(pixels, share=0.01)
    return MapDetector("tllcm", found, floor, operating, mode, scale=scale)


def wldm_detector(
    *,
    mode: Mode = "default",
    scales: int = SCALES,
    side: int = SIDE,
    tail: int | None = None,
) -> MapDetector:
    """WLDM, means up to 9 pixels and entropy of 5; default: of bright pixels, with amplitude.

    Over the tail, chosen on val_full: floor 1, operating threshold 1.9; reference 0.5, 5.3.
    """
    measure = choose(mode, None, default=bright_wldm, reference=wldm)
    pixels = choose(mode, tail, default=1024, reference=8192)
    floor, operating = choose(mode, None, default=(1.0, 1.9), reference=(0.5, 5.3))
    found = partial(measure, scales=scales, side=side)
    scale = tail_scale(pixels, share=0.05)
    return MapDetector("wldm", found, floor, operating, mode, scale=scale)


DETECTORS: dict[str, Callable[..., MapDetector]] = {
    "fkrw": fkrw_detector,
    "rlcm": rlcm_detector,
    "tllcm": tllcm_detector,
    "wldm": wldm_detector,
}


def _as_it_is(scores: Floats) -> Floats:
    return scores
