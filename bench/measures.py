# SPDX-License-Identifier: Apache-2.0
"""What is measured: each function starts a relay of the kind it is given, does one thing with it, and returns figures.

A relay always has a fresh spool. Before its speed is measured it has taken WARM_UP messages, so that its processes
run."""

import concurrent.futures
import os
import socket
import subprocess
import time

import ends
import processes
import relays
from lib import net

WARM_UP = 200
SESSIONS = 50
MIB = 1024 * 1024


def _warm_up(bench, relay, sink=None, tls=False):
    bench.load("warm-up", relay.port, sessions=10, messages=WARM_UP, tls=tls)
    if sink:
        sink.wait_for(WARM_UP)
        processes.cpu_seconds_at_rest(relay.pid)
        sink.reset()


def accepted(bench, kind, messages, size):
    """Acknowledged messages a second while none is delivered."""
    os.sync()
    with ends.SilentHop() as hop, kind(hop.port, hold=True) as relay:
        _warm_up(bench, relay)
        before = processes.cpu_seconds_at_rest(relay.pid)
        load = bench.load(f"accepted, {size} bytes, {relay.name}", relay.port, sessions=SESSIONS, messages=messages,
                          size=size)
        cpu = processes.cpu_seconds_at_rest(relay.pid) - before
    return {"rate": load["rate"], "cpu_s_per_1000": cpu * 1000 / messages, "p50_ms": load["p50_ms"],
            "p99_ms": load["p99_ms"], "load_cpu_s": load["cpu_s"]}


def relayed(bench, kind, messages, size, tls=False, sign=None):
    """Messages a second from the first one's MAIL to the last one's end at the sink; each must come once, and signed
    where that was asked for."""
    os.sync()
    with bench.sink(tls) as sink, kind(sink.port, tls=tls, sign=sign) as relay:
        _warm_up(bench, relay, sink, tls)
        before = processes.cpu_seconds(relay.pid)
        sink_cpu_before = sink.figures()["cpu_s"]
        load = bench.load(f"relayed, {size} bytes{', TLS' if tls else ''}{f', {sign}' if sign else ''}, {relay.name}",
                          relay.port, sessions=SESSIONS, messages=messages, size=size, tls=tls)
        sink.wait_for(messages)
        cpu = processes.cpu_seconds_at_rest(relay.pid) - before
        there = sink.figures()
    if there["repeated"] or there["messages"] != messages:
        raise ends.EndError(f"{relay.name}: {messages} sent, {there['messages']} came, {there['repeated']} repeated")
    if there["signatures"] != (messages if sign else 0):
        raise ends.EndError(f"{relay.name}: {messages} messages came with {there['signatures']} signatures")
    seconds = (there["last_us"] - load["begin_us"]) / 1e6
    return {"rate": messages / seconds, "cpu_s_per_1000": cpu * 1000 / messages, "accept_rate": load["rate"],
            "connections": there["connections"], "load_cpu_s": load["cpu_s"],
            "sink_cpu_s": there["cpu_s"] - sink_cpu_before}


def openssl_rate(sign, seconds=3):
    """Bare signatures a second of all cores together, as `openssl speed` has it."""
    cores = len(os.sched_getaffinity(0))
    name = {"rsa": "rsa2048", "ed25519": "ed25519"}[sign]
    told = subprocess.run(["openssl", "speed", "-multi", str(cores), "-seconds", str(seconds), "-mr", name],
                          capture_output=True, text=True, check=True).stdout
    # +F2:which:bits:signatures a second:verifications a second; Ed25519's line is +F6 and has its name in it.
    return float(next(line for line in told.splitlines() if line.startswith(("+F2:", "+F6:"))).split(":")[-2])


def single(bench, kind, messages, rate):
    """One message at a time through a relay that has nothing else to do: from its MAIL to its end at the sink."""
    os.sync()
    with bench.sink() as sink, kind(sink.port) as relay:
        _warm_up(bench, relay, sink)
        load = bench.load(f"one at a time, {relay.name}", relay.port, sessions=1, messages=messages, rate=rate)
        sink.wait_for(messages)
        there = sink.figures()
    return {"through_p50_ms": there["p50_ms"], "through_p99_ms": there["p99_ms"], "ack_p50_ms": load["p50_ms"],
            "ack_p99_ms": load["p99_ms"]}


def idle(bench, kind, sessions):
    """Memory of all processes of the server, without warm-up, before and while so many sessions stand idle."""
    with ends.SilentHop() as hop, kind(hop.port, hold=True) as relay:
        before = processes.pss_bytes(relay.pid)
        with bench.idle(f"idle, {relay.name}", relay.port, sessions):
            after = processes.pss_bytes(relay.pid)
    total = sum(after.values())
    return {"sessions": sessions, "pss_mib": total / MIB, "before_mib": sum(before.values()) / MIB,
            "kib_per_session": (total - sum(before.values())) / 1024 / sessions,
            "by_process_mib": {name: size / MIB for name, size in sorted(after.items())}}


# --- a long queue ---------------------------------------------------------------------------------------------

def queue(bench, recipients, step, size):
    """baton with a next hop that refuses connections: how fast it accepts, and what it holds in memory, as the queue
    grows; then killed, and how soon it is back."""
    os.sync()
    with relays.Baton(net.free_port()) as relay:
        steps = [_queue_step(bench, relay, have + step, step, size) for have in range(0, recipients, step)]
        queued = relay.facts()["recipients"]
        disk = relay.facts()["disk_bytes"]
        relay.kill()
        return {"steps": steps, "disk_mib": disk / MIB, "queued": queued, **_back_again(relay, queued)}


def _queue_step(bench, relay, have, step, size):
    load = bench.load("queue, each step", relay.port, sessions=SESSIONS, messages=step, size=size, distinct=10_000)
    sizes = processes.pss_bytes(relay.pid)
    facts = relay.facts()
    return {"recipients": have, "rate": load["rate"], "p99_ms": load["p99_ms"],
            "pss_mib": sum(sizes.values()) / MIB, "core_mib": sizes.get("core", 0) / MIB,
            "index_mib": facts["index_memory_bytes"] / MIB, "content_mib": facts["content_memory_bytes"] / MIB}


def _back_again(relay, queued):
    """Starts it once more, and says when it greets and when all its mail has its place in the schedule."""
    with concurrent.futures.ThreadPoolExecutor() as threads:
        begun = time.monotonic()
        greeted = threads.submit(_seconds_until, begun, lambda: _greets(relay.port))
        relay.start(relays.START_S)
        scheduled_s = _seconds_until(begun, lambda: _scheduled(relay) >= queued)
        greeted_s = greeted.result()
    return {"queued_after": relay.facts()["recipients"], "greets_s": greeted_s, "scheduled_s": scheduled_s}


def _seconds_until(begun, condition):
    net.wait_until(condition, relays.START_S, "the relay's return")
    return time.monotonic() - begun


def _greets(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as line:
            return line.recv(4).startswith(b"220")
    except OSError:
        return False


def _scheduled(relay):
    """Recipients that are placed: to be tried later, now, being tried, or held by an operator."""
    facts = relay.facts()
    return sum(facts[state] for state in ("waiting", "ready", "delivering", "held"))
