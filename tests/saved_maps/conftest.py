"""A dataset in memory, and a detector whose filter counts its frames."""

from __future__ import annotations

import pytest
from counting_filter import Counting
from listed import two_sources

from deepir.map_detector import MapDetector


@pytest.fixture
def dataset():
    return two_sources()


@pytest.fixture
def counting():
    return Counting()


@pytest.fixture
def detector(counting):
    return MapDetector("counting", counting, 0.5, 1.0)
