"""Networks at the command line: weights from a file, in frames and in benchmarks."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from tiny_networks import BELIEVED, CANDIDATES, CARD, no_boxes, peak_boxes

from deepir import weights

READ_OUTS = pytest.mark.parametrize("read_out", ["peak", "published"])
FLAT = {
    "one_pixel": np.full((1, 1), 7, np.uint8),
    "one_row": np.full((1, 60), 7, np.uint8),
    "constant": np.full((30, 40), 77.3),
    "saturated": np.full((30, 40), 16383, np.uint16),
    "constant_with_holes": np.where(np.eye(30, 40, dtype=bool), np.nan, 5.0),
}


@pytest.fixture(scope="session")
def network_file(tmp_path_factory):
    """Weights that find each target twice."""
    path = tmp_path_factory.mktemp("network") / "tiny.onnx"
    path.write_bytes(peak_boxes(twins=True, shift=0.25))
    return path


@pytest.fixture
def tiny(network_file):
    """Arguments that give these weights to ONNX Runtime."""
    return ("--weights", network_file, "--engine", "onnxruntime")


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """Stands for a folder of packaged weights with oscar_nano in it."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    content = peak_boxes()
    path = tmp_path / "oscar_nano.onnx"
    path.write_bytes(content)
    listed = f"{hashlib.sha256(content).hexdigest()}  {path.name}\n"
    (tmp_path / weights.SUMS).write_text(listed)
    return path


@pytest.fixture
def nothing_packaged(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)


@pytest.fixture
def detect(deepir, tmp_path, out, tiny):
    """Detections by id of everything saved below the test's folder ``in``."""

    def call(*options):
        outcome = deepir(
            *("detect", tmp_path / "in", "--detector", "oscar_nano", *tiny, "--out", out),
            *("--json", "--no-overlays", *options),
        )
        assert outcome.status == 0, outcome.err
        return {entry["id"]: entry for entry in outcome.json["detections"]}

    return call


class TestDetect:
    def test_targets_are_found_once(self, save, detect, out):
        save("in/a.png")
        entry = detect()["a"]
        assert [25, 20] in [point[:2] for point in entry["points"]]
        assert len({tuple(point[:2]) for point in entry["points"]}) == len(entry["points"])
        written = json.loads((out / "detections.json").read_text("utf-8"))
        assert (written["detector"], written["floor"]) == ("oscar_nano", CANDIDATES)
        assert written["operating_threshold"] == written["threshold"] == BELIEVED
        assert written["merge_px"] == 3.5

    def test_published_reports_centres_and_the_twins(self, save, detect):
        save("in/a.png")
        points = [point[:2] for point in detect("--read-out", "published")["a"]["points"]]
        assert [25.75, 20.75] in points
        assert [26.75, 21.75] in points

    def test_sixteen_bits_stay_sixteen(self, save, detect, target_frame):
        save("in/a.png", target_frame)
        save("in/b.png", target_frame.astype(np.uint16) * 256)
        found = detect("--threshold", 0.9)
        assert found["a"]["points"]
        assert [point[:2] for point in found["a"]["points"]] == [
            point[:2] for point in found["b"]["points"]
        ]

    @READ_OUTS
    def test_flat_frames_have_no_detections(self, save, detect, read_out):
        for key, frame in FLAT.items():
            save(f"in/{key}.npy", frame)
        found = detect("--read-out", read_out, "--threshold", 0)
        assert {key: entry["points"] for key, entry in found.items()} == {key: [] for key in FLAT}

    @pytest.mark.parametrize("shape", [(1, 2), (2, 3), (5, 300), (300, 5), (31, 33)])
    @READ_OUTS
    def test_points_and_boxes_lie_in_small_frames(self, save, detect, shape, read_out):
        save("in/a.npy", np.random.default_rng(1).integers(90, 200, shape))
        entry = detect("--read-out", read_out, "--threshold", 0)["a"]
        height, width = shape
        for (x, y, _), (x0, y0, x1, y1) in zip(entry["points"], entry["boxes"], strict=True):
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            assert x0 - 0.5 <= x <= x1  # peaks are read with edges rounded
            assert y0 - 0.5 <= y <= y1

    @pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
    def test_holes_are_not_reported(self, save, detect, target_frame, hole):
        frame = target_frame.astype(np.float64)
        holes = np.random.default_rng(2).random(frame.shape) < 0.2
        holes[20, 25] = holes[5:12, 30:40] = True
        save("in/a.npy", np.where(holes, hole, frame))
        points = detect("--threshold", 0)["a"]["points"]
        assert points
        assert not any(holes[int(y), int(x)] for x, y, _ in points)

    def test_no_boxes_at_all(self, deepir, save, out, tmp_path):
        path = tmp_path / "none.onnx"
        path.write_bytes(no_boxes())
        line = ("detect", save("a.png"), "--detector", "oscar_nano", "--weights", path)
        outcome = deepir(*line, "--out", out, "--json", "--threshold", 0)
        assert outcome.status == 0
        assert outcome.json["detections"] == [{"id": "a", "points": [], "boxes": []}]

    def test_a_frame_that_the_network_fails_on_is_skipped(self, deepir, save, out, tmp_path):
        path = tmp_path / "stiff.onnx"
        path.write_bytes(no_boxes(block=1024))
        given = save("a.npy", np.eye(64)), save("b.npy", np.eye(33, 47))
        line = ("--detector", "oscar_nano", "--weights", path, "--engine", "onnxruntime")
        outcome = deepir("detect", *given, *line, "--out", out)
        assert outcome.status == 3
        assert "skipped 'b': the network fails on 47x33 pixels" in outcome.err

    @pytest.mark.parametrize("engine", ["auto", "onnxruntime"])
    def test_no_torch_is_loaded(self, save, out, network_file, engine):
        line = ["detect", save("a.png"), "--detector", "oscar_nano", "--weights", network_file]
        line = [*map(str, [*line, "--engine", engine, "--out", out])]
        script = f"import sys; from deepir.cli import run; assert run({line!r}) == 0;"
        script += "assert 'torch' not in sys.modules"
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    def test_there_is_no_map_to_save(self, deepir, save, out, tiny):
        path = save("a.png")
        line = ("detect", path, "--detector", "oscar_nano", *tiny, "--out", out, "--save-saliency")
        deepir(*line).refused("oscar_nano", "no saliency map", status=2)
        assert not out.exists()


