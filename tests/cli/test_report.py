# SPDX-License-Identifier: GPL-3.0-or-later
"""Report pages opened in headless Chromium: the plots must be there and the console silent."""
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

    def test_check(self):
        self.run_ok("check", "posterior.h5", "-n", 200, "--n-draw", 100, "-o", "check")
        self.assert_page("check.html", 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
