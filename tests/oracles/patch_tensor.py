"""RIPT, PSTNN and SMSL as their texts read: full SVDs, explicit unfoldings, loops over patches."""

from __future__ import annotations

import numpy as np


def starts(length, side, step):
    """Flush grid along one axis."""
    found, start = [], 0
    while start < length - side:
        found.append(start)
        start += step
    return [*found, length - side]


def corners(shape, side, step):
    """Top left corners, down the columns first."""
    return [(r, c) for c in starts(shape[1], side, step) for r in starts(shape[0], side, step)]


def cut(image, side, step):
    """Tensor (side, side, P) of patches."""
    patches = [image[r : r + side, c : c + side] for r, c in corners(image.shape, side, step)]
    return np.stack(patches, axis=2).astype(float)


def put_mean(tensor, shape, step):
    """Mean of all values a pixel gets."""
    side = tensor.shape[0]
    total, count = np.zeros(shape), np.zeros(shape)
    for k, (r, c) in enumerate(corners(shape, side, step)):
        total[r : r + side, c : c + side] += tensor[:, :, k]
        count[r : r + side, c : c + side] += 1
    return total / np.maximum(count, 1)


def put_last(tensor, shape, step):
    """The value of the last patch that holds a pixel."""
    side, frame = tensor.shape[0], np.zeros(shape)
    for k, (r, c) in enumerate(corners(shape, side, step)):
        frame[r : r + side, c : c + side] = tensor[:, :, k]
    return frame


def gaussian(image, sigma):
    """Correlation with a normalised 3x3 Gaussian window, border repeated and mirrored."""
    around = np.array([-1, 0, 1])
    window = np.exp(-(around[:, None] ** 2 + around**2) / (2 * sigma**2))
    window /= window.sum()
    padded = np.pad(image, 1, mode="symmetric")
    height, width = image.shape
    return sum(
        window[i, j] * padded[i : i + height, j : j + width] for i in range(3) for j in range(3)
    )


def slopes(image, axis):
    """Central differences inside, one-sided ones at the ends, none along a single pixel."""
    return np.gradient(image, axis=axis) if image.shape[axis] > 1 else np.zeros(image.shape)


def eigenvalues(image, before, after):
    """Both eigenvalues of the structure tensor, the larger first."""
    smooth = gaussian(image.astype(float), before)
    down, right = slopes(smooth, 0), slopes(smooth, 1)
    a, b, c = (gaussian(p, after) for p in (right * right, right * down, down * down))
    d = np.sqrt((a - c) ** 2 + 4 * b**2)
    return (a + c + d) / 2, (a + c - d) / 2


def unit(values):
    """Scaled to [0, 1], NaN left out of the extremes."""
    low, high = np.nanmin(values), np.nanmax(values)
    return (values - low) / (high - low) if high > low else np.zeros(values.shape)


def svt(matrix, threshold, protected=0):
    """Soft-threshold the singular values after the first few; how many are left."""
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    kept = np.maximum(s - threshold, 0)
    kept[:protected] = s[:protected]
    return (u * kept) @ v, int((kept > 0).sum())


def unfold(tensor, mode):
    return np.moveaxis(tensor, mode, 0).reshape(tensor.shape[mode], -1)


def refold(matrix, mode, shape):
    moved = [shape[mode], *(side for axis, side in enumerate(shape) if axis != mode)]
    return np.moveaxis(matrix.reshape(moved), 0, mode)


def edge_weights(image, edge):
    """Weights of 1 to exp(edge), large on edges."""
    large, small = eigenvalues(image, 1.2, 2.0)
    return np.exp(edge * unit(large - small))


