# SPDX-License-Identifier: GPL-3.0-or-later
"""Every block of docs/cookbook.md is run: whole models as they are, fragments with their top-level keys in the first model's place."""
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from harness import SOURCE, Folder

PYTHON = os.environ.get("SEDNA_PYTHON", "python3")
SKIRTOR = pathlib.Path(os.environ.get("SEDNA_SHARED", "../shared")) / "data" / "agn" / "SKIRTOR.fits.gz"   # no part of the project
DISCS = """
import h5py, numpy as np
mass, rate, wave = np.array([1e6, 1e8, 1e10]), np.array([0.1, 1.0]), np.geomspace(20, 1e6, 300)
with h5py.File("discs.hdf5", "w") as f:   # bumps that move with mass and widen with rate
    f.attrs["axes"] = ["masses", "accretion_rates_eddington"]
    f["axes/masses"], f["axes/accretion_rates_eddington"], f["spectra/wavelength"] = mass, rate, wave
    f["axes/masses"].attrs["log_on_read"], f["axes/accretion_rates_eddington"].attrs["log_on_read"] = 1, 0
    peak, width = 300 * (mass / 1e6) ** 0.25, 1 + rate
    f["spectra/incident"] = 1e30 * np.exp(-(np.log(wave / peak[:, None, None]) / width[None, :, None]) ** 2)
"""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
RED, BLUE, DISTANT = "JWST/NIRCam.F150W,JWST/NIRCam.F200W", "HST/ACS_WFC.F435W", "JWST/NIRCam.F115W"   # the last two feel the IGM at redshift 3 and at 9
DUSTY = ",tophat:2000000:3000000"   # where dust shines


def sections(text):
    """Top-level keys of a YAML map with their lines, in order."""
    found = {}
    for line in text.splitlines(keepends=True):
        top = re.match(r"([A-Za-z_]\w*):", line)
        if top:
            key = top.group(1)
            found[key] = ""
        if found:
            found[key] += line
    return found


def merged(base, fragment):
    return "".join({**sections(base), **sections(fragment)}.values())


class Cookbook(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = (SOURCE / "docs" / "cookbook.md").read_text(encoding="utf-8")
        cls.blocks = BLOCK.findall(text)
        cls.base = next(body for kind, body in cls.blocks if kind == "yaml")
        for kind, body in cls.blocks:
            name = re.match(r"# file: (\S+)\n", body)
            if kind == "text" and name:
                cls.write(name.group(1), body[name.end():])
        if SKIRTOR.exists():
            shutil.copy(SKIRTOR, cls.folder / SKIRTOR.name)
        subprocess.run([PYTHON, "-c", DISCS], cwd=cls.folder, capture_output=True, check=False)   # without h5py there is none

    def galaxy(self, model, *args):
        self.write("cookbook.yaml", model)
        return json.loads(self.run_ok("sed", "cookbook.yaml", "--json", *args).stdout)

    def assert_shines(self, galaxy, what):
        self.assertGreater(len(galaxy["photometry"]), 0, what)
        for band in galaxy["photometry"]:
            self.assertTrue(band["flux_njy"] is not None and band["flux_njy"] > 0 and math.isfinite(band["flux_njy"]), f"{band} of\n{what}")
        self.assertTrue(all(p["value"] is not None for p in galaxy["parameters"]), what)

    def test_fence_and_merge(self):
        """The machinery itself: what is replaced, what stays, and that nothing is passed over."""
        self.assertEqual(merged("a: 1\nb:\n  c: 2\n  d: 3\n", "b: {c: 4}\ne: 5\n"), "a: 1\nb: {c: 4}\ne: 5\n")
        text = (SOURCE / "docs" / "cookbook.md").read_text(encoding="utf-8")
        self.assertEqual(2 * len(self.blocks), len(re.findall(r"^```", text, re.M)))
        self.assertGreater(sum(kind == "yaml" for kind, _ in self.blocks), 40)
        self.assertLessEqual({kind for kind, _ in self.blocks}, {"yaml", "survey", "text"})

    def test_models(self):
        fluxes = {}
        for kind, body in self.blocks:
            if kind != "yaml":
                continue
            with self.subTest(body):
                needs = re.match(r"# needs: (\S+)\n", body)
                if needs and not (self.folder / needs.group(1)).exists():
                    self.skipTest(f"SKIPPED: {needs.group(1)} is not on this machine")
                model = body if "grid" in sections(body) else merged(self.base, body)
                distant = "low: 6," in model
                at = ["redshift=9"] if distant else [] if "redshift" in sections(body) else ["redshift=3"]
                # a draw: at their medians all histories in bins are the same, of constant rate
                bands = f"{RED},{DISTANT if distant else BLUE}{DUSTY if 'dust_emission' in sections(model) else ''}"
                galaxy = self.galaxy(model, "--draw", "--seed", 11, "--bands", bands, *at)
                self.assert_shines(galaxy, body)
                key = tuple(b["flux_njy"] for b in galaxy["photometry"])
                fluxes.setdefault(key, []).append(body)
        # A fragment that changes nothing is no example of anything, unless what it adds is not light.
        for same in fluxes.values():
            silent = [body for body in same if "derived" not in sections(body) and "velocity_dispersion_km_s" not in sections(body)]
            self.assertLessEqual(len(silent), 1, "all the same:\n" + "\n".join(silent))

    def test_surveys(self):
        for kind, body in self.blocks:
            if kind != "survey":
                continue
            self.write("cookbook_survey.yaml", body)
            galaxy = self.galaxy(self.base, "redshift=1.2", "--survey", "cookbook_survey.yaml")
            self.assert_shines(galaxy, body)
            self.assertGreater(len(galaxy["measurements"]), 0)
            for m in galaxy["measurements"]:
                self.assertGreater(m["value"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
