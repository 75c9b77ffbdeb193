"""Detectors made of contrasts that rank, count or walk: FKRW, RLCM, TLLCM and WLDM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from deepir.choices import Mode
from deepir.classical.chosen import chosen_detector
from deepir.classical.contrast import CELLS
from deepir.classical.facet_walker import BETA, DEVIATIONS, Seeds, fkrw, walked_facet
from deepir.classical.local_difference import SCALES, SIDE, bright_wldm, wldm
from deepir.classical.modes import choose
from deepir.classical.ranked_contrast import CELL, LARGEST, RankedBorder, rlcm, tllcm
from deepir.map_detector import MapDetector

BLACK = 0.01
"""Share of a frame's mean below which a neighbour's level counts as that, in default mode."""


def fkrw_detector(
    *,
    mode: Mode = "default",
    deviations: float = DEVIATIONS,
    beta: float = BETA,
    seeds: Seeds | None = None,
) -> MapDetector:
    """FKRW; default: the facet response, less of it outside the regions of walks from the ring."""
    chosen: Seeds = choose(mode, seeds, default="ring", reference="ring and white")
    measure = choose(mode, None, default=walked_facet, reference=fkrw)
    found = partial(measure, deviations=deviations, beta=beta, seeds=chosen)
    return chosen_detector("fkrw", found, mode)


def rlcm_detector(
    *,
    mode: Mode = "default",
    cell: int | None = None,
    border: RankedBorder | None = None,
) -> MapDetector:
    """RLCM; reference: cells of 9 pixels, zeros outside; default: of 7, the border repeated."""
    side = choose(mode, cell, default=7, reference=CELL)
    outside: RankedBorder = choose(mode, border, default="replicate", reference="zero")
    black = choose(mode, None, default=BLACK, reference=0.0)
    return chosen_detector("rlcm", partial(rlcm, cell=side, border=outside, black=black), mode)


def tllcm_detector(
    *,
    mode: Mode = "default",
    cells: Sequence[int] = CELLS,
    largest: int = LARGEST,
    border: RankedBorder | None = None,
) -> MapDetector:
    """TLLCM, the 9 largest of cells of 3, 5, 7 and 9 pixels; default: the border repeated."""
    outside: RankedBorder = choose(mode, border, default="replicate", reference="zero")
    black = choose(mode, None, default=BLACK, reference=0.0)
    found = partial(tllcm, cells=cells, largest=largest, border=outside, black=black)
    return chosen_detector("tllcm", found, mode)


def wldm_detector(*, mode: Mode = "default", scales: int = SCALES, side: int = SIDE) -> MapDetector:
    """WLDM, means up to 9 pixels and entropy of 5; default: of bright pixels, with amplitude."""
    measure = choose(mode, None, default=bright_wldm, reference=wldm)
    return chosen_detector("wldm", partial(measure, scales=scales, side=side), mode)


DETECTORS: dict[str, Callable[..., MapDetector]] = {
    "fkrw": fkrw_detector,
    "rlcm": rlcm_detector,
    "tllcm": tllcm_detector,
    "wldm": wldm_detector,
}
