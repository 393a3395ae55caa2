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

    def test_check(self):
        self.run_ok("check", "posterior.h5", "-n", 200, "--n-draw", 100, "-o", "check")
        self.assert_page("check.html", 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
