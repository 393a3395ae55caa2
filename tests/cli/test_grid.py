# SPDX-License-Identifier: GPL-3.0-or-later
"""sedna grid: what a user types and sees."""
import json
import unittest

from harness import Folder, sedna

AGES = ["1e6", "1e7", "1e8", "1e9"]
WAVES = [100 * 1.06 ** i for i in range(120)]


def table(z):
    rows = ["wave_A," + ",".join(f"age_{a}_yr" for a in AGES)]
    for w in WAVES:
        light = 1e-3 * (1 + 50 * z) * (0.1 if w < 912 else 1) / (w / 1000) ** 1.5
        rows.append(f"{w:.6f}," + ",".join(f"{light / (k + 1):.8g}" for k in range(len(AGES))))
    return "\n".join(rows) + "\n"


class Grid(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.write("z004.csv", table(0.004))
        cls.write("z02.csv", table(0.02))
        cls.imported = cls.run_ok("grid", "import", "z004.csv", "z02.csv", "--metallicity", "0.004,0.02", "--light-unit", "Lsun/Angstrom", "--name", "mine",
                                  "-o", "mine.hdf5")

    def test_help_teaches(self):
        page = self.run_ok("grid", "--help").stdout
        for word in ("info", "check", "thin", "import"):
            self.assertIn(word, page)
            self.assertIn("examples:", self.run_ok("grid", word, "--help").stdout)
        self.assertIn("fsps.StellarPopulation", self.run_ok("grid", "import", "--help").stdout)
        self.assertIn("grid", self.run_ok("--help").stdout)

    def test_import_then_info_and_check(self):
        self.assertIn("4 ages, 2 metallicities, 120 wavelengths", self.imported.stdout)
        self.assertIn("no surviving mass", self.imported.stdout)
        page = self.run_ok("grid", "info", "mine.hdf5").stdout
        for words in ("stellar populations", "ages", "4 values", "sedna grid import z004.csv", "incident light only", "Model/sps_name: mine"):
            self.assertIn(words, page)
        self.assertIn("stellar populations", self.run_ok("info", "mine.hdf5").stdout)
        data = json.loads(self.run_ok("grid", "info", "mine.hdf5", "--json").stdout)
        self.assertEqual([a["name"] for a in data["axes"]], ["ages", "metallicities"])
        self.assertEqual(data["axes"][1]["values"], [0.004, 0.02])
        report = self.run_ok("grid", "check", "mine.hdf5").stdout
        self.assertIn("0 faults", report)
        data = json.loads(self.run_ok("grid", "check", "mine.hdf5", "--json").stdout)
        self.assertEqual(data["n_fault"], 0)

    def test_imported_grid_makes_galaxies(self):
        model = (self.folder / "model.yaml").read_text().replace("bc03-miles-kroupa", "mine.hdf5").replace("nebular: {log_u: -2, escape_fraction: 0}\n", "nebular: none\n")
        self.write("mine.yaml", model)
        self.write("r.yaml", "name: r\nflux_unit: nJy\ncolumns: {id: ID, flux: \"F_{band}\", error: \"E_{band}\"}\nbands:\n"
                             "  - {name: F444W, filter: JWST/NIRCam.F090W, sigma_njy: {low: 20, high: 60}}\n")
        self.run_ok("simulate", "mine.yaml", "--survey", "r.yaml", "-n", "100", "-o", "mine_library.h5")

    def test_thin(self):
        out = self.run_ok("grid", "thin", "mine.hdf5", "-o", "thin.hdf5", "--resolution", "10", "--z-max", "3").stdout
        self.assertIn("largest", out)
        page = self.run_ok("grid", "info", "thin.hdf5").stdout
        self.assertIn("Thinning/band_error_max", page)
        self.assertIn("Model/sps_name: mine", page)

    def test_fault_is_exit_1(self):
        lines = table(0.02).splitlines()
        first = lines[1].split(",")
        lines[1] = ",".join([first[0], "-" + first[1], *first[2:]])
        self.write("bad.csv", "\n".join(lines) + "\n")
        self.run_ok("grid", "import", "bad.csv", "--metallicity", "0.02", "--light-unit", "Lsun/Angstrom", "-o", "bad.hdf5")
        done = sedna("grid", "check", "bad.hdf5", cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("fault", done.stdout)

    def test_mistakes(self):
        self.run_bad(2, ["paint", "info check thin import"], "grid", "paint")
        self.run_bad(2, ["--output"], "grid", "import", "z02.csv")
        self.run_bad(2, ["--metallicity"], "grid", "import", "z02.csv", "--light-unit", "Lsun/Angstrom", "-o", "x.hdf5")
        self.run_bad(2, ["--light-unit"], "grid", "import", "z02.csv", "--metallicity", "0.02", "-o", "x.hdf5")
        self.run_bad(2, ["no-such-grid"], "grid", "check", "no-such-grid")
        self.run_bad(2, ["mine.hdf5"], "grid", "thin", "mine.hdf5", "-o", "mine.hdf5")
        self.run_bad(1, ["z02.csv"], "grid", "check", "z02.csv")
        self.assertFalse((self.folder / "x.hdf5").exists())


if __name__ == "__main__":
    unittest.main()
