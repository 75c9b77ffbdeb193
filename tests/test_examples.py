"""The examples run from their first line to their last, on few and small frames."""

from __future__ import annotations

import csv
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from deepir.data import open_dataset, write_coco, write_mask_folder, write_sirst_v2
from deepir.detection_files import HEADS, PROBABILITY
from deepir.metrics import (
    Interval,
    PairedDifference,
    hybrid_iou,
    paired_interval,
    pd_fa,
    pixel_scores,
)
from deepir.models.trained import read_trained
from deepir.simulate import SimulatedFrames

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
TINY = ["--train", "6", "--threshold", "6", "--held-out", "8", "--size", "96", "80"]
SMALL = ["--size", "96", "80"]


@pytest.fixture
def example(request):
    """Names that the example of the test's class defines."""
    return runpy.run_path(str(ROOT / "examples" / request.cls.FILE))


@pytest.fixture
def told(example, tmp_path, capfd, monkeypatch):
    """Run the example in an empty folder and give what it printed."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        capfd.readouterr()
        example["main"]([str(argument) for argument in arguments])
        return capfd.readouterr().out

    return call


@pytest.fixture(scope="module", autouse=True)
def one_core():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Simulated 14-bit frames in the layout of SIRST-V2, with two splits."""
    root = tmp_path_factory.mktemp("data")
    frames = list(SimulatedFrames(12, seed=4, shape=(80, 96), bits=14, targets=2))
    write_sirst_v2(root, "val", frames[:4])
    write_sirst_v2(root, "test", frames[4:])
    return root


@pytest.fixture
def data(root):
    """Arguments that choose it."""
    return ["--data", "sirst-v2", "--root", root]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_run_and_linked(name):
    assert f"examples/{name}.py" in (ROOT / "README.md").read_text("utf-8")
    assert f'FILE = "{name}.py"' in Path(__file__).read_text("utf-8")


class TestFineTune:
    FILE = "fine_tune.py"

    def test_it_runs_to_its_table(self, told, tmp_path):
        told = told("--out", tmp_path, *TINY, "--iterations", 2)
        table = (tmp_path / "table.md").read_text("utf-8")
        assert table in told
        names = [line.split(" | ")[0] for line in table.splitlines()]
        assert names[2:] == ["| as they came", "| with a threshold of this camera", "| fine-tuned"]
        assert "gain in mNoCoAP" in told
        commands = [line.split()[2] for line in told.splitlines() if line.startswith("$ deepir ")]
        assert commands == [
            "eval", "calibrate", "eval", "train", "calibrate", "eval", "export", "detect",
        ]  # fmt: skip
        record = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
        assert record["options"]["recipe"] == "fine-tune"
        assert (record["train"]["frames"], record["train"]["split"]) == (6, "train")
        for name in ("shipped", "mine"):
            notes = read_trained(tmp_path / f"{name}.safetensors").notes
            assert notes["calibrated_on"] == "sirst-v2 threshold"
        assert json.loads((tmp_path / "found" / "detections.json").read_text("utf-8"))["detections"]

    def test_its_frames_follow_from_their_seeds_alone(self, example):
        one, other, longer = (
            list(example["simulated"]("train", count, (48, 40), seeds))
            for count, seeds in ((2, [0, 0]), (2, [0, 1]), (3, [0, 0]))
        )
        assert [sample.image.tobytes() for sample in one] == [
            sample.image.tobytes() for sample in longer[:2]
        ]
        assert one[0].image.tobytes() != other[0].image.tobytes()
        assert (one[0].image.shape, one[0].image.dtype) == ((40, 48), "uint16")
        assert 7000 < one[0].image.mean() < 9000

    def test_it_stops_where_a_command_fails(self, example):
        with pytest.raises(SystemExit) as caught:
            example["deepir"]("eval", "oscar_nan")
        assert caught.value.code == 2


