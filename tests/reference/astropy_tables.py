# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads tables that sedna wrote and writes tables for sedna to read, by astropy and h5py. Called by test_tables_astropy.c.

usage: astropy_tables.py FOLDER      exit 77: astropy or h5py is not there
"""
import gzip
import json
import sys

try:
    import h5py
    import numpy as np
    from astropy.io import fits
    from astropy.table import Table
except ImportError:
    sys.exit(77)

N_ROW = 1000
folder = sys.argv[1]
i = np.arange(N_ROW)
count, missing = i * 10 - 7, i % 7 == 3
redshift = np.where(i % 6 == 5, np.nan, i / 3)
magnitude = np.float32(0.1) * i.astype(np.float32)
spectrum = i[:, None] + np.arange(5) / 8
spectrum[i % 4 == 1, 2] = np.nan
name = np.array([f"galaxy {k}" for k in i])


def check(format, table, text=str):
    assert table.colnames == ["name", "n_obs", "redshift", "mag"], (format, table.colnames)
    assert len(table) == N_ROW, format
    assert [text(x) for x in table["name"]] == list(name), format
    n_obs = np.ma.array(table["n_obs"])
    assert n_obs.dtype.kind == "i" and np.array_equal(n_obs.mask, missing), format
    assert np.array_equal(n_obs.data[~missing], count[~missing]), format
    assert np.array_equal(np.asarray(table["redshift"]), redshift, equal_nan=True), format
    assert np.array_equal(np.float32(table["mag"]), magnitude), format


def check_ours():
    table = Table.read(f"{folder}/ours.fits")
    check("fits", table, lambda x: (x.decode() if isinstance(x, bytes) else x).rstrip())   # trailing blanks mean nothing in FITS; astropy 5 keeps them
    assert str(table["mag"].unit) == "mag" and table["mag"].dtype.itemsize == 4
    header = fits.getheader(f"{folder}/ours.fits", 1)
    assert json.loads(header["YAML"]) == 'a: "b"\n' + "long line " * 20, header["YAML"]
    assert header["ORIGIN"] == "sedna test" and header["TCOMM3"] == "a redshift"
    with fits.open(f"{folder}/ours.fits") as file:
        file.verify("exception")
    table = Table.read(f"{folder}/ours.ecsv")
    check("ecsv", table)
    assert table["mag"].dtype == np.float32 and str(table["mag"].unit) == "mag"
    assert table.meta["YAML"] == 'a: "b"\n' + "long line " * 20
    check("csv", Table.read(f"{folder}/ours.csv", format="ascii.csv", comment="#", fill_values=[("", "0")]))
    with h5py.File(f"{folder}/ours.h5") as f:
        assert list(f.attrs["columns"].astype(str)) == ["name", "n_obs", "redshift", "mag"]
        n_obs = f["n_obs"][:]
        assert np.array_equal(n_obs == f["n_obs"].attrs["missing_value"], missing)
        check("h5", Table({"name": f["name"].asstr()[:], "n_obs": np.ma.array(n_obs, mask=missing), "redshift": f["redshift"][:], "mag": f["mag"][:]}))


def write_fits():
    columns = [
        fits.Column("name", "12A", array=name),
        fits.Column("n_obs", "J", null=-999, array=np.where(missing, -999, count)),
        fits.Column("redshift", "D", array=redshift),
        fits.Column("mag", "E", unit="mag", array=magnitude),
        fits.Column("good", "L", array=i % 2 == 0),
        fits.Column("unsigned", "I", bzero=32768, array=(i * 60).astype(np.uint16)),
        fits.Column("scaled", "I", array=(i % 100).astype(np.int16)),
        fits.Column("large", "K", array=i + 2**60),
        fits.Column("vector", "5D", array=spectrum),
        fits.Column("cube", "6I", dim="(3,2)", null=-1, array=np.where(np.arange(6) == 4, -1, i[:, None] % 100 + np.arange(6)).reshape(N_ROW, 2, 3)),
        fits.Column("bits", "9X", array=np.zeros((N_ROW, 9), bool)),
        fits.Column("ragged", "PD()", array=np.array([np.arange(k % 3 + 1.0) for k in i], dtype=object)),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="CATALOGUE")
    table.header["SURVEY"] = "long " * 30
    ascii = fits.TableHDU.from_columns([fits.Column("name", "A12", array=name), fits.Column("redshift", "F20.12", array=i / 3)], name="OLD")
    file = fits.HDUList([fits.PrimaryHDU(np.zeros((3, 3))), table, ascii])
    file.writeto(f"{folder}/theirs.fits")
    fits.setval(f"{folder}/theirs.fits", "TSCAL7", value=0.5, ext=1)
    fits.setval(f"{folder}/theirs.fits", "TZERO7", value=10, ext=1)
    with open(f"{folder}/theirs.fits", "rb") as plain, gzip.open(f"{folder}/theirs.fits.gz", "wb") as packed:
        packed.write(plain.read())


def write_others():
    table = Table({"name": name, "n_obs": np.ma.array(count, mask=missing), "redshift": redshift, "mag": magnitude})
    table["mag"].unit = "mag"
    table.meta["SURVEY"] = "a survey"
    with_vector = table.copy()
    with_vector["vector"] = np.ma.array(spectrum, mask=np.arange(5) == 4 * (i[:, None] % 2))
    with_vector["cube"] = np.zeros((N_ROW, 2, 2))
    with_vector["ragged"] = np.array([np.arange(k % 3 + 1.0) for k in i], dtype=object)
    with_vector.write(f"{folder}/theirs.ecsv")
    with_vector.write(f"{folder}/theirs-comma.ecsv", delimiter=",")
    table.write(f"{folder}/theirs.csv")
    with h5py.File(f"{folder}/theirs.h5", "w") as f:
        f.attrs["SURVEY"] = "a survey"
        group = f.create_group("catalogue")
        group["name"] = [str(x) for x in name]   # of variable length
        group["n_obs"] = np.where(missing, -1, count)
        group["n_obs"].attrs["missing_value"] = -1
        group.create_dataset("redshift", data=redshift, compression="gzip")
        group["mag"] = magnitude
        group["mag"].attrs["unit"] = "mag"
        group["image"] = np.zeros((4, 4))
        group["cube"] = np.zeros((N_ROW, 2, 2))
        group["vector"] = spectrum


check_ours()
write_fits()
write_others()
