"""The loop: repeatable, resumable bit for bit, the same in parts, and stopped by a bad loss."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from torch import nn

from deepir.errors import UsageError
from deepir.structures import Sample
from deepir.training.loop import LossError
from deepir.training.settings import Mining


def finished(trainer, until=None):
    """The trainer at the end, and its steps."""
    return trainer, list(trainer.run(until or trainer.settings.iterations))


def stored(state):
    """A state after a journey through a file, as a checkpoint makes it."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def losses(steps):
    return [step.losses for step in steps]


class TestRepeatable:
    def test_the_same_seed_is_the_same_run(self, trainer, same_weights):
        one, first = finished(trainer())
        other, second = finished(trainer())
        assert losses(first) == losses(second)
        same_weights(one.average.network, other.average.network)

    def test_another_seed_is_another_run(self, trainer):
        assert losses(finished(trainer())[1]) != losses(finished(trainer(seed=1))[1])

    def test_the_number_of_readers_changes_nothing(self, trainer, same_weights):
        one, other = finished(trainer())[0], finished(trainer(readers=3))[0]
        same_weights(one.network, other.network)

    def test_steps_tell_what_happened(self, trainer):
        _, steps = finished(trainer(iterations=4))
        assert [step.iteration for step in steps] == [1, 2, 3, 4]
        for step in steps:
            assert set(step.losses) == {"fine", "coarse", "box"}
            assert step.gradient > 0
            assert 0 < step.lr <= 0.01
            assert step.waited >= 0

    def test_it_learns(self, trainer):
        _, steps = finished(trainer(iterations=40, warm_up=0.05, average=0.9))
        total = [sum(step.losses.values()) for step in steps]
        assert np.mean(total[-5:]) < 0.7 * np.mean(total[:5])


class TestResumed:
    """A run that stops anywhere and goes on is the run that was never stopped."""

    @pytest.mark.parametrize("stop", [1, 2, 3, 4, 5, 7])  # mined after 3, 5 and 7
    def test_bit_for_bit_with_mining(self, trainer, same_weights, stop):
        whole, steps = finished(trainer())
        half, before = finished(trainer(), until=stop)
        rest = trainer(seed=0)
        rest.restore(stored(half.state()))
        assert rest.iteration == stop
        _, after = finished(rest)
        assert losses(before + after) == losses(steps)
        same_weights(rest.network, whole.network)
        same_weights(rest.average.network, whole.average.network)
        assert rest.sampler.false_alarms == whole.sampler.false_alarms

    def test_false_alarms_were_found_and_used(self, trainer):
        whole, steps = finished(trainer())
        assert whole.sampler.false_alarms
        without, others = finished(trainer(mining=Mining(frames=0)))
        assert losses(steps[:3]) == losses(others[:3])
        assert losses(steps[3:]) != losses(others[3:])
        assert without.sampler.false_alarms == ()

    def test_a_state_at_a_step_holds_what_was_mined_after_it(self, trainer):
        running = trainer()
        for step in running.run(8):
            if step.iteration == 3:
                assert running.state()["false_alarms"]
                break


