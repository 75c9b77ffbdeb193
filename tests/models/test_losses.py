"""Losses are their formulas, and parts of a batch add up to it."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deepir.models.losses import diou_loss, normalised, quality_focal_loss, sigmoid_focal_loss

logit = st.floats(-20, 20, width=32)


def value(loss):
    return loss.double().item()


@given(logit, st.sampled_from([0.0, 1.0]), st.sampled_from([1.0, 2.0, 3.0]))
def test_focal_loss_is_its_formula(z, target, gamma):
    ours = value(sigmoid_focal_loss(torch.tensor(z), torch.tensor(target), gamma=gamma))
    p = 1 / (1 + math.exp(-z))
    q = 1 / (1 + math.exp(z))
    plain = -0.25 * q**gamma * math.log(p) if target else -0.75 * p**gamma * math.log(q)
    assert ours == pytest.approx(plain, rel=1e-4, abs=1e-9)


@given(logit, st.floats(0, 1, width=32))
def test_quality_focal_loss_is_its_formula(z, target):
    ours = value(quality_focal_loss(torch.tensor(z), torch.tensor(target)))
    p = 1 / (1 + math.exp(-z))
    entropy = -target * math.log(p) - (1 - target) * math.log(1 / (1 + math.exp(z)))
    assert ours == pytest.approx((p - target) ** 2 * entropy, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("loss", [sigmoid_focal_loss, quality_focal_loss])
def test_extreme_logits_stay_finite(loss):
    logits = torch.tensor([-1e4, -90.0, 0.0, 90.0, 1e4]).repeat(2).requires_grad_()
    targets = torch.tensor([0.0] * 5 + [1.0] * 5)
    total = loss(logits, targets).sum()
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("loss", [sigmoid_focal_loss, quality_focal_loss])
def test_gradients_are_differences(loss):
    logits = torch.tensor([-3.0, -0.4, 0.2, 2.5], dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: loss(z, targets), logits)


def plain_diou(box, target):
    width = min(box[2], target[2]) - max(box[0], target[0])
    height = min(box[3], target[3]) - max(box[1], target[1])
    shared = max(width, 0) * max(height, 0)
    union = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (box, target)) - shared
    around = (
        max(box[2], target[2]) - min(box[0], target[0]),
        max(box[3], target[3]) - min(box[1], target[1]),
    )
    apart = [(box[k] + box[k + 2] - target[k] - target[k + 2]) / 2 for k in (0, 1)]
    return 1 - shared / union + (apart[0] ** 2 + apart[1] ** 2) / (around[0] ** 2 + around[1] ** 2)


boxes = st.tuples(
    st.integers(0, 40), st.integers(0, 40), st.integers(1, 30), st.integers(1, 30)
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


@given(boxes, boxes)
def test_diou_loss_is_its_formula(box, target):
    ours = value(diou_loss(torch.tensor([box]).float(), torch.tensor([target]).float()))
    assert ours == pytest.approx(plain_diou(box, target), rel=1e-4, abs=1e-5)
    assert -1e-6 <= ours < 2


@given(boxes, boxes, st.integers(-50, 50))
def test_diou_loss_does_not_move_with_both_boxes(box, target, shift):
    pair = torch.tensor([[box], [target]]).double()
    moved = pair + shift
    assert value(diou_loss(*moved)) == pytest.approx(value(diou_loss(*pair)), abs=1e-9)


def test_diou_of_inverted_and_empty_boxes_is_finite():
    predicted = torch.tensor([[5.0, 5, 3, 3], [4, 4, 4, 4], [9, 1, 2, 8]], requires_grad=True)
    targets = torch.tensor([[4.0, 4, 4, 4]]).expand(3, 4)
    loss = diou_loss(predicted, targets)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(predicted.grad).all()


@pytest.mark.parametrize(("count", "wanted"), [(0, 6.0), (1, 6.0), (3, 2.0)])
def test_a_count_of_at_least_one(count, wanted):
    assert value(normalised(torch.tensor([1.0, 2.0]), torch.tensor(count), weight=2.0)) == wanted


def test_no_element_costs_nothing():
    elements = torch.zeros(4, requires_grad=True)
    loss = normalised(elements[elements > 1], torch.tensor(0))
    loss.backward()
    assert value(loss) == 0
    assert elements.grad.tolist() == [0.0] * 4


def test_parts_add_up():
    elements, count = torch.rand(10, generator=torch.Generator().manual_seed(0)), torch.tensor(7)
    parts = normalised(elements[:4], count) + normalised(elements[4:], count)
    torch.testing.assert_close(parts, normalised(elements, count))
