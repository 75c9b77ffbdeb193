"""Geometry agrees with plain counting of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles.blobs import blobs, bounds, centroid

from deepir.boxes import centres, components, contains, mask_from_boxes

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))


@given(masks)
def test_components_are_flood_fills_in_raster_order(mask):
    found, wanted = components(mask), blobs(mask)
    assert len(found) == len(wanted)
    for k, blob in enumerate(wanted):
        assert {tuple(at) for at in np.argwhere(found.labels == k + 1)} == blob
        assert found.boxes[k].tolist() == bounds(blob)
        assert found.areas[k] == len(blob)
        assert found.centroids[k] == pytest.approx(centroid(blob)[::-1])
    np.testing.assert_array_equal(found.labels > 0, mask)


@given(masks)
def test_mirroring_a_mask_mirrors_its_components(mask):
    plain, mirrored = components(mask), components(mask[:, ::-1])
    flipped = plain.boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [mask.shape[1], 0, mask.shape[1], 0]
    assert sorted(flipped.tolist()) == sorted(mirrored.boxes.tolist())
    assert sorted(plain.areas) == sorted(mirrored.areas)


@pytest.mark.parametrize("shape", [(1, 1), (3, 4)])
def test_an_empty_mask_has_no_component(shape):
    found = components(np.zeros(shape))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)
    assert found.centroids.shape == (0, 2)
    assert found.labels.shape == shape


def test_corners_that_touch_are_connected():
    assert len(components(np.eye(5))) == 1


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((2, 1), True),
        ((5, 4), True),
        ((2, 4), True),
        ((3.5, 2.5), True),
        ((1.99, 2), False),
        ((5.01, 2), False),
        ((3, 0.99), False),
        ((3, np.nan), False),
        ((np.inf, 2), False),
    ],
)
def test_a_box_contains_its_borders(point, inside):
    assert contains([[2, 1, 5, 4]], [point]).tolist() == [[inside]]


def test_every_point_is_asked_of_every_box():
    boxes, points = [[0, 0, 2, 2], [1, 1, 3, 3]], [[0, 0], [2, 2], [9, 9]]
    assert contains(boxes, points).tolist() == [[True, False], [True, True], [False, False]]
    assert contains([], points).shape == (3, 0)
    assert contains(boxes, []).shape == (0, 2)


def test_centres_are_edge_coordinates():
    assert centres([[0, 0, 1, 2], [3, 3, 6, 8]]).tolist() == [[0.5, 1.0], [4.5, 5.5]]
    assert centres([]).shape == (0, 2)


sides = st.floats(-4, 12).map(lambda side: round(2 * side) / 2)


@given(st.lists(st.tuples(sides, sides, sides, sides), max_size=4))
def test_a_mask_of_boxes_is_their_union(boxes):
    shape = (7, 9)
    wanted = np.zeros(shape, dtype=bool)
    for row, column in np.ndindex(shape):
        wanted[row, column] = any(
            round(x0) <= column < round(x1) and round(y0) <= row < round(y1)
            for x0, y0, x1, y1 in boxes
        )
    np.testing.assert_array_equal(mask_from_boxes(boxes, shape), wanted)
