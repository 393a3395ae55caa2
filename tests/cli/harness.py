# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the program as its user does, in a folder that goes away."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["SEDNA_PROGRAM"]
SOURCE = pathlib.Path(os.environ["SEDNA_SOURCE"])

MODEL = """\
grid: bc03-miles-kroupa
redshift: {prior: uniform, low: 0.02, high: 2}
stars:
  log_mass_formed_msun: {prior: uniform, low: 8, high: 12}
  log_metallicity: -2
  sfh: {family: delayed_exponential, age_gyr: {prior: uniform, low: 0.1, high: 3}, tau_gyr: 1}
nebular: {log_u: -2, escape_fraction: 0}
dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 2}}
igm: inoue14
"""

SURVEY = """\
name: small test survey
flux_unit: nJy
floor_fraction: 0.05
missing: {drop_fraction: 0.1}
columns: {id: ID, redshift: Z_SPEC, flux: "F_{band}", error: "E_{band}"}
bands:
  - {name: g, filter: SLOAN/SDSS.g, sigma_njy: {low: 20, high: 60}}
  - {name: r, filter: SLOAN/SDSS.r, sigma_njy: {low: 20, high: 60}}
  - {name: i, filter: SLOAN/SDSS.i, sigma_njy: {low: 20, high: 60}}
  - {name: z, filter: SLOAN/SDSS.z, sigma_njy: {low: 30, high: 90}}
  - {name: J, filter: 2MASS/2MASS.J, sigma_njy: {low: 50, high: 150}}
"""
BANDS = ["g", "r", "i", "z", "J"]


def sedna(*args, cwd=None, timeout=280, env=None, **more):
    """Run the program; returns the finished process with text output."""
    return subprocess.run([PROGRAM, *map(str, args)], cwd=cwd, timeout=timeout, text=True, capture_output=True,
                          env={**os.environ, **(env or {})}, **more)


class Folder(unittest.TestCase):
    """A test case with a scratch folder that holds the small model and survey."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="sedna-test-"))
        cls.write("model.yaml", MODEL)
        cls.write("survey.yaml", SURVEY)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def write(cls, name, text):
        path = cls.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    @classmethod
    def run_ok(cls, *args, **more):
        done = sedna(*args, cwd=cls.folder, **more)
        if done.returncode != 0:
            raise AssertionError(f"sedna {' '.join(map(str, args))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def run_bad(self, code, words, *args, **more):
        """The command must fail with this exit code, one sentence on stderr that holds all the words, and leave no output."""
        done = sedna(*args, cwd=self.folder, **more)
        self.assertEqual(done.returncode, code, f"{args}: {done.stdout}{done.stderr}")
        for word in words:
            self.assertIn(word, done.stderr, f"{args}")
        self.assertLess(len(done.stderr.splitlines()), 4, f"{args}: more than a sentence:\n{done.stderr}")
        return done
