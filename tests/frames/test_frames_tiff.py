"""TIFF files: every page, every depth, nothing made up where data is missing."""

import tracemalloc
from itertools import product

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepir.errors import FrameError
from deepir.frames import BadFrame, Frame, find_sources, read_image
from deepir.frames.tiff import grey

GREY_STACKS = {
    "plain": {},
    "deflate": {"compression": "zlib"},
    "predictor": {"compression": "zlib", "predictor": 2},
    "big": {"bigtiff": True},
    "big-endian": {"byteorder": ">"},
    "tiles": {"tile": (16, 16)},
    "strips": {"rowsperstrip": 2},
    "one directory": {"truncate": True},
    "ome": {"ome": True, "metadata": {"axes": "TYX"}},
}


def levels(*shape, dtype="uint16"):
    if np.dtype(dtype).kind == "f":
        return np.random.default_rng(1).normal(size=shape).astype(dtype)
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


def write_stack(path, stack, **options):
    tifffile.imwrite(path, stack, photometric="minisblack", **options)


def check_stack(found, stack):
    assert [f.index for f in found] == list(range(len(stack)))
    for frame, wanted in zip(found, stack, strict=True):
        assert isinstance(frame, Frame), frame
        assert frame.id.endswith(f"#{frame.index:06d}")
        assert frame.image.dtype == stack.dtype
        np.testing.assert_array_equal(frame.image, wanted)


DEPTHS = ["uint8", "uint16", "int16", "float32", "float64"]
WHOLE_NUMBERS_ONLY = [("predictor", "float32"), ("predictor", "float64")]


@pytest.mark.parametrize(
    ("kind", "dtype"), sorted({*product(GREY_STACKS, DEPTHS)} - {*WHOLE_NUMBERS_ONLY})
)
def test_stacks_come_back_exactly(tmp_path, read, kind, dtype):
    stack = levels(4, 12, 14, dtype=dtype)
    path = tmp_path / "übung ñ stack.tif"
    write_stack(path, stack, **GREY_STACKS[kind])
    check_stack(read(path), stack)
    assert find_sources([path])[0].count() == 4
    np.testing.assert_array_equal(read_image(path), stack[0])


@pytest.mark.parametrize("options", [{}, {"truncate": True}], ids=["pages", "one directory"])
def test_imagej_stacks_come_back_exactly(tmp_path, read, options):
    stack = levels(4, 12, 14)
    tifffile.imwrite(tmp_path / "j.tif", stack, imagej=True, **options)
    check_stack(read(tmp_path / "j.tif"), stack)
    assert find_sources([tmp_path / "j.tif"])[0].count() == 4


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_compression_that_tifffile_lacks_goes_through_opencv(tmp_path, read, dtype):
    stack = levels(3, 12, 14, dtype=dtype)
    path = tmp_path / "lzw ñ.tif"
    lzw = (cv2.IMWRITE_TIFF_COMPRESSION, 5)
    assert cv2.imwritemulti(str(path), list(stack), lzw)
    check_stack(read(path), stack)


def test_a_single_page_is_a_still_image(tmp_path, read):
    image = levels(12, 14)
    tifffile.imwrite(tmp_path / "one.tif", image)
    (frame,) = read(tmp_path / "one.tif")
    assert (frame.id, frame.index) == ("one", None)
    np.testing.assert_array_equal(frame.image, image)
    assert find_sources([tmp_path / "one.tif"])[0].count() == 1


def test_pages_of_different_sizes_are_all_frames(tmp_path, read):
    images = [levels(12, 14), levels(5, 14), levels(12, 7)]
    with tifffile.TiffWriter(tmp_path / "sizes.tif") as tiff:
        for image in images:
            tiff.write(image)
    found = read(tmp_path / "sizes.tif")
    assert [f.image.shape for f in found] == [(12, 14), (5, 14), (12, 7)]


@pytest.mark.parametrize("inside", [True, False], ids=["below its page", "beside its page"])
def test_smaller_copies_are_no_frames(tmp_path, read, inside):
    image = levels(12, 14)
    with tifffile.TiffWriter(tmp_path / "pyramid.tif") as tiff:
        tiff.write(image, subifds=1 if inside else None)
        tiff.write(image[::2, ::2].copy(), subfiletype=1)
    (frame,) = read(tmp_path / "pyramid.tif")
    assert (frame.id, frame.image.shape) == ("pyramid", (12, 14))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("planar", [False, True])
def test_colour_becomes_grey_in_its_own_depth(tmp_path, read, dtype, samples, planar):
    colours = levels(12, 14, samples, dtype=dtype)
    stored = np.moveaxis(colours, -1, 0).copy() if planar else colours
    tifffile.imwrite(
        tmp_path / "c.tif",
        stored,
        photometric="rgb",
        planarconfig="separate" if planar else "contig",
        extrasamples=["unassalpha"] if samples == 4 else [],
    )
    (frame,) = read(tmp_path / "c.tif")
    red, green, blue = np.moveaxis(colours[..., :3].astype(np.float64), -1, 0)
    wanted = 0.299 * red + 0.587 * green + 0.114 * blue
    assert frame.image.dtype == np.dtype(dtype)
    tolerance = 0.5 + 1e-6 if np.dtype(dtype).kind == "u" else 1e-6
    np.testing.assert_allclose(frame.image, wanted, atol=tolerance, rtol=0)


