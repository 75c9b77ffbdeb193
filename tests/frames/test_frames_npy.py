"""NumPy files: mapped, checked frame by frame, never unpickled."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepir.errors import FrameError
from deepir.frames import BadFrame, Frame, find_sources, read_image


class Bomb:
    """Raises when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "int16", "uint32", "float16", "float64", ">u2", ">f4"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_stack_comes_back_frame_by_frame(tmp_path, read, dtype, order):
    stack = np.asarray(np.arange(3 * 4 * 5).reshape(3, 4, 5), dtype=dtype, order=order)
    path = tmp_path / "my stack.npy"
    np.save(path, stack)
    frames = read(path)
    assert [f.id for f in frames] == ["my stack#000000", "my stack#000001", "my stack#000002"]
    assert [f.index for f in frames] == [0, 1, 2]
    assert find_sources([path])[0].count() == 3
    for frame, wanted in zip(frames, stack, strict=True):
        np.testing.assert_array_equal(frame.image, wanted)
        assert frame.image.dtype == np.dtype(dtype).newbyteorder("=")
        assert not isinstance(frame.image, np.memmap)


def test_a_plane_is_a_still_image_and_a_stack_of_one_is_not(tmp_path, read):
    np.save(tmp_path / "plane.npy", np.ones((4, 5), dtype=bool))
    np.save(tmp_path / "stack.npy", np.ones((1, 4, 5), dtype=bool))
    (plane,), (first,) = read(tmp_path / "plane.npy"), read(tmp_path / "stack.npy")
    assert (plane.id, plane.index, plane.image.dtype) == ("plane", None, np.uint8)
    assert (first.id, first.index) == ("stack#000000", 0)
    np.testing.assert_array_equal(read_image(tmp_path / "plane.npy"), plane.image)
    with pytest.raises(FrameError, match="stack"):
        read_image(tmp_path / "stack.npy")


@pytest.mark.parametrize(
    ("array", "named"),
    [
        (np.float32(3), r"shape \(\)"),
        (np.zeros(7), r"shape \(7,\)"),
        (np.zeros((2, 3, 4, 5)), r"shape \(2, 3, 4, 5\)"),
        (np.zeros((0, 4, 5)), r"shape \(0, 4, 5\)"),
        (np.zeros((4, 0)), r"shape \(4, 0\)"),
        (np.zeros((4, 5), dtype=complex), "complex128"),
        (np.full((2, 4, 5), "text"), "<U4"),
        (np.zeros((4, 5), dtype="datetime64[s]"), "datetime64"),
        (np.full((4, 5), np.nan), "20 pixels"),
        (np.array([[Bomb()]], dtype=object), "object"),
    ],
)
def test_arrays_that_are_no_frames_are_named(tmp_path, read, array, named):
    path = tmp_path / "odd.npy"
    np.save(path, array, allow_pickle=True)
    with pytest.raises(FrameError, match=named):
        read_image(path)
    (bad,) = read(path)
    assert isinstance(bad, BadFrame)
    assert bad.id == "odd"


def test_one_bad_frame_does_not_stop_the_rest(tmp_path, read):
    stack = np.ones((4, 3, 3), dtype=np.float32)
    stack[1] = np.nan
    stack[2, 0, 0] = np.inf
    np.save(tmp_path / "s.npy", stack)
    found = read(tmp_path / "s.npy")
    assert [type(f) for f in found] == [Frame, BadFrame, Frame, Frame]
    assert [f.id for f in found] == [f"s#00000{i}" for i in range(4)]
    assert "finite" in found[1].reason


def test_no_file_that_lacks_its_end_gives_a_frame(tmp_path, read):
    path = tmp_path / "cut.npy"
    np.save(path, np.ones((2, 3, 3), dtype=np.uint16))
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        (bad,) = read(path)
        assert isinstance(bad, BadFrame), length
        assert find_sources([path])[0].count() is None


@given(data=st.data())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_header_never_raises(tmp_path, read, data):
    path = tmp_path / "damaged.npy"
    np.save(path, np.ones((2, 3, 3), dtype=np.uint16))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 70))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    assert all(isinstance(f, Frame | BadFrame) for f in read(path))


def test_an_archive_under_this_name_is_refused(tmp_path, read):
    np.savez(tmp_path / "a.npz", np.ones((3, 3)))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    assert [type(f) for f in read(tmp_path / "a.npy")] == [BadFrame]


def test_memory_does_not_grow_with_the_length_of_a_stack(tmp_path):
    frame_bytes = 200 * 200 * 2
    path = tmp_path / "long.npy"
    stack = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint16, shape=(200, 200, 200))
    stack[:, 0, 0] = np.arange(200)
    stack.flush()
    del stack
    (source,) = find_sources([path])
    tracemalloc.start()
    try:
        seen = sum(int(frame.image[0, 0]) for frame in source.frames())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == 199 * 200 // 2
    assert peak < 6 * frame_bytes
