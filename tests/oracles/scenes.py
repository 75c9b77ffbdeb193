"""A small frame with a smooth background, noise, and small bright targets."""

from __future__ import annotations

import numpy as np


def smooth_scene(shape=(44, 52), seed=0, targets=((25, 31),), height=60.0):
    """The frame; targets are (row, column), Gaussians of deviation 1."""
    r, c = np.mgrid[: shape[0], : shape[1]]
    frame = 90 + 25 * np.sin(r / 17) + 20 * np.cos(c / 23 + seed) + 0.1 * c
    frame += np.random.default_rng(seed).normal(0, 1, shape)
    for row, column in targets:
        frame += height * np.exp(-((r - row) ** 2 + (c - column) ** 2) / 2)
    return frame
