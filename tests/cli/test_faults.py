# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input gets a sentence and no output file; a killed run resumes to the same bytes."""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from harness import Folder, MODEL, PROGRAM, SURVEY, sedna


class BadYaml(Folder):
    def simulate(self, code, words, model=MODEL, survey=SURVEY):
        self.write("m.yaml", model)
        self.write("s.yaml", survey)
        self.run_bad(code, words, "simulate", "m.yaml", "--survey", "s.yaml", "-n", 10, "-o", "out.h5")
        self.assertFalse((self.folder / "out.h5").exists())

    def test_unknown_key_names_file_line_and_nearest(self):
        self.simulate(2, ["m.yaml", "4", "log_mas_formed_msun", "log_mass_formed_msun"],
                      model=MODEL.replace("log_mass_formed_msun", "log_mas_formed_msun"))
        self.simulate(2, ["s.yaml", "3", "floor_fractoin", "floor_fraction"], survey=SURVEY.replace("floor_fraction", "floor_fractoin"))

    def test_prior_outside_the_grid(self):
        self.simulate(2, ["m.yaml", "log_metallicity", "-9"], model=MODEL.replace("log_metallicity: -2", "log_metallicity: {prior: uniform, low: -9, high: -2}"))

    def test_band_outside_the_spectrum(self):
        self.simulate(2, ["tophat"], survey=SURVEY + "  - {name: X, filter: 'tophat:0.5:1', sigma_njy: 1}\n")

    def test_unknown_filter_names_the_nearest(self):
        self.simulate(2, ["SLOAN/SDSS.q"], survey=SURVEY.replace("SLOAN/SDSS.g", "SLOAN/SDSS.q"))

    def test_own_filter_lies_beside_the_survey(self):
        (self.folder / "sub").mkdir(exist_ok=True)
        self.write("sub/mine.dat", "5000 0\n5100 1\n5400 1\n5500 0\n")
        self.write("sub/own.yaml", SURVEY.replace("filter: SLOAN/SDSS.g", "filter: mine.dat"))
        self.write("m.yaml", MODEL)
        self.run_ok("simulate", "m.yaml", "--survey", "sub/own.yaml", "-n", 10, "-o", "own.h5")
        self.assertIn(str((self.folder / "sub" / "mine.dat").resolve()), self.run_ok("info", "own.h5").stdout)
        self.write("sub/own.yaml", SURVEY.replace("filter: SLOAN/SDSS.g", "filter: yours.dat"))
        self.run_bad(2, ["sub/own.yaml:7", "yours.dat", "in sub or in the current folder"], "simulate", "m.yaml", "--survey", "sub/own.yaml", "-o", "never.h5")

    def test_unknown_unit(self):
        self.simulate(2, ["s.yaml", "nanoJansky"], survey=SURVEY.replace("flux_unit: nJy", "flux_unit: nanoJansky"))

    def test_redshift_must_be_a_root(self):
        self.simulate(2, ["redshift"], model=MODEL.replace("redshift: {prior: uniform, low: 0.02, high: 2}",
                                                           "redshift: {prior: uniform, low: 0.02, high: a_v_mag}"))

    def test_broken_yaml(self):
        self.simulate(2, ["m.yaml"], model="grid: [unclosed\n")
        self.simulate(2, ["m.yaml"], model="")


