# SPDX-License-Identifier: Apache-2.0
"""A server's processes, all below one: what they cost in processor time and memory, as /proc tells, and their end."""

import os
import pathlib
import time

TICKS = os.sysconf("SC_CLK_TCK")
PROC = pathlib.Path("/proc")
SETTLED_S = 0.02   # less than this in half a second is a server at rest
SETTLING_S = 30


def _stat(pid):
    """The fields of /proc/PID/stat from the state on: state, parent, …; None when it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def tree(root):
    """`root` and all its descendants."""
    below = {}
    for entry in PROC.iterdir():
        fields = _stat(entry.name) if entry.name.isdigit() else None
        if fields:
            below.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:  # grows while it is walked
        found += below.get(pid, [])
    return found


def cpu_seconds(root):
    """User and system time of the tree, of children that have ended and were waited for too."""
    ticks = 0
    for pid in tree(root):
        fields = _stat(pid)
        if fields:
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def cpu_seconds_at_rest(root):
    """The same, once the tree has nothing more to do: what it puts off belongs to the price of a message."""
    end = time.monotonic() + SETTLING_S
    before = cpu_seconds(root)
    while True:
        time.sleep(0.5)
        now = cpu_seconds(root)
        if now - before < SETTLED_S:
            return now
        if time.monotonic() > end:
            raise RuntimeError(f"the server is still busy {SETTLING_S} s after its last message")
        before = now


def _name(pid):
    words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    if len(words) > 2 and words[1] == b"role":  # baton role NAME N
        return words[2].decode()
    return "super" if len(words) > 1 and words[1] == b"serve" else (PROC / str(pid) / "comm").read_text().strip()


def pss_bytes(root):
    """Memory by kind of process, {"core": bytes, …}: pages that several share are divided among them."""
    sizes = {}
    for pid in tree(root):
        try:
            name = _name(pid)
            rollup = (PROC / str(pid) / "smaps_rollup").read_text()
        except OSError:
            continue
        kib = next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
        sizes[name] = sizes.get(name, 0) + kib * 1024
    return sizes
