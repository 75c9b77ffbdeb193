"""``deepir detect`` on frames at the edge of what a frame is, and beyond."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.classical import CATALOGUE

DETECTORS = sorted(CATALOGUE)
ALL = pytest.mark.parametrize("name", DETECTORS)

NOISE = np.random.default_rng(1).integers(90, 110, 60)
FLAT = {
    "one_pixel": np.full((1, 1), 7, np.uint8),
    "one_row": np.full((1, 60), 7, np.uint8),
    "one_column": np.full((60, 1), 7, np.uint8),
    "constant": np.full((30, 40), 77.3),
    "constant_16bit": np.full((30, 40), 16383, np.uint16),
    "saturated": np.full((30, 40), 255, np.uint8),
    "zero": np.zeros((30, 40), np.uint16),
    "negative": np.full((30, 40), -0.1, np.float32),
    "constant_with_holes": np.where(np.eye(30, 40, dtype=bool), np.nan, 5.0),
}
THIN = {"noisy_row": NOISE[None], "noisy_column": NOISE[:, None], "two": np.array([[1, 2]])}
DTYPES = (
    *("?", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "g"),
    *(">u2", ">i4", ">f4", ">f8"),
)
ABSORBING = {"pstnn"}
"""In a frame smaller than a patch the background takes the target, by their definition."""

AROUND = {"rlcm", "tllcm", "wldm"}
"""What they compare a pixel with lies outside of a frame that is one row."""

CLEAR = 2.0
"""Score that the best of pure noise stays below; a clear target scores 3 to 5."""

HOLES = {"nan": np.nan, "plus_infinity": np.inf, "minus_infinity": -np.inf}


@pytest.fixture
def detect(deepir, tmp_path, out):
    """Points by id of everything saved below the test's folder ``in``."""

    def call(*options):
        outcome = deepir(
            *("detect", tmp_path / "in", "--out", out, "--json", "--no-overlays"), *options
        )
        assert outcome.status == 0
        return {entry["id"]: entry["points"] for entry in outcome.json["detections"]}

    return call


class TestCleanFrames:
    @ALL
    @pytest.mark.parametrize("read_out", ["peak", "published"])
    def test_a_flat_frame_has_no_detections(self, save, detect, name, read_out):
        for key, frame in FLAT.items():
            save(f"in/{key}.npy", frame)
        found = detect("--detector", name, "--read-out", read_out)
        assert found == {key: [] for key in sorted(FLAT)}

    @pytest.mark.parametrize("name", sorted({*DETECTORS} - AROUND))
    def test_one_row_of_noise_has_next_to_no_detections(self, save, detect, name):
        for key, frame in THIN.items():
            save(f"in/{key}.npy", frame)
        found = detect("--detector", name)
        assert found["two"] == []
        scores = [score for points in found.values() for _, _, score in points]
        assert max(scores, default=0) < CLEAR

    def test_pictures_of_edge_frames_are_drawn(self, deepir, save, out, tmp_path):
        for key, frame in {**FLAT, **THIN}.items():
            save(f"in/{key}.npy", frame)
        assert deepir("detect", tmp_path / "in", "--out", out).status == 0
        assert len(list((out / "overlays").iterdir())) == len(FLAT) + len(THIN)

    @pytest.mark.parametrize("name", ["lcm", "mpcm"])
    def test_the_dtype_does_not_matter(self, save, detect, target_frame, name):
        for number, code in enumerate(DTYPES):
            frame = target_frame > 150 if code == "?" else target_frame.astype(code)
            save(f"in/{number}.npy", frame)
        found = list(detect("--detector", name, "--threshold", 0).values())
        assert len(found) == len(DTYPES)
        assert [points[0][:2] for points in found] == [[25, 20]] * len(DTYPES)
        assert all(points == found[1] for points in found[2:])  # all but the boolean one

    @ALL
    @pytest.mark.parametrize("scale", [1e-6, 1e15, 1e60])
    def test_the_unit_of_the_levels_does_not_matter(self, save, detect, target_frame, name, scale):
        save("in/plain.npy", target_frame.astype(np.float64))
        save("in/scaled.npy", target_frame * scale)
        found = detect("--detector", name, "--read-out", "published")
        assert found["plain"][:1] == found["scaled"][:1]
        assert found["plain"] or name in ABSORBING

    def test_levels_near_the_end_of_double_precision_end_in_no_traceback(
        self, deepir, save, out, target_frame
    ):
        path = save("a.npy", np.where(target_frame == target_frame.max(), 1.7e308, 0.0))
        assert deepir("detect", path, "--detector", "top_hat", "--out", out).status < 4

    @ALL
    @pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES)
    def test_holes_are_never_reported(self, save, detect, target_frame, name, hole):
        frame = target_frame.astype(np.float64)
        holes = np.random.default_rng(2).random(frame.shape) < 0.2
        holes[20, 25] = holes[5:12, 30:40] = True
        save("in/a.npy", np.where(holes, hole, frame))
        for read_out in ("peak", "published"):
            floor = ("--threshold", 0) if read_out == "peak" else ()
            found = detect("--detector", name, "--read-out", read_out, *floor)
            assert not any(holes[int(y), int(x)] for x, y, _ in found["a"])


def encoded(save, name="whole.png"):
    return save(name).read_bytes()


