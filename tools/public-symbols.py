#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linker version script that exports exactly the functions and tables that include/sedna.h declares.

usage: public-symbols.py sedna.h sedna.map
"""
import re
import sys


def public_names(header):
    code = re.sub(r"/\*.*?\*/", " ", header, flags=re.S)
    functions = re.findall(r"\b(sdn_\w+)\s*\(", code)
    tables = re.findall(r"\bextern\s+const\s+[\w\s]*?\b(sdn_\w+)\s*(?:\[\])?\s*;", code)
    return sorted(set(functions) | set(tables))


def main(header, output):
    with open(header, encoding="utf-8") as f:
        names = public_names(f.read())
    with open(output, "w", encoding="utf-8") as f:
        f.write("{\nglobal:\n" + "".join(f"  {n};\n" for n in names) + "local:\n  *;\n};\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
