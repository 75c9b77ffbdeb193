"""Validation gives what the benchmark gives for the same boxes."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.bench import evaluate
from deepir.box_detector import BoxDetector, RawBoxes
from deepir.data import SirstV2
from deepir.training.processes import Processes
from deepir.training.validation import BELIEVED, FLOOR, Validation


def truthful(frames, *, noise=0):
    """Candidates of each frame: its boxes moved by up to ``noise`` px, and one false alarm."""
    known = {sample.image.tobytes(): sample.boxes for sample in frames}

    def read(image):
        boxes = known[image.tobytes()]
        rng = np.random.default_rng(len(boxes))
        moved = boxes + rng.integers(-noise, noise + 1, boxes.shape).astype(np.float32)
        found = np.concatenate([moved, np.array([[1, 1, 4, 4]], np.float32)])
        return found, np.linspace(0.9, 0.3, len(found)).astype(np.float32)

    return read


def nothing(image):
    return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)


def test_true_boxes_are_nearly_perfect(frames):
    scores = Validation(frames).score(truthful(frames), Processes())
    assert scores.recall_cap > 0.95
    assert scores.mnocoap > 0.6
    assert scores.published <= scores.mnocoap


def test_nothing_found_scores_nothing(frames):
    scores = Validation(frames).score(nothing, Processes())
    assert (scores.mnocoap, scores.recall_cap, scores.published) == (0, 0, 0)


@pytest.mark.parametrize(("rule", "field"), [("peak", "mnocoap"), ("published", "published")])
def test_it_is_the_benchmark(frames, root, rule, field):
    candidates = truthful(frames, noise=2)
    found = Validation(frames).score(candidates, Processes())
    detector = BoxDetector(
        "some", lambda image: RawBoxes(*candidates(image)), FLOOR, BELIEVED, read_out=rule
    )
    run = evaluate(detector, SirstV2.open(root, "train_full"))
    wanted = run.scorer.figures(draws=10, seed=0)["mnocoap"]
    assert getattr(found, field) == pytest.approx(wanted, abs=1e-3)


class Share(Processes):
    """One of two processes; the rows of the other one are known already."""

    def __init__(self, rank, others=()):
        super().__init__()
        self.rank, self.count, self.others, self.own = rank, 2, list(others), []

    def gather(self, found):
        self.own = found
        return [*found, *self.others]


def test_processes_share_the_frames(frames):
    candidates = truthful(frames, noise=1)
    whole = Validation(frames).score(candidates, Processes())
    second = Share(1)
    with pytest.raises(ValueError, match="longer than"):  # it has half of the frames
        Validation(frames).score(candidates, second)
    first = Share(0, second.own)
    assert Validation(frames).score(candidates, first) == whole
    assert [len(first.own), len(second.own)] == [3, 3]
