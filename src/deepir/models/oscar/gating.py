"""Each branch weighs the other's logits."""

from __future__ import annotations

import torch
from torch import Tensor

from deepir.models.blocks import resize_bilinear


def gated(logits: Tensor, gate: Tensor) -> Tensor:
    """Logits (B, 1, h, w) times the sigmoid of the other branch's gate, resized to their grid.

    The gate (B, 1, h', w') is resized as a logit, before the sigmoid. A closed gate pulls a logit
    to 0, that is a score to one half.
    """
    size = (logits.shape[-2], logits.shape[-1])
    return logits * torch.sigmoid(resize_bilinear(gate, size))
