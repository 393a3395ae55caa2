# SPDX-License-Identifier: GPL-3.0-or-later
"""Report pages opened in headless Chromium: the plots must be there and the console silent."""
import json
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import Folder

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=8000", "--dump-dom"]


@unittest.skipUnless(CHROMIUM, "SKIPPED: no Chromium on this machine")
class Pages(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_ok("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 3000, "-o", "library.h5")
        cls.run_ok("train", "library.h5", "-o", "posterior.h5", "--n-epoch", 2)
        names = ["ID", "Z_SPEC"] + [f"F_{b}" for b in "grizJ"] + [f"E_{b}" for b in "grizJ"]
        rows = "".join(f"</script><b>&{i},{0.1 + 0.02 * i},400,900,1500,1900,3000,40,40,40,60,100\n" for i in range(40))
        cls.write("catalogue.csv", ",".join(names) + "\n" + rows)
        cls.run_ok("fit", "posterior.h5", "catalogue.csv", "-o", "result.fits", "--n-draw", 200, "--samples", "draws.h5")

    def open_page(self, name):
        """The page's final document and the lines that it wrote to the console."""
        profile = tempfile.mkdtemp(prefix="sedna-chromium-")
        try:
            done = subprocess.run([CHROMIUM, *FLAGS, f"--user-data-dir={profile}", (self.folder / name).as_uri()], text=True,
                                  capture_output=True, timeout=120, check=False)
        finally:
            shutil.rmtree(profile, ignore_errors=True)
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    def assert_page(self, name, n_plot):
        document, console = self.open_page(name)
        self.assertEqual(console, [])
        self.assertGreaterEqual(len(re.findall(r"<svg", document)), n_plot)
        self.assertNotIn("NaN", re.sub(r"<script.*?</script>", "", document, flags=re.S))

    def test_result(self):
        self.run_ok("report", "result.fits", "-o", "result.html")
        self.assert_page("result.html", 10)

    def test_photo_z_is_scored_as_fit_scores_it(self):
        good = ",400,900,1500,1900,3000,40,40,40,60,100\n"
        header = (self.folder / "catalogue.csv").read_text(encoding="utf-8").splitlines()[0] + "\n"
        # a redshift of 0 counts; a mark does not, nor does a row without data, whose answer is the prior
        self.write("scored.csv", header + "a,0.4" + good + "b,0.5" + good + "c,0" + good + "d,-99" + good + "e,0.5" + 10 * ",nan" + "\n")
        for more, shown, absent in [([], "<div>3<span>galaxies with both</span>", "Given redshifts"),
                                    (["--fix", "redshift=Z_SPEC"], "Given redshifts", "galaxies with both")]:
            done = self.run_ok("fit", "posterior.h5", "scored.csv", "-o", "scored.fits", "--n-draw", 100, *more)
            self.assertEqual("3 galaxies: sigma_NMAD" in done.stdout, not more)
            self.run_ok("report", "scored.fits", "-o", "scored.html")
            document = re.sub(r"<script.*?</script>", "", self.open_page("scored.html")[0], flags=re.S)
            self.assertIn(shown, document)
            self.assertNotIn(absent, document)

    def test_page_of_other_quantiles(self):
        for given, words in [("5,50,95", ["5 %", "95 %"]), ("50", ["median"])]:
            self.run_ok("fit", "posterior.h5", "catalogue.csv", "-o", "q.fits", "--n-draw", 100, "--quantiles", given)
            self.run_ok("report", "q.fits", "-o", "q.html")
            self.assert_page("q.html", 10)
            document = self.open_page("q.html")[0]
            for word in words:
                self.assertIn(f"<th>{word}</th>", document)

    def fit_spectra(self):
        """A survey of one band and twelve pixels; a catalogue of two galaxies, the second with one pixel missing."""
        self.write("spectra.yaml", """\
name: pixels
flux_unit: nJy
floor_fraction: 0.05
columns: {id: ID, flux: "F_{band}", error: "E_{band}"}
bands: [{name: g, filter: SLOAN/SDSS.g, sigma_njy: {low: 20, high: 60}}]
spectra:
  - {name: PRISM, wave_A: {low: 6000, high: 12000, n: 12, spacing: log}, resolution: 100, lsf: gaussian, sigma_njy: 50, floor_fraction: 0.05, flux: "F_{spectrum}_{pixel}", error: "E_{spectrum}_{pixel}"}
""")
        pixels = [f"PRISM_{i:04d}" for i in range(1, 13)]
        header = ["ID", "F_g", "E_g"] + ["F_" + p for p in pixels] + ["E_" + p for p in pixels]
        flux = [900 + 50 * i for i in range(12)]
        rows = [["a", 400, 40] + flux + [60] * 12, ["b", 300, 40] + ["nan"] + flux[1:] + [60] * 12]
        self.write("pixels.csv", "".join(",".join(map(str, row)) + "\n" for row in [header] + rows))
        self.run_ok("simulate", "model.yaml", "--survey", "spectra.yaml", "-n", 2000, "-o", "pixels.h5")
        self.run_ok("train", "pixels.h5", "-o", "pixels-posterior.h5", "--n-epoch", 1)
        return flux

    def test_spectra_are_drawn(self):
        flux = self.fit_spectra()
        self.run_ok("fit", "pixels-posterior.h5", "pixels.csv", "-o", "p.fits", "--n-draw", 100)
        self.run_ok("report", "p.fits", "-o", "p.html")
        document = re.sub(r"<script.*?</script>", "", self.open_page("p.html")[0], flags=re.S)
        self.assertIn("spectra PRISM are not drawn", document)
        self.run_ok("fit", "pixels-posterior.h5", "pixels.csv", "-o", "p.fits", "--n-draw", 100, "--samples", "p-draws.h5")
        self.run_ok("report", "p.fits", "-o", "p.html")
        self.assert_page("p.html", 10)
        document = re.sub(r"<script.*?</script>", "", self.open_page("p.html")[0], flags=re.S)
        self.assertNotIn("are not drawn", document)
        self.assertEqual(document.count(">PRISM<"), 3)   # two plots, and the origin
        data = json.loads(re.search(r"const data = (.*?);\n</script>", (self.folder / "p.html").read_text(encoding="utf-8"), re.S).group(1))
        for row, first in zip(data["rows"], [flux[0], None]):
            spectrum = row["spectra"][0]
            self.assertEqual(spectrum["flux"], [first] + flux[1:])
            self.assertEqual(spectrum["sigma"], [60] * 12)
            for i, wave in enumerate(spectrum["wave"]):
                self.assertAlmostEqual(wave, 0.6 * 2 ** ((i + 0.5) / 12), 5)
            for low, middle, high in zip(spectrum["q16"], spectrum["q50"], spectrum["q84"]):
                self.assertTrue(0 < low < middle < high)

    def test_check(self):
        self.run_ok("check", "posterior.h5", "-n", 200, "--n-draw", 100, "-o", "check")
        self.assert_page("check.html", 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
