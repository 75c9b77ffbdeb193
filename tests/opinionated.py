"""A tiny cascade that never was trained, yet finds something everywhere, and frames for it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from deepir.card import Card
from deepir.models.cascade import Cascade, Layout

CARD = Card("oscar_nano", 0.02, 0.3)
LAYOUT = Layout(stem=8, widths=(8, 16), blocks=(1, 1), pyramid=8)


def opinionated(seed=0, *, floor=0.5, layout=LAYOUT):
    """Network in evaluation mode: scores all over (0, 1), norms that are no identity."""
    torch.manual_seed(seed)
    network = Cascade(layout)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.7, 1.3)
            nn.init.normal_(norm.bias, std=0.2)
            nn.init.normal_(norm.running_mean, std=0.2)
            nn.init.uniform_(norm.running_var, 0.7, 1.3)
    nn.init.normal_(network.outputs.weight, std=0.3)
    nn.init.normal_(network.outputs.bias, std=0.5)
    nn.init.normal_(network.scene.weight, std=0.5)
    network.scene.floor.fill_(floor)
    network.scene.start.fill_(0.3)
    return network.eval()


def noise(shape, seed=0, dtype=np.uint16):
    """Frame of noise with a bright dot."""
    generator = np.random.default_rng([seed, *shape])
    frame = generator.normal(1000, 20, shape)
    frame[shape[0] // 2, shape[1] // 2] += 400
    return frame.round().astype(dtype)
