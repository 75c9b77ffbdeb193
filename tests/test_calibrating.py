"""Thresholds keep their budgets, the scene has no say in them, and a final takes its twin's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from listed import two_sources

torch = pytest.importorskip("torch", reason="networks are PyTorch modules")
pytest.importorskip("safetensors", reason="weights are safetensors files")

from opinionated import opinionated  # noqa: E402

from deepir import bench  # noqa: E402
from deepir.box_detector import BoxDetector  # noqa: E402
from deepir.calibrating import (  # noqa: E402
    CLUTTER_WEIGHT,
    calibrate,
    check_unseen,
    learnt_split,
    like_twin,
    measured,
    set_scene,
    write_calibrated,
)
from deepir.calibration import Calibration  # noqa: E402
from deepir.card import Card, read_card  # noqa: E402
from deepir.clutter_level import RANK, order_level  # noqa: E402
from deepir.errors import DeepirError, UsageError  # noqa: E402
from deepir.metrics.target import PointCurve  # noqa: E402
from deepir.models.running import TorchNetwork, chosen_card  # noqa: E402
from deepir.models.trained import Trained  # noqa: E402
from deepir.models.weight_files import read_weight_file  # noqa: E402

DATA = two_sources(4)
NOTES = {"trained_on": "listed others, 9 frames", "seed": "7"}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(notes=NOTES, **options):
    return Trained("oscar_nano", opinionated(**{"seed": 1, **options}), dict(notes))


def detector_of(trained, found, **options):
    network = TorchNetwork(found.card, trained.network)
    low, high = found.card.candidate_threshold, found.card.operating_threshold
    options = {"calibration": found.calibration, "clutter": found.card.clutter, **options}
    return BoxDetector("oscar_nano", network, low, high, **options)


@pytest.fixture(scope="module")
def trained():
    return weights()


@pytest.fixture(scope="module")
def found(trained):
    """Calibration of `trained`, whose scene is set by it."""
    return calibrate(trained, DATA, budget=2.0, scene_floor=0.2)


def test_the_operating_threshold_keeps_to_its_budget(trained, found):
    for scene in ("on", "off"):
        scorer = bench.evaluate(detector_of(trained, found, scene=scene), DATA).scorer
        points = scorer.curve.at(found.card.operating_threshold)
        assert points.false_objects_per_frame == found.false_objects_per_frame <= 2.0
        assert points.pd == found.pd
        assert 100 * found.card.operating_threshold % 1 >= 0


def test_the_scene_reorders_what_is_believed_and_decides_nothing(trained, found):
    on, off = (
        bench.evaluate(detector_of(trained, found, scene=scene), DATA).scorer
        for scene in ("on", "off")
    )
    start = found.card.operating_threshold
    scores = [one.curve.columns()[0] for one in (on, off)]
    assert ((scores[0] >= start) == (scores[1] >= start)).all()
    assert (scores[0] != scores[1]).any()
    assert (scores[0] <= scores[1] + 1e-6).all()
    np.testing.assert_allclose(on.local.columns()[0], scores[1], atol=1e-5)


def test_stored_budgets_are_kept_on_the_frames_that_they_were_measured_on(trained, found):
    for budget, threshold in found.calibration.thresholds:
        options = {"scene": "off", "threshold": threshold}
        run = bench.evaluate(detector_of(trained, found, **options), DATA)
        points = run.scorer.curve.at(threshold)
        assert points.false_objects_per_frame <= budget
    assert [budget for budget, _ in found.calibration.thresholds] == [0.2, 0.5, 1.0, 2.0]


def test_every_candidate_stands_in_the_reliability(trained, found):
    scorer = bench.evaluate(detector_of(trained, found), DATA).scorer
    bins = found.calibration.reliability
    assert sum(part.count for part in bins) == len(scorer.curve.columns()[0])
    hits = sum(part.count * part.hit_rate for part in bins)
    assert hits == pytest.approx(scorer.curve.columns()[1].sum())
    assert found.calibration.frames == len(DATA)
    assert found.calibration.data == "listed some"


def test_the_network_itself_gets_the_scene(trained, found):
    assert float(trained.network.scene.floor) == pytest.approx(0.2)
    assert found.card.scene_start == float(trained.network.scene.start)
    assert 0 <= found.card.scene_start - found.card.operating_threshold < 1e-7


def test_the_median_clutter_of_the_split_is_the_typical_one(trained, found):
    detector = detector_of(trained, found, scene="off", clutter=None)
    levels = []
    for sample in map(DATA.read, DATA.ids):
        raw = detector.respond(sample.image).raw
        levels.append(order_level(raw.scores, RANK, least=detector.floor))
    clutter = found.card.clutter
    assert (clutter.rank, clutter.weight) == (RANK, CLUTTER_WEIGHT)
    assert clutter.typical == pytest.approx(np.median(levels), rel=1e-4)


def test_a_weight_of_zero_leaves_the_clutter_out():
    found = calibrate(weights(), DATA, budget=2.0, clutter_weight=0.0)
    assert found.card.clutter is None


def test_a_floor_of_one_switches_the_scene_off():
    trained = weights()
    found = calibrate(trained, DATA, scene_floor=1.0)
    assert found.card.scene_start is None
    assert found.calibration.odds == found.calibration.local


def test_a_scene_that_was_never_fitted_stays_off():
    trained = weights()
    trained.network.scene.weight.zero_()
    found = calibrate(trained, DATA, scene_floor=0.1)
    assert float(trained.network.scene.floor) == 1.0
    assert found.card.scene_start is None


@pytest.mark.parametrize("start", np.random.default_rng(0).uniform(0, 1, 20).round(4))
def test_the_scene_never_starts_below_the_threshold(start):
    network = opinionated()
    set_scene(network, floor=0.5, start=start)
    assert float(network.scene.start) >= start
    set_scene(torch.nn.Identity(), floor=0.5, start=start)  # no cascade, no scene


def test_the_card_travels_with_the_weights(trained, found, tmp_path):
    path = tmp_path / "calibrated.safetensors"
    write_calibrated(path, trained, found.card, found.calibration)
    tensors, notes = read_weight_file(path)
    assert notes["seed"] == "7"
    assert notes["trained_on"] == NOTES["trained_on"]
    assert notes["calibrated_on"] == "listed some"
    assert read_card({**notes, "deepir": "1"}, "file") == found.card
    assert Calibration.from_json(chosen_card("x", notes, "file").calibration) == found.calibration
    assert float(tensors["scene.start"]) == found.card.scene_start


def test_unusable_frames_are_named():
    damaged = replace(DATA, samples={**DATA.samples, "TH_1": None})
    found = calibrate(weights(), damaged)
    assert [one.id for one in found.skipped] == ["TH_1"]
    assert found.calibration.frames == len(DATA)


@pytest.fixture(scope="module")
def twin(trained, found):
    notes = {**trained.notes, **found.card.properties(), "trained_on": "v2 train, 5 frames"}
    return Trained("oscar_nano", trained.network, notes)


class TestLikeTwin:
    def test_everything_is_the_twins_and_the_file_says_so(self, twin, found, tmp_path):
        final = weights({"trained_on": "v2 trainval, 9 frames"}, seed=5)
        card, calibration = like_twin(final, twin)
        assert (card.candidate_threshold, card.operating_threshold, card.scene_start) == (
            *(found.card.candidate_threshold, found.card.operating_threshold),
            found.card.scene_start,
        )
        assert float(final.network.scene.floor) == pytest.approx(0.2)
        assert float(final.network.scene.start) == float(twin.network.scene.start)
        said = "listed some, by the twin trained on v2 train, 5 frames"
        assert calibration == replace(found.calibration, data=said)
        write_calibrated(tmp_path / "f.safetensors", final, card, calibration)
        notes = read_weight_file(tmp_path / "f.safetensors")[1]
        assert notes["calibrated_on"] == said
        assert notes["trained_on"] == "v2 trainval, 9 frames"

    def test_a_twin_of_another_network_is_refused(self, twin):
        with pytest.raises(
            UsageError, match=r"a twin of 'oscar_small' is wanted, got .*'oscar_nano'"
        ):
            like_twin(replace_name(weights(), "oscar_small"), twin)

    @pytest.mark.parametrize("notes", [{}, Card("oscar_nano", 0.1, 0.2).properties()])
    def test_a_twin_that_was_not_calibrated_is_refused(self, notes):
        with pytest.raises(UsageError, match="listed others, 9 frames, is not calibrated"):
            like_twin(weights(), weights({**NOTES, **notes}))


def replace_name(trained, name):
    return trained._replace(name=name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scene_floor": 0.0}, r"in \(0, 1\], got 0"),
        ({"clutter_weight": -0.1}, "got -0.1"),
        ({"clutter_weight": 1.5}, "got 1.5"),
        ({"clutter_weight": float("nan")}, "got nan"),
        ({"scene_floor": 1.5}, "got 1.5"),
        ({"scene_floor": float("nan")}, "got nan"),
        ({"budget": 0.0}, "above 0, got 0"),
        ({"budget": float("nan")}, "got nan"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        calibrate(weights(), DATA, **options)


def test_the_split_of_training_is_refused():
    trained = weights({"trained_on": "listed some, 8 frames"})
    with pytest.raises(UsageError, match=r"were trained on listed some, 8 frames: .*--like"):
        calibrate(trained, DATA)


def test_the_file_says_what_was_learnt():
    assert learnt_split(weights({"trained_on": "own a, b, 8 frames"})) == ("own", "a, b")
    assert learnt_split(weights({})) is None


def test_frames_that_were_learnt_are_refused_by_their_ids():
    trained = weights({"trained_on": "listed all, 8 frames"})
    check_unseen(trained, DATA, ["another"])
    with pytest.raises(UsageError, match=r"on listed all, 8 frames, 2 of the \d+ frames of 'some'"):
        check_unseen(trained, DATA, ["another", *DATA.ids[:2]])


def test_a_network_that_finds_nothing_right_is_refused():
    empty = {name: DATA.read(name) for name in DATA.ids if name.startswith("iraytek")}
    with pytest.raises(DeepirError, match="needs both hits and false alarms, got 0 hits"):
        calibrate(weights(), replace(DATA, samples=empty))


def test_a_network_that_finds_nothing_is_refused():
    silent = weights()
    torch.nn.init.constant_(silent.network.outputs.bias, -30.0)
    with pytest.raises(DeepirError, match=r"no threshold keeps to 1 false alarms .*: 0 candidates"):
        calibrate(silent, DATA)


def test_budgets_below_one_false_object_in_all_frames_are_left_out():
    curve = PointCurve()
    assert_refused = pytest.raises(DeepirError, match="nothing: calibration needs both")
    with assert_refused:
        measured(curve, curve, data="nothing")
