"""The network as a whole: sizes, start, empty batches, parts of batches, precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deepir.errors import DeepirError
from deepir.models import CATALOGUE
from deepir.models.losses import normalised
from deepir.models.oscar import Oscar, Widths
from deepir.models.oscar.decode import Rules, Scored, decode
from deepir.models.oscar.raw import Raw
from deepir.models.oscar.weights import from_published, published_name

NARROW = Widths((8, 8, 12, 16), pyramid=8, tower=8, groups=4)
SIZE = (64, 96)
BOXES = (
    [[10.0, 10, 13, 12], [40, 20, 60, 33]],
    [],
    [[80.0, 50, 84, 55]],
    [[3.0, 3, 5, 5], [30, 30, 36, 36], [70, 8, 74, 12]],
)


def boxes_of(images):
    return [torch.tensor(BOXES[image]).reshape(-1, 4) for image in images]


def images_of(count=4, channels=3, seed=0):
    return torch.randn(count, channels, *SIZE, generator=torch.Generator().manual_seed(seed))


def noco_of(count=4):
    return torch.rand(count, 1, *SIZE, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    narrow = Oscar(NARROW).eval()
    with torch.no_grad():  # at its start, blocks are their shortcuts and outputs nearly constant
        for name, weights in narrow.named_parameters():
            if name.startswith(("coarse", "refine")) and weights.ndim == 4:
                weights.mul_(8)
            if name.endswith("norm2.weight"):
                weights.fill_(0.5)
    return narrow


@pytest.mark.parametrize(
    ("name", "published", "pyramid"),
    [("oscar_r18_256", 17_656_815, 256), ("oscar_r18_128", 12_877_999, 128)],
)
def test_published_numbers_of_parameters(name, published, pyramid):
    with torch.device("meta"):
        network = CATALOGUE[name]()
    unused = 2 * (pyramid * pyramid * 9 + pyramid)  # published output convolutions for P4 and P5
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == published - unused
    assert count == {256: 16_476_655, 128: 12_582_831}[pyramid]


def test_the_published_start():
    torch.manual_seed(0)
    network = CATALOGUE["oscar_r18_128"]()
    assert network.training
    state = network.state_dict()
    for stage in range(4):
        for block in range(2):
            assert not state[f"trunk.stages.{stage}.{block}.norm2.weight"].any()
            fan_out = state[f"trunk.stages.{stage}.{block}.conv2.weight"][:, 0].numel()
            spread = state[f"trunk.stages.{stage}.{block}.conv2.weight"].std().item()
            assert spread == pytest.approx((2 / fan_out) ** 0.5, rel=0.03)
    for name, values in state.items():
        if name.startswith(("coarse", "refine", "pyramid")) and name.endswith("bias"):
            assert not values.any()
        if name.startswith(("coarse", "refine")) and values.ndim == 4 and len(values) > 4:
            assert values.std().item() == pytest.approx(0.01, rel=0.03)
    glorot = state["pyramid.laterals.3.weight"].abs().max().item()
    assert glorot == pytest.approx((6 / (512 + 128)) ** 0.5, rel=0.01)
    assert state["coarse.scale"] == state["refine.scale"] == 1


@pytest.mark.parametrize("size", [(64, 96), (61, 37), (5, 33), (1, 1)])
def test_shapes_for_any_size(network, size):
    height, width = size
    with torch.no_grad():
        raw = network(torch.zeros(2, 3, height, width))
    fine, coarse = (-(-height // 4), -(-width // 4)), (-(-height // 8), -(-width // 8))
    shapes = [(2, 1, *fine), (2, 4, *fine), (2, 1, *fine), (2, 1, *coarse), (2, 4, *coarse)]
    assert [tuple(output.shape) for output in raw] == shapes
    assert isinstance(raw, Raw)
    assert (raw.coarse_box > 0).all()
    targets = network.targets(
        [torch.zeros(0, 4)] * 2, torch.zeros(2, 3, *size), torch.zeros(2, *size)
    )
    losses = network.losses(raw, targets, network.normalisers(targets))
    assert all(torch.isfinite(loss) for loss in losses.values())
    found = decode(raw, sizes=[size] * 2, scales=[(1, 1)] * 2)
    assert len(found) == 2


def test_one_channel_is_three_equal_ones(network):
    grey = images_of(channels=1)
    with torch.no_grad():
        for one, three in zip(network(grey), network(grey.repeat(1, 3, 1, 1)), strict=True):
            torch.testing.assert_close(one, three)


def test_a_batch_without_targets_is_finite_and_teaches_every_parameter(network):
    network.zero_grad()
    images = images_of()
    targets = network.targets([torch.zeros(0, 4)] * 4, images, torch.zeros(4, *SIZE))
    counts = network.normalisers(targets)
    assert counts["coarse_positives"] == counts["refine_positives"] == 0
    losses = network.losses(network(images), targets, counts)
    assert losses["coarse_box"] == losses["refine_box"] == 0
    sum(losses.values()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    assert not network.refine.box.weight.grad.any()


def test_every_parameter_learns_from_targets(network):
    network.zero_grad()
    images = images_of()
    targets = network.targets(boxes_of(range(4)), images, noco_of())
    sum(network.losses(network(images), targets, network.normalisers(targets)).values()).backward()
    still = [name for name, one in network.named_parameters() if not one.grad.any()]
    assert still == []


def test_the_refine_box_loss_teaches_the_coarse_branch(network):
    network.zero_grad()
    images = images_of()
    targets = network.targets(boxes_of(range(4)), images, noco_of())
    losses = network.losses(network(images), targets, network.normalisers(targets))
    losses["refine_box"].backward()
    assert network.coarse.box.weight.grad.any()


@pytest.mark.parametrize("parts", [((0, 1), (2, 3)), ((0,), (1,), (2, 3))])
def test_parts_with_shared_normalisers_are_the_whole_batch(network, parts):
    images, noco = images_of(), noco_of()

    def run(chosen, counts=None):
        rows = list(chosen)
        targets = network.targets(boxes_of(rows), images[rows], noco[rows])
        losses = network.losses(
            network(images[rows]), targets, counts or network.normalisers(targets)
        )
        sum(losses.values()).backward()
        return {name: loss.detach() for name, loss in losses.items()}

    network.zero_grad()
    whole = run(range(4))
    gradients = [one.grad.clone() for one in network.parameters()]
    counts = [
        network.normalisers(network.targets(boxes_of(part), images[list(part)], noco[list(part)]))
        for part in parts
    ]
    shared = {name: sum(count[name] for count in counts) for name in counts[0]}
    network.zero_grad()
    pieces = [run(part, shared) for part in parts]
    for name, loss in whole.items():
        torch.testing.assert_close(sum(piece[name] for piece in pieces), loss, rtol=1e-5, atol=1e-6)
    for one, gradient in zip(network.parameters(), gradients, strict=True):
        torch.testing.assert_close(one.grad, gradient, rtol=1e-3, atol=1e-4 * gradient.abs().max())


def test_a_plain_tuple_of_outputs_will_do(network):
    with torch.no_grad():
        raw = network(images_of())
    targets = network.targets(boxes_of(range(4)), images_of(), noco_of())
    counts = network.normalisers(targets)
    losses = network.losses(raw, targets, counts)
    assert network.losses(tuple(raw), targets, counts) == losses
    assert list(losses) == [
        "coarse_score",
        "coarse_box",
        "refine_score",
        "refine_box",
        "refine_noco",
    ]


def test_half_precision_is_brought_to_single_before_losses_and_boxes(network):
    images = images_of()
    targets = network.targets(boxes_of(range(4)), images, noco_of())
    counts = network.normalisers(targets)
    with torch.autocast("cpu", torch.bfloat16):
        raw = network(images)
    assert raw.refine_score.dtype == torch.bfloat16
    assert raw.coarse_box.dtype == torch.float32
    losses = network.losses(raw, targets, counts)
    exact = network.losses(network(images), targets, counts)
    for name, loss in losses.items():
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(exact[name].item(), rel=0.05)


def test_no_maps_are_refused(network):
    with pytest.raises(ValueError, match="learns NoCo"):
        network.targets(boxes_of([0]), images_of(1), None)


def test_losses_do_not_depend_on_which_way_a_batch_is_mirrored(network):
    with torch.no_grad():
        raw = network(images_of())
    boxes, noco = boxes_of(range(4)), noco_of()
    turned = [one[:, [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1]) for one in boxes]
    turned = [one + torch.tensor([SIZE[1], 0, SIZE[1], 0]) for one in turned]
    mirrored = Raw(
        raw.refine_score.flip(-1),
        raw.refine_box.flip(-1)[:, [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1]).view(4, 1, 1),
        raw.refine_noco.flip(-1),
        raw.coarse_score.flip(-1),
        raw.coarse_box.flip(-1)[:, [2, 1, 0, 3]],
    )
    # The nearest pixel of an even step lies right of the middle: mirror the resized map instead.
    targets = network.targets(boxes, images_of(), noco)
    other = network.targets(turned, images_of(), noco.flip(-1).roll(1, -1))
    torch.testing.assert_close(other.noco, targets.noco.flip(-1))
    counts = network.normalisers(targets)
    for name, loss in network.losses(raw, targets, counts).items():
        torch.testing.assert_close(network.losses(mirrored, other, counts)[name], loss)


def test_detect_is_forward_and_decode(network):
    images = images_of(2)
    sizes, scales = [(60, 90), (64, 96)], [(1.5, 1.5), (1.0, 2.0)]
    rules = Rules(floor=0.3, keep=7)
    found = network.detect(images, sizes=sizes, scales=scales, rules=rules)
    with torch.no_grad():
        wanted = decode(network(images), sizes=sizes, scales=scales, rules=rules)
    for ours, theirs, size, scale in zip(found, wanted, sizes, scales, strict=True):
        assert isinstance(ours, Scored)
        assert torch.equal(ours.boxes, theirs.boxes)
        assert 0 < len(ours.scores) <= 7
        assert (ours.scores[1:] <= ours.scores[:-1]).all()
        assert not ours.scores.requires_grad
        limits = torch.tensor([size[1] / scale[0], size[0] / scale[1]])
        assert (ours.boxes >= 0).all()
        assert (ours.boxes.reshape(-1, 2) <= limits + 1e-4).all()


def test_decoding_needs_a_size_for_each_image(network):
    with torch.no_grad():
        raw = network(images_of(2))
    with pytest.raises(ValueError, match="2 images need as many sizes and scales, got 1 and 2"):
        decode(raw, sizes=[(64, 96)], scales=[(1, 1)] * 2)


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ({"tower": 12, "groups": 8}, "towers of 12 channels cannot have 8 equal groups"),
        ({"groups": 0}, "1 to 4096 channels are wanted, got 0"),
        ({"pyramid": 5000}, "got 5000"),
        ({"stages": (7, 8, 8, 8)}, "even width, got 7"),
    ],
)
def test_impossible_widths_are_refused(widths, message):
    with pytest.raises(DeepirError, match=message):
        Widths(**widths)


def test_a_state_dict_survives_the_published_names(network):
    state = {published_name(name): values for name, values in network.state_dict().items()}
    assert len(state) == len(network.state_dict())
    again = from_published(state, groups=4)
    assert again.widths == network.widths
    assert not again.training
    with torch.no_grad():
        for one, other in zip(network(images_of()), again(images_of()), strict=True):
            np.testing.assert_array_equal(one, other)


def test_normalised_counts_are_whole_numbers(network):
    targets = network.targets(boxes_of(range(4)), images_of(), noco_of())
    counts = network.normalisers(targets)
    assert counts["locations"] == 4 * 16 * 24
    assert counts["coarse_positives"] == targets.coarse_positive.sum()
    assert not any(count.is_floating_point() for count in counts.values())
    assert normalised(torch.ones(6), counts["locations"] * 0).item() == 6
