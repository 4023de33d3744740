# SPDX-License-Identifier: Apache-2.0
"""A knot DNS server for the zone test., so that MX records lead to servers on the loopback network."""

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
  - domain: test.
    storage: "{folder}"
    file: zone
"""
START_OF_ZONE = """\
$ORIGIN test.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 5
@ NS ns
ns A 127.0.0.1
"""


class Knot(Machine):
    """`records`: lines of a zone file below test., as in "dest MX 10 mx.dest"."""

    def __init__(self, records):
        super().__init__()
        self.port = net.free_port()
        self.server = f"127.0.0.1:{self.port}"
        for name in ("run", "db"):
            (self.folder / name).mkdir()
        (self.folder / "knot.conf").write_text(CONFIG.format(folder=self.folder, port=self.port))
        (self.folder / "zone").write_text(START_OF_ZONE + "\n".join(records) + "\n")
        self.start("knotd", "-c", self.folder / "knot.conf")
        net.wait_until(lambda: net.answers("127.0.0.1", self.port), 20, lambda: "knot\n" + self.output())
