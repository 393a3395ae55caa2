# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin the axes of an SPS grid so that no band of a composite population changes by more than a tolerance.

Values at the nodes of a thinned axis are the least-squares piecewise-linear function (hat-function projection), not
samples. Its residual is orthogonal to every hat, so a band or a star formation history that is smooth on the scale of
the nodes feels only a second-order remainder; nodes are needed where a band has an edge in a structured part of the
spectrum. Used by import-grid-bagpipes.py.
"""
import numpy as np
import scipy.sparse as sp
from scipy.linalg import solveh_banded

TOLERANCE = 6e-4       # of a band's flux, from the wavelengths; all errors together are to stay below 1e-3
AGE_TOLERANCE = 5e-4   # the same from the ages


def interpolation_matrix(x, nodes):
    """[len(x)][len(nodes)]: piecewise-linear interpolation, constant outside."""
    k = np.clip(np.searchsorted(nodes, x, "right") - 1, 0, len(nodes) - 2)
    u = np.clip((x - nodes[k]) / (nodes[k + 1] - nodes[k]), 0, 1)
    i = np.arange(len(x))
    return sp.csr_matrix((np.r_[1 - u, u], (np.r_[i, i], np.r_[k, k + 1])), shape=(len(x), len(nodes)))


def projector(x, weight, nodes):
    """P, and a function that maps values [n][len(x)] to the nodes' values: weighted least squares over the axis, not over its
    points, none negative. Nodes must be a subset of x; both functions are piecewise linear; weight is per interval of x."""
    h = np.diff(x) * weight
    mass = sp.diags([np.r_[h, 0] / 3 + np.r_[0, h] / 3, h / 6, h / 6], [0, 1, -1], format="csr")
    p = interpolation_matrix(x, nodes)
    gram = p.T @ mass @ p
    diagonal, off = gram.diagonal(), np.append(gram.diagonal(1), 0.0)
    band = np.array([np.r_[0, off[:-1]], diagonal])
    transform = (p.T @ mass).tocsr()

    def fit(values):
        rhs = transform @ values.T
        v = solveh_banded(band, rhs)
        negative = np.flatnonzero((v < 0).any(0))
        if len(negative):
            v[:, negative] = nonnegative(diagonal, off, rhs[:, negative], v[:, negative].clip(0, None))
        return v.T
    return p, fit


def nonnegative(diagonal, off, rhs, v, sweeps=30):
    """Projected red-black Gauss-Seidel; the diagonal dominates the tridiagonal matrix twofold: a sweep leaves a quarter of the error."""
    n = len(v)
    left = np.r_[0.0, off[:-1]]
    for _ in range(sweeps):
        for parity in (0, 1):
            i = np.arange(parity, n, 2)
            around = left[i, None] * v[i - 1] + off[i, None] * v[(i + 1) % n]
            v[i] = ((rhs[i] - around) / diagonal[i, None]).clip(0, None)
    return v


def add_splits(x, nodes, wanted):
    """Nodes plus the point of x nearest the middle of each wanted interval (index of its left node), where there is one."""
    lo, hi = np.searchsorted(x, nodes[wanted]), np.searchsorted(x, nodes[wanted + 1])
    mid = (lo + hi) // 2
    return np.unique(np.concatenate([nodes, x[mid[(mid > lo) & (mid < hi)]]]))


def band_row(x, wave, t):
    """Weights of the values on x in the photon-counting mean of a piecewise-linear L_nu: 3-point Gauss on each common piece."""
    lo, hi = np.searchsorted(x, wave[0], "right") - 1, np.searchsorted(x, wave[-1])
    if lo < 0 or hi >= len(x):
        return None
    xs = x[lo:hi + 1]
    u = np.unique(np.concatenate([xs, wave]))
    u = u[(u >= wave[0]) & (u <= wave[-1])]
    a, b, tu = u[:-1], u[1:], np.interp(u, wave, t)
    k = np.searchsorted(xs, (a + b) / 2) - 1
    row = np.zeros(len(xs))
    for g, w in ((-np.sqrt(0.6), 5 / 18), (0.0, 8 / 18), (np.sqrt(0.6), 5 / 18)):
        p = (a + b) / 2 + (b - a) / 2 * g
        v = w * (b - a) * (tu[:-1] + (tu[1:] - tu[:-1]) * (p - a) / (b - a)) / p
        s = (p - xs[k]) / (xs[k + 1] - xs[k])
        row += np.bincount(k, v * (1 - s), len(xs)) + np.bincount(k + 1, v * s, len(xs))
    return lo, row / row.sum()


def band_matrix(x, filters, z_max=15.0, step=0.005):
    """One row per shipped filter and redshift (step in ln(1+z)); first rest wavelength of each row."""
    rows, first, cols, data, ptr = [], [], [], [], [0]
    for path in sorted(filters.glob("*/*.dat")):
        wave, t = np.loadtxt(path, unpack=True)
        for s in np.exp(np.arange(0.0, np.log1p(z_max) + step / 2, step)):
            row = band_row(x, wave / s, t)
            if row is None:
                continue
            cols.append(row[0] + np.arange(len(row[1])))
            data.append(row[1])
            ptr.append(ptr[-1] + len(row[1]))
            first.append(wave[0] / s)
    if not first:
        raise SystemExit(f"no filters in {filters}: run tools/import-filters.py first")
    return sp.csr_matrix((np.concatenate(data), np.concatenate(cols), ptr), shape=(len(first), len(x))), np.array(first)


def start_nodes(x, pairs):
    """Coarse logarithmic nodes; the refinement adds what the bands ask for. (from A, to A, nodes per e-fold)"""
    points = [pairs, x[[0, -1]]]
    for a, b, n in ((5.6, 90, 3), (90, 912, 40), (912, 12000, 100), (12000, 35000, 60), (35000, 4e5, 25), (4e5, 3.6e8, 3)):
        points.append(np.exp(np.linspace(np.log(a), np.log(b), int(np.log(b / a) * n) + 1)))
    return nearest(x, np.concatenate(points))


def nearest(x, points):
    k = np.clip(np.searchsorted(x, points), 1, len(x) - 1)
    return np.unique(np.where(abs(x[k] - points) < abs(x[k - 1] - points), x[k], x[k - 1]))


def choose_wavelengths(x, pairs, bands, first, sample, uv_scale, max_rounds=60):
    """Split the intervals that carry the error of the bands which miss TOLERANCE, until none does.
    sample [n][x]; an error is relative to the band's flux, below 1216 A to uv_scale [n] (L_nu at 1500 A) if that is larger."""
    weight = 1 / (x[:-1] * x[1:])
    h = np.diff(x) * weight
    lump = (np.r_[h, 0] + np.r_[0, h]) / 2
    flux = bands @ sample.T
    scale = np.where((first < 1216)[:, None], np.maximum(flux, uv_scale), flux)
    scale[scale <= 0] = np.inf
    nodes = start_nodes(x, pairs)
    for _ in range(max_rounds):
        p, fit = projector(x, weight, nodes)
        residual = (p @ fit(sample).T).T - sample
        error = abs(bands @ residual.T) / scale
        bad = np.flatnonzero((error > TOLERANCE).any(1))
        print(f"  {len(nodes)} wavelengths: largest error {error.max():.1e}, above tolerance {len(bad)} of {len(error)} bands")
        wanted = np.zeros(len(nodes) - 1, bool)
        for r in bad[np.argsort(-error[bad].max(1))][:3000]:
            part = abs(error_by_interval(x, nodes, lump, bands[r], residual[error[r].argmax()]))
            if not wanted[np.argsort(-part)[:2]].any():   # one split per round and place: the next round sees its effect
                wanted[part.argmax()] = True
        refined = add_splits(x, nodes, np.flatnonzero(wanted))
        if len(refined) == len(nodes):
            break
        nodes = refined
    return nodes


