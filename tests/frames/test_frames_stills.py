"""Image files: exact values, own depth, and nothing half decoded."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepir.errors import FrameError
from deepir.frames import BadFrame, Frame, find_sources, read_image

GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH
PER_TEST = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def levels(*shape, dtype=np.uint8):
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


def encoded(suffix, image, *options):
    done, content = cv2.imencode(suffix, image, options)
    assert done
    return content.tobytes()


def chunk(kind, data):
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(width, height, raw, *, depth=8, colour=0, extra=b""):
    """A PNG file by hand, with every checksum right."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def os2_bmp(image):
    """A BMP file with the short header of OS/2."""
    height, width = image.shape
    rows = np.pad(image[::-1], ((0, 0), (0, -width % 4))).tobytes()
    start = 14 + 12 + 768
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes()
    head = struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start)
    return head + struct.pack("<IHHHH", 12, width, height, 1, 8) + ramp + rows


KINDS = {
    "os2.bmp": os2_bmp(levels(9, 7)),
    "grey.png": encoded(".png", levels(9, 7)),
    "colour.png": encoded(".png", levels(9, 7, 3)),
    "opacity.png": encoded(".png", levels(9, 7, 4)),
    "deep.png": encoded(".png", levels(9, 7, dtype=np.uint16)),
    "deep colour.png": encoded(".png", levels(9, 7, 3, dtype=np.uint16)),
    "two levels.png": encoded(".png", levels(9, 7) // 128 * 255, cv2.IMWRITE_PNG_BILEVEL, 1),
    "palette.png": png(
        2,
        2,
        b"\0\0\1\0\2\1",
        colour=3,
        extra=chunk(b"PLTE", bytes([9, 90, 200, 1, 2, 3, 250, 0, 7])),
    ),
    "grey.jpg": encoded(".jpg", levels(9, 7)),
    "colour.jpeg": encoded(".jpg", levels(20, 17, 3)),
    "progressive.jpg": encoded(".jpg", levels(20, 17, 3), cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts.jpg": encoded(".jpg", levels(20, 17), cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
    "grey.bmp": encoded(".bmp", levels(9, 7)),
    "colour.bmp": encoded(".bmp", levels(9, 7, 3)),
    "opacity.bmp": encoded(".bmp", levels(9, 7, 4)),
    "grey.webp": encoded(".webp", levels(9, 7)),
    "lossy.webp": encoded(".webp", levels(9, 7, 3), cv2.IMWRITE_WEBP_QUALITY, 40),
    "grey.pgm": encoded(".pgm", levels(9, 7)),
    "deep.pgm": encoded(".pgm", levels(9, 7, dtype=np.uint16)),
    "text.pgm": encoded(".pgm", levels(9, 7), cv2.IMWRITE_PXM_BINARY, 0),
}


@pytest.mark.parametrize("name", KINDS)
def test_values_and_depth_are_those_of_opencv(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(KINDS[name])
    image = read_image(path)
    wanted = cv2.imread(str(path), GREY)
    assert image.dtype == wanted.dtype == (np.uint16 if "deep" in name else np.uint8)
    np.testing.assert_array_equal(image, wanted)
    if "deep" not in name:
        np.testing.assert_array_equal(image, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


def test_sixteen_bits_come_back_exactly(tmp_path):
    image = levels(9, 7, dtype=np.uint16)
    path = tmp_path / "übung ñ" / "Bild 1.png"
    path.parent.mkdir()
    path.write_bytes(encoded(".png", image))
    np.testing.assert_array_equal(read_image(str(path)), image)


@pytest.mark.parametrize("name", KINDS)
def test_no_file_that_lacks_its_end_gives_an_image(tmp_path, name):
    path = tmp_path / name
    size = len(KINDS[name])
    for length in [*range(0, size, 1 + size // 60), *range(size - 12, size)]:
        path.write_bytes(KINDS[name][:length])
        with pytest.raises(FrameError) as caught:
            read_image(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["grey.png", "colour.jpeg", "progressive.jpg", "grey.bmp"])
def test_what_follows_the_end_mark_does_not_matter(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(KINDS[name])
    image = read_image(path)
    path.write_bytes(KINDS[name] + b"\0" * 20 + b"trailer of a camera")
    np.testing.assert_array_equal(read_image(path), image)


def test_the_end_mark_of_a_thumbnail_is_not_the_end_of_the_jpeg(tmp_path):
    whole = KINDS["colour.jpeg"]
    thumbnail = KINDS["grey.jpg"]
    segment = b"\xff\xe5" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    path = tmp_path / "thumb.jpg"
    path.write_bytes(whole[:2] + segment + whole[2:])
    assert read_image(path).shape == (20, 17)
    path.write_bytes((whole[:2] + segment + whole[2:])[:-5])
    with pytest.raises(FrameError, match="cut off"):
        read_image(path)


@given(position=st.integers(0, len(KINDS["deep.png"]) - 1), flip=st.integers(1, 255))
@PER_TEST
def test_a_changed_byte_of_a_png_is_found(tmp_path, position, flip):
    content = bytearray(KINDS["deep.png"])
    content[position] ^= flip
    path = tmp_path / "changed.png"
    path.write_bytes(content)
    with pytest.raises(FrameError):
        read_image(path)


@given(name=st.sampled_from(sorted(KINDS)), data=st.data())
@PER_TEST
def test_damage_gives_an_image_or_a_bad_frame_and_nothing_else(tmp_path, read, name, data):
    content = bytearray(KINDS[name])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / name
    path.write_bytes(content)
    (found,) = read(path)
    assert isinstance(found, Frame | BadFrame)


CRAFTED = {
    "absurd size": png(2**31 - 1, 2**31 - 1, b"\0" * 99),
    "large size": png(2**20 - 1, 1023, b"\0" * 99),
    "more than OpenCV takes": png(60000, 60000, b"\0" * 99),
    "no pixels": png(0, 0, b""),
    "too few rows": png(64, 48, b"\0" * 65 * 10),
    "unknown colour": png(8, 8, b"\0" * 72, colour=1),
    "wrong filter": png(8, 8, b"\xee" * 72),
    "absurd bmp": KINDS["grey.bmp"][:18] + b"\xff\xff\xff\x7f" * 2 + KINDS["grey.bmp"][26:],
    "absurd pgm": b"P5\n999999999 999999999\n255\n" + b"\0" * 99,
    "empty": b"",
    "text": b"not an image at all\n" * 9,
    "one byte": b"\x89",
    "avi": b"RIFF\x10\0\0\0AVI LIST" + b"\0" * 40,
    "zeros": bytes(500),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_and_foreign_files_are_refused(tmp_path, read, name):
    path = tmp_path / "frame.png"
    path.write_bytes(CRAFTED[name])
    with pytest.raises(FrameError, match=r"frame\.png': .{8}"):
        read_image(path)
    (bad,) = read(path)
    assert isinstance(bad, BadFrame)
    assert bad.id == "frame"
    assert bad.path == path
    assert bad.reason
    assert "\n" not in bad.reason
    assert str(path) not in bad.reason


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(FrameError, match="it is no file"):
        read_image(tmp_path / "folder.png")
    with pytest.raises(FrameError, match="no such file"):
        read_image(tmp_path / "missing.png")


def test_content_decides_not_the_suffix(tmp_path):
    for number, (name, content) in enumerate(KINDS.items()):
        path = tmp_path / f"{number}.dat"
        path.write_bytes(content)
        (frame,) = find_sources([path])[0].frames()
        assert isinstance(frame, Frame), name
        assert (frame.id, frame.index) == (str(number), None)


@pytest.mark.data
def test_real_frames_equal_opencv_exactly(shared_data):
    paths = sorted((shared_data / "sirst-v2" / "mixed").glob("*.png"))
    if not paths:
        pytest.skip("no SIRST-V2 frames in ../shared/data/sirst-v2/mixed")
    for path in paths[::8]:
        np.testing.assert_array_equal(
            read_image(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), err_msg=path.name
        )


def test_a_link_is_followed_and_a_dead_one_is_said(tmp_path, read):
    path = tmp_path / "a.png"
    path.write_bytes(KINDS["grey.png"])
    (tmp_path / "link.png").symlink_to(path)
    np.testing.assert_array_equal(read_image(tmp_path / "link.png"), read_image(path))
    path.unlink()
    assert [type(f) for f in find_sources([tmp_path])[0].frames()] == [BadFrame]
