"""Image files of a dataset: found by id, and copied where they show what the sample shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tifffile
from small_frames import SHAPE, noise

from deepir.data.images import ANEW, ImageWriter, images_below
from deepir.errors import FrameError
from deepir.frames import read_image
from deepir.structures import Sample


@pytest.fixture
def written(tmp_path):
    """Write the image of a file as a sample; returns the new file and what is lost."""

    def write(path, image=None, **options):
        frame = Sample(read_image(path) if image is None else image, [], None, "new/a", path)
        suffix, lost = ImageWriter(tmp_path / "out", **options).write(frame)
        return tmp_path / "out" / f"new/a{suffix}", lost

    return write


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp", ".pgm"])
def test_a_file_of_any_kind_is_copied(save, written, suffix):
    path = save(f"a{suffix}")
    copy, lost = written(path)
    assert (copy.suffix, lost) == (suffix, [])
    assert copy.read_bytes() == path.read_bytes()


def test_where_only_png_fits_other_files_are_written_anew_and_listed(save, written):
    colour = np.random.default_rng(0).integers(0, 255, (*SHAPE, 3), dtype=np.uint8)
    path = save("a.jpg", colour)
    copy, lost = written(path, png_only=True)
    assert (copy.suffix, lost) == (".png", [ANEW])
    np.testing.assert_array_equal(read_image(copy), read_image(path))


def test_an_image_that_is_not_the_files_is_written_instead(save, written):
    path = save("a.png")
    for image in (noise(seed=1), noise(np.uint16), noise(np.float32)):
        copy, lost = written(path, image)
        assert lost == [ANEW]
        assert read_image(copy).dtype == image.dtype
        np.testing.assert_array_equal(read_image(copy), image)


def test_a_stack_and_a_file_that_is_gone_are_written_anew(save, written, tmp_path):
    stack = tmp_path / "stack.tif"
    frames = np.stack([noise(seed=seed) for seed in range(3)])
    tifffile.imwrite(stack, frames, photometric="minisblack")
    copy, _ = written(stack)
    assert copy.suffix == ".png"
    np.testing.assert_array_equal(read_image(copy), noise(seed=0))
    assert written(tmp_path / "gone.png", noise())[1] == [ANEW]


def test_holes_are_no_difference(tmp_path, written):
    image = noise(np.float32)
    image[3, 4] = np.nan
    path = tmp_path / "a.tiff"
    tifffile.imwrite(path, image)
    copy, lost = written(path)
    assert lost == []
    np.testing.assert_array_equal(read_image(copy), image)


def test_ids_are_paths_without_the_suffix_of_an_image(save, tmp_path):
    for name in ("b.PNG", "a.b.png", "deep/c.jpg", "d.txt", "._b.png", "two.png", "two.jpg"):
        save(name, b"" if name.endswith("txt") else cv2.imencode(".png", noise())[1].tobytes())
    images = images_below(tmp_path)
    assert list(images.files) == ["a.b", "b", "deep/c", "two"]
    assert images.find("deep/c") == tmp_path / "deep" / "c.jpg"
    assert [images.id_of(line) for line in ("b", "b.png", "a.b", "x.png")] == [
        "b",
        "b",
        "a.b",
        "x.png",
    ]
    with pytest.raises(FrameError, match=r"two images for one id: 'two.jpg' and 'two.png'"):
        images.find("two")