def ript(image, side=30, step=10, factor=0.7, cap=500, weights=None):
    """Tensors of target and background; iterations, positive entries, crit."""
    local = cut(edge_weights(image, 1.0) if weights is None else weights, side, step)
    f = cut(image, side, step)
    weight, lam, mu = local, factor / np.sqrt(min(f.shape)), 5 * f.std(ddof=1)
    t, y, previous = np.zeros(f.shape), [np.zeros(f.shape) for _ in range(3)], f.size
    iteration = 0
    while iteration < cap:
        iteration += 1
        b = [refold(svt(unfold(f + mu * y[i] - t, i), mu)[0], i, f.shape) for i in range(3)]
        s = sum(f + mu * y[i] - b[i] for i in range(3)) / 3
        t = np.maximum(s - weight * mu * lam / 3, 0)
        weight = local / (np.abs(t) + 0.01)
        y = [y[i] - (b[i] + t - f) / mu for i in range(3)]
        mu /= 1.5
        positive = int((t > 0).sum())
        crit = np.linalg.norm(f - sum(b) / 3 - t) / np.linalg.norm(f)
        if crit < 1e-7 or positive == previous:
            break
        previous = positive
    return t, sum(b) / 3, iteration, positive, crit


def pstnn(image, side=40, step=40, factor=0.7, cap=500):
    """Tensors of target and background; iterations, positive entries, err, N."""
    large, small = eigenvalues(image, 2.0, 9.0)
    with np.errstate(invalid="ignore"):
        prior = unit(large * small / (large + small) * large)
    prior = np.nan_to_num(cut(prior, side, step))
    x = cut(image, side, step)
    lam = factor / np.sqrt(side * x.shape[2])
    values = np.linalg.svd(x.ravel(order="F").reshape(-1, x.shape[2]), compute_uv=False)
    n = max(1, int((values >= 0.1 * values[0]).sum()))
    s, y, weight, mu = np.zeros(x.shape), np.zeros(x.shape), np.ones(x.shape), 2e-3
    iteration = 0
    while iteration < cap:
        iteration += 1
        before = int((s > 0).sum())
        spectrum = np.fft.fft(x - s - y / mu, axis=2)
        for k in range(x.shape[2]):
            spectrum[:, :, k] = svt(spectrum[:, :, k], 1 / mu, n)[0]
        low = np.fft.ifft(spectrum, axis=2).real
        s = np.maximum(x - low - y / mu - weight * lam / mu, 0)
        with np.errstate(divide="ignore"):
            weight = n / (np.abs(s) + 0.01) / prior
        step_y = low + s - x
        err = np.linalg.norm(step_y) / np.linalg.norm(x)
        positive = int((s > 0).sum())
        if err < 1e-3 or (before > 0 and positive == before):
            break
        y = y + mu * step_y
        mu = min(1.05 * mu, 1e10)
    return s, low, iteration, positive, err, n


def rosl_sweep(p, d, a, mu):
    """One Gauss-Seidel sweep over atoms: dictionary (n, k) and coefficients (k, K) anew."""
    d, a = d.copy(), a.copy()
    for i in range(d.shape[1]):
        rest = p - d @ a + np.outer(d[:, i], a[i])
        v = rest @ a[i]
        for _ in range(2):  # twice, so that the directions are orthogonal to rounding
            v = v - d[:, :i] @ (d[:, :i].T @ v)
        length = np.linalg.norm(v)
        if length == 0:
            d[:, i], a[i] = 0, 0
            continue
        d[:, i] = v / length
        a[i] = d[:, i] @ rest
        size = np.linalg.norm(a[i])
        a[i] *= max(1 - 1 / (mu * size), 0) if size > 0 else 0
    return d, a


def smsl(x, start, lam, gamma, cap=100, tol=1e-7, sweep=rosl_sweep):
    """Target and background matrices of patches (n, K); iterations, atoms, residual."""
    a, d = start.copy(), np.zeros((x.shape[0], start.shape[0]))
    b, n, z = x.copy(), np.zeros(x.shape), np.zeros(x.shape)
    mu = 10 * lam / np.abs(x).max()
    last = 1e7 * mu
    iteration = 0
    while iteration < cap:
        iteration += 1
        t = np.maximum(x - b - n + z - lam / mu, 0)
        n = mu / (mu + gamma) * (x - b - t + z)
        d, a = sweep(x - t - n + z, d, a, mu)
        kept = np.linalg.norm(a, axis=1) > 0
        d, a = d[:, kept], a[kept]
        b = d @ a
        e = x - b - t - n
        z, mu = (z + e) / 1.5, min(1.5 * mu, last)
        size = np.linalg.norm(e) / np.linalg.norm(x)
        if size < tol:
            break
    return t, b, iteration, a.shape[0], size
