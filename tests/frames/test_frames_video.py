"""Video files: every frame, its depth, and an honest end."""

import os
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from deepir.frames import BadFrame, Frame, find_sources
from deepir.frames.containers import missing_bytes
from deepir.frames.video import is_deep

COUNT = 12
PACKETED = [
    ("a.avi", "MJPG"),
    ("b.avi", "FFV1"),
    ("c.avi", "HFYU"),
    ("d.mkv", "FFV1"),
    ("e.webm", "VP80"),
]
OTHERS = [
    ("f.mp4", "mp4v"),
    ("g.mov", "mp4v"),
    ("h.m4v", "mp4v"),
    ("i.mpg", "mpg1"),
    ("j.mpeg", "mpg1"),
    ("k.ts", "mp4v"),
    ("l.wmv", "WMV2"),
]


@pytest.fixture
def clip(noise):
    return list(noise(COUNT, 32, 48))


@pytest.fixture
def deep_clip(noise):
    return list(noise(COUNT, 32, 48, dtype="uint16"))


def plain_decode(path):
    """The frames as OpenCV hands them out by default, in grey."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = []
    while True:
        found, frame = capture.read()
        if not found:
            return frames
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))


@pytest.mark.parametrize(("name", "codec"), PACKETED + OTHERS)
def test_a_whole_video_comes_back_whole(tmp_path, read, write_video, clip, name, codec):
    path = tmp_path / "übung ñ" / f"my clip {name}"
    path.parent.mkdir()
    write_video(path, codec, clip)
    found = read(path)
    wanted = plain_decode(path)
    assert len(found) == len(wanted) == COUNT
    for index, (frame, image) in enumerate(zip(found, wanted, strict=True)):
        assert isinstance(frame, Frame)
        assert (frame.id, frame.index) == (f"my clip {name[0]}#{index:06d}", index)
        assert frame.image.dtype == np.uint8
        np.testing.assert_array_equal(frame.image, image)


@pytest.mark.parametrize("name", ["grey.avi", "grey.mkv"])
def test_lossless_eight_bits_come_back_exactly(tmp_path, read, write_video, clip, name):
    write_video(tmp_path / name, "FFV1", clip)
    for frame, wanted in zip(read(tmp_path / name), clip, strict=True):
        np.testing.assert_array_equal(frame.image, wanted)


@pytest.mark.parametrize("name", ["deep.avi", "deep.mkv", "deep.mov"])
def test_sixteen_bits_are_never_squeezed(tmp_path, read, write_video, deep_clip, name):
    write_video(tmp_path / name, "FFV1", deep_clip)
    for frame, wanted in zip(read(tmp_path / name), deep_clip, strict=True):
        assert frame.image.dtype == np.uint16
        np.testing.assert_array_equal(frame.image, wanted)


def test_a_deep_layout_that_opencv_would_squeeze_is_refused(tmp_path, read, deep_clip):
    path = tmp_path / "big-endian.mov"
    options = [cv2.VIDEOWRITER_PROP_IS_COLOR, 0, cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U]
    code = cv2.VideoWriter.fourcc(*"png ")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 25, (48, 32), options)
    if not writer.isOpened():
        pytest.skip("this OpenCV cannot write 16-bit PNG video")
    for frame in deep_clip:
        writer.write(frame)
    writer.release()
    (bad,) = read(path)
    assert isinstance(bad, BadFrame)
    assert "8 bits" in bad.reason


@pytest.mark.parametrize(
    ("layout", "deep"),
    [
        (b"I420", False),
        (b"Y800", False),
        (b"BGR\0", False),
        (b"BGRA", False),
        (b"RGB\x0f", False),  # 5 bits each
        (b"RGB\x10", False),  # 5, 6 and 5 bits
        (b"G3\0\x08", False),
        (b"Y4\x0b\x08", False),
        (b"Y1\0\x0a", True),
        (b"Y3\x0b\x0a", True),
        (b"\x0c\x0b3Y", True),
        (b"RGB\x30", True),
        (b"RGB\0", False),  # a byte of padding
        (b"\0BGR", False),
        (b"\x40ABR", True),
        (b"P010", True),
        (b"\0\0\0\0", True),
    ],
)
def test_deep_layouts_are_known_by_their_names(layout, deep):
    assert is_deep(layout) is deep


@pytest.mark.parametrize(("name", "codec"), PACKETED)
def test_a_cut_video_gives_its_frames_and_then_says_so(
    tmp_path, read, write_video, clip, name, codec
):
    path = tmp_path / name
    content = write_video(path, codec, clip)
    whole = [frame.image for frame in read(path)]
    for part in (0.5, 0.53, 0.56, 0.59, 0.9):
        path.write_bytes(content[: int(len(content) * part)])
        *good, bad = read(path)
        assert isinstance(bad, BadFrame)
        assert bad.id == name[0]
        assert f"the video ends after {len(good)} of {COUNT} frames" in bad.reason
        assert 0 < len(good) < COUNT
        for frame, wanted in zip(good, whole, strict=False):
            np.testing.assert_array_equal(frame.image, wanted)


@pytest.mark.parametrize("name", ["f.mp4", "g.mov"])
def test_a_cut_mp4_is_unreadable(tmp_path, read, write_video, clip, name):
    content = write_video(tmp_path / name, "mp4v", clip)
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    (bad,) = read(tmp_path / name)
    assert isinstance(bad, BadFrame)
    assert bad.id == name[0]
    assert f"{missing_bytes(tmp_path / name)} bytes are missing" in bad.reason


def test_a_recording_that_was_never_closed_is_not_called_cut(tmp_path, read, write_video, clip):
    path = tmp_path / "open.avi"
    content = write_video(path, "FFV1", clip)
    for length in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        path.write_bytes(content[:4] + length + content[8:])
        assert missing_bytes(path) == 0
        assert [type(f) for f in read(path)] == [Frame] * COUNT


def test_a_live_matroska_stream_is_not_called_cut(tmp_path, read, write_video, clip):
    path = tmp_path / "live.mkv"
    content = write_video(path, "FFV1", clip)
    start = content.index(b"\x18\x53\x80\x67") + 4
    assert content[start] == 1, "the length of the segment has eight bytes"
    path.write_bytes(content[:start] + b"\x01" + b"\xff" * 7 + content[start + 8 :])
    assert missing_bytes(path) == 0
    assert [type(f) for f in read(path)] == [Frame] * COUNT


@pytest.mark.parametrize("count", [0, 2**32 - 1, 2**31, 3, 5000])
def test_a_wrong_count_in_the_header_does_not_matter(tmp_path, read, write_video, clip, count):
    if count == 3 and cv2.__version__.startswith("4."):
        pytest.skip("OpenCV 4 stops by itself where the header says so")
    path = tmp_path / "count.avi"
    content = bytearray(write_video(path, "FFV1", clip))
    for name, offset in ((b"avih", 24), (b"strh", 40)):
        at = content.index(name) + offset
        content[at : at + 4] = count.to_bytes(4, "little")
    path.write_bytes(content)
    assert [type(f) for f in read(path)] == [Frame] * COUNT
    announced = find_sources([path])[0].count()
    assert announced is None or 0 < announced <= len(content)


def test_the_length_is_read_from_each_container(tmp_path, write_video, clip):
    for name, codec in [*PACKETED, *OTHERS]:
        path = tmp_path / name
        content = write_video(path, codec, clip)
        told = name[-3:] not in ("mpg", "peg", ".ts", "wmv")
        assert missing_bytes(path) == (0 if told else None), name
        path.write_bytes(content + b"\0" * 40)
        assert missing_bytes(path) == (0 if told else None), name
        path.write_bytes(content[: len(content) // 3])
        assert bool(missing_bytes(path)) is told, name


@pytest.mark.parametrize(
    "content",
    [b"", b"text " * 99, bytes(999), b"#EXTM3U\n#EXT-X-VERSION:3\n", b"RIFF\0\0", b"<MPD/>"],
)
def test_what_is_no_video_is_one_bad_frame(tmp_path, read, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    (bad,) = read(path)
    assert isinstance(bad, BadFrame)
    assert (bad.id, bad.path) == ("clip", path)
    assert find_sources([path])[0].count() is None


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to count open files")
def test_who_stops_early_leaves_no_file_open(tmp_path, write_video, clip):
    path = tmp_path / "a.avi"
    write_video(path, "FFV1", clip)
    (source,) = find_sources([path])
    frames = source.frames()
    next(frames)

    def is_open():
        links = Path("/proc/self/fd").iterdir()
        return any(link.exists() and link.resolve() == path.resolve() for link in links)

    assert is_open()
    frames.close()
    assert not is_open()


def test_options_of_the_user_survive(tmp_path, read, write_video, clip, monkeypatch):
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    write_video(tmp_path / "a.avi", "FFV1", clip)
    monkeypatch.setenv(name, "fflags;genpts")
    read(tmp_path / "a.avi")
    assert os.environ[name] == "fflags;genpts"
    monkeypatch.delenv(name)
    read(tmp_path / "a.avi")
    assert name not in os.environ


def test_memory_does_not_grow_with_the_number_of_frames(tmp_path, write_video):
    path = tmp_path / "long.avi"
    write_video(path, "FFV1", [np.full((120, 160), i, dtype=np.uint16) for i in range(120)])
    (source,) = find_sources([path])
    tracemalloc.start()
    try:
        seen = [int(frame.image[0, 0]) for frame in source.frames()]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == list(range(120))
    assert peak < 20 * 120 * 160


@pytest.mark.data
def test_real_clips_are_read_to_their_end(shared_data):
    paths = sorted((shared_data / "clips").glob("*.mp4"))
    if not paths:
        pytest.skip("no clips in ../shared/data/clips")
    for source in find_sources(paths):
        frames = list(source.frames())
        assert len(frames) == source.count()
        assert {(f.image.shape, str(f.image.dtype)) for f in frames} == {((256, 320), "uint8")}
