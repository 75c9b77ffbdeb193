"""Saved maps score as the run that saved them; maps of other programs by their full scale."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from deepir import bench
from deepir.catalogue import load_detector
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.metrics import pixel_scores
from deepir.outcomes import Outcomes
from deepir.readout import clutter_ratio, map_published, robust_z, unit_range
from deepir.results import result_json
from deepir.saved_maps import Archives, open_maps, score_maps
from deepir.saved_maps.record import RECORD
from deepir.structures import Sample

READ_OUTS = ("peak", "published")
SAVED = pytest.mark.parametrize("read_out", READ_OUTS)
SAME = ("metrics", "absent", "diagnostics", "read_out", "floor", "operating_threshold", "top_k")


def figures(done):
    result = result_json(done, details=True)
    return {name: result[name] for name in SAME}


@pytest.fixture
def saved(tmp_path, dataset):
    """Save the maps of a detector; returns the run and the folder."""

    def call(detector, *, form="npy"):
        archive = Archives(tmp_path, form=form).of(detector)
        return bench.evaluate(detector, dataset, archive=archive), archive.folder.path

    return call


class TestOwn:
    @SAVED
    @pytest.mark.parametrize("name", ["mpcm", "lcm", "max_mean"])
    @pytest.mark.parametrize("mode", ["default", "reference"])
    def test_npy_gives_the_same_figures(self, saved, dataset, name, mode, read_out):
        first, folder = saved(load_detector(name, mode=mode, read_out=read_out))
        again = score_maps(open_maps(folder, read_out=read_out), dataset)
        assert figures(again) == figures(first)
        assert (again.name, again.detector.mode) == (name, mode)
        assert again.maps == {
            "scale": "detector",
            "format": "npy",
            "reused": len(dataset),
            "replaced": 0,
        }

    @SAVED
    def test_one_set_of_maps_serves_both_read_outs(self, saved, dataset, detector, read_out):
        _, folder = saved(replace(detector, read_out="peak"))
        wanted = bench.evaluate(replace(detector, read_out=read_out), dataset)
        found = score_maps(open_maps(folder, read_out=read_out), dataset)
        assert figures(found)["metrics"] == figures(wanted)["metrics"]

    @SAVED
    @pytest.mark.parametrize("name", ["mpcm", "lcm", "top_hat"])
    def test_png_gives_them_to_a_thousandth(self, saved, dataset, name, read_out):
        first, folder = saved(load_detector(name, read_out=read_out), form="png")
        found, wanted = (
            figures(one)["metrics"]
            for one in (score_maps(open_maps(folder, read_out=read_out), dataset), first)
        )
        for key in ("mnocoap", "mlocap", "recall_cap", "pd", "false_objects_per_frame"):
            assert found[key] == pytest.approx(wanted[key], abs=1e-3)
        for part in ("pixel", "target", "hybrid"):
            for key, value in wanted[part].items():
                assert found[part][key] == pytest.approx(value, abs=1e-3)

    def test_a_threshold_moves_pd_alone(self, saved, dataset, detector):
        first, folder = saved(detector)
        strict = score_maps(open_maps(folder, threshold=1e9), dataset)
        assert strict.scorer.figures()["pd"] == 0.0 < first.scorer.figures()["pd"]
        assert strict.scorer.figures()["mnocoap"] == first.scorer.figures()["mnocoap"]

    def test_candidates_are_as_many_as_the_run_took(self, saved, dataset, detector):
        first, folder = saved(replace(detector, top_k=1))
        assert figures(score_maps(open_maps(folder), dataset)) == figures(first)

    def test_holes_stay_below_everything(self, saved, dataset, detector):
        sample = dataset.read("Misc_0")
        image = sample.image.astype(np.float32)
        image[5:9, 5:9] = np.nan
        dataset.samples["Misc_0"] = replace(sample, image=image)
        first, folder = saved(detector)
        assert figures(score_maps(open_maps(folder), dataset)) == figures(first)

    def test_a_scale_of_its_own_is_the_catalogues_or_refused(self, saved, dataset, detector):
        own = replace(detector, scale=lambda values: values * 2)
        _, folder = saved(own)
        with pytest.raises(DeepirError, match=r"scale of its own.*no detector of that name"):
            open_maps(folder)
        path = folder / RECORD
        record = json.loads(path.read_text("utf-8"))
        record["made_by"]["detector"] = "lcm"
        path.write_text(json.dumps(record), "utf-8")
        assert open_maps(folder).detector.scale is clutter_ratio
        record["made_by"]["deepir"] = "0.0.9"
        path.write_text(json.dumps(record), "utf-8")
        with pytest.raises(DeepirError, match=r"of deepir 0\.0\.9"):
            open_maps(folder)

    def test_a_record_leaves_no_choice_of_scale(self, saved, detector):
        _, folder = saved(detector)
        with pytest.raises(UsageError, match="leave --map-scale out"):
            open_maps(folder, scale="frame")

    def test_a_map_of_another_image_is_skipped_and_named(self, saved, dataset, detector):
        _, folder = saved(detector)
        sample = dataset.read("Misc_1")
        dataset.samples["Misc_1"] = replace(sample, image=sample.image + 1)
        done = score_maps(open_maps(folder), dataset)
        assert [(one.id, "another image" in one.reason) for one in done.skipped] == [
            ("Misc_1", True)
        ]

    @pytest.mark.parametrize("suffix", ["", ".json"])
    def test_a_map_that_changed_is_skipped_and_named(self, saved, dataset, detector, suffix):
        _, folder = saved(detector)
        path = folder / f"Misc_1.npy{suffix}"
        path.write_bytes(path.read_bytes()[:-9])
        (skipped,) = score_maps(open_maps(folder), dataset).skipped
        assert skipped.id == "Misc_1"
        assert "Misc_1.npy" in skipped.reason

    def test_odd_ids_find_their_maps(self, tmp_path, dataset, detector):
        sample = dataset.read("Misc_0")
        odd = replace(dataset, samples={"../up #1": replace(sample, id="../up #1")})
        archive = Archives(tmp_path).of(detector)
        first = bench.evaluate(detector, odd, archive=archive)
        assert figures(score_maps(open_maps(archive.folder.path), odd)) == figures(first)


class TestForeign:
    @pytest.fixture
    def write(self, tmp_path, dataset):
        """Write what a function makes of each sample, with a suffix or as an array."""

        def call(make, suffix=".npy", ids=None):
            folder = tmp_path / "theirs"
            folder.mkdir(exist_ok=True)
            for name in ids or dataset.ids:
                path, values = folder / f"{name}{suffix}", make(dataset.read(name))
                if suffix == ".npy":
                    np.save(path, values)
                else:
                    cv2.imwrite(str(path), values)
            return folder

        return call

    @pytest.mark.parametrize(
        ("make", "suffix"),
        [
            (lambda sample: sample.mask, ".npy"),
            (lambda sample: sample.mask.astype(np.float32), ".npy"),
            (lambda sample: sample.mask * np.uint8(255), ".npy"),
            (lambda sample: sample.mask * np.uint8(255), ".png"),
            (lambda sample: sample.mask * np.uint16(65535), ".png"),
            (lambda sample: sample.mask * np.uint8(128), ".png"),
        ],
        ids=["bool", "float", "uint8", "png", "png16", "dim"],
    )
    @SAVED
    def test_true_masks_find_every_target(self, write, dataset, make, suffix, read_out):
        done = score_maps(open_maps(write(make, suffix), read_out=read_out), dataset)
        metrics = result_json(done)["metrics"]
        assert (metrics["pd"], metrics["false_objects_per_frame"]) == (1.0, 0.0)
        assert metrics["pixel"]["iou"] == metrics["pixel"]["auc"] == 1.0
        if read_out == "peak":
            assert metrics["mnocoap"] > 0.9

    def test_half_of_full_scale_is_not_exceeded(self, write, dataset):
        folder = write(lambda sample: np.where(sample.mask, 0.5, 0.0))
        maps = open_maps(folder)
        assert score_maps(maps, dataset).scorer.figures()["pd"] == 0.0
        assert maps.highest == maps.detector.cut == 0.5
        lower = score_maps(open_maps(folder, threshold=0.4), dataset)
        assert lower.scorer.figures()["pd"] == 1.0

    def test_the_published_rule_is_that_of_the_table(self, write, dataset):
        def blurred(sample):
            return cv2.GaussianBlur(sample.mask.astype(np.float64), (5, 5), 1.0)

        folder = write(blurred)
        outcomes = Outcomes(0.5)
        done = score_maps(open_maps(folder, read_out="published"), dataset, outcomes=outcomes)
        points = [row[2:5] for row in outcomes.rows if row[1] == "false"]
        wanted = [map_published(blurred(dataset.read(name))) for name in dataset.ids]
        assert sum(map(len, wanted)) == len(done.scorer.curve.columns()[0])
        assert len(points) == done.scorer.curve.at(0.5).false_objects.sum()

    def test_pixel_scores_are_those_of_the_masks(self, write, dataset):
        rng = np.random.default_rng(0)
        masks = {name: rng.random(dataset.read(name).image.shape) > 0.98 for name in dataset.ids}
        folder = write(lambda sample: masks[sample.id])
        done = score_maps(open_maps(folder), dataset)
        truth = [dataset.read(name).mask for name in dataset.ids]
        wanted = pixel_scores(list(masks.values()), truth)
        assert done.scorer.figures()["pixel"]["iou"] == wanted.iou

    def test_raw_saliency_wants_a_scale(self, write, dataset, detector):
        folder = write(lambda sample: detector.saliency(sample.image))
        with pytest.raises(DeepirError, match=r"beyond the full scale 0 to 1.*--map-scale frame"):
            score_maps(open_maps(folder), dataset)
        published = replace(detector, read_out="published")
        wanted = bench.evaluate(published, dataset)
        found = score_maps(open_maps(folder, read_out="published", scale="frame"), dataset)
        assert figures(found)["metrics"] == figures(wanted)["metrics"]

    @pytest.mark.parametrize(
        ("scale", "made", "cut"), [("robust", robust_z, 6.0), ("clutter", clutter_ratio, 0.9)]
    )
    def test_scores_are_cut_where_it_is_asked_to(self, write, dataset, detector, scale, made, cut):
        folder = write(lambda sample: detector.saliency(sample.image))
        with pytest.raises(UsageError, match="--threshold names"):
            open_maps(folder, scale=scale)
        one = replace(detector, peak_floor=cut, peak_operating=cut, scale=made)
        wanted = bench.evaluate(one, dataset)
        found = score_maps(open_maps(folder, scale=scale, threshold=cut), dataset)
        assert figures(found)["metrics"] == figures(wanted)["metrics"]

    def test_masks_of_0_and_1_are_found_by_their_own_extremes(self, write, dataset):
        folder = write(lambda sample: sample.mask.astype(np.uint8), ".png")
        maps = open_maps(folder)
        assert score_maps(maps, dataset).scorer.figures()["pd"] == 0.0
        assert maps.highest == 1 / 255
        own = score_maps(open_maps(folder, scale="frame"), dataset)
        assert own.scorer.figures()["pd"] == 1.0
        assert np.array_equal(unit_range([[0, 1]]), [[0.0, 1.0]])

    @pytest.mark.parametrize(
        ("values", "word"),
        [
            (lambda image: np.zeros(image.shape, np.int64), "full scale of int64"),
            (lambda image: np.full(image.shape, -0.1), "holds -0.1"),
            (lambda image: np.zeros(image.T.shape), "its frame"),
            (
                lambda image: np.where(np.eye(*image.shape) > 0, np.nan, 0.1),
                "holds nan at x 0, y 0",
            ),
            (lambda image: np.full(image.shape, np.inf), "holds inf"),
        ],
        ids=["kind", "negative", "shape", "nan", "infinite"],
    )
    def test_a_bad_map_is_skipped_and_named(self, write, dataset, values, word):
        write(lambda sample: sample.mask)
        folder = write(lambda sample: values(sample.image), ids=["Misc_1"])
        done = score_maps(open_maps(folder), dataset)
        ((name, reason),) = [(one.id, one.reason) for one in done.skipped]
        assert name == "Misc_1"
        assert word in reason
        assert "Misc_1.npy" in reason
        assert "\n" not in reason
        assert done.scorer.frames == len(dataset) - 1

    def test_nan_is_legal_where_the_frame_has_none_either(self, write, dataset):
        sample = dataset.read("Misc_0")
        image = sample.image.astype(np.float32)
        image[:2] = np.nan
        dataset.samples["Misc_0"] = replace(sample, image=image)
        folder = write(lambda one: np.where(np.isnan(one.image.astype(float)), np.nan, one.mask))
        assert score_maps(open_maps(folder), dataset).skipped == []

    def test_missing_maps_are_refused_by_name(self, write, dataset):
        folder = write(lambda sample: sample.mask, ids=dataset.ids[1:])
        with pytest.raises(DeepirError, match=r"no map of 1 of the 6 .*'Misc_0'; --allow-missing"):
            score_maps(open_maps(folder), dataset)
        done = score_maps(open_maps(folder), dataset, allow_missing=True)
        assert (done.missing, done.scorer.frames, done.partial) == (1, len(dataset), False)
        assert 0 < done.scorer.figures()["pd"] < 1
        assert done.scorer.figures()["pixel"]["iou"] < 1

    def test_maps_of_another_split_are_left_out_and_counted(self, write, dataset):
        folder = write(lambda sample: sample.mask)
        (folder / "Misc_0.npy").rename(folder / "known_elsewhere.npy")
        done = score_maps(open_maps(folder), dataset, allow_missing=True)
        assert (done.missing, done.ignored) == (1, 1)

    def test_maps_of_unknown_frames_are_refused(self, write, dataset):
        folder = write(lambda sample: sample.mask)
        np.save(folder / "stranger.npy", np.zeros((3, 3)))
        with pytest.raises(DeepirError, match="'stranger'; ids there look like 'Misc_0'"):
            score_maps(open_maps(folder), dataset)

    def test_nothing_but_other_maps_is_refused_even_if_some_may_miss(
        self, write, dataset, tmp_path
    ):
        folder = tmp_path / "few"
        folder.mkdir()
        np.save(folder / "known_one.npy", np.zeros((3, 3)))
        with pytest.raises(DeepirError, match="no map of 6 of the 6"):
            score_maps(open_maps(folder), dataset, allow_missing=True)

    def test_two_maps_for_one_id_are_named(self, write, dataset):
        folder = write(lambda sample: sample.mask)
        write(lambda sample: sample.mask * np.uint8(255), ".png", ids=["Misc_1"])
        (skipped,) = score_maps(open_maps(folder), dataset).skipped
        assert "'Misc_1.npy' and 'Misc_1.png'" in skipped.reason

    def test_no_map_is_a_bad_frame(self, write, dataset):
        folder = write(lambda sample: sample.mask)
        sample = replace(dataset.read(dataset.ids[0]), id="another")
        with pytest.raises(FrameError, match="no map of 'another' in "):
            open_maps(folder).response(sample)

    def test_a_frame_of_one_pixel(self, tmp_path, dataset):
        one = replace(dataset, samples={"a": Sample(np.array([[3]], np.uint8), [], id="a")})
        np.save(tmp_path / "a.npy", np.array([[0.7]]))
        assert score_maps(open_maps(tmp_path), one).scorer.frames == 1


def test_folders_without_maps_say_so(tmp_path):
    with pytest.raises(DeepirError, match="no maps in"):
        open_maps(tmp_path)


def test_a_folder_of_folders_names_them(saved, detector, tmp_path):
    saved(detector)
    with pytest.raises(DeepirError, match="holds the maps of counting: name one of them"):
        open_maps(tmp_path)
