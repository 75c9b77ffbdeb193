"""OSCAR as published: network, losses, decoding, weights; its image pipeline needs no torch.

Dai et al., "One-Stage Cascade Refinement Networks for Infrared Small Target Detection", IEEE TGRS
61, 2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepir.models.oscar.network import Oscar as Oscar
    from deepir.models.oscar.network import Widths as Widths
    from deepir.models.oscar.weights import convert as convert
    from deepir.models.oscar.weights import from_published as from_published
    from deepir.models.oscar.weights import read_published_checkpoint as read_published_checkpoint
    from deepir.models.oscar.weights import read_weights as read_weights
    from deepir.models.oscar.weights import write_weights as write_weights

_NETWORK = ("Oscar", "Widths")
_WEIGHTS = (
    "convert",
    "from_published",
    "read_published_checkpoint",
    "read_weights",
    "write_weights",
)


def __getattr__(name: str) -> object:
    """Import torch with the first name that needs it, so that the pipeline works without."""
    if name in _NETWORK:
        from deepir.models.oscar import network

        return getattr(network, name)
    if name in _WEIGHTS:
        from deepir.models.oscar import weights

        return getattr(weights, name)
    raise AttributeError(f"module 'deepir.models.oscar' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*_NETWORK, *_WEIGHTS]
