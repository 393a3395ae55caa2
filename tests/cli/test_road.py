# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole road: simulate, train, check, fit, report, info, on a small model; then what each file holds."""
import csv
import json
import math
import os
import pathlib
import subprocess
import unittest

from harness import BANDS, Folder, MODEL, SOURCE, sedna

EXAMPLES = pathlib.Path(os.environ["SEDNA_EXAMPLES"])


def write_catalogue(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f)
        w.writerow(["ID", "Z_SPEC"] + [f"F_{b}" for b in BANDS] + [f"E_{b}" for b in BANDS])
        w.writerows(rows)


GOOD = ["a1", 0.5] + [400, 900, 1500, 1900, 3000] + [40, 40, 40, 60, 100]


class Road(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_ok("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 6000, "-o", "library.h5")
        cls.run_ok("train", "library.h5", "-o", "posterior.h5", "--n-epoch", 6, "--batch", 256)

    def fit_rows(self, rows, *more, output="result.csv"):
        write_catalogue(self.folder / "catalogue.csv", rows)
        self.run_ok("fit", "posterior.h5", "catalogue.csv", "-o", output, "--n-draw", 300, *more)
        with open(self.folder / output, encoding="utf-8") as f:
            return list(csv.DictReader(line for line in f if not line.startswith("#")))

    def test_without_a_library_there_is_a_posterior_all_the_same(self):
        self.run_ok("train", "--model", "model.yaml", "--survey", "survey.yaml", "-o", "online.h5", "--n-online", 3000, "--n-epoch", 3, "--n-reuse", 2)
        write_catalogue(self.folder / "one.csv", [GOOD])
        self.run_ok("fit", "online.h5", "one.csv", "-o", "online.csv", "--n-draw", 100)
        self.run_bad(2, "missing argument", "train", "-o", "none.h5")
        self.run_bad(2, "survey", "train", "--model", "model.yaml", "-o", "none.h5")

    def test_a_good_row_gives_ordered_finite_quantiles_inside_the_prior(self):
        row = self.fit_rows([GOOD])[0]
        self.assertEqual(row["id"], "a1")
        self.assertEqual(int(float(row["flags"])), 0)
        for name, low, high in [("redshift", 0.02, 2), ("log_mass_formed_msun", 8, 12), ("a_v_mag", 0, 2), ("age_gyr", 0.1, 3)]:
            q = [float(row[f"{name}_q{p}"]) for p in (16, 50, 84)]
            self.assertTrue(low <= q[0] <= q[1] <= q[2] <= high, f"{name}: {q}")
            self.assertGreater(q[2], q[0])

    def test_bad_rows_are_flagged_and_leave_the_others_untouched(self):
        nan = float("nan")
        bad = [
            ["no data", nan] + [nan] * 5 + [nan] * 5,
            ["zero error", 0.5] + GOOD[2:7] + [0, 40, 40, 60, 100],
            ["negative error", 0.5] + GOOD[2:7] + [-1, 40, 40, 60, 100],
            ["infinite", 0.5] + [math.inf] + GOOD[3:7] + GOOD[7:],
            ["infinite error", 0.5] + GOOD[2:7] + [math.inf, 40, 40, 60, 100],
            ["no error", 0.5] + GOOD[2:7] + [nan, 40, 40, 60, 100],
            ["absurd", 0.5] + [1e300] + GOOD[3:7] + GOOD[7:],
            ["huge", 0.5] + [1e30] + GOOD[3:7] + GOOD[7:],
            ["negative flux", 0.5] + [-30] + GOOD[3:7] + GOOD[7:],
        ]
        alone = self.fit_rows([GOOD])[0]
        rows = self.fit_rows([GOOD] + bad)
        self.assertEqual(alone, rows[0])
        flags = {r["id"]: int(float(r["flags"])) for r in rows}
        self.assertEqual(flags["no data"] & 1, 1)
        self.assertEqual(flags["zero error"] & 2, 2)
        self.assertEqual(flags["negative error"] & 2, 2)
        self.assertEqual(flags["infinite"], 0)   # an infinite flux is a missing band, which is no fault
        self.assertEqual(flags["infinite error"], 2)
        self.assertEqual(flags["no error"], 2)
        self.assertEqual(flags["absurd"], 4)
        self.assertEqual({r["id"]: int(r["n_band"]) for r in rows}["infinite"], 4)
        self.assertEqual(flags["huge"] & 4, 4)
        self.assertEqual(flags["negative flux"] & ~64, 0)   # legal data; so red a source may be flagged as a poor fit
        for r in rows:
            self.assertTrue(math.isfinite(float(r["redshift_q50"])), r["id"])
        # a row without data gives back the uniform prior of redshift: median 1.01, 300 draws
        self.assertAlmostEqual(float(rows[1]["redshift_q50"]), 1.01, delta=0.25)

    def test_same_answer_for_any_number_of_threads_and_any_format(self):
        rows = [[f"g{i}"] + GOOD[1:2] + [f * (0.5 + 0.01 * i) for f in GOOD[2:7]] + GOOD[7:] for i in range(70)]
        one = self.fit_rows(rows, "-j", 1, output="one.csv")
        four = self.fit_rows(rows, "-j", 4, output="four.csv")
        self.assertEqual(one, four)
        self.run_ok("fit", "posterior.h5", "catalogue.csv", "-o", "result.fits", "--n-draw", 300)
        self.run_ok("fit", "posterior.h5", "catalogue.csv", "-o", "result.ecsv", "--n-draw", 300)
        self.assertIn("70 rows", self.run_ok("info", "result.fits").stdout)

    def test_a_known_redshift_is_kept(self):
        row = self.fit_rows([GOOD], "--fix", "redshift=Z_SPEC")[0]
        for p in (16, 50, 84):
            self.assertAlmostEqual(float(row[f"redshift_q{p}"]), 0.5, places=5)
        self.assertGreater(float(row["log_mass_formed_msun_q84"]), float(row["log_mass_formed_msun_q16"]))

    def test_check_and_reports_are_written(self):
        self.run_ok("check", "posterior.h5", "-n", 300, "--n-draw", 200, "-o", "check")
        check = json.loads((self.folder / "check.json").read_text(encoding="utf-8"))
        self.assertTrue(check)
        self.assertIn("</html>", (self.folder / "check.html").read_text(encoding="utf-8"))
        self.fit_rows([GOOD] * 5, "--samples", "draws.h5")
        self.run_ok("report", "result.csv", "--samples", "draws.h5", "--rows", "0,3", "-o", "result.html")
        self.assertIn('"row":3', (self.folder / "result.html").read_text(encoding="utf-8"))

    def page_data(self, name):
        """The object that a page draws from."""
        text = (self.folder / name).read_text(encoding="utf-8")
        return json.loads(text.split("const data = ", 1)[1].split(";\n</script>", 1)[0])

    def test_check_takes_a_name_with_its_ending(self):
        self.run_ok("check", "posterior.h5", "-n100", "--n-draw", 50, "-o", "named.html")
        self.assertEqual(sorted(p.name for p in self.folder.glob("named*")), ["named.html", "named.json"])
        self.assertEqual(json.loads((self.folder / "named.json").read_text(encoding="utf-8"))["n"], 100)
        self.run_bad(2, ["write --fix redshift"], "check", "posterior.h5", "--fix", "z", "-o", "never")

    def test_any_quantiles_can_be_reported(self):
        self.fit_rows([GOOD] * 3, "--quantiles", "5,50,95", output="wide.csv")
        self.run_ok("report", "wide.csv", "-o", "wide.html")
        quantities = {q["name"]: (q["low"], q["high"]) for q in self.page_data("wide.html")["quantities"]}
        self.assertEqual(quantities["a_v_mag"], (5, 95))
        self.assertIn("(q95-q5)/2", self.run_ok("info", "wide.csv", "--rows", 2).stdout)
        self.fit_rows([GOOD], "--quantiles", "50", output="median.csv")
        self.run_ok("report", "median.csv", "-o", "median.html")
        self.fit_rows([GOOD], "--quantiles", "16,84", output="none.csv")
        self.run_bad(1, ["none.csv", "median"], "report", "none.csv", "-o", "never.html")

    def test_given_redshifts_are_told_to_the_page(self):
        self.fit_rows([GOOD] * 3, "--fix", "redshift=Z_SPEC", output="fixed.csv")
        self.run_ok("report", "fixed.csv", "-o", "fixed.html")
        self.assertEqual(self.page_data("fixed.html")["meta"]["FIX"], "redshift=Z_SPEC")

    def test_swapped_arguments_are_named(self):
        self.fit_rows([GOOD])
        self.run_bad(2, ["first argument", "posterior"], "fit", "catalogue.csv", "posterior.h5", "-o", "never.csv")

    def test_one_known_redshift_is_no_score(self):
        write_catalogue(self.folder / "one_z.csv", [GOOD])
        self.assertNotIn("sigma_NMAD", self.run_ok("fit", "posterior.h5", "one_z.csv", "-o", "one_z_result.csv").stdout)
        write_catalogue(self.folder / "two_z.csv", [GOOD] * 2)
        self.assertIn("sigma_NMAD", self.run_ok("fit", "posterior.h5", "two_z.csv", "-o", "two_z_result.csv").stdout)

    def test_the_model_chooses_the_design_and_the_option_overrules_it(self):
        self.write("random.yaml", MODEL + "design: random\n")
        few = ["--survey", "survey.yaml", "-n", 50, "-o"]
        for name, args in [("a.h5", ["model.yaml"]), ("b.h5", ["random.yaml"]), ("c.h5", ["model.yaml", "--design", "random"]), ("d.h5", ["random.yaml", "--design", "sobol"])]:
            self.run_ok("simulate", *args, *few, name)
        image = {n: (self.folder / f"{n}.h5").read_bytes() for n in "abcd"}

        def share_numbers(p, q):
            """Whether a stretch of p that is no text and no padding stands in q too: 50 galaxies' parameters lie in one piece."""
            pieces = (image[p][k:k + 400] for k in range(0, len(image[p]) - 400, 8))
            return any(len(set(piece)) > 150 and piece in image[q] for piece in pieces)

        self.assertTrue(share_numbers("b", "c"))
        self.assertTrue(share_numbers("a", "d"))
        self.assertFalse(share_numbers("a", "b"))
        self.write("wrong.yaml", MODEL + "design: lattice\n")
        self.run_bad(2, ["wrong.yaml", "lattice", "sobol"], "simulate", "wrong.yaml", *few, "e.h5")

    def test_examples_in_c(self):
        fluxes = subprocess.run([EXAMPLES / "01_fluxes_of_a_galaxy"], capture_output=True, text=True, check=True).stdout
        self.assertIn("JWST/NIRCam.F444W", fluxes)
        pairs = [str(v) for f, s in zip(GOOD[2:7], GOOD[7:]) for v in (f, s)]
        text = subprocess.run([EXAMPLES / "02_posterior_of_a_galaxy", self.folder / "posterior.h5", *pairs], capture_output=True, text=True, check=True).stdout
        redshift = float(text.split()[1])
        row = self.fit_rows([GOOD])[0]
        self.assertAlmostEqual(redshift, float(row["redshift_mean"]), delta=3 * float(row["redshift_std"]) / 300 ** 0.5)

    def test_info_knows_every_file(self):
        for name, word in [("library.h5", "sedna library"), ("posterior.h5", "sedna posterior"), ("model.yaml", "log_mass_formed_msun"),
                           ("survey.yaml", "SLOAN/SDSS.g"), ("survey.yaml", "floor_fraction: 0.05"), ("posterior.h5", "gain, test"),
                           ("photoz", "photoz.yaml"), ("cosmos2020", "cosmos2020.yaml")]:
            self.assertIn(word, self.run_ok("info", name).stdout, name)
        wrong = sedna("info", "no_such_name", cwd=self.folder)
        self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
        self.assertIn("sedna simulate model.yaml", self.run_ok("info", "library.h5").stdout)

    def test_the_catalogue_must_have_the_posteriors_columns(self):
        (self.folder / "other.csv").write_text("ID,F_g,E_g\n1,2,3\n", encoding="utf-8")
        self.run_bad(2, ["F_r", "other.csv"], "fit", "posterior.h5", "other.csv", "-o", "never.fits")
        self.assertFalse((self.folder / "never.fits").exists())

    def test_an_empty_catalogue_gives_an_empty_result(self):
        self.assertEqual(self.fit_rows([]), [])


class Help(unittest.TestCase):
    def test_every_command_explains_itself(self):
        overview = sedna("--help")
        self.assertEqual(overview.returncode, 0)
        for command in ["simulate", "train", "check", "fit", "report", "info"]:
            self.assertIn(command, overview.stdout)
            page = sedna(command, "--help")
            self.assertEqual(page.returncode, 0)
            self.assertIn("usage:", page.stdout)
            self.assertIn("examples:", page.stdout)

    def test_slips_are_named(self):
        for args, word in [(["simulat"], "simulate"), (["fit"], "missing argument"), (["train", "x.h5"], "--output"),
                           (["train", "x.h5", "-o", "y.h5", "--n-epoc", "3"], "n_epoch"), (["simulate", "m", "-n", "many"], "many")]:
            done = sedna(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn(word, done.stderr)

    def test_version(self):
        self.assertIn("sedna", sedna("--version").stdout)


class Shipped(Folder):
    def test_shipped_models_and_surveys_are_understood(self):
        for kind in ["models", "surveys"]:
            files = sorted((SOURCE / "data" / kind).glob("*.yaml"))
            self.assertTrue(files)
            for f in files:
                self.run_ok("info", f)


if __name__ == "__main__":
    unittest.main(verbosity=2)