class Dropping(nn.Module):
    """A network that draws random numbers as it goes, with losses of its own."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Conv2d(4, 1, 1)
        )

    def forward(self, x):
        return self.layers(x).mean((1, 2, 3))

    def targets(self, boxes, images, noco):
        return torch.tensor([float(len(each)) for each in boxes])

    def normalisers(self, targets):
        return {"images": torch.tensor(float(len(targets)))}

    def losses(self, raw, targets, normalisers):
        return {"square": ((raw - targets) ** 2).sum() / normalisers["images"]}

    def candidates(self, image):
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)


def test_what_a_network_draws_is_resumed_too(trainer, same_weights):
    torch.manual_seed(0)
    nets = [Dropping() for _ in range(3)]
    for each in nets[1:]:
        each.load_state_dict(nets[0].state_dict())
    whole, _ = finished(trainer(nets[0]))
    half, _ = finished(trainer(nets[1]), until=4)
    rest = trainer(nets[2])
    torch.rand(17)
    rest.restore(half.state())
    finished(rest)
    same_weights(rest.network, whole.network)


class TestParts:
    def test_normalisers_are_shared(self, trainer):
        """Without batch statistics, the parts of a batch make the step of the whole batch."""

        def frozen(parts):
            running = trainer(parts=parts, iterations=2)
            for module in running.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
            return finished(running)

        whole, steps = frozen(1)
        for parts in (2, 4):
            divided, others = frozen(parts)
            for one, other in zip(losses(steps), losses(others), strict=True):
                assert other == pytest.approx(one, rel=1e-4)
            for one, other in zip(
                whole.network.parameters(), divided.network.parameters(), strict=True
            ):
                torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)

    def test_statistics_are_the_mean_over_the_parts(self, trainer):
        start = trainer(parts=2, iterations=1)
        parts = [[start.sampler.draw(0, slot) for slot in half] for half in ((0, 2), (1, 3))]
        before = {k: v.clone() for k, v in start.network.named_buffers()}
        alone = []
        for part in parts:
            start.network.train()
            for name, buffer in start.network.named_buffers():
                buffer.copy_(before[name])
            with torch.no_grad():
                start.network(torch.from_numpy(np.stack([drawn.channels for drawn in part])))
            alone.append({k: v.clone() for k, v in start.network.named_buffers()})
        running, _ = finished(trainer(parts=2, iterations=1))
        for name, buffer in running.network.named_buffers():
            if name.endswith("num_batches_tracked"):
                assert buffer == 1
            else:
                torch.testing.assert_close(buffer, (alone[0][name] + alone[1][name]) / 2)

    def test_a_batch_has_an_image_for_every_part(self, trainer):
        with pytest.raises(UsageError, match="a batch of 4 cannot be divided into 5 parts"):
            trainer(parts=5)

    def test_uneven_parts_are_no_trouble(self, trainer):
        assert len(finished(trainer(parts=3, iterations=2))[1]) == 2


class TestBadLoss:
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_it_stops_with_the_batch_before_the_step(self, trainer, same_weights, value):
        running = trainer()
        list(running.run(2))
        before = {k: v.clone() for k, v in running.network.state_dict().items()}
        draw = running.sampler.draw
        running.sampler.draw = lambda i, slot: draw(i, slot)._replace(
            channels=np.full((2, 64, 64), value, np.float32)
        )
        with pytest.raises(LossError, match=r"iteration 3: losses .*no finite number") as caught:
            list(running.run(8))
        assert "images of the batch hold NaN or infinite values" in str(caught.value)
        assert len(caught.value.batch) == 4
        assert running.iteration == 2
        for name, tensor in running.network.named_parameters():
            assert torch.equal(tensor, before[name])

    def test_images_of_numbers_ask_for_a_lower_rate(self, trainer):
        running = trainer()
        with torch.no_grad():
            running.network.outputs.bias.fill_(np.nan)
        with pytest.raises(LossError, match=r"try a lower learning rate \(lr\), or bf16 off"):
            list(running.run(1))

    def test_weights_that_are_no_numbers_are_named(self, trainer):
        running = trainer()
        list(running.run(1))
        running.check_weights()
        running.average.network.outputs.bias.data[0] = np.inf
        with pytest.raises(LossError, match=r"iteration 1: 'outputs\.bias' holds NaN or infinite"):
            running.check_weights()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iteration", "2"),
        ("iteration", -1),
        ("average_steps", None),
        ("network", []),
        ("optimiser", {}),
        ("false_alarms", [(6, 1.0, 1.0)]),
        ("false_alarms", [(-1, 1.0, 1.0)]),
        ("false_alarms", 3),
    ],
)
def test_a_state_that_is_none_is_refused(trainer, name, value):
    running = trainer()
    state = {**stored(running.state()), name: value}
    with pytest.raises((KeyError, TypeError, ValueError, RuntimeError)):
        running.restore(state)


def test_gradients_are_clipped(trainer):
    moved = {}
    for clip in (0, 1e-3, 1e9):
        running = trainer(clip=clip, iterations=1)
        list(running.run(1))
        gradients = [p.grad for p in running.network.parameters()]
        moved[clip] = torch.stack([g.norm() for g in gradients]).norm().item()
    assert moved[1e-3] == pytest.approx(1e-3, rel=1e-2)
    assert moved[0] == moved[1e9] > 1


def test_weight_decay_leaves_biases_and_norms_alone(trainer):
    groups = trainer(weight_decay=0.1).optimiser.param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert all(p.ndim > 1 for p in groups[0]["params"])
    assert all(p.ndim == 1 for p in groups[1]["params"])
    everything = trainer(weight_decay=0.1, decay_all=True).optimiser.param_groups
    assert [len(group["params"]) for group in everything][1] == 0


def test_bf16_is_what_is_asked_for(trainer):
    assert not trainer(bf16="off").bf16
    assert trainer(bf16="on").bf16
    assert isinstance(trainer(bf16="auto").bf16, bool)
    _, steps = finished(trainer(bf16="on", iterations=2))
    assert all(np.isfinite(list(step.losses.values())).all() for step in steps)


def test_frames_smaller_than_any_stride_can_be_learnt_and_mined(trainer):
    small = [
        Sample(np.array([[9, 200, 9]], np.uint8), [[1, 0, 2, 1]], id="line"),
        Sample(np.full((1, 1), 9, np.uint8), np.zeros((0, 4)), id="point"),
    ]
    running, steps = finished(trainer(samples=small, iterations=4))
    assert len(steps) == 4
    assert running.iteration == 4
