#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assembly source that holds files as read-only bytes, each as sdn_asset_NAME and its length sdn_asset_NAME_size.

usage: embed-assets.py OUTPUT.S NAME=FILE ...
"""
import os
import sys


def main(output, pairs):
    lines = ["/* made by tools/embed-assets.py */", '.section .note.GNU-stack,"",%progbits', ".section .rodata"]
    for pair in pairs:
        name, path = pair.split("=", 1)
        symbol = f"sdn_asset_{name}"
        lines += [f".global {symbol}", f".hidden {symbol}", ".balign 16", f"{symbol}:", f'.incbin "{os.path.abspath(path)}"', ".byte 0",
                  f".global {symbol}_size", f".hidden {symbol}_size", ".balign 8", f"{symbol}_size:", f".quad {os.path.getsize(path)}"]
    with open(output, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
