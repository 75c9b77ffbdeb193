"""Whole simulated frames: clutter, camera and targets from one seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import index
from typing import get_args

import numpy as np

from deepir.choices import Clutter
from deepir.errors import unknown_name
from deepir.simulate.clutter import SCENES, Kind, Shape
from deepir.simulate.placing import Range, draw_targets, place_drawn
from deepir.simulate.sensor import Bits, draw_camera, expose
from deepir.simulate.target import Target
from deepir.structures import Sample, as_boxes

SIGMA: Range = (0.7, 1.4)
"""Standard deviations of the targets' PSF in pixels: from a sharp lens to a slightly soft one."""

SIZE: Range = (0.0, 6.0)
"""Diameters of the targets in pixels, so that boxes are about 2 to 6 px wide."""

MOST_TARGETS = 3
"""A frame whose count is left to chance has 0 to 3 targets, each with equal probability."""


def simulate_scene(
    *,
    seed: int = 0,
    shape: Shape = (256, 320),
    clutter: Clutter = "mixed",
    bits: Bits = 8,
    targets: int | None = None,
    scr: Range = (3.0, 10.0),
) -> Sample:
    """One infrared-like frame with its targets, exact boxes and mask.

    ``shape`` is (H, W); "mixed" ``clutter`` picks a kind by seed; 8 ``bits`` come as uint8 over
    most of their range, 14 as uint16 in 0 ... 16383 on a pedestal. ``targets`` None leaves the
    count, 0 to 3, to the seed; targets that find no place in the frame are left out. Their local
    SCR is drawn evenly from ``scr``, and that of the frame lies within 10 % of the draw. The same
    arguments give the same bytes; the same seed gives the same background whatever the targets.
    The id is the kind of clutter and the seed.

    Raises:
        UsageError: an unknown kind of clutter.
        ValueError: a shape, seed, depth, count or SCR range that cannot be.

    >>> scene = simulate_scene(seed=1, clutter="sea", targets=2)
    >>> scene.id, scene.image.shape, str(scene.image.dtype), len(scene.boxes)
    ('sea_000001', (256, 320), 'uint8', 2)
    >>> simulate_scene(shape=(1, 1), targets=2).boxes.shape
    (0, 4)
    """
    recipe = _Recipe(shape, clutter, bits, targets, scr)
    return recipe.render(np.random.SeedSequence(_natural("seed", seed)), seed)


class SimulatedFrames:
    """``count`` simulated frames as a lazy sequence of samples; see `simulate_scene`.

    Frame i depends on the seed and on i, not on ``count``. It is made anew at each access, and
    its id in ``ids`` is its kind of clutter and i. A ``count`` of 0 is an empty sequence.

    Raises:
        UsageError: an unknown kind of clutter.
        ValueError: a count, shape, seed, depth or SCR range that cannot be.

    >>> frames = SimulatedFrames(3, seed=5, shape=(64, 80), clutter="sea")
    >>> len(frames), frames.ids
    (3, ['sea_000000', 'sea_000001', 'sea_000002'])
    >>> frames[-1].id, frames[-1].image.shape
    ('sea_000002', (64, 80))
    """

    def __init__(
        self,
        count: int,
        *,
        seed: int = 0,
        shape: Shape = (256, 320),
        clutter: Clutter = "mixed",
        bits: Bits = 8,
        targets: int | None = None,
        scr: Range = (3.0, 10.0),
    ) -> None:
        self._count = _natural("count", count)
        self._seed = _natural("seed", seed)
        self._recipe = _Recipe(shape, clutter, bits, targets, scr)
        self.ids = [
            _name(self._recipe.kind(self._stream(number)), number) for number in range(count)
        ]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        return (self[number] for number in range(self._count))

    def __getitem__(self, number: int) -> Sample:
        """Frame ``number``; negative ones count from the end.

        Raises:
            IndexError: there is no such frame.
        """
        try:
            place = range(self._count)[index(number)]
        except IndexError:
            raise IndexError(f"no frame {number} among {self._count} simulated ones") from None
        return self._recipe.render(self._stream(place), place)

    def _stream(self, number: int) -> np.random.SeedSequence:
        """Source of everything random in one frame, independent of all other frames."""
        return np.random.SeedSequence([self._seed, number])


@dataclass(frozen=True)
class _Recipe:
    """What all frames of a series share, checked."""

    shape: Shape
    clutter: Clutter
    bits: Bits
    targets: int | None
    scr: Range

    def __post_init__(self) -> None:
        if self.clutter not in get_args(Clutter):
            raise unknown_name("clutter", self.clutter, get_args(Clutter))
        if self.bits not in get_args(Bits):
            raise ValueError(f"a frame has 8 or 14 bits, got {self.bits}")
        if min(self.shape) < 1:
            raise ValueError(f"a frame's shape is (H, W), 1 or more each, got {self.shape}")
        self._draw(self.targets or 0, np.random.default_rng(0))

    def kind(self, stream: np.random.SeedSequence) -> Kind:
        """Kind of clutter of the frame that ``stream`` makes."""
        if self.clutter != "mixed":
            return self.clutter
        return list(SCENES)[np.random.default_rng(stream).integers(len(SCENES))]

    def render(self, stream: np.random.SeedSequence, number: int) -> Sample:
        """The frame that ``stream`` makes; each part has a stream of its own."""
        kind = self.kind(stream)
        own = stream.spawn(len(SCENES))[list(SCENES).index(kind)]  # no kind repeats another's draws
        clutter, camera, noise, truth = map(np.random.default_rng, own.spawn(4))
        model = draw_camera(self.bits, camera)
        shot = expose(SCENES[kind](self.shape, clutter), model, noise)
        count = truth.integers(MOST_TARGETS + 1) if self.targets is None else self.targets
        image, boxes, mask = place_drawn(
            shot.image,
            self._draw(int(count), truth),
            truth,
            boxes=as_boxes([]),
            defects=shot.defects,
            ceiling=model.ceiling,
        )
        return Sample(image, boxes, mask, _name(kind, number))

    def _draw(self, count: int, rng: np.random.Generator) -> list[Target]:
        """Looks of ``count`` targets, also the check that they can be drawn."""
        return draw_targets(count, rng, scr=self.scr, sigma=SIGMA, size=SIZE)


def _natural(name: str, value: int) -> int:
    """The value if it counts something."""
    if value < 0:
        raise ValueError(f"{name} is 0 or more, got {value}")
    return value


def _name(kind: Kind, number: int) -> str:
    """Id of a frame.

    >>> _name("sea", 7)
    'sea_000007'
    """
    return f"{kind}_{number:06d}"
