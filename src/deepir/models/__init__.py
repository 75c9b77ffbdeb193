"""Networks by name, as PyTorch modules; torch is imported when one is built, not before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from deepir.models.cascade import Cascade
    from deepir.models.oscar import Oscar


def oscar_r18_256() -> Oscar:
    """Published OSCAR, pyramid of 256 channels, with its published random start."""
    from deepir.models.oscar import Oscar, Widths

    return Oscar(Widths(pyramid=256, tower=128))


def oscar_r18_128() -> Oscar:
    """Published light OSCAR, pyramid of 128 channels, with its published random start."""
    from deepir.models.oscar import Oscar, Widths

    return Oscar(Widths(pyramid=128, tower=64))


def oscar_nano() -> Cascade:
    """OSCAR's ideas for video rate on two processor cores."""
    from deepir.models import cascade

    return cascade.oscar_nano()


def oscar_small() -> Cascade:
    """OSCAR's ideas for accuracy, at twice the cost of `oscar_nano`."""
    from deepir.models import cascade

    return cascade.oscar_small()


CATALOGUE: dict[str, Callable[[], nn.Module]] = {
    "oscar_nano": oscar_nano,
    "oscar_small": oscar_small,
    "oscar_r18_256": oscar_r18_256,
    "oscar_r18_128": oscar_r18_128,
}
"""A function for each network: a new module in training mode, at the start of its training."""
