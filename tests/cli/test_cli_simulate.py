"""``deepir simulate``: frames with truth that the other verbs read back."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.data import SirstV2
from deepir.simulate import SimulatedFrames

SMALL = ("--count", 3, "--width", 48, "--height", 40)


@pytest.fixture
def simulate(deepir, out):
    return lambda *options: deepir("simulate", *SMALL, "--out", out, *options)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (14, np.uint16)])
def test_reading_gives_back_what_was_simulated(simulate, out, bits, dtype):
    assert simulate("--bits", bits, "--seed", 5).status == 0
    dataset = SirstV2.open(out, "test_full")
    expected = SimulatedFrames(3, seed=5, shape=(40, 48), bits=bits)
    assert dataset.ids == expected.ids
    for sample in expected:
        read = dataset.read(sample.id)
        assert read.image.dtype == dtype
        np.testing.assert_array_equal(read.image, sample.image)
        np.testing.assert_array_equal(read.boxes, sample.boxes)
        np.testing.assert_array_equal(read.mask, sample.mask)


def test_the_same_seed_gives_the_same_bytes(deepir, tmp_path):
    for folder, seed in (("one", 1), ("two", 1), ("other", 2)):
        deepir("simulate", *SMALL, "--seed", seed, "--out", tmp_path / folder)
    one, two, other = (contents(tmp_path / folder) for folder in ("one", "two", "other"))
    assert one == two != other


def test_the_next_command_is_named(simulate, out):
    assert f"--root {out} --split train_full" in simulate("--split", "train_full").out


def test_splits_live_beside_each_other(simulate, out):
    simulate("--split", "train_full")
    simulate("--split", "val_full", "--seed", 9, "--clutter", "sea")
    assert {path.name for path in (out / "splits").iterdir()} == {"train_full.txt", "val_full.txt"}


def test_one_pixel_is_a_frame(deepir, out):
    size = ("--count", 1, "--width", 1, "--height", 1)
    assert deepir("simulate", *size, "--out", out).status == 0
    assert deepir("eval", "lcm", "--data", "sirst-v2", "--root", out).status == 0


@pytest.mark.parametrize("split", ["", "../../out", "a/b", "/tmp/absolute", "..", ".", "a\\b"])
def test_a_split_that_is_no_file_name_is_refused(simulate, out, tmp_path, split):
    simulate("--split", split).refused("split", status=2)
    assert contents(tmp_path) == {}


def test_an_output_path_that_is_a_file_is_refused(deepir, save, nowhere):
    path = save("a.png")
    for out in (path, path / "below", nowhere):
        deepir("simulate", *SMALL, "--out", out).refused(out, status=2)


def test_a_second_split_does_not_replace_the_frames_of_the_first(simulate, out):
    assert simulate("--split", "train", "--clutter", "sea").status == 0
    before = contents(out)
    assert simulate("--split", "val", "--seed", 1, "--clutter", "sea").status == 0
    after = contents(out)
    assert before.items() <= after.items()
    plain = SimulatedFrames(3, clutter="sea").ids
    assert SirstV2.open(out, "train").ids == plain
    assert SirstV2.open(out, "val").ids == [f"val-{name}" for name in plain]
    again = simulate("--split", "train", "--seed", 2, "--clutter", "sea")
    assert again.status == 0  # its own frames are replaced
    assert SirstV2.open(out, "train").ids == plain
