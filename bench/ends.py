# SPDX-License-Identifier: Apache-2.0
"""The two ends of a benchmark, smtp-load and smtp-sink, as processes; and a next hop that never answers."""

import json
import selectors
import socket
import subprocess
import time

from lib import certificate, net

STALLED_S = 60


class EndError(Exception):
    """One of the ends did not do its part."""


class Ends:
    """Starts both from `folder`, where they were built, and remembers how it did so."""

    def __init__(self, folder):
        self.folder = folder
        self.commands = {}  # what for: the words of a command

    def sink(self, tls=False):
        return Sink(self, tls)

    def load(self, what, port, **options):
        """Runs smtp-load to its end; options as its flags. Returns its figures; every message must be taken."""
        command = self._load_command(what, port, options)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        figures = json.loads(done.stdout) if done.stdout else {"last": done.stderr.strip()}
        if done.returncode != 0:
            raise EndError(f"smtp-load: {figures.get('acked', 0)} acknowledged, {figures.get('refused', 0)} refused, "
                           f"{figures.get('lost', 0)} sessions lost: {figures['last']}")
        return figures

    def _load_command(self, what, port, options):
        command = [str(self.folder / "smtp-load"), "--relay", f"127.0.0.1:{port}"]
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                command.append(flag)
            elif value not in (False, None):
                command += [flag, str(value)]
        self.commands[what] = command
        return command

    def idle(self, what, port, sessions):
        """Sessions that say EHLO and no more; returns once all stand."""
        command = self._load_command(what, port, {"sessions": sessions, "messages": 0, "idle": True})
        return IdleSessions(command)


class IdleSessions:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if selector.select(STALLED_S) else ""
        if '"idle"' not in line:
            self.__exit__()
            raise EndError(f"the idle sessions do not stand within {STALLED_S} s: {line}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Sink:
    """A mail server that takes everything and counts."""

    def __init__(self, ends, tls):
        self.port = net.free_port()
        command = [str(ends.folder / "smtp-sink"), f"127.0.0.1:{self.port}"]
        if tls:
            command += [str(certificate.cert_file()), str(certificate.key_file())]
        ends.commands["sink with TLS" if tls else "sink"] = command
        self.process = subprocess.Popen(command)
        net.wait_until(lambda: net.answers("127.0.0.1", self.port), 10, "smtp-sink")
        self.line = socket.create_connection(("127.0.0.1", self.port), 10).makefile("rwb")
        self.line.readline()  # its greeting

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.line.close()
        self.process.kill()
        self.process.wait()

    def _ask(self, command):
        self.line.write(command + b"\r\n")
        self.line.flush()
        return self.line.readline()[4:]

    def reset(self):
        self._ask(b"XRESET")

    def figures(self):
        return json.loads(self._ask(b"XSTAT"))

    def wait_for(self, messages):
        """Returns when so many have come; EndError when none comes any more."""
        have, since = 0, time.monotonic()
        while have < messages:
            time.sleep(0.05)
            now_there = int(self._ask(b"XCOUNT"))
            if now_there > have:
                have, since = now_there, time.monotonic()
            elif time.monotonic() - since > STALLED_S:
                raise EndError(f"the sink has {have} of {messages} messages, and no more come")


class SilentHop:
    """A next hop that takes connections and never greets: what is held behind it stays ready to go."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
