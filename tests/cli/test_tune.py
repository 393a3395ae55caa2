# SPDX-License-Identifier: GPL-3.0-or-later
"""Tuning as its user does it: two processes on one study, a page and a table of it, and the posterior of the printed command line."""
import json
import re
import shlex
import sqlite3
import subprocess
import tempfile
import unittest

from harness import Folder, PROGRAM
from test_report import CHROMIUM, FLAGS

OPTIONS = ["--n-trial", 5, "--min-epoch", 1, "--max-epoch", 3, "--search",
           "n_layer=1,2 n_hidden=8,16 n_bin=4 n_bin_first=8 n_context=8 n_encoder=16,32 n_depth=1 batch=64", "-j", 1]


class Tuning(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_ok("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 2000, "-o", "library.h5")
        command = [PROGRAM, "tune", "library.h5", *map(str, OPTIONS), "-o", "posterior.h5", "--html", "tuning.html"]
        several = [subprocess.Popen(command, cwd=cls.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        cls.printed = []
        for process in several:
            out, error = process.communicate(timeout=200)
            if process.returncode != 0:
                raise AssertionError(error)
            cls.printed.append(out)

    def rows(self, sql):
        with sqlite3.connect(self.folder / "library.h5.study") as database:
            return database.execute(sql).fetchall()

    def test_the_database_says_what_was_printed(self):
        best = self.rows("SELECT trial, gain FROM training WHERE rung = 1 AND state = 'done' ORDER BY gain DESC LIMIT 1")[0]
        for out in self.printed:
            self.assertRegex(out, rf"best: .*trial {best[0]}, {best[1]:.3f} nats")
        self.assertEqual(len(self.rows("SELECT * FROM training WHERE rung = 0 AND state = 'done'")), 5)
        self.assertEqual(sorted(r[0] for r in self.rows("SELECT trial FROM training WHERE rung = 1"))[0], 0)
        self.assertEqual(self.rows("SELECT options FROM trial WHERE trial = 0")[0][0].count("n_layer"), 0)

    def test_one_of_them_trained_the_posterior(self):
        self.assertEqual(sum("trained so" in out for out in self.printed), 1)
        gain = self.rows("SELECT gain FROM training WHERE rung = 1 ORDER BY gain DESC LIMIT 1")[0][0]
        self.assertEqual(self.rows("SELECT gain FROM training WHERE rung = 2")[0][0], gain)   # the same training once more

    def test_the_printed_command_gives_the_same_network(self):
        line = next(l for l in self.printed[0].splitlines() if l.strip().startswith("sedna train"))
        words = shlex.split(line)[1:]
        words[words.index("posterior.h5")] = "by_hand.h5"
        gain = float(re.search(r"gain: ([-0-9.]+) nats", self.run_ok(*words, "-j", 1).stdout).group(1))
        best = self.rows("SELECT max(gain) FROM training WHERE rung = 1")[0][0]
        self.assertAlmostEqual(gain, best, places=3)

    def test_page_and_info(self):
        page = (self.folder / "tuning.html").read_text(encoding="utf-8")
        data = json.loads(page.split("const data = ", 1)[1].split(";\n</script>", 1)[0])
        self.assertEqual([t["trial"] for t in data["trials"]], list(range(5)))
        self.assertEqual(data["rungs"], [{"epochs": 1, "size": 5}, {"epochs": 3, "size": 2}])
        self.assertEqual(data["trials"][0]["options"]["n_layer"], "3")   # train's default
        self.assertIn("the default", self.run_ok("info", "library.h5.study").stdout)

    def test_wrong_calls(self):
        self.run_bad(2, ["library.h5.study", "search"], "tune", "library.h5")
        self.run_bad(2, ["n_layers", "n_layer"], "tune", "library.h5", "--study", "new.study", "--search", "n_layers=2")
        self.run_bad(1, ["text.study"], "tune", "library.h5", "--study", self.write("text.study", "text " * 100))
        self.run_bad(1, ["no/such"], "tune", "library.h5", "--study", "no/such/x.study")
        self.assertFalse((self.folder / "new.study").exists())

    @unittest.skipUnless(CHROMIUM, "SKIPPED: no Chromium on this machine")
    def test_the_page_draws(self):
        with tempfile.TemporaryDirectory(prefix="sedna-chromium-", ignore_cleanup_errors=True) as profile:
            done = subprocess.run([CHROMIUM, *FLAGS, f"--user-data-dir={profile}", (self.folder / "tuning.html").as_uri()], text=True, capture_output=True,
                                  timeout=120, check=False)
        self.assertEqual([line for line in done.stderr.splitlines() if "CONSOLE" in line], [])
        self.assertGreaterEqual(done.stdout.count("<svg"), 6)   # best so far; time, size; n_layer, n_hidden, n_encoder; learning_rate, head
        self.assertNotIn("NaN", re.sub(r"<script.*?</script>", "", done.stdout, flags=re.S))


if __name__ == "__main__":
    unittest.main()
