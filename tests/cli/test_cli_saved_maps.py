"""``--save-saliency``, ``--resume`` and ``deepir score FOLDER``, as a user meets them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

OWN = """
import numpy as np
from deepir.map_detector import MapDetector
from deepir.saliency import Saliency

def found(image):
    hit = image.shape[1] == 80 and image.sum() % 2 == 0
    told = {"stop": "max_iter" if hit else "tolerance", "iterations": int(image.max())}
    return Saliency(image - image.mean(), told)

DETECTOR = MapDetector("mine", found, peak_floor=2.0, peak_operating=6.0)
"""


@pytest.fixture
def maps(tmp_path):
    return tmp_path / "maps"


@pytest.fixture
def own_detector(tmp_path):
    """A filter that tells of its way, and stops at max_iter where the sum of levels is even."""
    path = tmp_path / "mine.py"
    path.write_text(OWN, "utf-8")
    return f"{path}:DETECTOR"


def shared_figures(result):
    names = ("metrics", "absent", "floor", "operating_threshold", "top_k", "mode", "diagnostics")
    return {name: result[name] for name in names}


class TestRoundTrip:
    @pytest.mark.parametrize("read_out", ["peak", "published"])
    @pytest.mark.parametrize("mode", ["default", "reference"])
    def test_eval_saves_what_score_reads(self, evaluate, sirst, maps, mode, read_out):
        options = (*sirst, "--read-out", read_out)
        _, first = evaluate("eval", "mpcm", *options, "--mode", mode, "--save-saliency", maps)
        folder = maps / ("mpcm" if mode == "default" else "mpcm-reference")
        outcome, again = evaluate("score", folder, *options)
        assert (outcome.status, outcome.err) == (0, "")
        assert shared_figures(again) == shared_figures(first)
        assert (again["detector"], again["speed"]) == ("mpcm", None)

    def test_bench_saves_each_detector_once(self, deepir, evaluate, sirst, maps, ids):
        options = ("--read-out", "both", "--save-saliency", maps)
        _, compared = evaluate("bench", "mpcm", "top_hat", *sirst, *options)
        for run in compared["runs"]:
            folder = maps / run["detector"]
            assert len(list(folder.glob("*.npy"))) == len(ids)
            _, again = evaluate("score", folder, *sirst, "--read-out", run["read_out"])
            assert shared_figures(again) == shared_figures(run)

    def test_png_gives_the_figures_to_a_thousandth(self, evaluate, sirst, maps):
        options = ("--save-saliency", maps, "--saliency-format", "png")
        _, first = evaluate("eval", "mpcm", *sirst, *options)
        assert len(list((maps / "mpcm").glob("*.png"))) == 4
        _, again = evaluate("score", maps / "mpcm", *sirst)
        for key in ("mnocoap", "pd", "mlocap"):
            assert again["metrics"][key] == pytest.approx(first["metrics"][key], abs=1e-3)

    def test_networks_have_no_maps_and_are_said_once(self, deepir, sirst, maps):
        outcome = deepir("bench", "oscar_nano", "lcm", *sirst, "--save-saliency", maps)
        assert outcome.status == 0
        assert outcome.err.splitlines() == [
            "deepir: no maps are saved of oscar_nano: they find boxes"
        ]
        deepir("eval", "oscar_nano", *sirst, "--save-saliency", maps).refused("boxes", status=2)


class TestResume:
    def test_without_it_a_folder_with_maps_is_left_alone(self, deepir, sirst, maps):
        assert deepir("eval", "lcm", *sirst, "--save-saliency", maps).status == 0
        before = (maps / "lcm" / "maps.json").stat().st_mtime_ns
        deepir("eval", "lcm", *sirst, "--save-saliency", maps).refused("--resume", status=2)
        assert (maps / "lcm" / "maps.json").stat().st_mtime_ns == before

    def test_with_it_maps_are_used_again_and_it_is_said(self, evaluate, sirst, maps):
        _, first = evaluate("eval", "lcm", *sirst, "--save-saliency", maps)
        options = ("--save-saliency", maps, "--resume")
        outcome, again = evaluate("eval", "lcm", *sirst, *options)
        assert "lcm, peak: 4 maps of an earlier run" in outcome.out
        assert shared_figures(again) == shared_figures(first)
        assert again["saved_maps"]["reused"] == 4

    def test_a_stale_folder_is_refused(self, deepir, sirst, maps):
        deepir("eval", "lcm", *sirst, "--save-saliency", maps)
        record = maps / "lcm" / "maps.json"
        record.write_text(record.read_text("utf-8").replace('"deepir": "', '"deepir": "0.0.'))
        options = ("--save-saliency", maps, "--resume")
        deepir("eval", "lcm", *sirst, *options).refused("made with deepir '0.0.", status=1)

    def test_options_of_saved_maps_want_a_folder(self, deepir, sirst):
        deepir("eval", "lcm", *sirst, "--resume").refused("--save-saliency", status=2)
        deepir("bench", "lcm", *sirst, "--saliency-format", "png").refused("folder", status=2)

    def test_folders_that_cannot_be_written_are_refused_at_once(self, deepir, sirst, nowhere, save):
        for place in (nowhere, save("a.png")):
            outcome = deepir("eval", "lcm", *sirst, "--save-saliency", place)
            outcome.refused(place, status=2)

    def test_the_plant_test_saves_nothing(self, deepir, sirst, maps):
        outcome = deepir("eval", "lcm", *sirst, "--plant", "scr=5", "--save-saliency", maps)
        outcome.refused("--plant", status=2)

    @pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
    def test_a_run_that_was_killed_goes_on(self, evaluate, own, own_root, ids, maps):
        path = own_root / "annotations" / "bboxes" / f"{ids[2]}.xml"
        content = path.read_bytes()
        path.unlink()
        os.mkfifo(path)  # the run waits here
        line = [sys.executable, "-m", "deepir", "eval", "mpcm", *own, "--save-saliency", maps]
        process = subprocess.Popen(
            list(map(str, line)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            while len(list(maps.rglob("*.npy.json"))) < 2:  # however long a busy machine takes
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        path.unlink()
        path.write_bytes(content)
        outcome, result = evaluate("eval", "mpcm", *own, "--save-saliency", maps, "--resume")
        assert outcome.status == 0
        assert result["saved_maps"]["reused"] == 2
        _, plain = evaluate("eval", "mpcm", *own)
        assert shared_figures(result) == shared_figures(plain)


class TestScore:
    @pytest.fixture
    def masks(self, sirst_root, ids, tmp_path):
        """The true masks as another program's result."""
        folder = tmp_path / "theirs"
        folder.mkdir()
        for name in ids:
            source = sirst_root / "annotations" / "masks" / f"{name}_pixels0.png"
            shutil.copy(source, folder / f"{name}.png")
        return folder

    def test_masks_named_by_id_are_scored(self, evaluate, sirst, masks):
        outcome, result = evaluate("score", masks, *sirst)
        assert (outcome.status, outcome.err) == (0, "")
        assert (result["detector"], result["mode"], result["read_out"]) == ("theirs", None, "peak")
        assert result["operating_threshold"] == 0.5
        assert result["metrics"]["pd"] == result["metrics"]["pixel"]["iou"] == 1.0
        assert result["saved_maps"] == {"scale": "full", "format": None, "reused": 4, "replaced": 0}

    def test_a_threshold_is_the_level_that_counts(self, evaluate, sirst, masks):
        _, result = evaluate("score", masks, *sirst, "--threshold", 1)
        assert (result["operating_threshold"], result["metrics"]["pd"]) == (1.0, 0.0)

    def test_nothing_that_counts_is_said(self, deepir, sirst, masks):
        for path in masks.iterdir():
            cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_UNCHANGED) // 255)
        outcome = deepir("score", masks, *sirst)
        assert outcome.status == 0
        assert "no map exceeds 0.5, the highest value comes to 0.00392" in outcome.err
        assert deepir("score", masks, *sirst, "--map-scale", "frame").err == ""

    def test_a_missing_map_is_refused_by_name_unless_it_may_be(self, deepir, sirst, masks, ids):
        (masks / f"{ids[1]}.png").unlink()
        deepir("score", masks, *sirst).refused(repr(ids[1]), "--allow-missing", status=1)
        outcome = deepir("score", masks, *sirst, "--allow-missing")
        assert outcome.status == 0
        assert outcome.err.splitlines() == [
            "deepir: 1 ids of 'test_full' have no map: counted as no detection"
        ]

    def test_maps_of_other_splits_are_left_out_with_a_count(self, deepir, sirst, masks):
        outcome = deepir("score", masks, *sirst, "--split", "half")
        assert outcome.status == 0
        assert "2 ids outside 'half' are left out" in outcome.err

    def test_an_id_that_the_dataset_does_not_have_is_refused(self, deepir, sirst, masks, ids):
        (masks / f"{ids[0]}.png").rename(masks / "stranger.png")
        deepir("score", masks, *sirst).refused("'stranger'", ids[0], status=1)

    @pytest.mark.parametrize("length", [0, 7, 40])
    def test_a_torn_map_is_skipped_and_named(self, deepir, sirst, masks, ids, length):
        path = masks / f"{ids[1]}.png"
        path.write_bytes(path.read_bytes()[:length])
        outcome = deepir("score", masks, *sirst)
        assert outcome.status == 3
        assert len(outcome.err.splitlines()) == 2
        assert f"skipped {ids[1]!r}" in outcome.err
        assert "partial" in outcome.err

    def test_a_folder_without_maps(self, deepir, sirst, tmp_path):
        (tmp_path / "empty").mkdir()
        deepir("score", tmp_path / "empty", *sirst).refused("no maps in", "empty", status=1)

    def test_raw_saliency_wants_a_scale(self, deepir, sirst, ids, tmp_path):
        folder = tmp_path / "raw"
        folder.mkdir()
        for name in ids:
            np.save(folder / f"{name}.npy", np.full((64, 80), 3.5))
        outcome = deepir("score", folder, *sirst)
        outcome.refused("3.5, beyond the full scale", "--map-scale frame", status=1)
        assert deepir("score", folder, *sirst, "--map-scale", "frame").status == 0
        outcome = deepir("score", folder, *sirst, "--map-scale", "robust")
        outcome.refused("--threshold", status=2)

    def test_options_of_maps_are_refused_for_detections(self, deepir, sirst, tmp_path):
        saved = tmp_path / "saved.json"
        saved.write_text('{"detections": []}')
        for option in (("--allow-missing",), ("--map-scale", "frame")):
            deepir("score", saved, *sirst, *option).refused("folders of maps", status=2)


