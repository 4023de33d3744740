# SPDX-License-Identifier: Apache-2.0
"""What is told of a run: where it ran, by which commands, and the figures as tables in Markdown."""

import datetime
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import tempfile
import time

import relays

# What is told of a case: key of the figures, words, unit, digits.
THROUGHPUT = (("rate", "", "messages/s", 0), ("cpu_s_per_1000", " CPU", "s per 1,000", 3))
ROWS = {
    "accepted": THROUGHPUT + (("p99_ms", ", end of content to 250, p99", "ms", 1),),
    "relayed": THROUGHPUT,
    "single": (("through_p50_ms", ", MAIL to the sink, p50", "ms", 2), ("through_p99_ms", ", p99", "ms", 2),
               ("ack_p50_ms", ", end of content to 250, p50", "ms", 2), ("ack_p99_ms", ", p99", "ms", 2)),
}


def number(value, digits):
    return f"{value:,.{digits}f}"


def spread(values, digits):
    """Median and, where there are several, the least and the most."""
    middle = number(statistics.median(values), digits)
    if len(values) == 1:
        return middle
    return f"{middle} ({number(min(values), digits)} … {number(max(values), digits)})"


def ratio(ours, theirs):
    if theirs == 0:
        return "–"
    return f"{ours / theirs:.1f}" if ours >= theirs else f"{ours / theirs:.3f}"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


# --- both relays ----------------------------------------------------------------------------------------------

def pairs_table(runs):
    """One row per case and figure: baton, Postfix, the ratio of their medians."""
    names = [kind.name for kind in relays.RELAYS]
    rows = []
    for case in dict.fromkeys(run["case"] for run in runs):
        of_case = [run for run in runs if run["case"] == case]
        for key, words, unit, digits in ROWS[of_case[0]["measure"]]:
            values = {name: [run[key] for run in of_case if run["relay"] == name] for name in names}
            middles = [statistics.median(values[name]) for name in names]
            rows.append([case + words, unit, *(spread(values[name], digits) for name in names), ratio(*middles)])
    return table(["what", "unit", *names, "ratio"], rows)


def signed_table(runs):
    """One row per algorithm. The ceiling: 1 / (1/unsigned + 1/openssl), as if signing took no more than libcrypto's own
    time; each run is held against the ceiling of its own pair."""
    heads = ["signature", *(f"{kind.name}, messages/s" for kind in relays.RELAYS), "ratio", "baton unsigned",
             "`openssl speed`, all cores", "ceiling", "reached"]
    rows = []
    for sign in dict.fromkeys(run["sign"] for run in runs):
        of_sign = [run for run in runs if run["sign"] == sign]
        ceilings = [1 / (1 / run["unsigned"] + 1 / run["openssl"]) for run in of_sign]
        rates = {kind.name: [run[kind.name] for run in of_sign] for kind in relays.RELAYS}
        reached = [100 * run["baton"] / ceiling for run, ceiling in zip(of_sign, ceilings)]
        rows.append([sign, *(spread(rates[kind.name], 0) for kind in relays.RELAYS),
                     ratio(*(statistics.median(values) for values in rates.values())),
                     spread([run["unsigned"] for run in of_sign], 0), spread([run["openssl"] for run in of_sign], 0),
                     spread(ceilings, 0), spread(reached, 0) + " %"])
    return table(heads, rows)


def idle_table(runs):
    rows = [[run["relay"], number(run["sessions"], 0), number(run["before_mib"], 1), number(run["pss_mib"], 1),
             number(run["kib_per_session"], 1)] for run in runs]
    return table(["relay", "idle sessions", "PSS before, MiB", "PSS with them, MiB", "KiB a session"], rows)


# --- the queue ------------------------------------------------------------------------------------------------

def queue_table(queue):
    first = queue["steps"][0]["rate"]
    rows = [[number(step["recipients"], 0), number(step["rate"], 0), f"{100 * step['rate'] / first:.0f} %",
             *(number(step[key], 0) for key in ("p99_ms", "pss_mib", "core_mib", "index_mib", "content_mib"))]
            for step in queue["steps"]]
    heads = ["queued recipients", "accepted/s", "of the first step", "p99 of 250, ms", "PSS of all roles, MiB",
             "core's, MiB", "index, MiB", "bodies in memory, MiB"]
    lost = queue["queued"] - queue["queued_after"]
    return "\n\n".join([
        table(heads, rows),
        f"Killed with {queue['queued']:,} queued recipients and {queue['disk_mib']:,.0f} MiB of spool, and started "
        f"again: it greets after {queue['greets_s']:.2f} s, all are scheduled after {queue['scheduled_s']:.2f} s, "
        f"{lost} are missing."])


# --- the machine ----------------------------------------------------------------------------------------------

def _said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(models) or '?'} × {models[0] if models else platform.machine()}"


def _memory_gib():
    kib = next(int(line.split()[1]) for line in pathlib.Path("/proc/meminfo").read_text().splitlines()
               if line.startswith("MemTotal:"))
    return f"{kib / 1024 / 1024:.1f} GiB"


def _sync_ms(folder):
    """Median time of a write of 4 KiB and its fdatasync: what every 250 waits for at least."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(200):
            begun = time.monotonic()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - begun) * 1000)
    return statistics.median(times)


def facts(tree, work, binary, postfix_version):
    """Of the machine and of what is compared."""
    commit = _said("git", "-C", str(tree), "describe", "--always", "--dirty")
    return {
        "date": datetime.date.today().isoformat(),
        "processor": _processor(),
        "memory": _memory_gib(),
        "kernel": platform.release(),
        "file system": _said("findmnt", "-n", "-o", "FSTYPE,OPTIONS", "-T", str(work)),
        "write of 4 KiB and fdatasync": f"{_sync_ms(work):.2f} ms",
        "baton": f"{_said(str(binary), 'version')}, commit {commit}",
        "Postfix": f"{postfix_version}, Debian's package",
        "places": "load, relay and sink on this machine, over loopback",
        "load average before": f"{os.getloadavg()[0]:.2f}; what else runs makes all figures worthless",
        "signing": "no, but for the table that says so",
    }


def commands_text(commands, tree):
    return "\n".join(f"    {shlex.join(words).replace(str(tree) + '/', './')}    # {what}"
                     for what, words in commands.items())


def document(told, commands, tree, sections):
    """All of it; `sections` are pairs of heading and table."""
    parts = ["\n".join(f"- {key}: {value}" for key, value in told.items())]
    parts += [f"### {heading}\n\n{text}" for heading, text in sections]
    parts += ["### Commands of the two ends, as last run\n\n" + commands_text(commands, tree)]
    return "\n\n".join(parts) + "\n"
