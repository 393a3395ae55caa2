#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fails when a source file includes a room that comes after its own, when the command line reaches past include/sedna.h, when a file
lacks its licence line, or when the library prints or exits.

usage: tools/check-rooms.py [ROOT]
"""
import pathlib
import re
import sys

ROOMS = ["base", "prior", "physics", "survey", "library", "learn", "infer", "report", "cli"]
FORBIDDEN = {("learn", "physics"): "learning knows galaxies only as rows of a library"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
PRINTS = re.compile(r"\b(printf|puts|perror|exit|abort)\s*\(")


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def faults_of(path, root):
    room = path.relative_to(root / "src").parts[0]
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(root)
    if "SPDX-License-Identifier: GPL-3.0-or-later" not in text.splitlines()[0]:
        yield f"{name}: the first line is no SPDX line"
    for target in INCLUDE.findall(text):
        if room == "cli":
            if target != "cli.h":
                yield f"{name}: includes {target}; commands talk to <sedna.h> alone"
            continue
        other = target.split("/")[0]
        if "/" not in target or other not in ROOMS:
            yield f"{name}: includes {target}; write \"room/file.h\""
        elif ROOMS.index(other) > ROOMS.index(room):
            yield f"{name}: includes {target}, but {other} comes after {room}"
        elif (room, other) in FORBIDDEN:
            yield f"{name}: includes {target}: {FORBIDDEN[room, other]}"
    if room != "cli":
        for call in PRINTS.findall(strip_comments(text)):
            yield f"{name}: calls {call}(); library code returns a status"


def main(root):
    root = pathlib.Path(root).resolve()
    faults = [f for p in sorted((root / "src").rglob("*.[ch]")) for f in faults_of(p, root)]
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
