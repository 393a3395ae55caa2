#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write data/filters/ from the curves in two wheels of PyPI.

    pip install numpy
    python3 tools/import-filters.py [--sedpy WHEEL] [--speclite WHEEL] [--out data/filters]

Without a local wheel the pinned versions below are fetched with pip. The result depends on nothing else.

Detector type. sedpy's Filter.obj_counts integrates lambda f_lambda T, its T being the detector signal per photon;
speclite's convolution weights with the photon number too. So every curve is "photon". For 2MASS and WISE, whose
tables exist in both kinds, this is checked: the published zero points give the pivot sqrt(c F_nu / F_lambda), and
check_kind() requires that the photon-counting pivot of the curve agrees with it and the energy-counting one does not.

Zero error. VISTA's curves are negative by up to 0.3 % of their peak far from the band; clipping alone would leave the
positive half of that noise and move the pivot of Z by 0.2 %. See remove_zero_error().

Thinning. A curve is cut where what lies beyond is < TAIL of its integral, closed with a zero at each end, and rid of
the points that a straight line replaces while its running integral stays within INTEGRAL of the whole and the
throughput within VERTICAL of the peak (Douglas & Peucker 1973, tolerance halved until the integral holds).
"""
import argparse
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

SEDPY = "astro-sedpy==0.4.1"
SPECLITE = "speclite==1.0.0"
TAIL = 1e-5        # share of the integral that may be cut off at each end: a tenth of the error allowed in a flux
INTEGRAL = 1e-4    # of the whole integral: bounds the relative error of the flux of any monotonic spectrum
VERTICAL = 2e-3    # of the peak: bounds the error of a single emission line
LIGHT_A_PER_S = 2.99792458e18

# facility/instrument prefix, sedpy's file stem, {our band: sedpy's band}; description of what the curve includes
GROUPS = [
    ("HST/ACS_WFC.", "acs_wfc_", {b: b.lower() for b in "F435W F475W F555W F606W F625W F775W F814W F850LP".split()},
     "HST ACS/WFC, total system throughput (STScI)"),
    ("HST/WFC3_UVIS.", "wfc3_uvis_", {b: b.lower() for b in "F225W F275W F336W F390W F475W F555W F606W F814W".split()},
     "HST WFC3/UVIS chip 1, total system throughput (STScI)"),
    ("HST/WFC3_IR.", "wfc3_ir_", {b: b.lower() for b in "F098M F105W F110W F125W F140W F160W".split()},
     "HST WFC3/IR, total system throughput (STScI)"),
    ("JWST/NIRCam.", "jwst_", {b: b.lower() for b in (
        "F070W F090W F115W F140M F150W F150W2 F162M F182M F200W F210M F250M F277W F300M F322W2 F335M F356W F360M "
        "F410M F430M F444W F460M F480M").split()}, "JWST NIRCam with telescope, photon-to-electron efficiency"),
    ("JWST/NIRISS.", "jwst_niriss_", {b: b.lower() for b in (
        "F090W F115W F140M F150W F158M F200W F277W F356W F380M F430M F444W F480M").split()},
     "JWST NIRISS with telescope, photon-to-electron efficiency (November 2022)"),
    ("JWST/MIRI.", "jwst_", {b: b.lower() for b in (
        "F560W F770W F1000W F1130W F1280W F1500W F1800W F2100W F2550W").split()},
     "JWST MIRI imager, photon-to-electron efficiency before launch (MIRI-TN-00072), perhaps without the telescope"),
    ("Roman/WFI.", "roman_wfi_", {b: b.lower() for b in "F062 F087 F106 F129 F146 F158 F184 F213".split()},
     "Roman WFI, effective area v8 (March 2024), mean of the detectors"),
    ("Subaru/HSC.", "hsc_", {b: b for b in "grizy"}, "Subaru Hyper Suprime-Cam, total, airmass 1.2, PWV 1.5 mm"),
    ("Subaru/Suprime.", "subaru_suprimecam_", {"B": "B", "V": "V", "Rc": "Rc", "r": "rp", "i": "ip", "z": "zp"},
     "Subaru Suprime-Cam broad band"),
    ("Subaru/Suprime.", "subaru_suprimecam_", {"IB" + b: "ia" + b for b in (
        "427 445 464 484 505 527 550 574 598 624 651 679 709 738 767 797 827 856").split()},
     "Subaru Suprime-Cam intermediate band (IA in sedpy)"),
    ("LSST/LSST.", "lsst_baseline_", {b: b for b in "ugrizy"}, "Rubin LSSTCam, baseline v1.9 with atmosphere, airmass 1.2"),
    ("SLOAN/SDSS.", "sdss_", {b: b + "0" for b in "ugriz"}, "SDSS, with atmosphere, airmass 1.3"),
    ("Paranal/VISTA.", "vista_vircam_", {b: b for b in "Z Y J H Ks".split()},
     "VISTA VIRCAM, filter, mirrors, detector and atmosphere"),
    ("CFHT/MegaCam.", "cfht_megacam_", {"u_1": "us_9301", "g_1": "gs_9401", "r_1": "rs_9601", "i_1": "is_9701",
                                       "z_1": "zs_9801"}, "CFHT MegaCam, first filter set"),
    ("CFHT/WIRCam.", "cfht_wircam_", {"J": "J_8101", "H": "H_8201", "Ks": "Ks_8302"}, "CFHT WIRCam"),
    ("UKIRT/WFCAM.", "ukirt_wfcam_", {b: b for b in "JHK"}, "UKIRT WFCAM"),
    ("CTIO/DECam.", "decam_", {b: b for b in "ugrizY"}, "Blanco DECam, total"),
    ("PAN-STARRS/PS1.", "panstarrs_", {b: b for b in "grizy"}, "Pan-STARRS 1 (Tonry et al. 2012)"),
    ("Spitzer/IRAC.", "spitzer_irac_", {b: b for b in "ch1 ch2 ch3 ch4".split()}, "Spitzer IRAC, electrons per photon (IRSA)"),
    ("WISE/WISE.", "wise_", {b: b for b in "w1 w2 w3 w4".split()}, "WISE, relative response (Jarrett et al. 2011)"),
    ("GALEX/GALEX.", "galex_", {"FUV": "FUV", "NUV": "NUV"}, "GALEX, effective area in cm2"),
    ("2MASS/2MASS.", "twomass_", {b: b for b in "J H Ks".split()}, "2MASS (Cohen et al. 2003)"),
]
EUCLID = {"VIS.vis": "VIS", "NISP.y": "Y", "NISP.j": "J", "NISP.h": "H"}

# F_nu [Jy] and F_lambda [erg/s/cm2/A] of zero magnitude: Cohen et al. 2003, table 2; Jarrett et al. 2011, table 1
ZERO_POINTS = {"2MASS/2MASS.J": (1594.0, 3.129e-10), "2MASS/2MASS.H": (1024.0, 1.133e-10),
               "2MASS/2MASS.Ks": (666.7, 4.283e-11), "WISE/WISE.w1": (309.54, 8.1787e-12),
               "WISE/WISE.w2": (171.787, 2.4150e-12), "WISE/WISE.w3": (31.674, 6.5151e-14),
               "WISE/WISE.w4": (8.363, 5.0901e-15)}
PIVOT_MATCH = 5e-4  # the published numbers have four digits


def wheel(path, requirement):
    """Open a local wheel, or fetch the pinned one into a temporary folder."""
    if path:
        return zipfile.ZipFile(path)
    folder = tempfile.mkdtemp()
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, requirement], check=True)
    return zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl")))


def read_columns(text, skip_header_names=False):
    """Wavelength [A] and throughput, ascending, finite, not negative; one value per wavelength."""
    lines = [l for l in text.splitlines() if l.strip() and not l.startswith("#")]
    if skip_header_names:
        lines = lines[1:]
    wave, t = np.genfromtxt(io.StringIO("\n".join(lines)), usecols=(0, 1), unpack=True)
    good = np.isfinite(wave) & np.isfinite(t)
    wave, first = np.unique(wave[good], return_index=True)
    return wave, remove_zero_error(t[good][first])


def remove_zero_error(t):
    """The most negative value of a curve is the error of its zero: outside the band nothing smaller is real."""
    noise, peak = max(0.0, -t.min()), int(np.argmax(t))
    below = np.nonzero(t <= 0)[0]
    lo = below[below < peak].max(initial=0)
    hi = below[below > peak].min(initial=len(t))
    outside = np.ones(len(t), bool)
    outside[lo:hi] = False
    return np.where((t <= 0) | (outside & (t <= noise)), 0.0, t)


def moments(wave, t):
    """Exact integrals over piecewise-linear t of t lambda, t, t / lambda, t / lambda^2."""
    a, b = wave[:-1], wave[1:]
    slope = np.diff(t) / np.diff(wave)
    c0 = t[:-1] - slope * a
    def power(n):
        return np.log(b / a) if n == -1 else (b ** (n + 1) - a ** (n + 1)) / (n + 1)
    return [np.sum(c0 * power(n) + slope * power(n + 1)) for n in (1, 0, -1, -2)]


def pivot_A(wave, t, kind):
    m1, m0, m_1, m_2 = moments(wave, t)
    return np.sqrt(m1 / m_1) if kind == "photon" else np.sqrt(m0 / m_2)


def running_integral(wave, t, at):
    """Integral of t d ln lambda (the weight of f_nu, photon counting) from the first point to each of `at`."""
    x = np.unique(np.concatenate([wave, at]))
    y = np.interp(x, wave, t)
    slope = np.diff(y) / np.diff(x)
    steps = (y[:-1] - slope * x[:-1]) * np.log(x[1:] / x[:-1]) + slope * np.diff(x)
    total = np.concatenate([[0.0], np.cumsum(steps)])
    return total[np.searchsorted(x, at)]


def trim(wave, t):
    c = running_integral(wave, t, wave)
    keep = np.nonzero((c > TAIL * c[-1]) & (c < (1 - TAIL) * c[-1]))[0]
    lo, hi = max(keep[0] - 1, 0), min(keep[-1] + 1, len(wave) - 1)
    wave, t = wave[lo:hi + 1], t[lo:hi + 1]
    # Close with a zero: on the end point itself where it is small, else one step outside, so that no edge is lost.
    if t[0] > 1e-3 * t.max():
        wave, t = np.concatenate([[2 * wave[0] - wave[1]], wave]), np.concatenate([[0.0], t])
    if t[-1] > 1e-3 * t.max():
        wave, t = np.concatenate([wave, [2 * wave[-1] - wave[-2]]]), np.concatenate([t, [0.0]])
    t = t.copy()
    t[0] = t[-1] = 0.0
    return wave, t


def douglas_peucker(wave, t, tolerance):
    keep = np.zeros(len(wave), bool)
    keep[[0, -1]] = True
    stack = [(0, len(wave) - 1)]
    while stack:
        i, j = stack.pop()
        if j - i < 2:
            continue
        line = t[i] + (t[j] - t[i]) * (wave[i + 1:j] - wave[i]) / (wave[j] - wave[i])
        gap = np.abs(t[i + 1:j] - line)
        k = int(np.argmax(gap))
        if gap[k] > tolerance:
            k += i + 1
            keep[k] = True
            stack += [(i, k), (k, j)]
    return keep


def thin(wave, t):
    whole = running_integral(wave, t, wave)
    tolerance = VERTICAL * t.max()
    while True:
        keep = douglas_peucker(wave, t, tolerance)
        part = running_integral(wave[keep], t[keep], wave)
        if np.max(np.abs(part - whole)) <= INTEGRAL * whole[-1]:
            return wave[keep], t[keep]
        tolerance /= 2


def check_kind(name, wave, t):
    if name not in ZERO_POINTS:
        return
    f_nu, f_lambda = ZERO_POINTS[name]
    published = np.sqrt(LIGHT_A_PER_S * f_nu * 1e-23 / f_lambda)
    photon = abs(pivot_A(wave, t, "photon") / published - 1)
    energy = abs(pivot_A(wave, t, "energy") / published - 1)
    if not (photon < PIVOT_MATCH < energy):
        sys.exit(f"{name}: the curve is not photon-counting (pivots off by {photon:.1e} photon, {energy:.1e} energy)")


def write(out, name, wave, t, description, source, licence):
    full = (wave, t)
    check_kind(name, wave, t)
    wave, t = thin(*trim(wave, t))
    pivot, change = pivot_A(wave, t, "photon"), pivot_A(wave, t, "photon") / pivot_A(*full, "photon") - 1
    if not abs(change) <= INTEGRAL:
        sys.exit(f"{name}: thinning moves the pivot by {change:.1e}")
    path = out / (name + ".dat")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as f:
        f.write(f"# id: {name}\n# description: {description}\n# detector: photon\n"
                f"# source: {source}\n# licence: {licence}\n# columns: wavelength [Angstrom], throughput\n")
        for w, v in zip(wave, t):
            f.write(f"{w:.9g} {v:.6g}\n")
    return name, pivot, moments(wave, t)[1] / t.max(), "photon", len(wave), abs(change)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sedpy", help="local astro_sedpy wheel")
    parser.add_argument("--speclite", help="local speclite wheel")
    parser.add_argument("--out", default=pathlib.Path(__file__).resolve().parent.parent / "data" / "filters", type=pathlib.Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    rows = []
    sedpy = wheel(args.sedpy, SEDPY)
    for prefix, stem, bands, description in GROUPS:
        for ours, theirs in bands.items():
            file = f"sedpy/data/filters/{stem}{theirs}.par"
            wave, t = read_columns(sedpy.read(file).decode("utf-8", "replace"))
            rows.append(write(args.out, prefix + ours, wave, t, f"{description}, {ours}",
                              f"{SEDPY} {stem}{theirs}.par", "MIT"))
    speclite = wheel(args.speclite, SPECLITE)
    for ours, theirs in EUCLID.items():
        file = f"speclite/data/filters/Euclid-{theirs}.ecsv"
        wave, t = read_columns(speclite.read(file).decode(), skip_header_names=True)
        rows.append(write(args.out, "Euclid/" + ours, wave, t, f"Euclid {theirs}, total response",
                          f"{SPECLITE} Euclid-{theirs}.ecsv", "BSD-3-Clause"))

    for archive, target in ((sedpy, "LICENSE.sedpy.txt"), (speclite, "LICENSE.speclite.txt")):
        member = next(n for n in archive.namelist() if "/licenses/LICENSE" in n)
        (args.out / target).write_bytes(archive.read(member))
    with open(args.out / "INDEX.txt", "w") as f:
        f.write("# id pivot[Angstrom] effective_width[Angstrom] detector n_point\n")
        for name, pivot, width, kind, n, _ in sorted(rows):
            f.write(f"{name} {pivot:.2f} {width:.2f} {kind} {n}\n")
    print(f"{len(rows)} filters, {sum(r[4] for r in rows)} points, pivots moved by at most {max(r[5] for r in rows):.1e}")


if __name__ == "__main__":
    main()
