# SPDX-License-Identifier: GPL-3.0-or-later
"""One galaxy by `sedna sed`: what it prints and writes agrees with itself and with `sedna simulate`; bad requests get a sentence."""
import json
import math
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import Folder, MODEL, SOURCE, SURVEY, sedna

PYTHON = os.environ.get("SEDNA_PYTHON", "python3")
HAS_ASTROPY = subprocess.run([PYTHON, "-c", "import astropy, h5py, yaml"], capture_output=True, check=False).returncode == 0
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=8000", "--dump-dom"]
TIED = MODEL.replace("dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 2}}",
                     "dust: {law: calzetti, a_v_mag: 0.1 * redshift + 0.2, slope: {prior: uniform, low: -0.5, high: 0.5}}")
FLUX = 2e-6   # relative: float32 sums over other nodes (one redshift instead of a range of them)


class Sed(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.write("tied.yaml", TIED)

    def galaxy(self, *args, model="model.yaml"):
        return json.loads(self.run_ok("sed", model, "--json", *args).stdout)

    @staticmethod
    def values(rows, key="name", value="value"):
        return {row[key]: row[value] for row in rows}

    # ---------------------------------------------------------------- parameters

    def test_medians_settings_and_ties(self):
        g = self.galaxy(model="tied.yaml")
        p = self.values(g["parameters"])
        self.assertAlmostEqual(p["redshift"], 1.01, places=12)             # median of uniform(0.02, 2)
        self.assertAlmostEqual(p["log_mass_formed_msun"], 10, places=12)
        self.assertAlmostEqual(p["a_v_mag"], 0.1 * 1.01 + 0.2, places=12)
        origin = self.values(g["parameters"], value="origin")
        self.assertEqual([origin[k] for k in ("redshift", "a_v_mag", "tau_gyr")], ["prior median", "tied", "fixed"])
        g = self.galaxy("redshift=1.5", "tau_gyr=0.7", "--set", "dust_slope=-0.25", model="tied.yaml")
        p, origin = self.values(g["parameters"]), self.values(g["parameters"], value="origin")
        self.assertEqual((p["redshift"], p["tau_gyr"], p["dust_slope"]), (1.5, 0.7, -0.25))
        self.assertAlmostEqual(p["a_v_mag"], 0.35, places=12)
        self.assertEqual([origin[k] for k in ("redshift", "tau_gyr", "dust_slope", "age_gyr")], ["set", "set", "set", "prior median"])
        self.assertEqual(g["warnings"], [])

    def test_outside_the_prior_is_served_and_said(self):
        g = self.galaxy("a_v_mag=3", "redshift=2.5", "age_gyr=1")
        self.assertEqual(len(g["warnings"]), 2)
        self.assertTrue(any("a_v_mag" in w for w in g["warnings"]) and any("redshift" in w for w in g["warnings"]))
        self.assertIn("a_v_mag = 3", self.run_ok("sed", "model.yaml", "a_v_mag=3").stdout)

    def test_bad_settings(self):
        for words, *args in [(["a_v_mga", "a_v_mag"], "a_v_mga=1"), (["tied", "0.1 * redshift + 0.2"], "a_v_mag=1"), (["no number"], "redshift=three"),
                             (["twice"], "redshift=1", "redshift=2"), (["NAME=VALUE"], "redshift"), (["age_gyr", "-1"], "age_gyr=-1"),
                             (["nan"], "redshift=nan"), (["redshift", "99"], "redshift=99"), (["age_gyr"], "redshift=1.9", "age_gyr=8")]:
            self.run_bad(2, words, "sed", "tied.yaml", *args)
        self.run_bad(2, ["choose one"], "sed", "model.yaml", "--bands", "SLOAN/SDSS.r", "--survey", "survey.yaml")
        self.run_bad(2, ["SLOAN/SDSS.q", "SLOAN/SDSS."], "sed", "model.yaml", "--bands", "SLOAN/SDSS.q")
        self.run_bad(2, ["no_such"], "sed", "no_such")

    def test_what_is_known_is_listed(self):
        self.run_bad(2, ["'z'", "did you mean 'redshift'"], "sed", "model.yaml", "z=3")
        for line, *words in [("grid_axes: {foo: 1}", "no further axes", "log_u is set under nebular"), ("derived: {quantities: [zzzzzzzz]}", "d4000", "log_xi_ion_hz_per_erg"),
                             ("derived: {quantities: [d400]}", "d4000"), ("derived: {indices: [Foo]}", "CN1", "HgammaF", "windows"),
                             ("derived: {lines: [Halpha]}", "without gas (nebular: none)")]:
            model = MODEL.replace("nebular: {log_u: -2, escape_fraction: 0}", "nebular: none") if "lines" in line else MODEL
            self.write("asked.yaml", model + line + "\n")
            self.run_bad(2, words, "sed", "asked.yaml")

    @unittest.skipUnless(HAS_ASTROPY, "SKIPPED: no h5py")
    def test_grid_without_star_fraction(self):
        shutil.copy(SOURCE / "data" / "grids" / "bc03-miles-kroupa.hdf5", self.folder / "bare.hdf5")
        subprocess.run([PYTHON, "-c", "import h5py\nwith h5py.File('bare.hdf5', 'a') as f: del f['star_fraction']"], cwd=self.folder, check=True)
        self.write("bare.yaml", MODEL.replace("bc03-miles-kroupa", "./bare.hdf5"))
        g = self.galaxy(model="bare.yaml")
        self.assertIsNone(self.values(g["derived"])["log_mass_surviving_msun"])
        self.assertEqual(len(g["warnings"]), 1)
        for word in ["star_fraction", "log_mass_surviving_msun", "log_ssfr_100myr_per_yr"]:
            self.assertIn(word, g["warnings"][0])
        self.assertIn(g["warnings"][0], self.run_ok("sed", "bare.yaml").stdout)
        self.assertIn("no star_fraction", self.run_ok("sed", "bare.yaml", "--explain").stdout)

    def test_draws_are_named_by_their_seed(self):
        a, b = self.galaxy("--draw", "--seed", 5), self.galaxy("--draw", "--seed", 5)
        self.assertEqual(a["parameters"], b["parameters"])
        self.assertNotEqual(a["parameters"], self.galaxy("--draw", "--seed", 6)["parameters"])
        self.assertEqual({p["origin"] for p in a["parameters"]}, {"prior draw", "fixed"})

    @unittest.skipUnless(HAS_ASTROPY, "SKIPPED: no h5py")
    def test_same_galaxy_as_simulate(self):
        self.run_ok("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 1, "--design", "random", "--seed", 5, "-o", "one.h5")
        code = ("import h5py, json; f = h5py.File('one.h5'); "
                "print(json.dumps([f['theta'][0].tolist(), f['flux_njy'][0].tolist(), [n.decode() for n in f['theta'].attrs['names']]]))")
        theta, flux, names = json.loads(subprocess.run([PYTHON, "-c", code], cwd=self.folder, capture_output=True, text=True, check=True).stdout)
        g = self.galaxy("--draw", "--seed", 5, "--survey", "survey.yaml")
        p = self.values(g["parameters"])
        for name, value in zip(names, theta):
            self.assertAlmostEqual(p[name], value, delta=1e-6 * abs(value), msg=name)   # the library's coordinates are float32, and so were these draws
        for band, expected in zip(g["photometry"], flux):
            self.assertAlmostEqual(band["flux_njy"] / expected, 1, delta=FLUX, msg=band["band"])

    # ---------------------------------------------------------------- output

    def test_json_is_consistent(self):
        g = self.galaxy("redshift=0.5", "--bands", "SLOAN/SDSS.r,2MASS/2MASS.J")
        self.assertEqual([b["band"] for b in g["photometry"]], ["SLOAN/SDSS.r", "2MASS/2MASS.J"])
        for band in g["photometry"]:
            self.assertGreater(band["flux_njy"], 0)
            self.assertAlmostEqual(band["mag_ab"], 31.4 - 2.5 * math.log10(band["flux_njy"]), places=9)
        lines = {row["line"]: row for row in g["lines"]}
        alpha, beta = lines["H 1 6562.80A"], lines["H 1 4861.32A"]
        self.assertAlmostEqual(alpha["wave_observed_A"], 1.5 * alpha["wave_rest_A"], places=6)
        self.assertAlmostEqual(alpha["luminosity_erg_s"] / alpha["flux_erg_s_cm2"] / (beta["luminosity_erg_s"] / beta["flux_erg_s_cm2"]), 1, places=9)
        heavier = self.galaxy("redshift=0.5", "log_mass_formed_msun=11", "--bands", "SLOAN/SDSS.r,2MASS/2MASS.J")
        for a, b in zip(g["photometry"], heavier["photometry"]):
            self.assertAlmostEqual(b["flux_njy"] / a["flux_njy"], 10, delta=10 * FLUX)

    def test_lines_and_pixels_as_data(self):
        g = self.galaxy("redshift=0.5", "--bands", "pixel:6000:6010:3,line:Halpha,line_ew:Halpha,SLOAN/SDSS.r")
        self.assertEqual([b["band"] for b in g["photometry"]], ["pixel:6000:6010:3", "SLOAN/SDSS.r"])
        m = self.values(g["measurements"])
        alpha = next(row for row in g["lines"] if row["line"] == "H 1 6562.80A")
        self.assertAlmostEqual(m["line:Halpha"] / (1e20 * alpha["flux_erg_s_cm2"]), 1, delta=FLUX)
        self.assertAlmostEqual(m["line_ew:Halpha"] / alpha["equivalent_width_A"], 1, delta=FLUX)

    @unittest.skipUnless(HAS_ASTROPY, "SKIPPED: no astropy")
    def test_tables_as_astropy_reads_them(self):
        self.run_ok("sed", "model.yaml", "redshift=0.5", "--survey", "survey.yaml", "-o", "t.ecsv")
        g = self.galaxy("redshift=0.5", "--survey", "survey.yaml", "-o", "t.h5")
        code = ("import json, h5py; from astropy.table import Table; import astropy.units as u\n"
                "t = {p: Table.read(f't{s}.ecsv') for p, s in [('spectrum', ''), ('photometry', '_photometry'), ('lines', '_lines'), ('derived', '_derived'),"
                " ('parameters', '_parameters'), ('history', '_history'), ('measurements', '_measurements')]}\n"
                "f = h5py.File('t.h5')\n"
                "for p in t:\n"
                "  assert sorted(t[p].colnames) == sorted(f[p]), p\n"
                "  for c in t[p].colnames:\n"
                "    h = f[p][c][:]; e = t[p][c]\n"
                "    assert len(h) == len(e), (p, c)\n"
                "    if h.dtype.kind == 'f': assert ((h == e) | ((h != h) & (e != e))).all(), (p, c)\n"
                "    else: assert [x.decode() for x in h] == ['' if str(x) == '--' else x for x in e], (p, c)\n"
                "s = t['spectrum']\n"
                "assert s['wave_rest_A'].unit == u.AA and s['fnu_njy'].unit == u.nJy and s['lnu_erg_s_hz'].unit == u.erg / u.s / u.Hz\n"
                "h = t['history']\n"
                "mass = (h['sfr_msun_per_yr'] * (h['lookback_high_yr'] - h['lookback_low_yr'])).sum()\n"
                "print(json.dumps([list(t['photometry']['flux_njy']), s.meta['REDSHIFT'], float(mass), len(s), f.attrs['model_yaml'].decode()]))")
        done = subprocess.run([PYTHON, "-c", code], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        flux, redshift, mass, n, model = json.loads(done.stdout)
        self.assertEqual(flux, [b["flux_njy"] for b in g["photometry"]])
        self.assertEqual(float(redshift), 0.5)
        self.assertAlmostEqual(mass / 10 ** self.values(g["parameters"])["log_mass_formed_msun"], 1, places=9)
        self.assertGreater(n, 1000)
        self.assertEqual(model, MODEL)

    def test_output_is_never_an_input(self):
        self.write("own.ecsv", MODEL)
        self.run_bad(2, ["own.ecsv"], "sed", "own.ecsv", "-o", "own.ecsv")
        self.write("own_lines.ecsv", MODEL)
        self.run_bad(2, ["own_lines.ecsv"], "sed", "own_lines.ecsv", "-o", "own.ecsv")
        self.assertEqual((self.folder / "own_lines.ecsv").read_text(), MODEL)
        self.run_bad(2, ["survey.yaml"], "sed", "model.yaml", "--survey", "survey.yaml", "--html", "survey.yaml")
        self.write("curve.csv", "5000 0\n5100 1\n5400 1\n5500 0\n")
        self.run_bad(2, ["curve.csv"], "sed", "model.yaml", "redshift=0.1", "--bands", "./curve.csv", "-o", "curve.csv")
        self.run_bad(2, ["extension"], "sed", "model.yaml", "-o", "galaxy.xyz")
        self.run_bad(1, ["no_folder"], "sed", "model.yaml", "-o", "no_folder/galaxy.h5")
        self.run_bad(2, ["two"], "sed", "model.yaml", "-o", "same.h5", "--html", "same.h5")
        self.assertEqual([p.name for p in self.folder.glob("*.part")], [])

    def test_quiet_and_summary(self):
        self.assertEqual(self.run_ok("sed", "model.yaml", "-q").stdout, "")
        text = self.run_ok("sed", "model.yaml", "redshift=1", "--bands", "SLOAN/SDSS.r").stdout
        for word in ["redshift 1,", "parameters", "photometry", "derived quantities", "strongest", "SLOAN/SDSS.r", "log_mass_surviving_msun", "H 1 6562.80A"]:
            self.assertIn(word, text)

    def test_explain(self):
        for args in [("sed", "model.yaml", "--explain"), ("simulate", "model.yaml", "--explain")]:
            text = self.run_ok(*args).stdout
            for word in ["a_v_mag", "mag", "uniform(0, 2)", "calzetti", "inoue14", "log_mass_formed_msun"]:
                self.assertIn(word, text, args)
        self.assertIn("3 (set)", self.run_ok("sed", "model.yaml", "--explain", "a_v_mag=3").stdout)
        self.run_bad(2, ["survey"], "simulate", "model.yaml", "-o", "x.h5")   # without --explain the rest is needed

    def test_explain_tells_defaults_from_what_the_file_says(self):
        sfh = "stars: {log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: continuity, n_bin: 4%s}}\n"
        origin = {}
        for name, key in [("silent", ""), ("said", ", log_sfr_ratios: {prior: student_t, nu: 2, scale: 0.3}")]:
            self.write(name + ".yaml", "grid: bc03-miles-kroupa\nredshift: 1\n" + sfh % key)
            lines = self.run_ok("sed", name + ".yaml", "--explain").stdout.splitlines()
            origin[name] = [line.split("#")[0].split()[-1] for line in lines if line.startswith("log_sfr_ratio")]
        self.assertEqual(origin, {"silent": ["default"] * 3, "said": ["model"] * 3})

    def test_explain_says_all(self):
        self.write("all.yaml", MODEL + "cosmology: {h0: 70, omega_m: 0.3}\ndesign: random\nderived: {quantities: [d4000]}\n"
                   "dust_emission: {law: casey12, temperature_k: 40, cmb: heating}\n"
                   "agn: {disc: broken_power_law, fraction: 0.3, fraction_wave_A: 5500, lines: {narrow_covering_fraction: 0.1}, torus: {law: nenkova08, covering_fraction: 0.5, tau: 20}}\n")
        text = self.run_ok("sed", "all.yaml", "--explain").stdout
        for words in ["h0: 70 km/s/Mpc, omega_m: 0.3", "design          random", "d4000", "rest_v_j", "casey12; optical_depth: thick; cmb: heating\n", "at rest 5500 A",
                      "lines: 0 broad, 23 narrow", "torus: nenkova08, tau 5 to 150"]:
            self.assertIn(words, text)
        text = self.run_ok("sed", "model.yaml", "--explain").stdout
        for words in ["cosmology       Planck18", "design          sobol", "agn             none"]:
            self.assertIn(words, text)

    def test_page_says_what_it_shows(self):
        self.write("page.yaml", SURVEY + "spectra:\n  - {name: prism, wave_A: {low: 6000, high: 9000, n: 50}, resolution: 100, sigma_njy: 20}\n")
        g = self.galaxy("redshift=1", "--survey", "page.yaml")
        self.assertEqual((g["dust_emission"], g["agn"]), ("none", "none"))
        self.assertEqual(sum(b["filter"].startswith("pixel:") for b in g["photometry"]), 50)   # by which the page tells pixels from bands
        self.run_ok("sed", "model.yaml", "redshift=1", "--survey", "page.yaml", "--html", "page.html", "-q")
        text = (self.folder / "page.html").read_text(encoding="utf-8")
        self.assertIn("<title>model at redshift 1</title>", text)
        self.assertIn("<h1>model at redshift 1</h1>", text)

    @unittest.skipUnless(CHROMIUM, "SKIPPED: no Chromium on this machine")
    def test_page(self):
        self.write("pixels.yaml", SURVEY + "spectra:\n  - {name: prism, wave_A: {low: 6000, high: 9000, n: 50}, resolution: 100, sigma_njy: 20}\n")
        for name, args in [("a.html", ["--survey", "survey.yaml", "redshift=1"]), ("b.html", ["redshift=0"]), ("c.html", ["a_v_mag=3"]),
                           ("d.html", ["redshift=1", "--survey", "pixels.yaml"])]:
            self.run_ok("sed", "model.yaml", *args, "--html", name, "-q")
            profile = tempfile.mkdtemp(prefix="sedna-chromium-")
            try:
                done = subprocess.run([CHROMIUM, *FLAGS, f"--user-data-dir={profile}", (self.folder / name).as_uri()], text=True, capture_output=True,
                                      timeout=120, check=False)
            finally:
                shutil.rmtree(profile, ignore_errors=True)
            self.assertEqual([line for line in done.stderr.splitlines() if "CONSOLE" in line], [], name)
            self.assertGreaterEqual(done.stdout.count("<svg"), 3, name)
            body = done.stdout[done.stdout.index("<main"):done.stdout.index("</main>")]
            self.assertNotIn("NaN", body, name)
            self.assertIn("log_mass_surviving_msun", done.stdout, name)
            self.assertEqual("the 50 pixels of spectra" in body, name == "d.html")
            self.assertNotIn("<td>prism_", body)   # a curve, no rows
        self.assertIn("outside the prior", (self.folder / "c.html").read_text(encoding="utf-8"))

    def test_spectra_in_a_library(self):
        done = self.run_ok("simulate", "model.yaml", "--survey", "survey.yaml", "-n", 1500, "--spectra-range", "3000:7000", "-o", "s.h5")
        self.assertIn("1500 spectra of", done.stdout)
        self.assertIn("GB", done.stdout)
        info = self.run_ok("info", "s.h5").stdout
        for name in ["/spectra", "/spectra_wave_A", "/line_luminosity_erg_s", "/line_wave_A"]:
            self.assertIn(name, info)
        self.run_ok("train", "s.h5", "-o", "p.h5", "--n-epoch", 1)   # which ignores them
        self.run_bad(2, ["spectra_range", "LOW:HIGH"], "simulate", "model.yaml", "--survey", "survey.yaml", "--spectra-range", "7000", "-o", "never.h5")

    def test_example_of_many(self):
        """The batched C interface; what it prints are means of 1000 galaxies, so luminosities and fluxes must be of galaxies' size, and rise to the red."""
        program = os.path.join(os.environ["SEDNA_EXAMPLES"], "03_spectra_of_many_galaxies")
        lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
        values = [float(line[24:].split()[0]) for line in lines]
        self.assertEqual(len(lines), 7)
        self.assertTrue(all(1 < f < 1e8 for f in values[:2]))
        self.assertTrue(all(1e27 < a < b < 1e33 for a, b in zip(values[2:5], values[3:6])))   # the photoz model's mean galaxy is red
        self.assertTrue(1e39 < values[6] < 1e46)

    def test_help(self):
        self.assertIn("sedna sed", sedna("--help").stdout)
        text = self.run_ok("sed", "--help").stdout
        for word in ["NAME=VALUE", "--survey", "--bands", "--html", "--json", "--draw", "--explain"]:
            self.assertIn(word, text)
        self.assertIn("--spectra-range", self.run_ok("simulate", "--help").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
