"""``deepir detect``: which frames it takes, what it calls them, what it writes."""

from __future__ import annotations

import csv
import json

import cv2
import numpy as np
import pytest

from deepir import classical
from deepir.catalogue import load_detector
from deepir.cli.options import DEFAULT_DETECTOR

ALL = pytest.mark.parametrize("name", sorted(classical.CATALOGUE))
MAPS = ("--detector", "mpcm", "--save-saliency")


def found_ids(detections):
    return [entry["id"] for entry in detections()["detections"]]


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def write_video(path, frames):
    height, width = frames[0].shape
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), fourcc, 25, (width, height), isColor=False)
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


class TestInputs:
    def test_an_image_is_named_by_its_stem(self, deepir, save, out, detections):
        assert deepir("detect", save("night.png"), "--out", out).status == 0
        assert found_ids(detections) == ["night"]
        assert files_below(out) == {"detections.json", "detections.csv", "overlays/night.png"}

    def test_a_folder_is_searched_to_its_depth(self, deepir, save, out, tmp_path, detections):
        for name in ("in/b_10.png", "in/b_9.bmp", "in/deep/er/c.tif", "in/.hidden/d.png"):
            save(name)
        (tmp_path / "in" / "notes.txt").write_text("no frame")
        assert deepir("detect", tmp_path / "in", "--out", out).status == 0
        assert found_ids(detections) == ["b_9", "b_10", "deep/er/c"]
        assert (out / "overlays" / "deep" / "er" / "c.png").is_file()

    def test_clashing_suffixes_stay(self, deepir, save, out, tmp_path, detections):
        for name in ("in/a.png", "in/a.bmp", "in/b.png"):
            save(name)
        deepir("detect", tmp_path / "in", "--out", out)
        assert sorted(found_ids(detections)) == ["a.bmp", "a.png", "b"]

    def test_a_stack_numbers_its_frames(self, deepir, save, out, target_frame, detections):
        empty = np.full_like(target_frame, 100)
        stack = save("night.npy", np.stack([target_frame, empty, target_frame]))
        assert deepir("detect", stack, "--out", out).status == 0
        assert found_ids(detections) == ["night#000000", "night#000001", "night#000002"]
        # Of a stack only the frames with detections get a picture.
        assert files_below(out / "overlays") == {"night#000000.png", "night#000002.png"}

    def test_a_video_numbers_its_frames(self, deepir, out, tmp_path, target_frame, detections):
        video = write_video(tmp_path / "clip.avi", [target_frame] * 3)
        assert deepir("detect", video, "--out", out).status == 0
        assert found_ids(detections) == ["clip#000000", "clip#000001", "clip#000002"]

    def test_a_cut_video_keeps_what_was_read(self, deepir, out, tmp_path, target_frame, detections):
        video = write_video(tmp_path / "clip.avi", [np.tile(target_frame, (3, 3))] * 9)
        content = video.read_bytes()
        video.write_bytes(content[: len(content) * 2 // 3])
        outcome = deepir("detect", video, "--out", out)
        assert outcome.status == 3
        assert 0 < len(found_ids(detections)) < 9
        assert [entry["id"] for entry in detections()["skipped"]] == ["clip"]
        assert "cut off" in outcome.err

    def test_several_inputs_are_one_run(self, deepir, save, out, target_frame, detections):
        given = save("a.png"), save("more/b.png"), save("s.npy", target_frame[None])
        assert deepir("detect", *given, "--out", out).status == 0
        assert found_ids(detections) == ["a", "b", "s#000000"]

    def test_a_file_given_twice_counts_once(self, deepir, save, out, detections):
        path = save("a.png")
        deepir("detect", path, path, "--out", out)
        assert found_ids(detections) == ["a"]

    def test_names_with_spaces_and_letters_of_all_kinds(self, deepir, save, out, detections):
        path = save("a b/Nächte 夜/ziel ü.png")
        outcome = deepir("detect", path.parents[1], "--out", out / "ä 火")
        assert outcome.status == 0
        written = json.loads((out / "ä 火" / "detections.json").read_text("utf-8"))
        assert [entry["id"] for entry in written["detections"]] == ["Nächte 夜/ziel ü"]
        assert (out / "ä 火" / "overlays" / "Nächte 夜" / "ziel ü.png").is_file()

    def test_a_name_that_looks_like_a_flag(self, deepir, save, out, detections, monkeypatch):
        monkeypatch.chdir(save("-x.png").parent)
        assert deepir("detect", "--out", out, "--", "-x.png").status == 0
        assert found_ids(detections) == ["-x"]

    def test_equal_names_from_two_folders_write_below_the_output_folder_only(
        self, deepir, save, out, tmp_path, detections
    ):
        given = save("in/a/x.png"), save("in/b/x.png")
        assert deepir("detect", *given, "--out", out, *MAPS).status == 0
        assert len(set(found_ids(detections))) == 2
        assert files_below(tmp_path / "in") == {"a/x.png", "b/x.png"}
        assert len(files_below(out / "overlays")) == len(files_below(out / "saliency")) == 2

    def test_relative_paths_upwards_write_below_the_output_folder_only(
        self, deepir, save, tmp_path, monkeypatch
    ):
        save("in/a/x.png"), save("in/b/x.png"), save("in/c/y.png")
        monkeypatch.chdir(tmp_path / "in" / "c")
        assert deepir("detect", "../a/x.png", "../b/x.png", "--out", "deep/out").status == 0
        assert files_below(tmp_path / "in" / "a") == {"x.png"}
        assert len(files_below(tmp_path / "in" / "c" / "deep" / "out" / "overlays")) == 2

    def test_no_two_frames_share_an_id(self, deepir, save, out, target_frame, detections):
        given = save("s.npy", target_frame[None]), save("s#000000.png")
        deepir("detect", *given, "--out", out)
        assert len(set(found_ids(detections))) == 2

    def test_a_second_run_does_not_take_its_own_pictures_as_input(
        self, deepir, save, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(save("a.png").parent)
        runs = [deepir("detect", ".", "--json", *MAPS).json for _ in range(2)]
        assert runs[0] == runs[1]
        assert [entry["id"] for entry in runs[0]["detections"]] == ["a"]
        assert (tmp_path / "deepir-out" / "overlays" / "a.png").is_file()

    def test_own_pictures_are_input_where_nothing_else_is_meant(self, deepir, save, out):
        deepir("detect", save("a.png"), "--out", out)
        assert deepir("detect", out / "overlays", "--out", out).status == 0


class TestWithoutInput:
    def test_it_simulates_scores_and_draws(self, deepir, out, detections):
        outcome = deepir("detect", "--out", out)
        assert outcome.status == 0
        assert "mNoCoAP 0." in outcome.out
        assert str(out / "overlays") in outcome.out
        first = cv2.imread(str(next((out / "overlays").glob("*.png"))))
        assert first.ndim == 3
        assert min(first.shape[:2]) > 200
        assert len(found_ids(detections)) == 16

    def test_the_default_folder_is_in_the_current_one(self, deepir, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert deepir("detect", "--no-overlays").status == 0
        assert (tmp_path / "deepir-out" / "detections.json").is_file()


class TestFiles:
    def test_json_holds_what_the_detector_returns(self, deepir, save, out, target_frame):
        chosen = ("--detector", "mpcm")
        written = deepir("detect", save("a.png"), "--out", out, "--json", *chosen).json
        found = load_detector("mpcm").detect(target_frame)
        (entry,) = written["detections"]
        assert entry["id"] == "a"
        assert entry["points"] == [
            [*point, score]
            for point, score in zip(found.points.tolist(), found.scores.tolist(), strict=True)
        ]
        assert entry["boxes"] == found.boxes.tolist()
        assert entry["points"][0][:2] == [25, 20]
        assert written["skipped"] == []
        assert (written["detector"], written["interrupted"]) == ("mpcm", False)

    def test_printed_and_written_json_are_equal(self, deepir, save, out, detections):
        assert deepir("detect", save("a.png"), "--out", out, "--json").json == detections()

    def test_csv_has_a_row_for_each_detection(self, deepir, save, out, detections):
        deepir("detect", save("a.png"), "--out", out, "--threshold", -99)
        with (out / "detections.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        (entry,) = detections()["detections"]
        assert list(rows[0]) == ["id", "x", "y", "score", "x0", "y0", "x1", "y1", "probability"]
        assert [[float(row[key]) for key in ("x", "y", "score")] for row in rows] == entry["points"]
        boxes = [[float(row[key]) for key in ("x0", "y0", "x1", "y1")] for row in rows]
        assert boxes == entry["boxes"]

    @ALL
    def test_saliency_is_the_raw_map(self, deepir, save, out, target_frame, name):
        deepir("detect", save("in/a.png"), "--out", out, "--detector", name, "--save-saliency")
        written = np.load(out / "saliency" / "a.npy", allow_pickle=False)
        assert written.dtype == np.float64
        np.testing.assert_array_equal(written, load_detector(name).saliency(target_frame))

    def test_saliency_of_a_frame_with_holes_is_finite(self, deepir, save, out, target_frame):
        frame = np.where(target_frame % 7 == 0, np.nan, target_frame)
        deepir("detect", save("a.npy", frame), "--out", out, *MAPS, "--no-overlays")
        assert files_below(out) == {"detections.json", "detections.csv", "saliency/a.npy"}
        assert np.isfinite(np.load(out / "saliency" / "a.npy")).all()

    def test_the_table_says_what_was_written(self, deepir, save, out):
        outcome = deepir("detect", save("a.png"), "--out", out)
        assert "25" in outcome.out
        assert str(out / "detections.json") in outcome.out
        assert outcome.err == ""

    def test_same_input_same_bytes(self, deepir, save, tmp_path):
        path = save("a.png")
        for folder in ("one", "two"):
            deepir("detect", path, "--out", tmp_path / folder)
        for name in files_below(tmp_path / "one"):
            one, two = (tmp_path / folder / name for folder in ("one", "two"))
            assert one.read_bytes() == two.read_bytes()


class TestOptions:
    @pytest.fixture
    def points(self, deepir, save, out):
        path = save("a.png")

        def call(*options):
            outcome = deepir("detect", path, "--out", out, "--json", "--no-overlays", *options)
            assert outcome.status == 0
            return outcome.json["detections"][0]["points"]

        return call

    def test_threshold_moves_what_is_marked(self, points):
        everything = points("--threshold", 0)
        scores = [score for *_, score in everything]
        assert len(scores) >= 3
        assert points("--threshold", scores[1]) == everything[:2]
        assert points("--threshold", 1e9) == []

    def test_a_threshold_below_the_floor_returns_every_candidate_and_says_so(
        self, deepir, save, out, points
    ):
        floor = load_detector(DEFAULT_DETECTOR).floor
        assert points("--threshold", floor - 1) == points("--threshold", floor)
        outcome = deepir("detect", save("a.png"), "--out", out, "--threshold", floor - 1)
        assert "floor" in outcome.err

    def test_top_k_keeps_the_best(self, points):
        everything = points("--threshold", 0)
        assert points("--threshold", 0, "--top-k", 2) == everything[:2]
        assert points("--threshold", 0, "--top-k", 10**30) == everything

    def test_read_out_published_scores_in_the_unit_range(self, points):
        published = points("--detector", "mpcm", "--read-out", "published")
        assert published[0] == [25, 20, 1]
        assert all(0.5 < score <= 1 for *_, score in published)

    @ALL
    def test_both_modes_and_read_outs_run(self, points, name):
        for mode in ("default", "reference"):
            for read_out in ("peak", "published"):
                points("--detector", name, "--mode", mode, "--read-out", read_out)

    def test_names_are_found_in_any_spelling(self, points):
        assert points("--detector", "Top-Hat") == points("--detector", "top_hat")


@pytest.mark.data
class TestRealFrames:
    def test_a_clip(self, deepir, shared, out, detections):
        clip = shared("data", "clips", "IR_DRONE_142.mp4")
        assert deepir("detect", clip, "--out", out, "--no-overlays").status == 0
        assert len(found_ids(detections)) > 250
        assert found_ids(detections)[7] == "IR_DRONE_142#000007"

    def test_a_cut_mp4_is_unreadable(self, deepir, shared, out, tmp_path):
        clip = shared("data", "clips", "IR_DRONE_142.mp4").read_bytes()
        cut = tmp_path / "cut.mp4"
        cut.write_bytes(clip[: len(clip) // 2])
        deepir("detect", cut, "--out", out).refused("cut", status=1)
        assert not out.exists()


class TestSecondRun:
    def test_pictures_of_an_earlier_run_are_taken_away(self, deepir, save, out):
        deepir("detect", save("a.png"), save("b.png"), "--out", out)
        (out / "overlays" / "mine.png").write_bytes(b"not ours")
        deepir("detect", save("a.png"), "--out", out)
        assert {path.name for path in (out / "overlays").iterdir()} == {"a.png", "mine.png"}

    def test_the_longest_file_name_gets_a_picture(self, deepir, save, out, detections):
        name = "n" * 251
        assert deepir("detect", save(f"{name}.png"), "--out", out).status == 0
        assert len(list((out / "overlays").iterdir())) == 1
        assert found_ids(detections) == [name]

    def test_its_simulated_detections_can_be_scored(self, deepir, out):
        deepir("detect", "--out", out, "--no-overlays")
        outcome = deepir("score", out / "detections.json")
        assert outcome.status == 0
        assert "48 ids" in outcome.err