class TestDetails:
    def rows(self, path):
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def test_eval_and_score_write_the_same_outcomes(self, deepir, evaluate, sirst, maps, tmp_path):
        files = [tmp_path / f"{name}.csv" for name in ("one", "two", "three")]
        options = ("--save-saliency", maps, "--outcomes", files[0])
        _, result = evaluate("eval", "mpcm", *sirst, *options)
        deepir("score", maps / "mpcm", *sirst, "--outcomes", files[1])
        assert files[0].read_bytes() == files[1].read_bytes()
        kinds = [row["outcome"] for row in self.rows(files[0])]
        hits, missed = kinds.count("hit"), kinds.count("missed")
        assert result["metrics"]["pd"] == hits / (hits + missed)
        assert result["metrics"]["false_objects_per_frame"] == kinds.count("false") / 4

    def test_outcomes_of_detections_of_another_program(self, deepir, sirst, ids, tmp_path):
        saved, file = tmp_path / "saved.json", tmp_path / "rows.csv"
        saved.write_text(
            json.dumps({"detections": [{"id": ids[0], "points": [[1, 1, 0.9], [2, 2, 0.1]]}]})
        )
        for options, count in (((), 2), (("--threshold", 0.5), 1)):
            assert deepir("score", saved, *sirst, *options, "--outcomes", file).status == 0
            false = [row for row in self.rows(file) if row["outcome"] == "false"]
            assert len(false) == count
            assert (false[0]["id"], false[0]["x"], false[0]["target"]) == (ids[0], "1.0", "")

    def test_details_print_every_figure(self, deepir, sirst, tmp_path):
        saved = tmp_path / "saved.json"
        saved.write_text('{"detections": []}')
        short, long = (deepir("score", saved, *sirst, *more) for more in ((), ("--details",)))
        assert len(long.out.splitlines()) > len(short.out.splitlines()) + 10

    def test_a_place_that_cannot_be_written_is_refused_first(self, deepir, sirst, tmp_path):
        missing = tmp_path / "no" / "rows.csv"
        deepir("eval", "lcm", *sirst, "--outcomes", missing).refused("rows.csv", status=2)