def error_by_interval(x, nodes, lump, band, residual):
    """Where a band's error arises. The residual is orthogonal to all hats: what counts is the band minus its interpolation on nodes."""
    lo, hi = max(band.indices[0] - 400, 0), min(band.indices[-1] + 401, len(x))
    curve = np.zeros(hi - lo)
    curve[band.indices - lo] = band.data / lump[band.indices]
    on_node = np.isin(x[lo:hi], nodes)
    curve -= np.interp(x[lo:hi], x[lo:hi][on_node], curve[on_node])
    interval = np.clip(np.searchsorted(nodes, x[lo:hi], "right") - 1, 0, len(nodes) - 2)
    return np.bincount(interval, curve * lump[lo:hi] * residual[lo:hi], len(nodes) - 1)


# ---- ages ------------------------------------------------------------------------------------------------------------

def cumulative(age, t):
    """[len(t)][len(age)]: integral from 0 to t of the hat functions, linear in log age, constant outside."""
    t = np.asarray(t, dtype=float)
    out = np.zeros((len(t), len(age)))
    out[:, 0] = np.minimum(t, age[0])
    out[:, -1] += np.maximum(t - age[-1], 0)
    for k in range(len(age) - 1):
        a, ln = age[k], np.log(age[k + 1] / age[k])
        e = np.clip(t, a, age[k + 1])
        rising = (e * np.log(e / a) - (e - a)) / ln
        out[:, k + 1] += rising
        out[:, k] += (e - a) - rising
    return out


def windows(age_max, step_dex=0.0125):
    """Intervals of constant star formation: from 0 to 1 Myr and more; from any age above 1 Myr, 0.1 to 3 dex wide."""
    start = 10 ** np.arange(6.0, np.log10(age_max), step_dex)
    pairs = [(0.0, s) for s in start]
    for width in (0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0):
        pairs += [(s, s * 10 ** width) for s in start if s * 10 ** width <= age_max]
    return np.array(pairs)


def choose_ages(age, forced, sample, scale_with):
    """Drop ages one by one, the least important first, as long as no window of star formation misses AGE_TOLERANCE.
    sample [n][age] holds fluxes in rest-frame bands, scale_with [n][age] what their errors are relative to. Returns a mask."""
    x = np.log(age)
    span = windows(1.4e10)
    rows = (cumulative(age, span[:, 1]) - cumulative(age, span[:, 0])) / np.diff(span, axis=1)
    scale = rows @ scale_with.T
    scale[scale <= 0] = np.inf

    def error(keep):
        p, fit = projector(x, np.sqrt(age[1:] * age[:-1]), x[keep])
        return (abs(rows @ ((p @ fit(sample).T).T - sample).T) / scale).max()

    free = np.setdiff1d(np.arange(len(age)), [0, len(age) - 1] + forced)
    keep = np.ones(len(age), bool)
    importance = [error(np.arange(len(age)) != i) for i in free]
    for i in free[np.argsort(importance)]:
        keep[i] = False
        keep[i] = not error(keep) <= AGE_TOLERANCE
    print(f"  {keep.sum()} ages: largest error {error(keep):.1e}")
    return keep
