#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write data/catalogues/cosmos2020_specz100.fits and data/surveys/cosmos2020.yaml from the LePHARE source package of
PyPI.

    pip install numpy astropy
    python3 tools/import-cosmos.py [--source TAR.GZ] [--data data]

The catalogue is copied byte for byte: 100 galaxies of COSMOS2020 (Weaver et al. 2022) with a spectroscopic redshift,
f_nu and its error in erg/s/cm2/Hz in 30 bands, "not observed" marked by NaN alone (checked). The survey file lists
the bands whose curve is in data/filters and that were observed, with the distribution of their errors. Without a
local file the pinned package is fetched; with pip's help this takes minutes, because pip prepares its build.
"""
import argparse
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import numpy as np
from astropy.io import fits

PACKAGE = "lephare==1.0.0"
MEMBER = "lephare-1.0.0/tests/data/examples/COSMOS_first100specz.fits"
LICENCE = "lephare-1.0.0/LICENSE"
NJY = 1e-32            # erg/s/cm2/Hz
WIDEN = 1.5            # the ends of the error distribution: 100 rows do not show the extremes

# LePHARE's name of the curve, which is the catalogue's column; our band; our filter (None: no curve in data/filters)
BANDS = [("cosmos/u_cfht.lowres", "CFHT_ustar", "CFHT/MegaCam.u_1"), ("cosmos/u_new.pb", "CFHT_u", None)]
BANDS += [(f"hsc/{b}HSC.pb", f"HSC_{b}", f"Subaru/HSC.{b}") for b in "grizy"]
BANDS += [(f"vista/{b}.lowres", f"UVISTA_{n}", f"Paranal/VISTA.{n}") for b, n in (("Y", "Y"), ("J", "J"), ("H", "H"), ("K", "Ks"))]
BANDS += [(f"cosmos/IB{b}.lowres", f"SC_IB{b}", f"Subaru/Suprime.IB{b}") for b in
          "427 464 484 505 527 574 624 679 709 738 767 827".split()]
BANDS += [("cosmos/NB711.lowres", "SC_NB711", None), ("cosmos/NB816.lowres", "SC_NB816", None)]
BANDS += [("vista/NB118.lowres", "UVISTA_NB118", None)]
BANDS += [(f"cosmos/irac_ch{i}.lowres", f"IRAC_ch{i}", f"Spitzer/IRAC.ch{i}") for i in "1234"]


def fetch(source):
    if source:
        return tarfile.open(source)
    folder = tempfile.mkdtemp()
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
    subprocess.run(pip + ["-d", folder, PACKAGE], check=True)
    return tarfile.open(next(pathlib.Path(folder).glob("*.tar.gz")))


def observed(table, column):
    """Flux and error [nJy] of a band with its mask; any mark but NaN would need a place in the survey file."""
    f, e = table["f_" + column] / NJY, table["ferr_" + column] / NJY
    seen = np.isfinite(f) & np.isfinite(e)
    if np.any(e[seen] <= 0) or np.any(f[seen] < -1e3 * e[seen]):
        sys.exit(f"{column}: an error that is not positive or a flux that looks like a mark")
    return f, e, seen


def quantiles(errors):
    q = np.quantile(errors, np.linspace(0, 1, 11))
    q[0], q[-1] = q[0] / WIDEN, q[-1] * WIDEN
    return ", ".join(f"{v:.3g}" for v in q)


def depth_correlation(logs):
    """Mean correlation of the normal scores of log error between bands: [n_band][n_row], complete rows only."""
    from statistics import NormalDist
    rank = np.argsort(np.argsort(logs, axis=1), axis=1)
    score = np.vectorize(NormalDist().inv_cdf)((rank + 0.5) / logs.shape[1])
    c = np.corrcoef(score)
    return c[~np.eye(len(c), dtype=bool)].mean()


def band_line(name, filter_id, column, errors):
    return (f"  - {{name: {name}, filter: {filter_id}, flux: f_{column}, error: ferr_{column},\n"
            f"     sigma_njy: {{quantiles: [{quantiles(errors)}]}}}}\n")


def survey_text(table):
    lines, left_out, logs, cells, missing = [], [], [], 0, 0
    print(f"{'band':14s} {'seen':>4s} {'error nJy':>9s} {'S/N':>6s} {'faint':>7s} {'bright':>7s}   (of the thirds in flux)")
    for column, name, filter_id in BANDS:
        f, e, seen = observed(table, column)
        if not filter_id or not seen.any():
            left_out.append(f"{name} ({'no curve' if not filter_id else 'never observed'})")
            continue
        order = np.argsort(f[seen])
        third = seen.sum() // 3
        print(f"{name:14s} {seen.sum():4d} {np.median(e[seen]):9.1f} {np.median(f[seen] / e[seen]):6.1f} "
              f"{np.median(e[seen][order][:third]):7.1f} {np.median(e[seen][order][-third:]):7.1f}")
        lines.append(band_line(name, filter_id, column, e[seen]))
        logs.append(np.where(seen, e, np.nan))
        cells, missing = cells + len(f), missing + (~seen).sum()
    logs = np.log(np.array(logs))
    correlation = depth_correlation(logs[:, np.isfinite(logs).all(0)])
    print(f"{len(lines)} bands, {missing} of {cells} values missing, mean correlation of errors {correlation:.2f}")
    head = f"""# COSMOS2020 galaxies with spectroscopic redshifts: data/catalogues/cosmos2020_specz100.fits
# Written by tools/import-cosmos.py. Left out: {', '.join(left_out)}.
# sigma_njy: deciles of the catalogue's own errors, ends widened {WIDEN} times. They hold Poisson noise (bright third up to 4
# times the faint third in HSC) but no floor: the smallest are 0.1 % of the flux.
name: COSMOS2020
flux_unit: erg/s/cm2/Hz
missing_value: [-99]                   # COSMOS2020's usual mark; these 100 rows use NaN alone
floor_fraction: 0.05                   # calibration and model floor, relative to the true flux
error_column: none                     # no floor is in the errors
sigma_correlation: {correlation:.2f}                # mean correlation of the errors' normal scores between bands
missing: {{drop_fraction: 0.05}}         # {missing} of {cells} values is missing here; more, so that other rows can be fitted
columns: {{id: id, redshift: zspec}}
bands:
"""
    return head + "".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", help="local lephare-1.0.0.tar.gz")
    parser.add_argument("--data", default=pathlib.Path(__file__).resolve().parent.parent / "data", type=pathlib.Path)
    args = parser.parse_args()
    with fetch(args.source) as archive:
        catalogue, licence = archive.extractfile(MEMBER).read(), archive.extractfile(LICENCE).read()
    for folder in ("catalogues", "surveys"):
        (args.data / folder).mkdir(parents=True, exist_ok=True)
    (args.data / "catalogues" / "cosmos2020_specz100.fits").write_bytes(catalogue)
    (args.data / "catalogues" / "LICENSE.lephare.txt").write_bytes(licence)
    text = survey_text(fits.open(io.BytesIO(catalogue))[1].data)
    (args.data / "surveys" / "cosmos2020.yaml").write_text(text)


if __name__ == "__main__":
    main()
