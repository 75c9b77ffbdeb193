"""Our own cascade: what its maps should show, what errors cost, and how maps become boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks are PyTorch modules")

from opinionated import opinionated  # noqa: E402

from deepir.models.cascade.decode import CANDIDATES, decode  # noqa: E402
from deepir.models.cascade.losses import (  # noqa: E402
    cascade_losses,
    cascade_normalisers,
    heat_loss,
    sides_loss,
)
from deepir.models.cascade.maps import Raw, doubled, packed, unpacked  # noqa: E402
from deepir.models.cascade.scene import Scene, ranked  # noqa: E402
from deepir.models.cascade.targets import BOX_LEVEL, LEAST_SPREAD, SPREAD, make_targets  # noqa: E402

HEIGHT, WIDTH = 30, 44
BOXES = torch.tensor([[5.0, 6, 8, 8], [20, 10, 37, 15], [21, 22, 23, 24]])


def raw_maps(seed=0, rows=8, columns=11, *, factor=1.0, start=0.0):
    """Maps of a frame of 4 rows x 4 columns px, all numbers different."""
    noise = torch.Generator().manual_seed(seed)

    def drawn(*shape):
        return torch.randn(1, *shape, generator=noise)

    fine, sides = drawn(1, 2 * rows, 2 * columns), drawn(4, 2 * rows, 2 * columns)
    return Raw(fine, sides, drawn(1, rows, columns), torch.tensor([factor]), torch.tensor(start))


def plain_heat(box, row, column, stride):
    """The bump of one box at one cell."""
    x0, y0, x1, y1 = box
    centre = math.floor((x0 + x1) / 2 / stride), math.floor((y0 + y1) / 2 / stride)
    spread = [max(SPREAD * side / stride, LEAST_SPREAD) for side in (x1 - x0, y1 - y0)]
    u, v = (column - centre[0]) / spread[0], (row - centre[1]) / spread[1]
    return math.exp(-0.5 * (u * u + v * v))


class TestTargets:
    def test_maps_are_those_of_a_plain_computation(self):
        found = make_targets([BOXES, BOXES[:0]], HEIGHT, WIDTH)
        assert found.fine.shape == (2, 1, 16, 22)
        assert found.coarse.shape == (2, 1, 8, 11)
        boxes = BOXES.tolist()
        for stride, heat in ((2, found.fine), (4, found.coarse)):
            for row, column in np.ndindex(*heat.shape[2:]):
                wanted = max(plain_heat(box, row, column, stride) for box in boxes)
                assert float(heat[0, 0, row, column]) == pytest.approx(wanted, abs=1e-6)
        for row, column in np.ndindex(16, 22):
            bumps = [plain_heat(box, row, column, 2) for box in boxes]
            weight = float(found.weight[0, 0, row, column])
            assert weight == pytest.approx(max(bumps) if max(bumps) > BOX_LEVEL else 0, abs=1e-6)
            if weight:
                x, y = 2 * column + 1, 2 * row + 1  # centre of the cell in pixels
                x0, y0, x1, y1 = boxes[bumps.index(max(bumps))]
                wanted = np.array([x - x0, y - y0, x1 - x, y1 - y]) / 2
                np.testing.assert_allclose(found.sides[0, :, row, column], wanted, atol=1e-5)

    def test_each_target_has_one_place_that_is_it(self):
        found = make_targets([BOXES], HEIGHT, WIDTH)
        assert int((found.fine == 1).sum()) == int((found.coarse == 1).sum()) == len(BOXES)
        assert found.fine[0, 0, 3, 3] == found.fine[0, 0, 6, 14] == found.fine[0, 0, 11, 11] == 1

    def test_no_target_gives_empty_maps(self):
        found = make_targets([BOXES[:0]], HEIGHT, WIDTH)
        assert not found.fine.any()
        assert not found.coarse.any()
        assert not found.weight.any()

    def test_a_target_at_the_border_stays_on_the_grid(self):
        found = make_targets([torch.tensor([[42.0, 28, 44, 30]])], HEIGHT, WIDTH)
        assert found.fine[0, 0, 14, 21] == found.coarse[0, 0, 7, 10] == 1


class TestLosses:
    def test_heat_loss_is_its_formula(self):
        logits = torch.linspace(-4, 4, 9)
        heat = torch.tensor([0, 0.2, 1, 0.9, 0, 1, 0.5, 0, 0.99])
        score = torch.sigmoid(logits).double().numpy()
        at, away = np.asarray(heat) == 1, (1 - heat.double().numpy()) ** 4
        wanted = -((1 - score) ** 2 * np.log(score))[at].sum()
        wanted -= (away * score**2 * np.log(1 - score))[~at].sum()
        assert float(heat_loss(logits, heat)) == pytest.approx(wanted, rel=1e-5)

    def test_extreme_logits_stay_finite(self):
        logits = torch.tensor([-1e4, 1e4], requires_grad=True)
        loss = heat_loss(logits, torch.tensor([1.0, 0.0]))
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(logits.grad).all()

    def test_sides_that_are_right_cost_nothing_and_others_by_their_overlap(self):
        sides = torch.tensor([1.0, 2, 3, 1])[None, :, None, None]
        weight = torch.full((1, 1, 1, 1), 0.5)
        assert float(sides_loss(sides.log(), sides, weight)) == pytest.approx(0, abs=1e-6)
        other = torch.tensor([2.0, 2, 2, 1])[None, :, None, None]  # 4x3, one cell to the left
        overlap, distance, diagonal = 9 / (12 + 12 - 9), 1.0, 5**2 + 3**2
        wanted = 0.5 * (1 - overlap + distance / diagonal)
        assert float(sides_loss(other.log(), sides, weight)) == pytest.approx(wanted, rel=1e-5)

    def test_a_batch_without_targets_has_finite_losses(self):
        targets = make_targets([BOXES[:0]], 32, 44)
        normalisers = cascade_normalisers(targets)
        assert {name: float(value) for name, value in normalisers.items()} == {
            "targets": 0.0,
            "box_weight": 0.0,
        }
        losses = cascade_losses(raw_maps(), targets, normalisers)
        assert set(losses) == {"fine", "coarse", "box"}
        assert all(torch.isfinite(loss) for loss in losses.values())
        assert losses["box"] == 0

    def test_perfect_maps_cost_next_to_nothing(self):
        targets = make_targets([BOXES], 32, 44)
        fine, coarse = ((heat == 1).float() * 40 - 20 for heat in (targets.fine, targets.coarse))
        sides = targets.sides.clamp(min=1e-3).log()
        raw = Raw(fine, sides, coarse, torch.ones(1), torch.tensor(0.0))
        losses = cascade_losses(raw, targets, cascade_normalisers(targets))
        assert float(losses["fine"] + losses["coarse"]) < 1e-6
        assert float(losses["box"]) < 0.01


def test_packing_can_be_undone():
    raw = raw_maps()
    for given, wanted in zip(unpacked(packed(raw)), raw, strict=True):
        torch.testing.assert_close(given, wanted, rtol=0, atol=0)


def test_doubling_repeats_every_cell_and_cuts_to_size():
    cells = torch.arange(6.0).reshape(1, 1, 2, 3)
    like = torch.zeros(1, 1, 3, 6)
    assert doubled(cells, like)[0, 0].tolist() == [
        [0, 0, 1, 1, 2, 2],
        [0, 0, 1, 1, 2, 2],
        [3, 3, 4, 4, 5, 5],
    ]


def plain_boxes(raw, height, width):
    """Boxes and scores by loops: maxima of 5x5 cells, fine x coarse."""
    fine = torch.sigmoid(raw.fine[0, 0]).double().numpy()
    coarse = torch.sigmoid(raw.coarse[0, 0]).double().numpy()
    sides = raw.sides[0].double().exp().numpy()
    scores = fine * coarse.repeat(2, axis=0).repeat(2, axis=1)
    found = []
    for row, column in np.ndindex(*scores.shape):
        around = scores[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        if scores[row, column] == around.max():
            left, top, right, bottom = sides[:, row, column]
            x, y = column + 0.5, row + 0.5
            box = np.array([x - left, y - top, x + right, y + bottom]) * 2
            found.append((scores[row, column], box.clip(0, [width, height, width, height])))
    return sorted(found, key=lambda one: -one[0])


class TestDecoding:
    def test_boxes_are_those_of_a_plain_computation(self):
        raw = raw_maps(3)
        boxes, scores = decode(raw, 32, 44)
        wanted = plain_boxes(raw, 32, 44)
        assert len(scores) == CANDIDATES
        assert len(wanted) < CANDIDATES
        np.testing.assert_allclose(scores[: len(wanted)], [one[0] for one in wanted], rtol=1e-5)
        assert not scores[len(wanted) :].any()
        for given, (_, box) in zip(boxes.numpy(), wanted, strict=False):
            np.testing.assert_allclose(given, box, rtol=1e-4, atol=1e-4)

    def test_the_scene_keeps_the_order_and_what_is_below_the_start(self):
        plain_scores = decode(raw_maps(3), 32, 44)[1]
        boxes, scores = decode(raw_maps(3, factor=0.3, start=0.25), 32, 44)
        torch.testing.assert_close(boxes, decode(raw_maps(3), 32, 44)[0])
        torch.testing.assert_close(
            scores, ranked(plain_scores, torch.tensor(0.3), torch.tensor(0.25))
        )
        below = plain_scores <= 0.25
        assert below.any()
        assert (~below).any()
        assert (scores[below] == plain_scores[below]).all()
        assert (scores[~below] < plain_scores[~below]).all()
        assert (scores.diff() <= 0).all()

    def test_fewer_cells_than_candidates(self):
        assert decode(raw_maps(rows=2, columns=3), 8, 12)[0].shape == (24, 4)


class TestScene:
    def test_a_new_one_changes_nothing(self):
        features = [torch.randn(2, 3, 4, 5), torch.randn(2, 4, 2, 3)]
        assert Scene([3, 4])(features).tolist() == [1.0, 1.0]

    def test_the_factor_is_its_formula(self):
        scene = Scene([2])
        scene.weight = torch.tensor([0.3, -0.2, 1.0, 0.5])
        scene.bias, scene.floor = torch.tensor(0.1), torch.tensor(0.4)
        feature = torch.randn(3, 2, 6, 7)
        values = feature.double().numpy()
        summary = np.concatenate([values.mean(axis=(2, 3)), values.std(axis=(2, 3))], axis=1)
        odds = 1 / (1 + np.exp(-(summary @ scene.weight.double().numpy() + 0.1)))
        np.testing.assert_allclose(scene([feature]), 0.4 + 0.6 * odds, rtol=1e-5)


@pytest.mark.parametrize("shape", [(32, 32), (33, 50), (47, 35)])
@torch.no_grad()
def test_maps_have_two_and_four_pixels_a_cell_for_any_frame(shape):
    height, width = shape
    rows, columns = -(-height // 4), -(-width // 4)
    raw = opinionated().eval()(torch.randn(1, 2, height, width))
    assert raw.fine.shape == (1, 1, 2 * rows, 2 * columns)
    assert raw.sides.shape == (1, 4, 2 * rows, 2 * columns)
    assert raw.coarse.shape == (1, 1, rows, columns)
    boxes, scores = decode(raw, height, width)
    assert boxes.min() >= 0
    assert (boxes.max(dim=0).values <= torch.tensor([width, height, width, height])).all()
    assert ((scores >= 0) & (scores <= 1)).all()
