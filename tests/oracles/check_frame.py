"""The synthetic frame on which independent programs agreed, and how to compare with a figure."""

from __future__ import annotations

import numpy as np
import pytest


def check_frame():
    """The frame (128, 160) with two targets, at (60, 85) and (100, 30) row, column."""
    r, c = np.mgrid[0:128, 0:160].astype(float)
    frame = 70 + 25 * np.sin(r / 17) + 20 * np.cos(c / 23) + 0.15 * c
    frame += 0.5 * ((37 * r + 101 * c + 13 * r * c) % 17 - 8)
    frame += 90 * np.exp(-((r - 60) ** 2 + (c - 85) ** 2) / (2 * 1.4**2))
    frame += 45 * np.exp(-((r - 100) ** 2 + (c - 30) ** 2) / 2)
    return np.clip(np.floor(frame + 0.5), 0, 255).astype(np.uint8)


def as_printed(text):
    """Equal to a figure up to the digits that it is printed with."""
    value = float(text)
    last_digit = 10.0 ** -len(text.partition(".")[2])
    return pytest.approx(value, rel=0, abs=min(0.5001 * last_digit, 1e-8 * abs(value)) or 1e-9)
