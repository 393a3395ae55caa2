# SPDX-License-Identifier: GPL-3.0-or-later
"""`make install` into an empty prefix: the program finds its data there, and a user's program compiles against the library by pkg-config."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SEDNA_SOURCE"])
BUILD = pathlib.Path(os.environ["SEDNA_BUILD"])


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = pathlib.Path(tempfile.mkdtemp(prefix="sedna-install-"))
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.stage], check=True, capture_output=True)
        cls.prefix = next(cls.stage.rglob("bin/sedna")).parent.parent

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.stage, ignore_errors=True)

    def run_in(self, command, **env):
        clean = {k: v for k, v in os.environ.items() if k != "SEDNA_DATA"}
        return subprocess.run(command, env={**clean, **env}, capture_output=True, text=True, cwd=self.stage, check=True).stdout

    def test_installed_data_are_found(self):
        text = self.run_in([self.prefix / "bin/sedna", "--version"])
        self.assertIn("sedna", text)
        for part in ["grids/bc03-miles-kroupa.hdf5", "filters/INDEX.txt", "surveys/cosmos2020.yaml", "models/photoz.yaml"]:
            self.assertTrue((self.prefix / "share/sedna" / part).is_file(), part)

    @unittest.skipUnless(os.environ.get("SEDNA_SANITIZE", "none") == "none", "SKIPPED: a sanitized library loads into sanitized programs alone")
    @unittest.skipUnless(shutil.which("pkg-config") and shutil.which("cc"), "SKIPPED: needs pkg-config and cc")
    def test_a_program_compiles_by_pkg_config(self):
        pc = next(self.prefix.rglob("sedna.pc"))
        flags = self.run_in(["pkg-config", "--cflags", "--libs", "sedna"], PKG_CONFIG_PATH=str(pc.parent), PKG_CONFIG_SYSROOT_DIR=str(self.stage)).split()
        self.run_in(["cc", "-o", "fluxes", SOURCE / "examples/01_fluxes_of_a_galaxy.c", *flags])
        library = next(self.prefix.rglob("libsedna.so")).parent
        text = self.run_in([self.stage / "fluxes"], LD_LIBRARY_PATH=str(library), SEDNA_DATA=str(self.prefix / "share/sedna"))
        self.assertIn("JWST/NIRCam.F444W", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
