#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test/layers.py - who may include whom under src/.

Prints the include graph, one line a folder, and fails, naming file and line, on an arrow that LAYERS does not
allow and on an include of ours that does not name its folder. The build reads the same table with --table: it links
each folder with what the table lets it include, so there is one truth. A new arrow is a conversation.
"""

import pathlib
import re
import sys

# Folder: what it may include besides itself. Each folder stands below the ones it uses.
VALUES = ["base", "mail", "config", "wire"]
LAYERS = {
    "base": [],
    "io": ["base"],
    "sim": ["base", "io"],
    "mail": ["base"],
    "config": ["base"],
    "wire": ["base", "io", "config"],
    "spool": ["base", "io", "mail", "config"],
    "store": ["base", "io", "mail", "config", "spool"],
    "schedule": ["base", "mail", "config"],
    "guard": VALUES,
    # The roles: they meet in wire and never include one another.
    "vault": VALUES + ["io", "guard"],  # guard/directory.h: what core is told of what vault holds
    "accept": VALUES + ["io", "guard"],
    "deliver": VALUES + ["io"],
    "report": VALUES + ["io", "spool"],  # spool/event.h: the contract between the two
    "resolve": VALUES + ["io"],
    "web": VALUES + ["io"],
    "core": VALUES + ["io", "spool", "store", "schedule", "guard"],
}
# What wires them together may include everything.
LAYERS["super"] = [folder for folder in LAYERS if folder != "sim"]
LAYERS["cli"] = [folder for folder in LAYERS if folder != "sim"]
LAYERS["."] = [folder for folder in LAYERS if folder not in ("sim", ".")]
# A program of its own, the simulated relay with its peers and its oracle: no library, so the build is not told.
PROGRAMS = {"sim/trial": [folder for folder in LAYERS if folder not in ("super", "cli", ".")]}

# Tests of a folder over the simulated world, and what they share, may name that world.
OVER_SIM = re.compile(r"_sim(_test)?$")

OURS = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def folder_of(parts):
    """The row of the tables that a path below src/ is judged by."""
    below = "/".join(parts[:2])
    return below if below in PROGRAMS else parts[0] if len(parts) > 1 else "."


def includes_of(path):
    """The includes of ours in one file, as (line number, what stands between the quotes)."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        match = OURS.match(line)
        if match:
            yield number, match.group(1)


def check(src):
    """The graph as {folder: {folder}}, and the complaints as lines."""
    graph, complaints = {}, []
    for path in sorted(src.rglob("*.[chS]")):
        parts = path.relative_to(src).parts
        folder = folder_of(parts)
        allowed = PROGRAMS.get(folder) or LAYERS.get(folder)
        if allowed is None:
            complaints.append(f"{path}:1: folder {folder} is not in the layer table")
            continue
        arrows = graph.setdefault(folder, set())
        for number, name in includes_of(path):
            target = folder_of(name.split("/"))
            if "/" not in name or not (src / name).is_file():
                complaints.append(f'{path}:{number}: "{name}" does not name a file of src/ by its folder')
            elif target != folder and not (target == "sim" and OVER_SIM.search(path.stem)):
                arrows.add(target)
                if target not in allowed:
                    complaints.append(f'{path}:{number}: {folder} may not include "{name}"')
    return graph, complaints


def main(args):
    if args == ["--table"]:
        for folder, below in LAYERS.items():
            print(" ".join([folder, *below]))
        return 0
    src = pathlib.Path(args[0]) if args else pathlib.Path(__file__).resolve().parent.parent / "src"
    graph, complaints = check(src)
    for folder in [*LAYERS, *PROGRAMS]:
        if folder in graph:
            print(f"{folder:9} -> {' '.join(sorted(graph[folder])) or '(nothing)'}")
    for line in complaints:
        print(line, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