class TestOwnFrames:
    FILE = "own_frames.py"

    def rows(self, path):
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def test_simulated_frames_and_a_broken_one(self, told, tmp_path):
        text = told(*SMALL)
        out = tmp_path / "own-frames"
        assert text.count("uint16, levels ") == 5
        assert text.count("skipped ") == 1
        assert "the PNG file is cut off after" in text
        rows = self.rows(out / "detections.csv")
        assert rows
        assert list(rows[0]) == [*HEADS, PROBABILITY]
        assert f"{len(rows)} detections" in text
        assert "were measured on" in text

    def test_a_folder_of_ones_own(self, told, tmp_path, root):
        folder = tmp_path / "mine"
        folder.mkdir()
        for path in sorted((root / "mixed").glob("*.png"))[:3]:
            (folder / path.name).write_bytes(path.read_bytes())
        np.save(folder / "dark.npy", np.full((4, 5), np.nan))
        (folder / "notes.txt").write_text("no image", "utf-8")
        out = tmp_path / "found"
        text = told(folder, "--out", out, "--detector", "mpcm", "--threshold", "0.9")
        assert "mpcm: what scores 0.9 or more" in text
        assert text.count("skipped 'dark'") == 1
        scores = [float(row["score"]) for row in self.rows(out / "detections.csv")]
        assert min(scores) >= 0.9
        assert len(list((out / "overlays").iterdir())) == 3

    def test_a_budget_of_false_alarms(self, example):
        budget = ["--false-alarms-per-frame", "0.1"]
        few, many = (example["chosen"](example["parsed"](options)) for options in (budget, []))
        assert few.cut > many.cut

    def test_what_is_not_there_is_one_line(self, tmp_path):
        command = [sys.executable, ROOT / "examples" / self.FILE, "no-such-folder"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == "no-such-folder: no such file or folder\n"
        assert not list(tmp_path.glob("*/*"))

    def test_every_column_is_explained(self, example):
        assert list(example["COLUMNS"]) == [*HEADS, PROBABILITY]


class TestScoreOtherProgram:
    FILE = "score_other_program.py"

    def test_all_three_of_a_pretended_program(self, told, data, tmp_path):
        text = told(*data, "--split", "test")
        assert text.count("$ deepir score") == 4
        assert text.count("mnocoap") == 8  # and with targets
        assert "hybrid IoU" in text
        points = json.loads((tmp_path / "other-program" / "points.json").read_text("utf-8"))
        boxes = json.loads((tmp_path / "other-program" / "boxes.json").read_text("utf-8"))
        for one, other in zip(points["detections"], boxes["detections"], strict=True):
            assert one["id"] == other["id"]
            found = zip(one["points"], other["boxes"], strict=True)
            assert all(x0 <= x < x1 and y0 <= y < y1 for (x, y, _), (x0, y0, x1, y1) in found)

    def test_points_of_ones_own_count_from_their_first_pixel(self, example, tmp_path):
        file = tmp_path / "a.csv"
        file.write_text(
            "\ufeffid,kind,x,y,score\na,hot,3,4,0.5\nb,hot,1,1,-2\na,hot,9,8,7\n", "utf-8"
        )
        assert example["from_csv"](file, 1.0) == {
            "a": {"points": [[2, 3, 0.5], [8, 7, 7]]},
            "b": {"points": [[0, 0, -2]]},
        }
        file.write_text("id,x,y\na,3,4\n", "utf-8")
        with pytest.raises(SystemExit, match="columns id, x, y, score are wanted"):
            example["from_csv"](file, 0.0)

    def test_boxes_by_the_numbers_of_a_coco_dataset(self, example, told, root, tmp_path):
        coco, samples = tmp_path / "coco", open_dataset("sirst-v2", root=root, split="test")
        write_coco(coco, "test", [samples.read(name) for name in samples.ids])
        dataset = open_dataset("coco", root=coco)
        truth = json.loads((coco / "annotations" / "instances_test.json").read_text("utf-8"))
        file = tmp_path / "results.json"
        file.write_text(
            json.dumps([{**one, "score": 0.9} for one in truth["annotations"]]), "utf-8"
        )
        found = example["from_coco_results"](file, dataset)
        for name in samples.ids:
            assert found[name]["boxes"] == samples.read(name).boxes.tolist()
        text = told("--boxes", file, "--data", "coco", "--root", coco)
        assert text.count("pd ") == 2
        assert "box_ap 0.5              │      1 " in text

    def test_figures_of_masks_are_those_of_the_metrics(self, example, root, tmp_path):
        dataset = open_dataset("sirst-v2", root=root, split="test")
        truth = [dataset.read(name).mask for name in dataset.ids]
        claimed = [np.roll(mask, number % 3, axis=1) for number, mask in enumerate(truth)]
        claimed[-1] = np.zeros_like(claimed[-1])  # no file
        for name, mask in zip(dataset.ids[:-1], claimed, strict=False):
            cv2.imwrite(str(tmp_path / f"{name}.png"), mask.astype(np.uint8) * 255)
        table = example["mask_figures"](dataset, example["open_maps"](tmp_path))
        value = {name: figure for name, figure, _ in table.rows}
        pixel, near = pixel_scores(claimed, truth), pd_fa(claimed, truth)
        wanted = [pixel.iou, pixel.niou, pixel.precision, pixel.recall, pixel.f1]
        wanted += [near.pd, 1e6 * near.fa, hybrid_iou(claimed, truth).hiou]
        np.testing.assert_allclose(list(value.values()), wanted, rtol=1e-12)
        for _, figure, interval in table.rows:
            low, high = map(float, interval.split(" to "))
            assert low <= round(figure, 4) + 1e-3
            assert figure <= high + 1e-3


class TestMaskFolderToCoco:
    FILE = "mask_folder_to_coco.py"

    def test_there_and_back(self, told, tmp_path):
        text = told("--frames", "3", *SMALL)
        assert "laid out as dnanet" in text
        assert "to coco: 6 frames (test 3, train 3)\n  lost: nothing" in text
        assert "lost: boxes become the bounds of the mask's components: 1 (" in text
        same = "3 of 3 frames under their ids; 3 with all levels, 3 with all pixels of the mask"
        assert text.count(same) == 2
        assert len(list((tmp_path / "converted" / "coco" / "images").iterdir())) == 6

    def test_a_folder_of_ones_own(self, told, root, tmp_path):
        mine, out = tmp_path / "mine", tmp_path / "out"
        frames = open_dataset("sirst-v2", root=root, split="val")
        write_mask_folder(mine, "train", map(frames.read, frames.ids), layout="irstd-1k")
        broken = min((mine / "IRSTD1k_Img").iterdir())
        broken.write_bytes(broken.read_bytes()[:-40])
        text = told(mine, "--out", out)
        assert "laid out as irstd-1k" in text
        assert "the first box is a pixel wider" not in text
        assert f"skipped {broken.stem!r}" in text
        assert "train: 3 of 4 frames under their ids; 3 with all levels" in text
        with pytest.raises(SystemExit, match="holds an earlier result"):
            told(mine, "--out", out)


class TestCompareDetectors:
    FILE = "compare_detectors.py"

    def test_two_of_the_catalogue(self, told, data):
        text = told("mpcm", "lcm", *data, "--split", "test")
        assert "8 frames, 16 targets" in text
        assert "mpcm less lcm: " in text
        assert text.count("95 % interval") == 3
        assert "hown: " in text
        assert "Not told by the interval" in text

    def test_the_same_one_twice_is_not_shown_to_differ(self, told, data):
        text = told("lcm", "lcm", *data, "--split", "test")
        assert "lcm less lcm: +0.000" in text
        assert "Not shown: which of the two is better" in text
        assert "frames to show it" not in text

    def test_saved_detections_are_paired_with_a_detector(self, example, told, data, tmp_path):
        dataset = open_dataset("sirst-v2", root=data[-1], split="test")
        entries = [{"id": name, "points": []} for name in dataset.ids]
        file = tmp_path / "none.json"
        file.write_text(json.dumps({"detections": entries}), "utf-8")
        text = told("mpcm", file, *data, "--split", "test")
        assert "Shown: on frames like these mpcm has a higher mNoCoAP" in text
        pair = [example["counted"](name, dataset) for name in (str(file), "mpcm")]
        assert f"{-paired_interval(*pair).difference:+.3f}" in text

    @pytest.mark.parametrize(
        ("gap", "wanted"),
        [
            (
                PairedDifference(0.2, Interval(0.1, 0.3), 0.01),
                "a has a higher mNoCoAP than b, by 0.100",
            ),
            (
                PairedDifference(-0.2, Interval(-0.3, -0.1), 0.01),
                "b has .* than a, by 0.100 to 0.300",
            ),
            (PairedDifference(0.1, Interval(-0.1, 0.3), 0.3), "takes about 400 frames"),
        ],
    )
    def test_what_an_interval_shows(self, example, gap, wanted):
        assert re.search(wanted, example["verdict"]("a", "b", gap, 100))

    def test_frames_that_are_left_out_unpair_them(self, told, tmp_path):
        own = tmp_path / "own"
        write_sirst_v2(own, "test_full", SimulatedFrames(2, seed=4, shape=(40, 40)))
        max((own / "mixed").iterdir()).unlink()
        with pytest.raises(SystemExit, match="lcm: only 1 frames were used"):
            told("lcm", "mpcm", "--data", "sirst-v2", "--root", own)


class TestOwnDetector:
    FILE = "own_detector.py"

    def test_it_chooses_its_thresholds_and_runs_the_verbs(self, told, data, root, tmp_path):
        frame = min((root / "mixed").iterdir())
        text = told(frame, *data, "--test-split", "test", "--false-alarms-per-frame", "0.5")
        assert "highest mNoCoAP on sirst-v2 val; at most 0.5 false objects" in text
        assert 'DETECTOR = MapDetector("difference", difference, peak_floor=' in text
        assert "paste it and run again" in text
        commands = [line.split()[2] for line in text.splitlines() if line.startswith("$ deepir")]
        assert commands == ["eval", "bench", "detect"]
        assert text.count("difference │ default │") == 2  # read-outs of the bench
        assert (tmp_path / "own-detector" / "detections.csv").is_file()
