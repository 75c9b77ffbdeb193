"""Feature pyramid whose two finest levels leave it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from deepir.models.oscar.trunk import Levels

OUTPUTS = 2
"""P2 and P3. The published pyramid also has output convolutions for P4 and P5, which feed nothing
and never get a gradient; they are left out here."""


class Pyramid(nn.Module):
    """1x1 laterals, nearest top-down additions, 3x3 output convolutions (Lin et al., CVPR 2017).

    All with bias, without normalisation or activation; starts with Glorot's uniform values and
    biases of 0.
    """

    def __init__(self, widths: tuple[int, int, int, int], channels: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in widths)
        self.outputs = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(OUTPUTS)
        )
        for conv in (*self.laterals, *self.outputs):
            nn.init.xavier_uniform_(conv.weight)
            nn.init.zeros_(conv.bias)

    def forward(self, levels: Levels) -> tuple[Tensor, Tensor]:
        """P2 and P3, (B, channels, ...) at strides 4 and 8, from features at strides 4 to 32."""
        sums: list[Tensor] = [
            lateral(level) for lateral, level in zip(self.laterals, levels, strict=True)
        ]
        for upper in range(len(sums) - 1, 0, -1):
            below = sums[upper - 1]
            sums[upper - 1] = below + functional.interpolate(sums[upper], size=below.shape[-2:])
        return self.outputs[0](sums[0]), self.outputs[1](sums[1])
