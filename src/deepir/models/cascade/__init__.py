"""Our own family: OSCAR's ideas in networks for two processor cores."""

from __future__ import annotations

from deepir.models.cascade.network import Cascade, Layout

__all__ = ["Cascade", "Layout", "oscar_nano", "oscar_small"]


def oscar_nano() -> Cascade:
    """Untrained network for video rate on two processor cores."""
    return Cascade(Layout(stem=16, widths=(32, 48, 64), blocks=(0, 2, 3), pyramid=32))


def oscar_small() -> Cascade:
    """Untrained network, twice the cost of `oscar_nano`."""
    return Cascade(Layout(stem=16, widths=(32, 64, 96, 128), blocks=(1, 2, 3, 2), pyramid=32))
