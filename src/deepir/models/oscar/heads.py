"""The two branches: coarse on P3 proposes boxes, refine on P2 corrects them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from deepir.models.blocks import group_norm_tower, resize_bilinear

START_DEVIATION = 0.01


class Coarse(NamedTuple):
    """What the coarse branch gives on the grid of stride 8."""

    score: Tensor  # (B, 1, h, w) logits, not gated yet
    box: Tensor  # (B, 4, h, w) distances in input pixels
    gate: Tensor  # (B, 1, h, w) logits of the gate of the refine branch
    box_features: Tensor  # (B, F, h, w), handed to the refine branch


class Refine(NamedTuple):
    """What the refine branch gives on the grid of stride 4."""

    score: Tensor  # (B, 1, h, w) logits, not gated yet
    box: Tensor  # (B, 4, h, w) offsets in strides
    noco: Tensor  # (B, 1, h, w) logits
    gate: Tensor  # (B, 1, h, w) logits of the gate of the coarse branch


class CoarseBranch(nn.Module):
    """Score, positive box distances and a gate from P3 (``channels``), towers of ``width``."""

    def __init__(self, channels: int, width: int, *, groups: int) -> None:
        super().__init__()
        self.score_tower = group_norm_tower(channels, width, groups=groups)
        self.box_tower = group_norm_tower(channels, width, groups=groups)
        self.score = _predictor(width, 1)
        self.box = _predictor(width, 4)
        self.gate = _predictor(width, 1)
        self.scale = nn.Parameter(torch.ones(()))
        _start(self)

    def forward(self, p3: Tensor) -> Coarse:
        """Outputs for P3 (B, channels, h, w)."""
        about_score, about_box = self.score_tower(p3), self.box_tower(p3)
        # In single precision also under autocast: half precision overflows at exp(11.1).
        distances = (self.scale * self.box(about_box)).float().exp()
        return Coarse(self.score(about_score), distances, self.gate(about_score), about_box)


class RefineBranch(nn.Module):
    """Score, box offsets, NoCo and a gate from P2 (``channels``), towers of ``width``.

    The box tower also sees the coarse one's features, of the same width.
    """

    def __init__(self, channels: int, width: int, *, groups: int) -> None:
        super().__init__()
        self.score_tower = group_norm_tower(channels, width, groups=groups)
        self.box_tower = group_norm_tower(channels + width, width, groups=groups)
        self.noco_tower = group_norm_tower(channels, width, groups=groups)
        self.score = _predictor(width, 1)
        self.box = _predictor(width, 4)
        self.noco = _predictor(width, 1)
        self.gate = _predictor(width, 1)
        self.scale = nn.Parameter(torch.ones(()))
        _start(self)

    def forward(self, p2: Tensor, box_features: Tensor) -> Refine:
        """Outputs for P2 (B, channels, h, w) and the coarse box features (B, width, h', w')."""
        about_score = self.score_tower(p2)
        proposed = resize_bilinear(box_features, (p2.shape[-2], p2.shape[-1]))
        offsets = self.scale * self.box(self.box_tower(torch.cat([p2, proposed], dim=1)))
        noco = self.noco(self.noco_tower(p2))
        return Refine(self.score(about_score), offsets, noco, self.gate(about_score))


def _predictor(width: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(width, outputs, 3, padding=1)


def _start(branch: nn.Module) -> None:
    """Normal values of deviation 0.01 in every convolution, biases of 0, as published."""
    for part in branch.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, std=START_DEVIATION)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
