#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write data/agn/nenkova08.h5 from the torus spectra that come with FSPS.

    pip install numpy h5py
    python3 tools/import-agn.py --source Nenkova08_y010_torusg_n10_q2.0.dat

The file is dust/Nenkova08_y010_torusg_n10_q2.0.dat of https://github.com/cconroy20/fsps (MIT; data/agn/LICENSE.fsps.txt):
clumpy tori of Nenkova et al. (2008) with ten clouds along an equatorial ray, outer over inner radius 10, clouds falling off
as r^-2, averaged over viewing angles; L_nu of unit power at 125 wavelengths from 100 A to 3.6 cm for nine optical depths
of one cloud at 5500 A. Nothing is thinned; values are float32.
"""
import argparse
import pathlib

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, help="FSPS's Nenkova08_y010_torusg_n10_q2.0.dat")
    parser.add_argument("--out", default=ROOT / "data/agn/nenkova08.h5")
    args = parser.parse_args()
    lines = [line for line in pathlib.Path(args.source).read_text().splitlines() if not line.startswith("#")]
    tau = np.array(lines[0].split(), dtype=float)
    table = np.array([line.split() for line in lines[1:] if line.strip()], dtype=float)
    if table.shape != (125, 10) or len(tau) != 9 or np.any(np.diff(table[:, 0]) <= 0):
        raise SystemExit("%s is not laid out as this script knows it" % args.source)
    with h5py.File(args.out, "w") as f:
        f.attrs.update({"model": "Nenkova et al. 2008, clumpy torus, N0 = 10, Y = 10, q = 2", "source": "FSPS, dust/" + pathlib.Path(args.source).name,
                        "licence": "MIT (FSPS)", "made_by": "tools/import-agn.py",
                        "citation": "Nenkova et al. 2008, ApJ 685, 147 and 160; Conroy, Gunn & White 2009, ApJ 699, 486; Leja et al. 2018, ApJ 854, 62"})
        f.create_dataset("wavelength", data=table[:, 0]).attrs["Units"] = "Angstrom"
        f.create_dataset("tau", data=tau)
        f.create_dataset("lnu", data=table[:, 1:].T.astype(np.float32), fletcher32=True).attrs["Units"] = "1/Hz, of unit power"


if __name__ == "__main__":
    main()
