"""The published OSCAR through the same loop: its epochs, its images, its recipe, its crops."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from deepir.errors import UsageError
from deepir.models.oscar import Oscar, Widths, pipeline
from deepir.noco import noco_map
from deepir.structures import Sample
from deepir.training.loop import Trainer
from deepir.training.mining import own_candidates
from deepir.training.presets import PRESETS
from deepir.training.processes import Processes
from deepir.training.published_sampler import (
    MIRROR,
    REPEATS,
    PublishedSampler,
    published_candidates,
    published_view,
)
from deepir.training.recipes import reading_of, sampler_for
from deepir.training.settings import Settings

NONE = np.zeros((0, 4), np.float32)
LIMITS = (96, 64)


def oscar():
    return Oscar(Widths((4, 8, 8, 8), pyramid=8, tower=4, groups=2))


def blank(shapes):
    """Frames without targets whose grey level is their number."""
    return [Sample(np.full(s, i % 256, np.uint8), NONE, id=str(i)) for i, s in enumerate(shapes)]


def shown(sampler, iteration):
    """Numbers of the blank frames in a batch."""
    drawn = [sampler.draw(iteration, slot) for slot in range(sampler.batch)]
    levels = [each.channels[0, 0, 0] * pipeline.DEVIATION + pipeline.MEAN for each in drawn]
    return [round(float(level)) for level in levels]


class TestEpochs:
    def sampler(self, **changes):
        frames = blank([(20, 30)] * 5 + [(30, 20)] * 2 + [(20, 20)])
        return PublishedSampler(frames, **{"batch": 4, "seed": 0, "limits": (30, 20), **changes})

    def test_published_number_of_iterations(self):
        frames = blank([(2, 3)] * 733 + [(3, 2)] * 34 + [(3, 3)])
        assert PublishedSampler(frames, batch=4, seed=0).epoch == 577

    def test_each_image_comes_three_times_and_batches_are_filled_up(self):
        sampler = self.sampler()
        assert sampler.epoch == 4 + 3  # 15 wide ones, 9 others
        for epoch in range(3):
            seen = Counter(
                number
                for place in range(sampler.epoch)
                for number in shown(sampler, epoch * sampler.epoch + place)
            )
            assert set(seen) == set(range(8))
            assert min(seen.values()) == REPEATS
            assert sum(seen.values()) == 4 * sampler.epoch

    def test_wide_ones_and_others_never_meet(self):
        sampler = self.sampler()
        for iteration in range(2 * sampler.epoch):
            batch = shown(sampler, iteration)
            assert len({number < 5 for number in batch}) == 1

    def test_the_order_follows_from_seed_and_epoch(self):
        one, other = self.sampler(), self.sampler()
        orders = [[shown(each, i) for i in (9, 0, 13, 3)] for each in (one, other)]
        assert orders[0] == orders[1]
        first = [shown(one, i) for i in range(7)]
        assert first != [shown(one, 7 + i) for i in range(7)]
        assert first != [shown(self.sampler(seed=1), i) for i in range(7)]

    def test_one_kind_alone_is_no_trouble(self):
        assert PublishedSampler(blank([(2, 3)]), batch=2, seed=0).epoch == 2


class TestImages:
    frame = Sample(
        np.random.default_rng(0).integers(0, 99, (48, 64)).astype(np.uint8),
        [[10, 12, 14, 15], [40, 20, 43, 24]],
        id="one",
    )

    def drawn(self, slot, seed=0):
        sampler = PublishedSampler([self.frame], batch=64, seed=seed, limits=LIMITS)
        return sampler.draw(0, slot)

    def test_it_is_the_published_pipeline_mirrored_or_not(self):
        resized, scale = pipeline.resize(self.frame.image, limits=LIMITS)
        height, width = resized.shape
        boxes = pipeline.resize_boxes(self.frame.boxes, scale, resized.shape)
        kinds = Counter()
        for slot in range(64):
            drawn = self.drawn(slot)
            left = drawn.channels[0, :height, :width]
            mirrored = not np.array_equal(left, pipeline.normalise(resized))
            image = resized[:, ::-1] if mirrored else resized
            np.testing.assert_array_equal(left, pipeline.normalise(image))
            wanted = pipeline.mirror_boxes(boxes, width) if mirrored else boxes
            np.testing.assert_allclose(drawn.boxes, wanted)
            noco = noco_map(image, wanted).astype(np.float32)
            np.testing.assert_array_equal(drawn.noco[:height, :width], noco)
            kinds[mirrored] += 1
        assert kinds[True] / 64 == pytest.approx(MIRROR, abs=0.2)

    def test_padding_is_zero_up_to_multiples_of_32(self):
        drawn = self.drawn(0)
        assert drawn.channels.shape == (1, 64, 96)
        assert drawn.noco.shape == (64, 96)
        assert not drawn.channels[:, :, 86:].any()

    def test_draws_are_repeatable(self):
        for slot in range(5):
            one, other = self.drawn(slot), self.drawn(slot)
            np.testing.assert_array_equal(one.channels, other.channels)

    def test_a_box_that_the_resize_empties_is_no_target(self):
        """A resize by less than float32 can hold leaves a box without width."""
        image = np.zeros((40, 60), np.uint8)
        frame = Sample(image, [[59.999998, 3, 60, 5], [10, 10, 14, 14]])
        sampler = PublishedSampler([frame], batch=1, seed=0, limits=(6, 4))
        boxes = sampler.draw(0, 0).boxes
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert len(boxes) >= 1

    @pytest.mark.parametrize("dtype", [np.uint16, np.float32])
    def test_another_depth_is_refused(self, dtype):
        frame = Sample(np.zeros((40, 60), dtype), NONE, id="deep")
        with pytest.raises(UsageError, match=r"'deep' is .*oscar_nano"):
            PublishedSampler([frame], batch=1, seed=0)


def trainer(frames, recipe, settings):
    torch.manual_seed(settings.seed)
    network = oscar()
    sampler = sampler_for(recipe, network, frames, settings)
    reading = reading_of(recipe, network)
    return Trainer(network, sampler, settings, Processes(), reading=reading)


def published(**changes):
    preset = {k: v for k, v in PRESETS["published"].items() if k != "mining"}
    return Settings(**{**preset, "bf16": "off", **changes})


class TestLoop:
    def test_the_recipe_runs(self, frames):
        running = trainer(frames, "published", published(iterations=3, batch=2))
        running.sampler.limits = LIMITS
        steps = list(running.run(3))
        assert set(steps[0].losses) == {
            "coarse_score", "coarse_box", "refine_score", "refine_box", "refine_noco",
        }  # fmt: skip
        assert all(np.isfinite(list(step.losses.values())).all() for step in steps)
        assert [len(group["params"]) > 0 for group in running.optimiser.param_groups] == [
            True, False,
        ]  # fmt: skip

    def test_the_recipe_averages_and_clips_nothing(self, frames, same_weights):
        running = trainer(frames, "published", published(iterations=2, batch=2))
        running.sampler.limits = LIMITS
        list(running.run(2))
        same_weights(running.average.network, running.network)

    def test_images_of_two_sizes_make_a_batch(self, frames):
        mixed = [frames[0], replace(frames[1], image=frames[1].image[:70], boxes=NONE, mask=None)]
        running = trainer(mixed, "published", published(iterations=2, batch=4))
        running.sampler.limits = LIMITS
        assert len(list(running.run(2))) == 2

    def test_crops_train_it_too(self, frames):
        running = trainer(frames, "crops", Settings(iterations=2, batch=2, crop=64, bf16="off"))
        steps = list(running.run(2))
        assert np.isfinite(list(steps[1].losses.values())).all()
        drawn = running.sampler.draw(0, 0)
        assert drawn.channels.shape == (1, 64, 64)
        assert drawn.noco.shape == (64, 64)

    def test_parts_are_the_whole_batch(self, frames):
        """Normalisers are shared over parts; statistics are not, so they are switched off."""
        taken = []
        for parts in (1, 2):
            settings = Settings(iterations=1, batch=4, crop=64, parts=parts, bf16="off", lr=0)
            running = trainer(frames, "crops", settings)
            for module in running.network.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.eval()
            taken += list(running.run(1))
        assert taken[1].losses == pytest.approx(taken[0].losses, rel=1e-4)

    def test_the_recipe_is_of_oscar_alone(self, frames):
        with pytest.raises(UsageError, match="'published'"):
            sampler_for("published", torch.nn.Identity(), frames, Settings())
        assert reading_of("crops", torch.nn.Identity()) is own_candidates


class TestReading:
    def test_it_is_what_the_network_detects(self, frames):
        torch.manual_seed(0)
        network = oscar().eval()
        with torch.no_grad():
            network.refine.score.bias.fill_(1.0)
        for native in (False, True):
            image = frames[0].image
            boxes, scores = published_candidates(network, native=native)(image)
            limits = (96, 80) if native else pipeline.LIMITS
            prepared = pipeline.prepare(image, limits=limits)
            found = network.detect(
                torch.from_numpy(prepared.pixels)[None],
                sizes=[prepared.size],
                scales=[prepared.scale],
            )[0]
            assert len(boxes) > 0
            np.testing.assert_array_equal(boxes, found.boxes.numpy())
            np.testing.assert_array_equal(scores, found.scores.numpy())
            assert prepared.scale == (1, 1) if native else prepared.scale[0] > 1

    def test_the_view_is_normalised_and_has_its_noco(self):
        image = np.full((20, 30), 112, np.uint8)
        image[5:8, 5:8] = 200
        channels, noco = published_view(image, np.array([[5, 5, 8, 8]], np.float32))
        assert channels.shape == (1, 20, 30)
        assert channels[0, 0, 0] == pytest.approx(0.11 / 27.62, rel=1e-3)
        assert noco.max() > 0.9
