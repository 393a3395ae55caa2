#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""BAGPIPES' side of `make bench-peers`: the galaxies that bench_peers wrote, computed by model_galaxy on one core.

    peers.py FOLDER FILTER_FOLDER      FOLDER holds galaxies.csv and rate; filters are two-column files NAME.dat"""
import csv
import os
import sys
import time
from importlib.metadata import version

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
folder, filters = (os.path.abspath(a) for a in sys.argv[1:])
os.environ["MPLBACKEND"] = "Agg"
os.environ["MPLCONFIGDIR"] = folder
os.chdir(folder)   # it makes folders where it stands

import numpy as np
import bagpipes as pipes

with open("galaxies.csv") as f:
    rows = list(csv.reader(f))
head, values = rows[0], np.array(rows[1:], float)
bands = head[8:]
paths = [os.path.join(filters, band + ".dat") for band in bands]


def components(row):
    z, log_mass, log_z, tau, alpha, beta, log_u, a_v = row[:8]
    return {"redshift": z, "dblplaw": {"massformed": log_mass, "metallicity": 10 ** log_z / 0.02, "tau": tau, "alpha": alpha, "beta": beta},
            "nebular": {"logU": log_u}, "dust": {"type": "Calzetti", "Av": a_v}}


model = pipes.model_galaxy(components(values[0]), filt_list=paths, phot_units="mujy")
best, flux = np.inf, []
for repeat in range(3):
    start, flux = time.process_time(), []
    for row in values:
        model.update(components(row))
        flux.append(1e3 * model.photometry)
    best = min(best, time.process_time() - start)
rate, ours = len(values) / best, float(open("rate").read())
print("BAGPIPES %-28s %9.0f galaxies/s   %d galaxies, best of three" % (version("bagpipes"), rate, len(values)))
print("ratio %.0f (with dust emission on both sides)" % (ours / rate))
flux, mine = np.array(flux), values[:, 8:]
bright = (flux > 1e-2 * flux.max(1, keepdims=True)) & (flux > 0)
difference = np.abs(mine[bright] / flux[bright] - 1)
print("the same galaxies: fluxes differ by %.1f %% in the median, %.0f %% at 90 %%" % (100 * np.median(difference), 100 * np.percentile(difference, 90)))
