"""Backgrounds: clouds, sea and terrain as random fields, and the things in them that mislead.

Every scene is a pure function of its shape (H, W) and a generator, and returns a float64 field of
contrast without unit: its 1st and 99th percentile are 0 and 1, and what is hot exceeds 1. A scene
that is too small to vary is 0 everywhere. No scene contains a target.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float64]
Shape = tuple[int, int]
Kind = Literal["cloud", "sea", "terrain"]


def power_law(
    shape: Shape, rng: np.random.Generator, *, exponent: float, stretch: float = 1.0
) -> Field:
    """Random field (H, W) whose spectral amplitude falls as ``frequency ** -exponent``.

    Mean 0 and standard deviation 1, periodic in both axes; ``stretch`` > 1 draws its structures
    out along x by that factor. One pixel alone is 0.

    >>> power_law((1, 1), np.random.default_rng(0), exponent=1.5).tolist()
    [[0.0]]
    """
    height, width = shape
    fy = np.fft.fftfreq(height)[:, None]
    fx = np.fft.rfftfreq(width)[None, :] * stretch
    radius = np.hypot(fy, fx)
    radius[0, 0] = 1.0
    gain = radius**-exponent
    gain[0, 0] = 0.0
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * gain, s=shape)
    spread = field.std()
    scaled: Field = field / spread if spread else np.zeros(shape)
    return scaled


def cloud(shape: Shape, rng: np.random.Generator) -> Field:
    """Sky that warms towards the ground, with clouds: soft bodies, rims lit from one side."""
    density = power_law(shape, rng, exponent=rng.uniform(1.6, 2.0), stretch=rng.uniform(1, 2.5))
    cover = rng.uniform(-0.8, 1.3)  # in standard deviations: from overcast to a few clouds
    body = _smooth_step(density - cover, rng.uniform(0.4, 2.5))
    detail = power_law(shape, rng, exponent=rng.uniform(1.5, 1.9))
    sky = rng.uniform(0.1, 0.5) * _ramp(shape[0])[:, None]
    wisps = 0.05 * power_law(shape, rng, exponent=1.9, stretch=3)
    lit = 0.25 * np.sqrt(body) * _relief(density, rng)
    clouds = body * (0.7 + 0.2 * detail) + lit
    return _normalised(sky + wisps + clouds + _warm_spots(shape, rng, 0.35))


def sea(shape: Shape, rng: np.random.Generator) -> Field:
    """Sky above a hazy horizon, sea with swell that shrinks towards it, glints and a far coast."""
    height, width = shape
    level = rng.uniform(0.1, 0.45) * height + rng.normal(0, 0.03) * _centred(width)
    below = _centred(height)[:, None] + height / 2 - level[None, :]
    air = 0.55 * np.exp(np.minimum(below, 0) / (0.25 * height)) + 0.05 * power_law(
        shape, rng, exponent=1.9, stretch=4
    )
    nearness = np.clip(below / height, 0, None)
    swell = _swell(below, rng) * np.sqrt(nearness)
    glitter = np.exp(-(((_centred(width) / width - rng.uniform(-0.4, 0.4)) / 0.15) ** 2))
    glints = np.maximum(swell - 0.8, 0) * glitter * rng.uniform(0, 1.5)
    water = rng.uniform(0.15, 0.5) * (1 + 0.6 * nearness) + 0.16 * swell + glints
    scene = np.where(below > 0, water, air + rng.uniform(0, 0.3))
    scene += _coast(below, rng) * rng.uniform(0.1, 0.5)
    return _normalised(_soften(scene, 0.6) + _warm_spots(shape, rng, 0.2))


def terrain(shape: Shape, rng: np.random.Generator) -> Field:
    """Ground with fields, roads, roofs and hot outlets, from above or under a skyline of ridges."""
    ground = 0.5 + 0.12 * power_law(shape, rng, exponent=rng.uniform(1.0, 1.5))
    ground += 0.12 * _patchwork(shape, rng) + 0.05 * power_law(shape, rng, exponent=0.6)
    for _ in range(rng.integers(0, 4)):
        road = _road(shape, rng)
        ground += road * (rng.uniform(-0.25, 0.45) - 0.1 * (ground - 0.5))
    _add_roofs(ground, rng)
    if rng.random() < 0.5:
        ground = _under_sky(ground, rng)
    return _normalised(_soften(ground, 0.7) + _warm_spots(shape, rng, 0.3))


SCENES: dict[Kind, Callable[[Shape, np.random.Generator], Field]] = {
    "cloud": cloud,
    "sea": sea,
    "terrain": terrain,
}


def _normalised(field: Field) -> Field:
    """Shift and scale so that the 1st and 99th percentile are 0 and 1."""
    low, high = np.percentile(field, [1, 99])
    if high <= low:
        return np.zeros_like(field)
    scaled: Field = (field - low) / (high - low)
    return scaled


def _soften(field: Field, sigma: float) -> Field:
    """Blur that turns drawn edges into edges a lens could have made."""
    blurred: Field = ndimage.gaussian_filter(field, sigma, mode="nearest")
    return blurred


def _smooth_step(field: Field, width: float) -> Field:
    """0 below 0, 1 above ``width``, with a smooth passage."""
    t = np.clip(field / width, 0, 1)
    return t * t * (3 - 2 * t)


def _ramp(length: int) -> Field:
    """0 at the first pixel, 1 at the last."""
    return np.linspace(0.0, 1.0, length)


def _centred(length: int) -> Field:
    """Pixel positions counted from the middle of the axis."""
    return np.arange(length, dtype=np.float64) - (length - 1) / 2


def _relief(field: Field, rng: np.random.Generator) -> Field:
    """Slope of a field against one direction of light, -1 ... 1."""
    angle = rng.uniform(0, 2 * np.pi)
    light = np.stack([np.sin(angle), np.cos(angle)])
    smooth = _soften(field, 2)
    steps = (np.diff(smooth, axis=axis, prepend=smooth.take([0], axis)) for axis in (0, 1))
    slope = sum(part * step for part, step in zip(light, steps, strict=True))
    spread = float(np.std(slope))
    lit: Field = np.tanh(slope / (2 * spread)) if spread else np.zeros_like(field)
    return lit


def _warm_spots(shape: Shape, rng: np.random.Generator, level: float) -> Field:
    """Up to six soft warm blobs, sigma 3.5 to 8 px: like targets in all but size."""
    height, width = shape
    spots = np.zeros(shape)
    for _ in range(rng.integers(0, 7)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        sx, sy = rng.uniform(3.5, 8, size=2)
        row = np.exp(-(((np.arange(height) - y) / sy) ** 2) / 2)
        column = np.exp(-(((np.arange(width) - x) / sx) ** 2) / 2)
        spots += rng.uniform(0.3, 1) * level * row[:, None] * column
    return spots


def _swell(below: Field, rng: np.random.Generator) -> Field:
    """Waves seen in perspective: a drawn-out texture, sampled ever finer towards the horizon."""
    size = min(512, 2 * max(below.shape))
    texture = power_law((size, size), rng, exponent=rng.uniform(1.0, 1.4), stretch=3)
    height, width = below.shape
    depth = np.maximum(below, 0.5) / height
    rows = size * rng.uniform(0.15, 0.4) * np.log(depth)
    columns = _centred(width) / height * size * 0.12 / (depth + 0.08)
    waves: Field = ndimage.map_coordinates(texture, [rows, columns], order=1, mode="grid-wrap")
    return waves


def _coast(below: Field, rng: np.random.Generator) -> Field:
    """Strip of land on part of the horizon, 1 on the land."""
    height, width = below.shape
    profile = power_law((1, width), rng, exponent=1.3)[0] + rng.uniform(-1.5, 1)
    tall = np.maximum(profile, 0) * 0.025 * height
    land: Field = np.clip(np.minimum(below + tall, 1 - below), 0, 1)
    return land


def _patchwork(shape: Shape, rng: np.random.Generator) -> Field:
    """Rectangular fields in a turned grid, each of one random level of standard deviation 1."""
    height, width = shape
    angle, cell = rng.uniform(0, np.pi), rng.uniform(0.12, 0.5) * max(shape)
    y, x = _centred(height)[:, None], _centred(width)[None, :]
    u = (x * np.cos(angle) + y * np.sin(angle)) / cell
    v = (y * np.cos(angle) - x * np.sin(angle)) / (cell * rng.uniform(0.4, 1))
    levels = rng.normal(size=(16, 16))
    fields: Field = levels[np.floor(u).astype(int) % 16, np.floor(v).astype(int) % 16]
    return fields


def _road(shape: Shape, rng: np.random.Generator) -> Field:
    """A bent line across the frame, 1 on it, with edges of one pixel."""
    height, width = shape
    angle = rng.uniform(0, np.pi)
    y = _centred(height)[:, None] - rng.uniform(-0.4, 0.4) * height
    x = _centred(width)[None, :] - rng.uniform(-0.4, 0.4) * width
    along = (x * np.cos(angle) + y * np.sin(angle)) / max(shape)
    across = y * np.cos(angle) - x * np.sin(angle)
    bend = rng.uniform(0, 0.05) * max(shape) * np.sin(rng.uniform(2, 6) * along)
    road: Field = np.clip(rng.uniform(1, 5) + 0.5 - np.abs(across - bend), 0, 1)
    return road


def _add_roofs(ground: Field, rng: np.random.Generator) -> None:
    """Draw villages of turned rectangles, some with a hot outlet, into ``ground``."""
    for _ in range(rng.integers(0, 4)):
        angle = rng.uniform(0, np.pi)
        middle = rng.uniform(0, ground.shape)
        for _ in range(rng.integers(3, 12)):
            place = middle + rng.normal(0, 0.08 * max(ground.shape), size=2)
            half = rng.uniform(3.5, 9, size=2)  # larger than a target, as are outlets
            level = 0.5 + rng.uniform(-0.4, 0.5)
            _draw_slab(ground, place, half, angle=angle, level=level)
            if rng.random() < 0.25:
                outlet = place + rng.uniform(-1, 1, size=2)
                _draw_slab(ground, outlet, half / 2 + 1.8, angle=angle, level=level + 0.5)


def _draw_slab(ground: Field, place: Field, half: Field, *, angle: float, level: float) -> None:
    """Draw a rectangle of half sides ``half`` px, turned by ``angle``, at ``place`` ``y x``."""
    reach = float(np.hypot(*half)) + 1
    low = np.clip(np.floor(place - reach), 0, ground.shape).astype(int)
    high = np.clip(np.ceil(place + reach) + 1, 0, ground.shape).astype(int)
    y = np.arange(low[0], high[0])[:, None] - place[0]
    x = np.arange(low[1], high[1])[None, :] - place[1]
    u = np.abs(y * np.cos(angle) - x * np.sin(angle))
    v = np.abs(x * np.cos(angle) + y * np.sin(angle))
    inside = np.clip(half[0] + 0.5 - u, 0, 1) * np.clip(half[1] + 0.5 - v, 0, 1)
    ground[low[0] : high[0], low[1] : high[1]] *= 1 - inside
    ground[low[0] : high[0], low[1] : high[1]] += level * inside


def _under_sky(ground: Field, rng: np.random.Generator) -> Field:
    """Put a cold sky, two hazy ridge lines and a row of buildings above the ground."""
    height, width = ground.shape
    y = np.arange(height)[:, None]
    sky = rng.uniform(-0.3, 0.2) + 0.15 * _ramp(height)[:, None]
    scene = sky + 0.02 * power_law((height, width), rng, exponent=1.8, stretch=3)
    skyline = rng.uniform(0.25, 0.55) * height
    for below, haze in ((0.0, 0.6), (0.08, 0.25)):
        rise = 0.04 * height * power_law((1, width), rng, exponent=1.4)[0]
        land = np.clip(y - skyline - below * height + rise + 0.5, 0, 1)
        scene = scene * (1 - land) + land * (haze * 0.3 + (1 - haze) * ground)
        for _ in range(rng.integers(0, 7)):
            half = rng.uniform([4, 4], [0.09 * height + 5, 0.025 * width + 5])
            place = np.array([skyline + (below + 0.05) * height - half[0], rng.uniform(0, width)])
            level = rng.uniform(0.2, 0.8) * (1 - haze) + haze * 0.3
            _draw_slab(scene, place, half, angle=0.0, level=level)
    return scene
