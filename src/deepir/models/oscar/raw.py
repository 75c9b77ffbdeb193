"""What the network gives before any decoding."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

REFINE_STRIDE = 4
COARSE_STRIDE = 8


class Raw(NamedTuple):
    """The five raw outputs for a batch; fine grid (h, w) of stride 4, coarse one of stride 8.

    Scores are logits already multiplied by the gate of the other branch.
    """

    refine_score: Tensor
    """(B, 1, h, w) logits."""

    refine_box: Tensor
    """(B, 4, h, w) signed offsets of the corners of the proposal, in units of the fine stride."""

    refine_noco: Tensor
    """(B, 1, h, w) logits of the normalised contrast."""

    coarse_score: Tensor
    """(B, 1, h / 2, w / 2) logits."""

    coarse_box: Tensor
    """(B, 4, h / 2, w / 2) distances left, top, right, bottom in input pixels, positive."""
