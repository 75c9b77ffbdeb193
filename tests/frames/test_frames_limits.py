"""Files that promise more pixels than may be read are refused before memory is taken."""

from __future__ import annotations

import io
import lzma
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
import tifffile

from deepir.cli import run
from deepir.errors import FrameError, UsageError
from deepir.frames import BadFrame, Frame, find_sources, inflating, read_image
from deepir.frames.headers import announced_size
from deepir.frames.limits import MAX_PIXELS, VARIABLE, max_pixels

WIDE, HIGH = 50_000, 40_000
"""Sides of what the files here promise: 2,000 million pixels."""


def encoded(suffix, *options, shape=(9, 7), dtype=np.uint8):
    levels = np.random.default_rng(2).integers(0, 255, shape).astype(dtype)
    done, content = cv2.imencode(suffix, levels, options)
    assert done
    return content.tobytes()


def png():
    header = struct.pack(">IIBBBBB", WIDE, HIGH, 8, 0, 0, 0, 0)
    parts = (b"IHDR" + header, b"IDAT" + zlib.compress(bytes(1000)), b"IEND")
    chunks = (struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def jpeg(*options):
    content = bytearray(encoded(".jpg", *options))
    frame = 2 if options else 0
    start = content.index(bytes((0xFF, 0xC0 + frame)))
    content[start + 5 : start + 9] = struct.pack(">HH", HIGH, WIDE)
    return bytes(content)


def bmp():
    header = struct.pack("<IiiHHIIiiII", 40, WIDE, -HIGH, 1, 8, 1, 1000, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1000, 0, 0, 54) + header + bytes(1000)


def webp():
    canvas = (WIDE - 1).to_bytes(3, "little") + (HIGH - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + encoded(".webp")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def npy():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|u1", "fortran_order": False, "shape": (HIGH, WIDE)}
    )
    return stream.getvalue()


def tiff(**tags):
    """A small TIFF file with some of its numbers changed."""
    stream = io.BytesIO()
    packed = {"compression": "zlib", "bigtiff": True}
    packed |= {"tile": (16, 16)} if "TileWidth" in tags else {}
    tifffile.imwrite(stream, np.eye(16, dtype=np.uint8), **packed, metadata=None)
    stream.seek(0)
    with tifffile.TiffFile(stream, mode="r+") as file:
        for name, value in tags.items():
            file.pages[0].tags[name].overwrite(value, dtype=4)
    return stream.getvalue()


BOMBS = {
    "a.png": png(),
    "a.jpg": jpeg(),
    "progressive.jpg": jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "a.bmp": bmp(),
    "a.pgm": b"P5\n# a\n%d %d\n255\n" % (WIDE, HIGH) + bytes(1000),
    "text.pgm": b"P2 %d %d 255 1 2 3" % (WIDE, HIGH),
    "a.webp": webp(),
    "a.tif": tiff(ImageWidth=WIDE, ImageLength=HIGH),
    "tiles.tif": tiff(TileWidth=WIDE, TileLength=HIGH),
}


@pytest.fixture
def limit(monkeypatch):
    return lambda text: monkeypatch.setenv(VARIABLE, str(text))


@pytest.mark.parametrize("name", BOMBS)
def test_what_promises_too_much_is_refused_with_size_limit_and_remedy(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BOMBS[name])
    (bad,) = find_sources([path])[0].frames()
    assert isinstance(bad, BadFrame)
    assert f"{WIDE}x{HIGH}" in bad.reason
    assert str(MAX_PIXELS) in bad.reason
    assert f"{VARIABLE}={WIDE * HIGH}" in bad.reason
    with pytest.raises(FrameError, match=f"{VARIABLE}={WIDE * HIGH} in the environment"):
        read_image(path)


def test_an_array_that_is_there_is_refused_too(tmp_path):
    path = tmp_path / "a.npy"
    with path.open("wb") as stream:
        stream.write(npy())
        stream.truncate(len(npy()) + WIDE * HIGH)  # takes no room on the disk
    (bad,) = find_sources([path])[0].frames()
    assert f"{WIDE}x{HIGH} pixels" in bad.reason


def test_a_file_that_no_image_fills_is_not_read(tmp_path):
    path = tmp_path / "a.png"
    with path.open("wb") as stream:
        stream.write(encoded(".png"))
        stream.truncate(2**40)
    with pytest.raises(FrameError, match=f"{2**40} bytes, more than an image"):
        read_image(path)


MEASURED = """
import resource, sys
from pathlib import Path
from deepir.frames import find_sources
from deepir.simulate import simulate_scene
list(find_sources([sys.argv[1] + "/plain.png"])[0].frames())
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
for source in find_sources([sys.argv[1]]):
    list(source.frames()), source.count()
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory in kB, as Linux counts it")
def test_no_memory_is_taken_for_what_is_promised(tmp_path):
    for name, content in {**BOMBS, "plain.png": encoded(".png"), "x.tif": packed()}.items():
        (tmp_path / name).write_bytes(content)
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path)], capture_output=True, check=True, text=True
    )
    assert int(run.stdout) < 60_000


def packed(size=2**28):
    """A page of 16x16 pixels whose strip becomes ``size`` bytes."""
    strip = lzma.compress(bytes(size), preset=0)
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.eye(16, dtype=np.uint8), compression="lzma", metadata=None)
    stream.seek(0)
    with tifffile.TiffFile(stream, mode="r+") as file:
        tags = file.pages[0].tags
        place = stream.seek(0, io.SEEK_END)
        tags["StripOffsets"].overwrite(place)
        tags["StripByteCounts"].overwrite(len(strip))
    stream.seek(place)
    stream.write(strip)
    return stream.getvalue()


class TestPackedPages:
    @pytest.mark.parametrize("kind", ["zlib", "lzma"])
    def test_what_fits_is_read(self, tmp_path, monkeypatch, kind):
        monkeypatch.setattr(inflating, "HARMLESS", 0)
        options = {"photometric": "minisblack", "rowsperstrip": 7}
        levels = np.random.default_rng(0).integers(0, 9, (3, 40, 50)).astype(np.uint16)
        tifffile.imwrite(tmp_path / "a.tif", levels, **options, compression=kind)
        for number, frame in enumerate(find_sources([tmp_path / "a.tif"])[0].frames()):
            np.testing.assert_array_equal(frame.image, levels[number])

    def test_more_than_the_page_is_refused(self, tmp_path):
        (tmp_path / "a.tif").write_bytes(packed())
        with pytest.raises(FrameError, match="a strip or tile of the TIFF page becomes over"):
            read_image(tmp_path / "a.tif")

    def test_several_streams_in_a_strip_count_together(self, tmp_path, monkeypatch):
        first = lzma.compress(bytes(10), preset=0)
        monkeypatch.setattr(lzma, "compress", partial_compress(first))
        (tmp_path / "a.tif").write_bytes(packed())
        with pytest.raises(FrameError, match="becomes over"):
            read_image(tmp_path / "a.tif")

    def test_deflate(self, tmp_path, monkeypatch):
        monkeypatch.setattr(inflating, "HARMLESS", 2**20)
        monkeypatch.setattr(lzma, "compress", lambda data, **_: zlib.compress(data, 1))
        content = packed(2**24).replace(struct.pack("<H", 34925), struct.pack("<H", 8), 1)
        (tmp_path / "a.tif").write_bytes(content)
        with pytest.raises(FrameError, match="becomes over"):
            read_image(tmp_path / "a.tif")


def partial_compress(first, compress=lzma.compress):
    return lambda data, **options: first + compress(data, **options)


class TestLimit:
    SMALL = ("a.png", "a.jpg", "a.bmp", "a.pgm", "a.webp", "a.tiff")

    @pytest.mark.parametrize("name", SMALL)
    def test_the_user_sets_it(self, tmp_path, limit, name):
        path = tmp_path / name
        path.write_bytes(encoded(path.suffix))
        limit(62)
        with pytest.raises(FrameError, match=rf"7x9 pixels, 63 in all, and up to 62 .*{VARIABLE}"):
            read_image(path)
        limit(63)
        assert read_image(path).shape == (9, 7)

    def test_of_an_array(self, tmp_path, limit):
        np.save(tmp_path / "a.npy", np.ones((3, 9, 7)))
        limit(62)
        (bad,) = find_sources([tmp_path / "a.npy"])[0].frames()
        assert "7x9 pixels" in bad.reason
        assert find_sources([tmp_path / "a.npy"])[0].count() is None
        limit(63)
        assert len(list(find_sources([tmp_path / "a.npy"])[0].frames())) == 3

    def test_of_a_video(self, tmp_path, limit, write_video, noise, read):
        path = tmp_path / "a.avi"
        write_video(path, "FFV1", list(noise(2, 32, 48)))
        limit(32 * 48 - 1)
        (bad,) = read(path)
        assert "48x32 pixels" in bad.reason
        limit(32 * 48)
        assert [type(one) for one in read(path)] == [Frame, Frame]

    @pytest.mark.parametrize("text", ["0", "-1", "1e6", "many", "9" * 40, "\uff1100"])
    def test_a_limit_that_is_no_number_is_wrong_usage(self, tmp_path, limit, text, capsys):
        path = tmp_path / "a.png"
        path.write_bytes(encoded(".png"))
        limit(text)
        with pytest.raises(UsageError, match=f"{VARIABLE} is the most pixels"):
            read_image(path)
        assert run(["detect", str(path), "--out", str(tmp_path / "out")]) == 2
        assert capsys.readouterr().err.startswith(f"deepir: {VARIABLE} is")

    def test_without_it_a_default_holds(self, limit):
        limit("")
        assert max_pixels() == MAX_PIXELS == 2**27


class TestHeaders:
    @pytest.mark.parametrize(
        "content",
        [
            encoded(".png", shape=(5, 300)),
            encoded(".jpg", shape=(5, 300)),
            encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1, shape=(5, 300)),
            encoded(".bmp", shape=(5, 300)),
            encoded(".bmp", shape=(5, 300, 3)),
            encoded(".pgm", shape=(5, 300), dtype=np.uint16),
            encoded(".pgm", cv2.IMWRITE_PXM_BINARY, 0, shape=(5, 300)),
            encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 80, shape=(5, 300)),
            encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 101, shape=(5, 300)),
        ],
        ids=lambda content: repr(content[:4]),
    )
    def test_they_say_what_decoding_gives(self, content):
        shape = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE).shape
        assert announced_size(content) == shape[::-1] == (300, 5)

    @pytest.mark.parametrize(
        "content",
        [b"P5", b"P5 10#9 99999999", b"P5 10", b"RIFF0000WEBPXXXX", b"\x89PNG\r\n\x1a\nshort"],
    )
    def test_what_does_not_say_is_refused(self, content):
        with pytest.raises(FrameError, match="its header does not say"):
            announced_size(content)
