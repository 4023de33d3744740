# SPDX-License-Identifier: Apache-2.0
"""A knot DNS server for the zone test. and others, so that MX records lead to servers on the loopback network."""

from lib import net
from lib.packages import Machine

CONFIG = """\
server:
    rundir: "{folder}/run"
    listen: [ 127.0.0.1@{port} ]
database:
    storage: "{folder}/db"
log:
  - target: stderr
    any: warning
zone:
"""
ZONE = """\
  - domain: {name}
    storage: "{folder}"
    file: zone-{name}
"""
START_OF_ZONE = """\
$ORIGIN {name}
$TTL 60
@ SOA ns hostmaster {serial} 3600 600 86400 5
@ NS ns
ns A 127.0.0.1
"""


class Knot(Machine):
    """`records`: lines of a zone file below test., as in "dest MX 10 mx.dest"; `more_zones`: {"arpa.": [line, …]}."""

    def __init__(self, records, more_zones=None):
        super().__init__()
        self.port = net.free_port()
        self.server = f"127.0.0.1:{self.port}"
        for name in ("run", "db"):
            (self.folder / name).mkdir()
        config = CONFIG.format(folder=self.folder, port=self.port)
        self.serial = 1
        self.zones = {"test.": list(records), **(more_zones or {})}
        for name in self.zones:
            config += ZONE.format(name=name, folder=self.folder)
            self._write_zone(name)
        (self.folder / "knot.conf").write_text(config)
        self.start("knotd", "-c", self.folder / "knot.conf")
        net.wait_until(lambda: net.answers("127.0.0.1", self.port), 20, lambda: "knot\n" + self.output())

    def _write_zone(self, name):
        text = START_OF_ZONE.format(name=name, serial=self.serial) + "\n".join(self.zones[name]) + "\n"
        (self.folder / f"zone-{name}").write_text(text)

    def publish(self, lines, zone="test.", instead_of=()):
        """Adds lines to a zone, and takes out those of `instead_of`, while it is served. Both as in `records`."""
        self.serial += 1
        self.zones[zone] = [line for line in self.zones[zone] if line not in instead_of] + list(lines)
        self._write_zone(zone)
        self.run("knotc", "-c", self.folder / "knot.conf", "--blocking", "zone-reload", zone)
