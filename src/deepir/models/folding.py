"""Batch normalisation folded into the convolution before it, for networks that only run."""

from __future__ import annotations

import copy
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

N = TypeVar("N", bound=nn.Module)


def fold_norms(network: N) -> N:
    """A copy in evaluation mode that gives the same, up to rounding, with fewer steps.

    In every `nn.Sequential` a batch normalisation that follows a convolution goes into its weights;
    in its place stands an identity.
    """
    folded = copy.deepcopy(network).eval()
    for parts in folded.modules():
        if isinstance(parts, nn.Sequential):
            for place in range(len(parts) - 1):
                conv, norm = parts[place], parts[place + 1]
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    parts[place] = fuse_conv_bn_eval(conv, norm)
                    parts[place + 1] = nn.Identity()
    return folded