class TestDiagnostics:
    def test_eval_sums_them_up_and_details_give_them_by_frame(
        self, evaluate, sirst, own_detector, ids
    ):
        outcome, result = evaluate("eval", own_detector, *sirst)
        told = result["diagnostics"]
        assert told["frames"] == len(ids)
        assert sum(told["words"]["stop"].values()) == len(ids)
        assert told["numbers"]["iterations"]["highest"] <= 255
        assert told["by_frame"] is None
        assert "stop: " in outcome.out
        _, detailed = evaluate("eval", own_detector, *sirst, "--details")
        assert list(detailed["diagnostics"]["by_frame"]) == ids

    def test_a_limit_is_one_line(self, deepir, evaluate, sirst, own_detector):
        outcome, result = evaluate("eval", own_detector, *sirst)
        hit = result["diagnostics"]["at_a_limit"]["max_iter"]
        assert 0 < hit < 4
        assert outcome.out.count(f"mine: max_iter ended {hit} of 4 frames") == 1
        again = deepir("bench", own_detector, "lcm", *sirst)
        assert again.out.count(f"mine: max_iter ended {hit} of 4 frames") == 1

    def test_detect_tells_them_by_frame(self, deepir, own_detector, target_frame, save, out):
        frame = np.pad(target_frame, ((0, 0), (0, 30)), mode="edge")
        frame[0, 0] += frame.sum() % 2
        outcome = deepir(
            "detect", save("a.png", frame), "--detector", own_detector, "--json", "--out", out
        )
        (entry,) = outcome.json["detections"]
        assert entry["diagnostics"]["stop"] == "max_iter"
        assert "max_iter ended 1 of 1 frames" in outcome.err
        plain = deepir("detect", save("a.png", frame), "--detector", "mpcm", "--json", "--out", out)
        assert "diagnostics" not in plain.json["detections"][0]

    def test_saved_maps_keep_them(self, evaluate, sirst, own_detector, maps, ids):
        options = ("--save-saliency", maps)
        _, first = evaluate("eval", own_detector, *sirst, *options, "--details")
        note = json.loads((maps / "mine" / f"{ids[0]}.npy.json").read_text("utf-8"))
        assert note["diagnostics"] == first["diagnostics"]["by_frame"][ids[0]]
        _, again = evaluate("score", maps / "mine", *sirst, "--details")
        assert again["diagnostics"] == first["diagnostics"]
