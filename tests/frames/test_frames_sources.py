"""Folders and files as sources: order, ids, and problems that wait for their turn."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepir.errors import FrameError
from deepir.frames import BadFrame, Frame, find_sources

STEMS = st.text("ab.1 é", min_size=1, max_size=4).filter(lambda s: s.strip(". "))


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def ids(*inputs):
    return [source.id for source in find_sources(inputs)]


def test_a_folder_is_read_in_natural_order(tmp_path):
    touch(tmp_path, "frame_10.png", "frame_2.png", "Frame_3.PNG", "b/1.jpg", "a/9.tif", "a/10.npy")
    assert ids(tmp_path) == ["a/9", "a/10", "b/1", "frame_2", "Frame_3", "frame_10"]


def test_hidden_and_foreign_files_are_left_out(tmp_path):
    touch(tmp_path, "x.png", ".y.png", ".git/z.png", "notes.txt", "mask.xml", "no suffix")
    (tmp_path / "folder.png").mkdir()
    assert ids(tmp_path) == ["x"]


@pytest.mark.parametrize(
    "suffix",
    [
        *("png", "jpg", "jpeg", "bmp", "tif", "tiff", "npy", "pgm", "webp"),
        *("mp4", "avi", "mkv", "mov", "webm", "m4v", "mpg", "mpeg", "ts", "wmv"),
    ],
)
def test_every_kind_is_found_in_either_case(tmp_path, suffix):
    touch(tmp_path, f"lower.{suffix}", f"upper.{suffix.upper()}")
    assert ids(tmp_path) == ["lower", "upper"]


def test_nothing_is_opened_until_frames_are_asked_for(tmp_path):
    touch(tmp_path, "a.png", "b.mp4")
    for source in find_sources([tmp_path]):
        assert isinstance(source.path, Path)
        frames = source.frames()
        source.path.unlink()
        (bad,) = frames
        assert isinstance(bad, BadFrame)
        assert bad.id == source.id
        assert source.count() is None


def test_ids_drop_the_suffix_and_keep_the_folders(tmp_path):
    touch(tmp_path, "sub/frame_001.png", "a.b.png")
    assert ids(tmp_path) == ["a.b", "sub/frame_001"]
    assert ids(tmp_path / "sub" / "frame_001.png", tmp_path / "a.b.png") == ["frame_001", "a.b"]


def test_ids_that_clash_keep_the_suffix(tmp_path):
    touch(tmp_path, "x.png", "x.tif", "y.png")
    assert ids(tmp_path) == ["x.png", "x.tif", "y"]


def test_ids_that_still_clash_are_the_path_as_given(tmp_path, monkeypatch):
    touch(tmp_path, "one/x.png", "two/x.png", "two/y.png")
    monkeypatch.chdir(tmp_path)
    assert ids("one", "two") == ["one/x.png", "two/x.png", "y"]
    assert ids("one/x.png", Path("two/x.png")) == ["one/x.png", "two/x.png"]


def test_an_id_that_was_made_longer_meets_no_other_one(tmp_path, monkeypatch):
    touch(tmp_path, "in/x.png", "in/x.tif", "in/x.png.tif")
    monkeypatch.chdir(tmp_path)
    assert sorted(ids("in")) == ["in/x.png", "x.png.tif", "x.tif"]


def test_a_file_that_is_reached_twice_counts_once(tmp_path, monkeypatch):
    touch(tmp_path, "in/x.png", "in/y.png")
    monkeypatch.chdir(tmp_path)
    assert ids("in", "in/x.png", tmp_path / "in") == ["x", "y"]


@given(names=st.lists(st.tuples(STEMS, st.sampled_from([".png", ".tif", ".PNG"])), max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ids_are_unique_whatever_the_names(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("names")
    touch(folder, "first.png", *(stem + suffix for stem, suffix in names))
    sources = find_sources([folder, folder / "first.png"])
    assert len({source.id for source in sources}) == len(sources)
    assert [s.path for s in sources] == [s.path for s in find_sources([folder])]


def test_a_lone_input_without_frames_is_an_error_at_once(tmp_path):
    with pytest.raises(FrameError, match=r"missing\.png: no such file"):
        find_sources([tmp_path / "missing.png"])
    with pytest.raises(FrameError, match=f"{tmp_path.name}: no image or video"):
        find_sources([tmp_path])
    assert find_sources([]) == []


def test_among_several_inputs_the_problem_waits_for_its_turn(tmp_path):
    touch(tmp_path, "empty/notes.txt")
    cv2.imwrite(str(tmp_path / "good.png"), np.eye(4, dtype=np.uint8))
    missing, empty, good = find_sources(
        [tmp_path / "missing.v1.png", tmp_path / "empty", tmp_path / "good.png"]
    )
    (bad,) = missing.frames()
    assert (bad.id, bad.path) == ("missing.v1", tmp_path / "missing.v1.png")
    assert "no such file" in bad.reason
    (bad,) = empty.frames()
    assert (bad.id, missing.count(), empty.count()) == ("empty", None, None)
    assert "no image or video" in bad.reason
    (frame,) = good.frames()
    assert isinstance(frame, Frame)
    assert good.count() == 1


def test_a_named_file_of_unknown_suffix_is_tried(tmp_path):
    cv2.imwrite(str(tmp_path / "x.png"), np.eye(4, dtype=np.uint8))
    (tmp_path / "x.png").rename(tmp_path / "x.raw")
    (source,) = find_sources([tmp_path / "x.raw"])
    (frame,) = source.frames()
    np.testing.assert_array_equal(frame.image, np.eye(4))
    touch(tmp_path, "notes.txt")
    (tmp_path / "notes.txt").write_text("hello")
    (bad,) = find_sources([tmp_path / "notes.txt"])[0].frames()
    assert "hello" in bad.reason


def test_frames_can_be_asked_for_twice(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(24).reshape(2, 3, 4))
    (tmp_path / "x.png").write_bytes(b"")
    stack, _ = find_sources([tmp_path])
    for _ in range(2):
        assert [frame.id for frame in stack.frames()] == ["x.npy#000000", "x.npy#000001"]


def test_a_name_that_is_no_text_gets_an_id_that_can_be_printed(tmp_path):
    path = tmp_path / b"caf\xe9.png".decode(errors="surrogateescape")
    try:
        path.write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes only names that are text")
    assert ids(tmp_path) == ["caf\\udce9"]
