"""OSCAR: one-stage cascade refinement.

Dai et al., "One-Stage Cascade Refinement Networks for Infrared Small Target Detection", IEEE TGRS
61, 2023. A coarse branch at stride 8 proposes a box at every location; a refine branch at stride 4
corrects it and weighs it by score and normalised contrast. Both see each other through gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepir.errors import DeepirError
from deepir.models.oscar.decode import PUBLISHED, Rules, Scored, decode
from deepir.models.oscar.gating import gated
from deepir.models.oscar.heads import CoarseBranch, RefineBranch
from deepir.models.oscar.objective import count, weighted_losses
from deepir.models.oscar.pyramid import Pyramid
from deepir.models.oscar.raw import Raw
from deepir.models.oscar.targets import Targets, make_targets
from deepir.models.oscar.trunk import DeepStemResNet18

MOST_CHANNELS = 4096


@dataclass(frozen=True)
class Widths:
    """Numbers of channels; the defaults are the published larger model's.

    Raises:
        DeepirError: numbers that make no network.
    """

    stages: tuple[int, int, int, int] = (64, 128, 256, 512)
    """Channels at strides 4, 8, 16, 32; the stem works at half the first."""

    pyramid: int = 256
    """Channels of P2 and P3."""

    tower: int = 128
    """Channels inside the branches."""

    groups: int = 32
    """Groups of the towers' normalisation."""

    def __post_init__(self) -> None:
        for channels in (*self.stages, self.pyramid, self.tower, self.groups):
            if not 1 <= channels <= MOST_CHANNELS:
                raise DeepirError(f"1 to {MOST_CHANNELS} channels are wanted, got {channels}")
        if self.stages[0] % 2:
            raise DeepirError(f"the first stage has an even width, got {self.stages[0]}")
        if self.tower % self.groups:
            raise DeepirError(
                f"towers of {self.tower} channels cannot have {self.groups} equal groups:"
                " give the number of groups that the network was trained with"
            )


class Oscar(nn.Module):
    """The published network; a new one has the published random start.

    Images are (B, 3, H, W), or (B, 1, H, W) for three equal channels, normalised as
    `deepir.models.oscar.pipeline` does. Any H and W work; published are multiples of 32.
    """

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__()
        self.widths = widths or Widths()
        channels, tower, groups = self.widths.pyramid, self.widths.tower, self.widths.groups
        self.trunk = DeepStemResNet18(self.widths.stages)
        self.pyramid = Pyramid(self.widths.stages, channels)
        self.coarse = CoarseBranch(channels, tower, groups=groups)
        self.refine = RefineBranch(channels, tower, groups=groups)

    def forward(self, images: Tensor) -> Raw:
        """The five raw outputs: refine score, refine box, refine NoCo, coarse score, coarse box."""
        p2, p3 = self.pyramid(self.trunk(images.expand(-1, 3, -1, -1)))
        coarse = self.coarse(p3)
        refine = self.refine(p2, coarse.box_features)
        return Raw(
            refine_score=gated(refine.score, coarse.gate),
            refine_box=refine.box,
            refine_noco=refine.noco,
            coarse_score=gated(coarse.score, refine.gate),
            coarse_box=coarse.box,
        )

    def targets(self, boxes: Sequence[Tensor], images: Tensor, noco: Tensor | None) -> Targets:
        """What each location should say, whatever the network says.

        ``boxes``: (N_i, 4) corners in pixels of each image, N_i = 0 is legal; ``images``
        (B, C, H, W) give size and device; ``noco`` (B, 1, H, W) or (B, H, W): their NoCo maps.

        Raises:
            ValueError: no maps, or maps of another size.
        """
        if noco is None:
            raise ValueError("this network learns NoCo: maps (B, 1, H, W) are wanted, got None")
        size = (images.shape[-2], images.shape[-1])
        return make_targets(boxes, size, noco.to(images.device))

    def normalisers(self, targets: Targets) -> dict[str, Tensor]:
        """Positives of each level and locations of this part of a batch; parts may be added up."""
        return count(targets)

    def losses(
        self, raw: Sequence[Tensor], targets: Targets, normalisers: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Weighted losses by name; add them up. See `deepir.models.oscar.objective`.

        With normalisers of the whole batch, the losses of its parts add up to the batch's.
        """
        return weighted_losses(raw, targets, normalisers)

    @torch.no_grad()
    def detect(
        self,
        images: Tensor,
        *,
        sizes: Sequence[tuple[int, int]],
        scales: Sequence[tuple[float, float]],
        rules: Rules = PUBLISHED,
    ) -> list[Scored]:
        """Scored boxes of each image in its original pixels; see `decode` for the arguments.

        The module should be in evaluation mode (``eval()``): it is used as it is.
        """
        return decode(self(images), sizes=sizes, scales=scales, rules=rules)
