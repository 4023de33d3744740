# SPDX-License-Identifier: Apache-2.0
"""The name servers of a zone: two knots, each with records of its own, and one that never answers, at one port."""

import socket

from lib import net
from lib.packages import Machine

ADDRESSES = {"first": "127.0.0.1", "second": "127.0.0.2", "mute": "127.0.0.3"}
CONFIG = """\
server:
    rundir: "{folder}/run"
    listen: [ {address}@{port} ]
database:
    storage: "{folder}/db"
log:
  - target: stderr
    any: warning
zone:
"""
ZONE = """\
  - domain: {name}.
    file: "{folder}/{name}.zone"
    zonefile-load: whole
    journal-content: none
"""
PARENT = [f"{name}.ns A {address}" for name, address in ADDRESSES.items()]


def free_port():
    """Of UDP and TCP at all addresses; the mute one's socket is kept."""
    for _ in range(50):
        mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        mute.bind((ADDRESSES["mute"], 0))
        port = mute.getsockname()[1]
        try:
            for address in (ADDRESSES["first"], ADDRESSES["second"]):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind((address, port))
            return mute, port
        except OSError:
            mute.close()
    raise AssertionError("no port is free at all addresses")


class NameServer(Machine):
    """One knot. `zones`: {name: [line, …] or None where it cannot load it}; NS lines come by themselves."""

    def __init__(self, address, port, zones, servers):
        super().__init__()
        self.address, self.port, self.servers = address, port, servers
        self.serial = 0
        for name in ("run", "db"):
            (self.folder / name).mkdir()
        config = CONFIG.format(folder=self.folder, address=address, port=port)
        for name, lines in zones.items():
            config += ZONE.format(name=name, folder=self.folder)
            self._write(name, lines)
        (self.folder / "knot.conf").write_text(config)
        self.process = self.start("knotd", "-c", self.folder / "knot.conf")
        net.wait_until(lambda: net.answers(address, port), 20, lambda: "knot\n" + self.output())

    def _write(self, name, lines):
        text = ""
        if lines is not None:
            self.serial += 1
            text = f"$ORIGIN {name}.\n$TTL 1\n@ SOA first.ns.test. hostmaster {self.serial} 3600 600 86400 1\n"
            text += "".join(f"@ NS {server}.ns.test.\n" for server in self.servers.get(name, ["first"]))
            text += "\n".join(lines) + "\n"
        (self.folder / f"{name}.zone").write_text(text)

    def change(self, name, lines):
        """Other records of a zone; served when this returns."""
        self._write(name, lines)
        self.run("knotc", "-c", self.folder / "knot.conf", "-b", "zone-reload", f"{name}.")


class NameServers:
    """`zones`: {name: (servers, first's lines, second's lines or None: it cannot load it)}. The first is the
    resolver's as well, so it has every zone."""

    def __init__(self, zones):
        self.mute, self.port = free_port()
        servers = {name: row[0] for name, row in zones.items()}
        first = {"test": PARENT, **{name: row[1] for name, row in zones.items()}}
        second = {name: row[2] for name, row in zones.items() if "second" in row[0]}
        self.first = NameServer(ADDRESSES["first"], self.port, first, servers)
        self.second = NameServer(ADDRESSES["second"], self.port, second, servers)

    def settings(self):
        """What a relay needs to ask them."""
        return {"dns": {"servers": [f"{ADDRESSES['first']}:{self.port}"], "authoritative_port": self.port}}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.first.stop()
        self.second.stop()
        self.mute.close()
