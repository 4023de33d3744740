# SPDX-License-Identifier: Apache-2.0
"""A host with 50,000 domains: proved in bulk by where their mail goes, and looked after without hurry (R102)."""

import re
import subprocess

from lib import net
from lib.baton import binary
from lib.client import Client
from lib.runner import seconds
from tenants.case import TenantCase, message_of

DOMAINS = 50_000
HOST = "127.0.0.77"
QUESTIONS_AT_ONCE_MAX = 1000


class Bulk(TenantCase):
    def begin(self, others=()):
        records = [f"mx.host A {HOST}", *(f"d{i} MX 10 mx.host" for i in range(DOMAINS)), *others]
        self.start({"proof": {"host_networks": [f"{HOST}/32"]}}, records=records)
        self.add_account("host")

    def add(self, names):
        path = self.baton.folder / "names"
        path.write_text("# of the panel\n\n" + "\r\n".join(names) + "\n")
        command = [binary(), "domain", "add", "--file", path, "--account", "host", "--method", "host", "--config",
                   self.baton.config_path]
        return subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)

    def count(self, state):
        return len(self.api.items("/v1/domains", state=state, limit=1000))

    def questions(self):
        """In flight now."""
        (row,) = [row for row in self.api.items("/v1/status") if row["role"] == "resolve"]
        return row["facts"]["questions"]

    @seconds(240)
    def test_R102_fifty_thousand_by_a_list(self):
        others = ["stranger MX 10 mx.elsewhere", "mx.elsewhere A 127.0.0.78",
                  'locked MX 10 mx.host', '_baton.locked TXT "v=baton1; relay=relay.test; account=a999"']
        self.begin(others)
        done = self.add([*(f"d{i}.test" for i in range(DOMAINS)), "stranger.test", "locked.test"])
        self.assertEqual(done.returncode, 0, done.stderr)
        at_once = []

        def all_proved():
            at_once.append(self.questions())
            return self.count("pending") == 1  # the stranger stays so
        net.wait_until(all_proved, 200, lambda: f"{self.count('pending')} are pending")
        self.assertEqual((self.count("proved"), self.count("locked")), (DOMAINS, 1))
        self.assertLess(max(at_once), QUESTIONS_AT_ONCE_MAX)
        self.assertRegex(self.offer("host", "x@d49999.test", message_of(("From", "x@d49999.test"))), "^250 ")
        self.assertRegex(self.offer("host", "x@stranger.test", message_of(("From", "x@stranger.test"))), "^550 ")
        self.baton.stop()
        self.baton.start()
        with Client(self.baton.relay_port) as client:
            self.assertTrue(client.greeting.startswith("220"))
        self.assertEqual(net.wait_until(lambda: self.count("proved"), 20, "the list"), DOMAINS)
        self.assertLess(self.questions(), 50, "50,000 looks are spread over proof.check_every")
        self.assertRegex(self.offer("host", "x@d0.test", message_of(("From", "x@d0.test"))), "^250 ")
        self.assertFalse(re.findall(r"event=role-ended", self.baton.log()))