class BadFiles(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_ok("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 2000, "-o", "library.h5")
        cls.run_ok("train", "library.h5", "-o", "posterior.h5", "--n-epoch", 1)
        names = ["ID"] + [f"F_{b}" for b in "grizJ"] + [f"E_{b}" for b in "grizJ"]
        cls.write("catalogue.csv", ",".join(names) + "\n" + "1,400,900,1500,1900,3000,40,40,40,60,100\n" * 3)

    def test_absent_files(self):
        for args in [("simulate", "no.yaml", "--survey", "survey.yaml", "-o", "x.h5"), ("train", "no.h5", "-o", "x.h5"),
                     ("fit", "no.h5", "catalogue.csv", "-o", "x.csv"), ("fit", "posterior.h5", "no.fits", "-o", "x.csv"), ("info", "no.h5")]:
            done = sedna(*args, cwd=self.folder)
            self.assertIn(done.returncode, (1, 2), args)
            self.assertIn("no.", done.stderr, args)

    def test_truncated_and_foreign_files_are_refused(self):
        for name, command in [("library.h5", ["train", "cut", "-o", "x.h5"]), ("posterior.h5", ["fit", "cut", "catalogue.csv", "-o", "x.csv"])]:
            whole = (self.folder / name).read_bytes()
            for size in [0, 1, 100, len(whole) // 2, len(whole) - 100]:
                (self.folder / "cut").write_bytes(whole[:size])
                self.run_bad(1, ["cut"], *command)
        self.run_bad(1, ["library.h5"], "fit", "library.h5", "catalogue.csv", "-o", "x.csv")
        self.run_bad(1, ["posterior.h5"], "train", "posterior.h5", "-o", "x.h5")

    def test_truncated_fits(self):
        self.run_ok("fit", "posterior.h5", "catalogue.csv", "-o", "r.fits", "--n-draw", 50)
        whole = (self.folder / "r.fits").read_bytes()
        for size in [0, 1000, len(whole) - 3000]:
            (self.folder / "cut.fits").write_bytes(whole[:size])
            self.run_bad(1, ["cut.fits"], "report", "cut.fits", "-o", "x.html")

    def test_a_field_that_is_no_number(self):
        text = (self.folder / "catalogue.csv").read_text(encoding="utf-8").replace("900", "nine", 1)
        self.write("words.csv", text)
        self.run_bad(1, ["words.csv", "nine"], "fit", "posterior.h5", "words.csv", "-o", "x.csv")
        self.assertFalse((self.folder / "x.csv").exists())

    def test_unwritable_output_is_found_before_the_work(self):
        for args in [("simulate", "model.yaml", "--survey", "survey.yaml", "-o", "no/such/folder/x.h5"), ("train", "library.h5", "-o", "no/such/folder/x.h5"),
                     ("fit", "posterior.h5", "catalogue.csv", "-o", "no/such/folder/x.fits")]:
            began = time.monotonic()
            self.run_bad(1, ["no/such/folder"], *args)
            self.assertLess(time.monotonic() - began, 20)
        self.run_bad(2, ["x.doc", ".fits"], "fit", "posterior.h5", "catalogue.csv", "-o", "x.doc")

    def test_inputs_are_never_replaced(self):
        self.run_ok("fit", "posterior.h5", "catalogue.csv", "-o", "r.csv", "--n-draw", 50, "--samples", "d.h5")
        for kept, args in [("library.h5", ("train", "library.h5", "-o", "./library.h5")),
                           ("model.yaml", ("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 10, "-o", "model.yaml")),
                           ("survey.yaml", ("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 10, "-o", "./survey.yaml")),
                           ("r.csv", ("report", "r.csv", "-o", "r.csv")), ("d.h5", ("report", "r.csv", "-o", "d.h5")),
                           ("r.csv", ("fit", "posterior.h5", "catalogue.csv", "-o", "r.csv", "--samples", "./r.csv"))]:
            before = (self.folder / kept).read_bytes()
            self.run_bad(2, [kept], *args)
            self.assertEqual((self.folder / kept).read_bytes(), before, args)

    def test_changed_physics_is_refused(self):
        curve, table = "5000 0\n5500 {}\n6000 0\n", "0 1\n1 {}\n2 0\n"
        self.write("curve.txt", curve.format(1))
        self.write("prior.txt", table.format(1))
        self.write("own.yaml", "name: own\nflux_unit: nJy\ncolumns: {id: ID, flux: 'F_{band}', error: 'E_{band}'}\n"
                   "bands:\n  - {name: v, filter: curve.txt, sigma_njy: 20}\n")
        self.write("table.yaml", MODEL.replace("a_v_mag: {prior: uniform, low: 0, high: 2}", "a_v_mag: {prior: tabulated, file: prior.txt}"))
        self.write("own.csv", "ID,F_v,E_v\n1,900,20\n")
        self.run_ok("simulate", "table.yaml", "--survey", "own.yaml", "-n", 1500, "-o", "own_library.h5")
        self.run_ok("train", "own_library.h5", "-o", "own.h5", "--n-epoch", 1)
        fit, check = ("fit", "own.h5", "own.csv", "-o", "own_result.csv", "--n-draw", 50), ("check", "own.h5", "-n", 100, "--n-draw", 50, "-o", "own_check")
        self.run_ok(*fit)
        for name, text in [("curve.txt", curve.format(0.9) + "7000 0.5\n7100 0\n"), ("curve.txt", "# detector: energy\n" + curve.format(1)),
                           ("prior.txt", table.format(0.5))]:
            kept = (self.folder / name).read_text(encoding="utf-8")
            self.write(name, text)
            for args in (fit, check):
                self.run_bad(2, ["own.h5", "filter curve", "differs", "train again"], *args)
            self.write(name, kept)
        self.run_ok(*fit)

    def test_a_network_that_learnt_nothing_says_so(self):
        done = self.run_ok("train", "library.h5", "-o", "nothing.h5", "--n-epoch", 1, "--learning-rate", 1, "--ema", 0, "--warm-up", 0)
        self.assertIn("no better than the prior", done.stdout)
        self.assertNotIn("no better than the prior", self.run_ok("train", "library.h5", "-o", "something.h5", "--n-epoch", 5).stdout)

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_full_disk_leaves_no_half_file(self):
        mount = pathlib.Path(tempfile.mkdtemp(prefix="sedna-full-"))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount], capture_output=True, check=False).returncode != 0:
            self.skipTest("cannot mount a tmpfs here")
        try:
            for args in [("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 5000, "-o", mount / "x.h5"),
                         ("train", "library.h5", "-o", mount / "x.h5", "--n-epoch", 1),
                         ("fit", "posterior.h5", "catalogue.csv", "-o", mount / "x.csv", "--samples", mount / "d.h5", "--n-draw", 5000)]:
                done = sedna(*args, cwd=self.folder)
                self.assertEqual(done.returncode, 1, f"{args}: {done.stderr}")
                self.assertIn(str(mount), done.stderr)
                self.assertEqual([p for p in mount.iterdir() if p.name in ("x.h5", "x.csv")], [])
                for p in mount.iterdir():
                    p.unlink()
        finally:
            subprocess.run(["umount", mount], check=False)
            shutil.rmtree(mount, ignore_errors=True)


class Killed(Folder):
    """SIGKILL at random moments; the run that goes on must end with the bytes of one that was never disturbed."""

    def kill_after(self, seconds, *args):
        process = subprocess.Popen([PROGRAM, *map(str, args)], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def interrupt_midway(self, whole, output, *args):
        """A polite stop before the work is done, which must end with exit code 130. Machines change speed: when it came too late, an earlier one."""
        for fraction in (0.5, 0.25, 0.12, 0.06):
            process = subprocess.Popen([PROGRAM, *map(str, args)], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(whole * fraction)
            process.send_signal(signal.SIGINT)
            code = process.wait(60)
            if not (self.folder / output).exists():
                self.assertEqual(code, 130)
                return
            (self.folder / output).unlink()
        self.fail("the work was always done before the stop came")

    def test_simulate(self):
        command = ["simulate", "model.yaml", "--survey", "survey.yaml", "-n", 30000, "-j", 1, "-o"]
        began = time.monotonic()
        self.run_ok(*command, "whole.h5")
        whole = time.monotonic() - began
        chance = random.Random(1)
        shutil.copy(self.folder / "whole.h5", self.folder / "kept.h5")
        (self.folder / "whole.h5").unlink()
        for _ in range(4):
            self.kill_after(whole * chance.uniform(0.1, 0.6), *command, "whole.h5")
            if (self.folder / "whole.h5").exists():
                break
        self.run_ok(*command, "whole.h5")
        self.assertEqual((self.folder / "whole.h5").read_bytes(), (self.folder / "kept.h5").read_bytes())
        self.assertFalse((self.folder / "whole.h5.part").exists())

    def test_train_and_fit(self):
        self.run_ok("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 8000, "-o", "library.h5")
        command = ["train", "library.h5", "--n-epoch", 30, "-j", 1, "-o"]
        began = time.monotonic()
        self.run_ok(*command, "a.h5")
        whole = time.monotonic() - began
        self.interrupt_midway(whole, "b.h5", *command, "b.h5")
        self.assertTrue((self.folder / "b.h5.checkpoint").exists())
        self.run_bad(2, ["b.h5.checkpoint", "--resume"], *command, "b.h5")
        self.kill_after(whole * 0.1, *command, "b.h5", "--resume")
        if not (self.folder / "b.h5").exists():   # it may have been done before the kill came
            self.assertTrue((self.folder / "b.h5.checkpoint").exists())
            self.run_ok(*command, "b.h5", "--resume")
        self.assertFalse((self.folder / "b.h5.checkpoint").exists())
        names = ["ID"] + [f"F_{b}" for b in "grizJ"] + [f"E_{b}" for b in "grizJ"]
        self.write("catalogue.csv", ",".join(names) + "\n" + "1,400,900,1500,1900,3000,40,40,40,60,100\n" * 3000)
        self.write("few.csv", ",".join(names) + "\n" + "1,400,900,1500,1900,3000,40,40,40,60,100\n2,100,200,300,400,500,40,40,40,60,100\n")
        for name in "ab":   # the same weights give the same draws, to the last digit
            self.run_ok("fit", f"{name}.h5", "few.csv", "-o", f"few_{name}.csv")
        first, second = ([line for line in (self.folder / f"few_{name}.csv").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
                         for name in "ab")
        self.assertEqual(first, second)
        self.kill_after(0.5, "fit", "b.h5", "catalogue.csv", "-o", "killed.csv")
        self.assertFalse((self.folder / "killed.csv").exists())


class Stopped(Folder):
    """SIGINT in the middle: how far it came in galaxies, what is there now, what to do."""

    def interrupt(self, *args):
        process = subprocess.Popen([PROGRAM, *map(str, args)], cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, stderr)
        self.assertRegex(stderr, r"stopped after \d+ of 200000 galaxies; nothing was written, run again from the start")

    def test_fit_and_check(self):
        self.run_ok("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 2000, "-o", "library.h5")
        self.run_ok("train", "library.h5", "-o", "posterior.h5", "--n-epoch", 1)
        names = ["ID"] + [f"F_{b}" for b in "grizJ"] + [f"E_{b}" for b in "grizJ"]
        self.write("catalogue.csv", ",".join(names) + "\n" + "1,400,900,1500,1900,3000,40,40,40,60,100\n" * 200000)
        self.interrupt("fit", "posterior.h5", "catalogue.csv", "-o", "stopped.csv")
        self.interrupt("check", "posterior.h5", "-n", 200000, "-o", "stopped")
        self.assertEqual(list(self.folder.glob("stopped*")), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
