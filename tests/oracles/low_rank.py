"""Thresholds on singular values, IPI and NIPPS as their texts read: full SVD, plain loops."""

from __future__ import annotations

import numpy as np


def psvt(matrix, threshold, protected):
    """Singular values lowered except the first; and how many are left above 0.

    IPI starts with a threshold that is a singular value: what is above it by rounding is not.
    """
    if not matrix.size:
        return matrix, 0
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    kept = np.where(s - threshold > 1e-13 * s[0], s - threshold, 0)
    kept[:protected] = s[:protected]
    return (u * kept) @ vt, int((kept > 0).sum())


def starts(length, side, step, kind):
    """First pixels of the patches along one side of a frame."""
    if kind == "plain":
        return [start for start in range(0, length, step) if start + side <= length]
    return [start for start in range(0, length, step) if start < length - side] + [length - side]


def patches(image, side, step, kind):
    """Corners of all patches, row-major, and the patches as columns."""
    height, width = image.shape
    corners = [
        (top, left)
        for top in starts(height, side, step, kind)
        for left in starts(width, side, step, kind)
    ]
    cut = [image[top : top + side, left : left + side].ravel() for top, left in corners]
    return corners, np.array(cut, dtype=float).T


def fold(columns, corners, shape, side, statistic):
    """Mean or median, pixel by pixel, of all values that patches give it; 0 where none does.

    ``statistic`` takes an axis and leaves NaN out.
    """
    result = np.zeros(shape)
    for row in range(shape[0]):
        over = [index for index, (top, _) in enumerate(corners) if top <= row < top + side]
        given = np.full((len(over), shape[1]), np.nan)
        for values, index in zip(given, over, strict=True):
            top, left = corners[index]
            line = (row - top) * side
            values[left : left + side] = columns[line : line + side, index]
        covered = ~np.isnan(given).all(axis=0)
        result[row, covered] = statistic(given[:, covered], axis=0)
    return result


def soft(values, threshold):
    """Values moved towards 0 by a threshold."""
    return np.sign(values) * np.maximum(np.abs(values) - threshold, 0)


def settled(ranks, cards):
    """Whether the rank stayed for more than 10 comparisons, and the card nearly so."""
    before = unchanged = kept = 0
    for rank, card in zip(ranks, cards, strict=True):
        if rank == before:
            unchanged += 1
        else:
            unchanged, kept = 0, card
        before = rank
    return unchanged > 10 and abs(cards[-1] - kept) < 20


def ipi(image, kind="plain", side=50, step=10, tolerance=1e-6, max_iter=1000):
    """Target, background, and a dict of what the solver tells."""
    image = np.asarray(image, dtype=float)
    corners, data = patches(image, side, step, kind)
    data = (data - data.min()) / (data.max() - data.min())
    weight = 1 / np.sqrt(max(image.shape))
    s = np.linalg.svd(data, compute_uv=False)
    mu, mu_min = s[1], 0.005 * s[3]
    t = t_before = 1.0
    low = low_before = sparse = sparse_before = np.zeros_like(data)
    told = {"ranks": [], "cards": [], "crits": []}
    while True:
        beta = (t_before - 1) / t
        at_low = low + beta * (low - low_before)
        at_sparse = sparse + beta * (sparse - sparse_before)
        rest = (at_low + at_sparse - data) / 2
        low_new, rank = psvt(at_low - rest, mu / 2, 0)
        sparse_new = soft(at_sparse - rest, weight * mu / 2)
        t_new = (1 + np.sqrt(1 + 4 * t**2)) / 2
        both = low_new + sparse_new - at_low - at_sparse
        above = np.hypot(
            np.linalg.norm(2 * (at_low - low_new) + both),
            np.linalg.norm(2 * (at_sparse - sparse_new) + both),
        )
        size = np.hypot(np.linalg.norm(low_new), np.linalg.norm(sparse_new))
        crit = above / (2 * max(1, size))
        mu = max(0.9 * mu, mu_min)
        low_before, low, sparse_before, sparse = low, low_new, sparse, sparse_new
        t_before, t = t, t_new
        told["ranks"].append(rank)
        told["cards"].append(int((sparse_new != 0).sum()))
        told["crits"].append(crit)
        if crit <= tolerance:
            told["stop"] = "tolerance"
        elif rank > 0.3 * min(data.shape) or settled(told["ranks"], told["cards"]):
            told["stop"] = "rank rule"
        elif len(told["ranks"]) == max_iter:
            told["stop"] = "max_iter"
        else:
            continue
        target = fold(sparse, corners, image.shape, side, np.nanmedian)
        return target, fold(low, corners, image.shape, side, np.nanmedian), told


def nipps(image, kind="flush", side=50, step=10, tolerance=1e-7, max_iter=1000):
    """Target, background, and a dict of what the solver tells."""
    image = np.asarray(image, dtype=float)
    corners, data = patches(image, side, step, kind)
    s = np.linalg.svd(data, compute_uv=False)
    below = np.flatnonzero(s / s[0] < 0.005)
    protected = max(below[0], 1) if below.size else 1
    weight = 2 / np.sqrt(min(data.shape))
    dual = data / max(s[0], np.abs(data).max() / weight)
    mu = 1.25 / s[0]
    mu_max = 1e7 * mu
    low = sparse = np.zeros_like(data)
    told = {"protected": int(protected), "ranks": [], "cards": [], "crits": []}
    while True:
        sparse = np.maximum(data - low + dual / mu - weight / mu, 0)
        low, rank = psvt(data - sparse + dual / mu, 1 / mu, protected)
        rest = data - low - sparse
        dual = dual + mu * rest
        mu = min(1.5 * mu, mu_max)
        told["ranks"].append(rank)
        told["cards"].append(int((sparse > 0).sum()))
        told["crits"].append(np.linalg.norm(rest) / np.linalg.norm(data))
        if told["crits"][-1] < tolerance:
            told["stop"] = "tolerance"
        elif len(told["ranks"]) == max_iter:
            told["stop"] = "max_iter"
        else:
            continue
        target = fold(sparse, corners, image.shape, side, np.nanmean)
        return target, fold(low, corners, image.shape, side, np.nanmean), told