class TestScores:
    @READ_OUTS
    def test_detect_at_the_floor_then_score_is_eval(
        self, deepir, evaluate, sirst, sirst_root, out, tiny, read_out
    ):
        rule = ("--read-out", read_out)
        _, expected = evaluate("eval", "oscar_nano", *sirst, *tiny, *rule)
        deepir(
            *("detect", sirst_root / "mixed", "--detector", "oscar_nano", *tiny, *rule),
            *("--threshold", expected["floor"], "--top-k", 100, "--no-overlays", "--out", out),
        )
        outcome, scored = evaluate("score", out / "detections.json", *sirst)
        assert outcome.status == 0
        assert scored["metrics"] == expected["metrics"]
        assert scored["operating_threshold"] == expected["operating_threshold"] == BELIEVED
        assert scored["metrics"]["mnocoap"] > 0.1

    @READ_OUTS
    def test_peaks_read_anew_from_the_boxes_are_those_of_eval(
        self, deepir, evaluate, sirst, sirst_root, out, tiny, read_out
    ):
        _, expected = evaluate("eval", "oscar_nano", *sirst, *tiny)
        deepir(
            *("detect", sirst_root / "mixed", "--detector", "oscar_nano", *tiny),
            *("--read-out", read_out, "--threshold", 0, "--no-overlays", "--out", out),
        )
        _, anew = evaluate("score", out / "detections.json", *sirst, "--read-out", "peak")
        assert anew["metrics"] == expected["metrics"]

    def test_mask_figures_are_null_and_the_rest_is_there(self, evaluate, tiny):
        outcome, result = evaluate("eval", "oscar_nano", *tiny)
        assert outcome.status == 0
        assert (result["detector"], result["mode"], result["frames"]) == (
            "oscar_nano",
            "default",
            64,
        )
        assert [result["metrics"][key] for key in ("pixel", "target", "hybrid")] == [None] * 3
        assert result["speed"]["median_detecting_ms"] > 0

    def test_merging_pays(self, evaluate, sirst, tiny):
        peak, published = (
            evaluate("eval", "oscar_nano", *sirst, *tiny, "--read-out", rule)[1]["metrics"]
            for rule in ("peak", "published")
        )
        assert peak["false_objects_per_frame"] < published["false_objects_per_frame"]
        assert peak["mnocoap"] > published["mnocoap"]

    @pytest.mark.parametrize("value", ["-1", "NaN", '"far"'])
    def test_a_merging_distance_is_a_number(self, evaluate, sirst, tmp_path, value):
        saved = tmp_path / "saved.json"
        saved.write_text(f'{{"detections": [], "merge_px": {value}}}')
        outcome, _ = evaluate("score", saved, *sirst)
        outcome.refused("merge_px", status=1)


