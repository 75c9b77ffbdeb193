"""An uncooled or cooled infrared camera: from a field of contrast to stored levels."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepir.structures import Image, Mask

Field = NDArray[np.float64]
Bits = Literal[8, 14]


class Camera(NamedTuple):
    """One camera and its settings; everything but ``bits`` and ``blur`` is in grey levels."""

    bits: Bits
    pedestal: float
    """Level of contrast 0."""
    span: float
    """Levels from contrast 0 to contrast 1."""
    noise: float
    """Standard deviation of the temporal noise, independent in every pixel."""
    columns: float
    """Standard deviation of the offsets of whole columns; rows have half of it."""
    shading: float
    """Half the range of the smooth non-uniformity: vignetting and stray heat of the lens."""
    blur: float
    """Standard deviation of the optics, in pixels."""
    defects: float
    """Share of pixels that are stuck, most of them hot."""

    @property
    def ceiling(self) -> int:
        """Highest level that is stored."""
        return int(2**self.bits - 1)


class Exposure(NamedTuple):
    """``image`` (H, W), uint8 or (14 bits) uint16, and where its ``defects`` (H, W) are."""

    image: Image
    defects: Mask


def draw_camera(bits: Bits, rng: np.random.Generator) -> Camera:
    """A camera with plausible settings.

    8 bits are what is left after an automatic gain that fills most of the range; 14 bits are raw
    counts on a pedestal, of which a scene covers a small part.
    """
    if bits == 8:
        pedestal, span, noise = rng.uniform([20, 50, 0.5], [70, 150, 2.0]).tolist()
    else:
        pedestal, span, noise = rng.uniform([4000, 300, 2.0], [8000, 3000, 8.0]).tolist()
    return Camera(
        bits=bits,
        pedestal=pedestal,
        span=span,
        noise=noise,
        columns=noise * rng.uniform(0.1, 0.5),
        shading=span * rng.uniform(0.01, 0.06),
        blur=rng.uniform(0.4, 0.8),
        defects=10 ** rng.uniform(-5.5, -4.5),  # what a camera's own replacement leaves
    )


def expose(contrast: Field, camera: Camera, rng: np.random.Generator) -> Exposure:
    """Image of a field of ``contrast`` (H, W), where 0 ... 1 covers the camera's span.

    Optics, gain, non-uniformity, fixed pattern and noise come in this order; then the levels are
    rounded and clipped to 0 ... ``camera.ceiling``, and stuck pixels replace what was there.

    >>> still = Camera(8, 40, 100, noise=0, columns=0, shading=0, blur=0, defects=0)
    >>> expose(np.array([[0.0, 0.5, 9.0]]), still, np.random.default_rng(0)).image.tolist()
    [[40, 90, 255]]
    """
    shape = (contrast.shape[0], contrast.shape[1])
    seen = ndimage.gaussian_filter(contrast, camera.blur, mode="nearest")
    levels = camera.pedestal + camera.span * seen + camera.shading * shading(shape, rng)
    levels += fixed_pattern(shape, camera.columns, rng)
    levels += camera.noise * rng.standard_normal(shape)
    defects = rng.random(shape) < camera.defects
    count = int(defects.sum())
    hot = camera.pedestal + camera.span * rng.uniform(1.2, 3, size=count)
    levels[defects] = np.where(rng.random(count) < 0.8, hot, 0)
    dtype = np.uint8 if camera.bits == 8 else np.uint16
    return Exposure(np.rint(levels).clip(0, camera.ceiling).astype(dtype), defects)


def shading(shape: tuple[int, int], rng: np.random.Generator) -> Field:
    """Smooth non-uniformity (H, W), within -1 ... 1: darker corners and a tilt."""
    height, width = shape
    y = np.linspace(-1, 1, height)[:, None]
    x = np.linspace(-1, 1, width)[None, :]
    tilt = rng.uniform(-0.25, 0.25, size=2)
    centre = rng.uniform(-0.2, 0.2, size=2)
    bowl = (
        (y - centre[0]) ** 2 + (x - centre[1]) ** 2
    ) / 2.88  # 1 in the corner farthest from any centre
    field: Field = 0.5 - bowl + tilt[0] * y + tilt[1] * x
    return field


def fixed_pattern(shape: tuple[int, int], spread: float, rng: np.random.Generator) -> Field:
    """Offsets (H, W) of whole columns, of standard deviation ``spread``, and of rows, half that."""
    height, width = shape
    columns = rng.normal(0, spread, size=(1, width))
    rows = rng.normal(0, spread / 2, size=(height, 1))
    return columns + rows