def test_colour_stacks_through_either_reader_are_equal(tmp_path, read):
    stack = levels(3, 12, 14, 3)
    tifffile.imwrite(tmp_path / "raw.tif", stack, photometric="rgb")
    swapped = [np.ascontiguousarray(image[..., ::-1]) for image in stack]
    assert cv2.imwritemulti(str(tmp_path / "lzw.tif"), swapped, (cv2.IMWRITE_TIFF_COMPRESSION, 5))
    raw, lzw = read(tmp_path / "raw.tif"), read(tmp_path / "lzw.tif")
    check_stack(raw, np.stack([grey(image) for image in stack]))
    check_stack(lzw, np.stack([frame.image for frame in raw]))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_white_is_zero_is_turned_round(tmp_path, dtype):
    image = levels(12, 14, dtype=dtype)
    tifffile.imwrite(tmp_path / "w.tif", image, photometric="miniswhite")
    turned = read_image(tmp_path / "w.tif")
    assert turned.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(turned, np.iinfo(dtype).max - image)


def test_palettes_and_opacity_and_two_levels(tmp_path):
    index = levels(12, 14, dtype="uint8")
    ramp = np.arange(256, dtype=np.uint16)[::-1] * 257
    tifffile.imwrite(
        tmp_path / "p.tif", index, photometric="palette", colormap=np.stack([ramp] * 3)
    )
    np.testing.assert_array_equal(read_image(tmp_path / "p.tif"), 255 - index)
    write_stack(tmp_path / "a.tif", np.dstack([index, index // 2]), extrasamples=["unassalpha"])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), index)
    write_stack(tmp_path / "b.tif", index > 99)
    np.testing.assert_array_equal(read_image(tmp_path / "b.tif"), index > 99)


def test_bands_that_are_neither_grey_nor_colour_are_refused(tmp_path):
    write_stack(tmp_path / "bands.tif", levels(12, 14, 5), planarconfig="contig")
    with pytest.raises(FrameError, match=r"\(12, 14, 5\)"):
        read_image(tmp_path / "bands.tif")


@pytest.mark.parametrize("kind", [*GREY_STACKS, "imagej", "lzw", "colour"])
def test_a_cut_file_never_gives_a_wrong_frame_nor_loses_one_in_silence(tmp_path, read, kind):
    path = tmp_path / "cut.tif"
    stack = levels(3, 12, 14)
    if kind == "lzw":
        cv2.imwritemulti(str(path), list(stack), (cv2.IMWRITE_TIFF_COMPRESSION, 5))
    elif kind == "colour":
        tifffile.imwrite(path, levels(3, 12, 14, 3), photometric="rgb")
    elif kind == "imagej":
        tifffile.imwrite(path, stack, imagej=True, truncate=True)
    else:
        write_stack(path, stack, **GREY_STACKS[kind])
    whole = read(path)
    content = path.read_bytes()
    for length in [*range(0, len(content), len(content) // 60), len(content) - 1]:
        path.write_bytes(content[:length])
        found = read(path)
        good = [f for f in found if isinstance(f, Frame)]
        assert len(good) == 3 or any(isinstance(f, BadFrame) for f in found), length
        for frame in good:
            np.testing.assert_array_equal(frame.image, whole[frame.index or 0].image)


def test_one_page_without_its_data_does_not_stop_the_rest(tmp_path, read):
    path = tmp_path / "hole.tif"
    stack = levels(3, 12, 14)
    write_stack(path, stack)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tag = tiff.pages[1].tags["StripByteCounts"]
        tag.overwrite(0)
    found = read(path)
    assert [type(f) for f in found] == [Frame, BadFrame, Frame]
    assert found[1].id == "hole#000001"
    np.testing.assert_array_equal(found[2].image, stack[2])


@pytest.mark.parametrize(("tag", "value"), [("ImageWidth", 2**31), ("ImageLength", 2**32 - 1)])
def test_an_absurd_size_is_refused(tmp_path, read, tag, value):
    path = tmp_path / "absurd.tif"
    tifffile.imwrite(path, levels(12, 14), compression="zlib", bigtiff=True)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags[tag].overwrite(value, dtype=4)
    (bad,) = read(path)
    assert isinstance(bad, BadFrame)


@given(data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_raises(tmp_path, read, data):
    path = tmp_path / "damaged.tif"
    write_stack(path, levels(2, 5, 6), compression=data.draw(st.sampled_from([None, "zlib"])))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    assert all(isinstance(f, Frame | BadFrame) for f in read(path))
    assert find_sources([path])[0].count() != 0


def test_memory_does_not_grow_with_the_number_of_pages(tmp_path):
    path = tmp_path / "long.tif"
    with tifffile.TiffWriter(path) as tiff:
        for index in range(100):
            tiff.write(np.full((200, 200), index, dtype=np.uint16), contiguous=False)
    (source,) = find_sources([path])
    next(source.frames())  # so that what tifffile imports on first use is not counted
    tracemalloc.start()
    try:
        seen = [int(frame.image[0, 0]) for frame in source.frames()]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == list(range(100))
    assert peak < 10 * 200 * 200 * 2
