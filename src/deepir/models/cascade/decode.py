"""From the raw maps of one frame to boxes and scores; part of every exported file."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from deepir.models.cascade.losses import LARGEST_LOG
from deepir.models.cascade.maps import FINE_CHANNELS, PLACES, SIDES, Packed, Raw, packed
from deepir.models.cascade.scene import ranked
from deepir.models.cascade.targets import FINE_STRIDE

CANDIDATES = 100
PEAK_WINDOW = 5
"""A candidate is the best fine cell of 5x5 (10x10 px)."""


def decode(raw: Raw, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Best candidates of one frame (batch of 1): boxes (K, 4) px clipped to it, scores (K,).

    Score = fine x coarse, `ranked` by the scene, best first; K = min(100, number of cells).
    """
    return decode_packed(packed(raw), height, width)


def decode_packed(maps: Packed, height: int, width: int) -> tuple[Tensor, Tensor]:
    """`decode` with the least work: one full-size map, all else at the K places alone.

    The scene never changes which of two scores is higher, so it can wait until the best are found.
    """
    planes = maps.values[0]  # of three dimensions: engines lay such maps out row by row
    rows, columns = planes.shape[-2:]
    local = torch.sigmoid(planes[:PLACES]) * torch.sigmoid(planes[FINE_CHANNELS:])
    scores = F.pixel_shuffle(local[None], 2)[0]
    peaks = torch.where(scores == _window_best(scores), scores, 0.0).flatten()
    # The number of cells, said so that the exporter understands it for any frame.
    kept, place = torch.topk(peaks, min(CANDIDATES, PLACES * rows * columns))
    row, column = _divided(place, 2 * columns)
    sides = _sides(planes[PLACES:FINE_CHANNELS], row, column)
    x, y = (axis.to(kept.dtype) + 0.5 for axis in (column, row))
    corners = torch.stack([x - sides[0], y - sides[1], x + sides[2], y + sides[3]], dim=1)
    limit = torch.tensor([width, height, width, height], dtype=kept.dtype, device=kept.device)
    boxes = torch.minimum((corners * FINE_STRIDE).clamp(min=0.0), limit)
    return boxes, ranked(kept, maps.scene, maps.start)


def _window_best(scores: Tensor) -> Tensor:
    """Highest score in the peak window around each cell (1, h, w), one axis after the other."""
    reach = PEAK_WINDOW // 2
    along = F.max_pool2d(scores[None], (1, PEAK_WINDOW), 1, (0, reach))
    return F.max_pool2d(along, (PEAK_WINDOW, 1), 1, (reach, 0))[0]


def _sides(planes: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Distances (4, K) in cells at fine places, from the 16 planes of sides (16, h, w)."""
    (cell_row, below), (cell_column, right) = _divided(row, 2), _divided(column, 2)
    cell = cell_row * planes.shape[-1] + cell_column
    near = planes.flatten(1).index_select(1, cell).reshape(SIDES, PLACES, -1)
    at_place = (2 * below + right).expand(SIDES, 1, -1)
    return near.gather(1, at_place)[:, 0].clamp(max=LARGEST_LOG).exp()


def _divided(whole: Tensor, by: int) -> tuple[Tensor, Tensor]:
    """Quotient and remainder of integers >= 0; whole numbers also in an exported file."""
    quotient = whole // by
    return quotient, whole - quotient * by