def pickled(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def array(value):
    return lambda path: np.save(path, value)


BAD_ARRAYS = {
    "no_rows": array(np.zeros((0, 5))),
    "no_frames": array(np.zeros((0, 4, 4))),
    "one_dimension": array(np.zeros(5)),
    "no_dimension": array(np.float64(3)),
    "four_dimensions": array(np.zeros((2, 2, 2, 2))),
    "all_nan": array(np.full((4, 4), np.nan)),
    "all_infinite": array(np.full((4, 4), np.inf)),
    "complex": array(np.ones((4, 4), complex)),
    "text": array(np.array([["a", "b"]])),
    "dates": array(np.zeros((2, 2), "M8[s]")),
    "records": array(np.zeros((2, 2), [("a", "i4")])),
    "pickled": pickled,
    "foreign": lambda path: path.write_bytes(b"\x00\xffnothing known\x80" * 9),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.parent.joinpath("whole.png").read_bytes()[:300]),
}


class TestBadInput:
    @pytest.mark.parametrize("make", BAD_ARRAYS.values(), ids=BAD_ARRAYS)
    def test_the_only_input_is_refused_and_nothing_is_left(self, deepir, save, out, tmp_path, make):
        encoded(save)
        make(tmp_path / "bad.npy")
        deepir("detect", tmp_path / "bad.npy", "--out", out / "new" / "er").refused(status=1)
        assert not out.exists()

    def test_the_good_frames_of_a_folder_are_done(self, deepir, save, out, tmp_path, detections):
        whole = encoded(save, "in/a.png")
        (tmp_path / "in" / "b.png").write_bytes(whole[:200])
        (tmp_path / "in" / "c.jpg").write_bytes(b"foreign bytes")
        save("in/d.npy", np.full((4, 4), np.nan))
        save("in/e.png")
        outcome = deepir("detect", tmp_path / "in", "--out", out)
        assert outcome.status == 3
        written = detections()
        assert [entry["id"] for entry in written["detections"]] == ["a", "e"]
        assert [entry["id"] for entry in written["skipped"]] == ["b", "c", "d"]
        assert all(entry["reason"] for entry in written["skipped"])
        for name in "bcd":
            assert outcome.err.count(f"'{name}'") == 1
        assert len(outcome.err.splitlines()) == 3

    def test_a_bad_frame_of_a_stack_does_not_stop_the_others(
        self, deepir, save, out, target_frame, detections
    ):
        stack = np.stack([target_frame, np.full(target_frame.shape, np.nan), target_frame])
        assert deepir("detect", save("s.npy", stack), "--out", out).status == 3
        assert [entry["id"] for entry in detections()["skipped"]] == ["s#000001"]

    def test_a_missing_file_among_several_is_skipped(self, deepir, save, out, detections):
        assert deepir("detect", save("a.png"), "nowhere.png", "--out", out).status == 3
        assert [entry["id"] for entry in detections()["skipped"]] == ["nowhere"]

    @pytest.mark.parametrize("given", ["nowhere.png", "nowhere", "x" * 300])
    def test_nothing_there_is_one_line(self, deepir, out, tmp_path, given):
        deepir("detect", tmp_path / given, "--out", out).refused(status=1)
        assert not out.exists()

    def test_an_empty_folder_is_one_line(self, deepir, out, tmp_path):
        (tmp_path / "in").mkdir()
        deepir("detect", tmp_path / "in", "--out", out).refused("no image or video", status=1)
        assert not out.exists()

    def test_a_folder_of_bad_frames_is_one_line(self, deepir, out, tmp_path):
        (tmp_path / "in").mkdir()
        for name in "abc":
            (tmp_path / "in" / f"{name}.png").write_bytes(b"no")
        deepir("detect", tmp_path / "in", "--out", out).refused("'a'", "2 more", status=1)
        assert not out.exists()

    def test_an_empty_text_is_not_the_current_folder(self, deepir, out):
        deepir("detect", "", "--out", out).refused("empty", status=2)

    def test_an_earlier_run_survives_a_run_that_fails(self, deepir, save, out, tmp_path):
        deepir("detect", save("a.png"), "--out", out)
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        (tmp_path / "bad.png").write_bytes(b"no")
        deepir("detect", tmp_path / "bad.png", "--out", out).refused(status=1)
        deepir("detect", tmp_path / "bad.png", "--out", out, "--threshold", "nan").refused(status=2)
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


class TestOutputFolder:
    def test_it_is_made_with_its_parents(self, deepir, save, tmp_path):
        out = tmp_path / "new" / "er" / "est"
        assert deepir("detect", save("a.png"), "--out", out).status == 0
        assert (out / "detections.json").is_file()

    def test_a_file_is_refused(self, deepir, save):
        path = save("a.png")
        before = path.read_bytes()
        deepir("detect", path, "--out", path).refused("a.png", status=2)
        deepir("detect", path, "--out", path / "below").refused("a.png", status=2)
        assert path.read_bytes() == before

    def test_what_cannot_be_written_is_refused(self, deepir, save, nowhere):
        deepir("detect", save("a.png"), "--out", nowhere).refused("nowhere", status=2)

    def test_nothing_is_left_half_written_by_a_blocked_picture_folder(
        self, deepir, save, out, tmp_path
    ):
        out.mkdir()
        (out / "overlays").write_text("in the way")
        deepir("detect", save("a.png"), "--out", out).refused("overlays", status=1)
        assert [path.name for path in out.iterdir()] == ["overlays"]
