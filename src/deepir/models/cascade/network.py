"""The network of `oscar_nano` and `oscar_small`: a coarse map guides a fine one at stride 2.

The ideas are those of OSCAR (Dai et al., TGRS 2023): targets of a few pixels keep a minimal size on
the grid, and a coarse branch that sees context multiplies the score of a fine branch that sees
detail. The parts are lighter: residual blocks at strides 2 to 16 or 32, one pyramid, two maps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from deepir.models.cascade.decode import decode_packed
from deepir.models.cascade.losses import cascade_losses, cascade_normalisers
from deepir.models.cascade.maps import FINE_CHANNELS, Packed, Raw, doubled, unpacked
from deepir.models.cascade.scene import Scene, summary
from deepir.models.cascade.targets import Targets, make_targets
from deepir.standardise import standardised
from deepir.structures import Image

PRIOR = 0.01
"""Score of every place before training: most of a frame is background."""

INPUT_CHANNELS = 2


@dataclass(frozen=True)
class Layout:
    """Widths and depths.

    ``stem`` channels at stride 2; ``widths[k]`` channels and ``blocks[k]`` residual blocks at
    stride ``4 * 2 ** k``; ``pyramid`` channels in the map at stride 4 that all outputs read.
    """

    stem: int
    widths: Sequence[int]
    blocks: Sequence[int]
    pyramid: int


def normed_conv(
    inputs: int, outputs: int, size: int = 3, stride: int = 1, *, active: bool = True
) -> nn.Sequential:
    """Convolution without bias, batch norm, and a ReLU where ``active``."""
    parts: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if active:
        parts.append(nn.ReLU(inplace=True))
    return nn.Sequential(*parts)


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = normed_conv(channels, channels)
        self.second = normed_conv(channels, channels, active=False)

    def forward(self, x: Tensor) -> Tensor:
        """Feature map (B, C, H, W) to the same shape."""
        return F.relu(x + self.second(self.first(x)))


class Trunk(nn.Module):
    """Frames (B, 2, H, W) to features at strides 4, 8, 16 ..., sizes rounded up."""

    def __init__(self, stem: int, widths: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        self.stem = normed_conv(INPUT_CHANNELS, stem, 3, 2)
        inputs = stem
        stages = []
        for width, depth in zip(widths, blocks, strict=True):
            down = normed_conv(inputs, width, 3, 2)
            stages.append(nn.Sequential(down, *(Residual(width) for _ in range(depth))))
            inputs = width
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        """One feature map a stage, finest first."""
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class Pyramid(nn.Module):
    """Top-down sum of 1x1 projections, smoothed once at the finest level."""

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(
            normed_conv(width, channels, 1, active=False) for width in widths
        )
        self.smooth = normed_conv(channels, channels)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Features finest first to one map at the finest stride."""
        merged = self.laterals[-1](features[-1])
        for lateral, feature in zip(
            reversed(self.laterals[:-1]), reversed(features[:-1]), strict=True
        ):
            merged = F.relu(lateral(feature) + doubled(merged, feature))
        smooth: Tensor = self.smooth(merged)
        return smooth


class Cascade(nn.Module):
    """Coarse heat map at stride 4; fine heat map and boxes at stride 2.

    Everything is computed at stride 4 or coarser, with channels in multiples of 16 as processors
    like them; the stride-2 outputs are the four sub-places of a stride-4 one.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.trunk = Trunk(layout.stem, layout.widths, layout.blocks)
        self.pyramid = Pyramid(layout.widths, layout.pyramid)
        self.scene = Scene(layout.widths[1:])
        self.outputs = nn.Conv2d(layout.pyramid, FINE_CHANNELS + 1, 1)
        _start(self)

    def forward(self, frames: Tensor) -> Raw:
        """Standardised frames (B, 2, H, W) to raw maps; sizes follow the stride-4 grid."""
        return unpacked(self.packed(frames))

    def packed(self, frames: Tensor) -> Packed:
        """The raw maps as decoding reads them."""
        features = self.trunk(frames)
        values = self.outputs(self.pyramid(features))
        return Packed(values, self.scene(features[1:]), self.scene.start)

    def targets(self, boxes: Sequence[Tensor], images: Tensor, noco: Tensor | None) -> Targets:
        """What the maps should show for boxes (N_i, 4) in the batch ``images``."""
        del noco  # the cascade has no branch for it
        return make_targets(boxes, images.shape[-2], images.shape[-1]).to(images.device)

    def normalisers(self, targets: Targets) -> dict[str, Tensor]:
        """Sums that the losses are divided by, to be added up over all parts of a batch."""
        return cascade_normalisers(targets)

    def losses(
        self, raw: Raw, targets: Targets, normalisers: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Weighted losses ``fine``, ``coarse`` and ``box``."""
        return cascade_losses(raw, targets, normalisers)

    @torch.no_grad()
    def scene_summary(self, image: Image) -> NDArray[np.float64]:
        """What the scene factor of a finite frame (H, W) is computed from."""
        features = self.trunk(self._frames(image))[1:]
        values: NDArray[np.float64] = summary(features)[0].double().cpu().numpy()
        return values

    @torch.no_grad()
    def candidates(self, image: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes (K, 4) and scores (K,) for one finite grey frame (H, W), best first."""
        maps = self.packed(self._frames(image))
        boxes, scores = decode_packed(Packed(*(part.float() for part in maps)), *image.shape)
        return boxes.cpu().numpy(), scores.cpu().numpy()

    def _frames(self, image: Image) -> Tensor:
        frames = torch.from_numpy(standardised(image))[None].to(self.outputs.weight.device)
        return frames.contiguous(memory_format=torch.channels_last)


def _start(network: Cascade) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, Residual):
            norm = module.second[1]
            assert isinstance(norm, nn.BatchNorm2d)
            nn.init.zeros_(norm.weight)
    nn.init.normal_(network.outputs.weight, std=0.01)
    bias = network.outputs.bias
    assert bias is not None
    nn.init.zeros_(bias)
    for place in (*range(4), FINE_CHANNELS):  # sub-places of the fine score, and the coarse one
        nn.init.constant_(bias[place], -math.log((1 - PRIOR) / PRIOR))