class TestWeights:
    def test_none_in_this_installation(self, deepir, nothing_packaged, sirst):
        for line in (("eval", "oscar_nano"), ("detect", "--detector", "oscar_nano")):
            deepir(*line).refused("oscar_nano has no weights", "--weights", status=1)
        deepir("bench", "mpcm", "oscar_small", *sirst).refused("oscar_small", status=1)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("text.onnx", b"I am no network\n" * 9, "is no ONNX file"),
            ("empty.onnx", b"", "is no ONNX file"),
            ("weights.pt", b"", "a file of .onnx"),
            (".onnx", b"", "a file of .onnx"),
        ],
    )
    def test_files_that_are_none(self, deepir, tmp_path, out, name, content, message):
        path = tmp_path / name
        path.write_bytes(content)
        line = ("detect", "--detector", "oscar_nano", "--weights", path, "--out", out)
        deepir(*line).refused(path, message)
        assert not out.exists()

    def test_a_file_that_is_not_there(self, deepir, tmp_path, sirst):
        path = tmp_path / "nowhere.onnx"
        deepir("eval", "oscar_nano", *sirst, "--weights", path).refused(path, "no such", status=1)

    def test_a_file_cut_off(self, deepir, tmp_path, sirst):
        path = tmp_path / "cut.onnx"
        path.write_bytes(peak_boxes()[:700])
        deepir("eval", "oscar_nano", *sirst, "--weights", path).refused(path, status=1)

    def test_ports_of_other_names(self, deepir, tmp_path, sirst):
        path = tmp_path / "other.onnx"
        path.write_bytes(peak_boxes(inputs=("input",), outputs=("dets", "labels")))
        outcome = deepir("eval", "oscar_nano", *sirst, "--weights", path)
        outcome.refused(path, "'input'", "'dets'", "'frame'", "'boxes'", status=1)

    def test_filters_take_none(self, deepir, sirst, tiny):
        deepir("eval", "mpcm", *sirst, *tiny).refused("'weights'", status=2)

    def test_engines_are_a_closed_choice(self, deepir, sirst):
        line = ("eval", "oscar_nano", *sirst, "--engine", "onnxruntim")
        deepir(*line).refused("id you mean", '"onnxruntime"', status=2)


class TestList:
    def test_networks_without_weights(self, deepir, nothing_packaged):
        rows = {row["name"]: row for row in deepir("list", "--json").json}
        for name in ("oscar_nano", "oscar_small"):
            assert rows[name]["weights"] == "no weights"
            assert (rows[name]["floor"], rows[name]["operating_threshold"]) == (None, None)
        assert "no weights" in deepir("list").out

    def test_packaged_weights_show_their_thresholds(self, deepir, packaged):
        rows = {row["name"]: row for row in deepir("list", "--json").json}
        row = rows["oscar_nano"]
        assert row["weights"] == "packaged"
        assert (row["floor"], row["operating_threshold"]) == (CANDIDATES, BELIEVED)
        assert rows["oscar_small"]["weights"] == "no weights"

    def test_a_bench_takes_what_has_weights(self, deepir, packaged, sirst, out):
        assert deepir("bench", *sirst, "--out", out).status == 0
        runs = json.loads((out / "bench.json").read_text("utf-8"))["runs"]
        names = {run["detector"] for run in runs}
        assert {"oscar_nano", "mpcm"} < names
        assert "oscar_small" not in names

    def test_packaged_weights_that_were_changed(self, deepir, packaged, sirst):
        packaged.write_bytes(peak_boxes({**CARD, "operating_threshold": "0.1"}))
        line = ("eval", "oscar_nano", *sirst)
        deepir(*line).refused("not those that were packaged", status=1)
