"""Images enter the published network as the reference's pipeline lets them in."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepir.errors import FrameError
from deepir.models.oscar import pipeline

IMAGES = range(4)


@pytest.fixture(scope="module")
def published(golden):
    arrays = golden("pipeline.npz")

    def of(image):
        start = f"p{image}_"
        return {name[3:]: values for name, values in arrays.items() if name.startswith(start)}

    return of


@pytest.mark.parametrize("image", IMAGES)
def test_resize_and_boxes(published, image):
    wanted = published(image)
    limits = tuple(wanted["scale"].tolist())
    resized, scale = pipeline.resize(wanted["image"], limits=limits)
    assert np.abs(resized.astype(int) - wanted["resized"].astype(int)).max() <= 1  # of its decoder
    np.testing.assert_allclose([*scale, *scale], wanted["scale_factor"], rtol=1e-6)
    size = tuple(wanted["img_shape"].tolist())
    assert resized.shape[:2] == size
    boxes = pipeline.resize_boxes(wanted["boxes"], scale, size)
    np.testing.assert_allclose(boxes, wanted["resized_boxes"], rtol=1e-6)
    np.testing.assert_allclose(boxes, wanted["flip0_boxes"], rtol=1e-6)
    np.testing.assert_allclose(
        pipeline.mirror_boxes(boxes, size[1]), wanted["flip1_boxes"], rtol=1e-6
    )


@pytest.mark.parametrize("image", IMAGES)
def test_levels_and_padding(published, image):
    wanted = published(image)
    prepared = pipeline.planes(pipeline.pad(pipeline.normalise(wanted["resized"])))
    np.testing.assert_allclose(prepared.transpose(1, 2, 0), wanted["flip0_img"], atol=1e-5)
    assert prepared.shape[1:] == tuple(wanted["pad_shape"])
    whole = pipeline.prepare(wanted["image"], limits=tuple(wanted["scale"].tolist()))
    assert whole.size == tuple(wanted["img_shape"])
    np.testing.assert_allclose(whole.pixels, prepared, atol=1.01 / pipeline.DEVIATION)


@pytest.mark.parametrize("flip", [0, 1])
@pytest.mark.parametrize("image", IMAGES)
def test_noco_targets(published, image, flip):
    wanted = published(image)
    resized = wanted["resized"][:, ::-1] if flip else wanted["resized"]
    noco = pipeline.training_noco(resized, wanted[f"flip{flip}_boxes"])
    np.testing.assert_allclose(pipeline.pad(noco), wanted[f"flip{flip}_noco"], atol=1e-6)


@pytest.mark.parametrize(
    ("size", "resized"),
    [
        ((512, 640), (600, 750)),
        ((1024, 1280), (600, 750)),
        ((240, 320), (600, 800)),
        ((256, 256), (600, 600)),
        ((1080, 1918), (563, 1000)),
        ((720, 1280), (563, 1000)),
        ((1, 4000), (1, 1000)),
    ],
)
def test_published_sizes(size, resized):
    assert pipeline.resized_size(size) == resized


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_sizes_keep_within_the_limits_and_the_aspect(height, width):
    new_height, new_width = pipeline.resized_size((height, width))
    assert max(new_height, new_width) <= 1000
    assert min(new_height, new_width) <= 600
    assert new_height <= new_width if height <= width else new_height >= new_width


def test_a_grey_image_is_one_of_three_equal_channels():
    grey = np.random.default_rng(0).integers(0, 256, (30, 40)).astype(np.uint8)
    one = pipeline.prepare(grey, limits=(64, 48))
    three = pipeline.prepare(np.dstack([grey] * 3), limits=(64, 48))
    assert one.pixels.shape == (1, 64, 64)
    assert (one.size, one.scale) == ((48, 64), (1.6, 1.6)) == (three.size, three.scale)
    np.testing.assert_array_equal(np.repeat(one.pixels, 3, axis=0), three.pixels)
    boxes = [[10, 10, 13, 14]]
    np.testing.assert_allclose(
        pipeline.training_noco(grey, boxes),
        pipeline.training_noco(np.dstack([grey] * 3), boxes),
        atol=1e-6,
    )


def test_mirroring_twice_changes_nothing():
    boxes = [[1.5, 2, 4, 6], [0, 0, 20, 1]]
    twice = pipeline.mirror_boxes(pipeline.mirror_boxes(boxes, 20), 20)
    np.testing.assert_array_equal(twice, boxes)
    assert pipeline.mirror_boxes([], 20).shape == (0, 4)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((8, 8), np.uint16), "8-bit .* got uint16"),
        (np.zeros((8, 8)), "8-bit .* got float64"),
        (np.zeros((8, 8, 4), np.uint8), r"got shape \(8, 8, 4\)"),
        (np.zeros((0, 8), np.uint8), r"got shape \(0, 8\)"),
    ],
)
def test_other_images_are_refused(image, message):
    with pytest.raises(FrameError, match=message):
        pipeline.prepare(image)


def test_neither_pipeline_nor_command_line_imports_torch():
    heavy = "{'torch', 'safetensors'} & set(sys.modules)"
    imports = "import sys, deepir.cli, deepir.models, deepir.models.oscar.pipeline"
    told = subprocess.run(
        [sys.executable, "-c", f"{imports}; print({heavy})"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout == "set()\n"
