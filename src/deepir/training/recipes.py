"""How a network of the catalogue is shown its frames: crops of our own, or as published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from torch import nn

from deepir.errors import UsageError
from deepir.models.cascade import Cascade
from deepir.models.oscar import Oscar
from deepir.structures import Sample
from deepir.training.loop import Trainer
from deepir.training.mining import Reading, own_candidates
from deepir.training.presets import Recipe
from deepir.training.published_sampler import (
    PublishedSampler,
    check_8_bit,
    published_candidates,
    published_view,
)
from deepir.training.sampler import CropSampler, Sampler, View, local_contrast
from deepir.training.scene import fit_scene
from deepir.training.settings import Settings


def sampler_for(
    recipe: Recipe, network: nn.Module, frames: Sequence[Sample], settings: Settings
) -> Sampler:
    """Where the images of a run come from.

    Raises:
        UsageError: the published recipe for another network than OSCAR, or frames that its
            normalisation does not fit.
    """
    published = isinstance(network, Oscar)
    if recipe == "published" and not published:
        raise UsageError(
            "the recipe 'published' is that of oscar_r18_256 and oscar_r18_128; leave it out for"
            " other networks"
        )
    if published:
        check_8_bit(frames)
    if recipe == "published":
        return PublishedSampler(frames, batch=settings.batch, seed=settings.seed)
    view: View = published_view if published else local_contrast
    return CropSampler(
        frames, size=settings.crop, seed=settings.seed, mixture=settings.mixture, view=view
    )


def finishing(trainer: Trainer) -> Callable[[], None]:
    """Function that fits the scene factor of the averaged network, where one is wanted.

    The next step of the training takes the factor away again.

    Raises:
        UsageError: a scene factor for a network that has none.
    """
    network = trainer.average.network
    floor, start = trainer.settings.scene_floor, trainer.settings.scene_start
    if floor == 1:
        return lambda: None
    if not isinstance(network, Cascade):
        raise UsageError(
            f"scene_floor is of oscar_nano and oscar_small, got {floor:g} for another network"
        )

    def fit() -> None:
        with trainer.precision():
            fit_scene(network, trainer.sampler.frames, floor=floor, start=start)

    return fit


def reading_of(recipe: Recipe, network: nn.Module) -> Reading:
    """How a trained network reads a frame: resized as published, or as large as it is."""
    if isinstance(network, Oscar):
        return partial(published_candidates, native=recipe != "published")
    return own_candidates
