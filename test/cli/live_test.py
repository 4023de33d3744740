# SPDX-License-Identifier: Apache-2.0
"""baton live: says what is missing, and opens the gate only when nothing is, or somebody answers for it."""

import json

from cli.case import CONFLICT, FAILED, OK, OPERATOR, UNHEALTHY, USAGE, CliCase, run
from lib import net
from lib.client import Client
from lib.knot import Knot
from lib.relay_case import to_server
from lib.runner import seconds
from lib.server import Drop

SPF = 'TXT "v=spf1 a -all"'
RECORDS = [
    "good A 93.184.216.34", f"good {SPF}", 'good TXT "another thing"',
    f"noaddress {SPF}",
    "inner A 10.1.2.3", f"inner {SPF}",
    "noptr A 93.184.216.35", f"noptr {SPF}",
    "wrongptr A 93.184.216.36", f"wrongptr {SPF}",
    "nospf A 93.184.216.37", 'nospf TXT "spf1 of another kind"',
    "twospf A 93.184.216.38", f"twospf {SPF}", 'twospf TXT "v=spf1 mx -all"',
    "two A 93.184.216.34", "two A 93.184.216.35", f"two {SPF}",
    "mx A 127.0.0.1", "dest MX 10 mx",
]
REVERSE = {"216.184.93.in-addr.arpa.": ["34 PTR good.test.", "34 PTR two.test.", "36 PTR elsewhere.test.",
                                        "37 PTR nospf.test.", "38 PTR twospf.test."]}
# Host name: the checks that must fail, and a word that says why.
MISSING = {
    "nowhere.test": {"address": "no address", "spf": "no SPF record"},
    "noaddress.test": {"address": "no address"},
    "inner.test": {"address": "not public", "ptr": "PTR record of 10.1.2.3"},
    "noptr.test": {"ptr": "no PTR record; ask whoever gave you the address"},
    "wrongptr.test": {"ptr": "is elsewhere.test; it must be wrongptr.test"},
    "nospf.test": {"spf": 'set TXT "v=spf1 a -all"'},
    "twospf.test": {"spf": "only one is allowed"},
    "two.test": {"ptr": "93.184.216.35"},
}


class Live(CliCase):
    def setUp(self):
        self.dns = self.enterContext(Knot(RECORDS, REVERSE))
        self.mx = self.start_server()

    def start_closed(self, hostname="good.test", **settings):
        return self.start_baton({"hostname": hostname, "sandbox": {"gate": "closed"}, "routes": [to_server(self.mx)],
                                 "dns": {"servers": [self.dns.server]}, **settings})

    def live(self, baton, *words, status=OK, port=None):
        return self.cli(baton, "live", "--try", f"mx.test:{port or self.mx.port}", *words, status=status)

    def failures(self, baton, **more):
        """{check: what was found} of those that failed."""
        checks = json.loads(self.live(baton, "-o", "json", status=UNHEALTHY, **more).stdout)
        self.assertEqual({check["check"] for check in checks} - {"hostname", "address", "ptr", "spf", "port"}, set())
        return {check["check"]: check["text"] for check in checks if not check["ok"]}

    def answer(self, baton, to="bob@dest.test"):
        with Client(baton.relay_port) as client:
            return client.mail("ann@sender.test", [to], b"Subject: x\r\n\r\n")[0][0]

    def is_closed(self, baton):
        answer = self.answer(baton)
        if answer.startswith("250"):
            return False
        self.assertRegex(answer, r"^550 5\.7\.1 \[SANDBOX\] .*baton live")
        return True

    @seconds(40)
    def test_live_says_what_is_missing(self):
        baton = self.start_closed()
        self.assertTrue(self.is_closed(baton))
        self.assertTrue(self.answer(baton, "bob@sandbox.test").startswith("250"))
        for hostname, missing in MISSING.items():
            with self.subTest(hostname):
                baton.write_config({"hostname": hostname})
                self.cli(baton, "reload")
                found = self.failures(baton)
                self.assertEqual(set(found), set(missing))
                for check, words in missing.items():
                    self.assertIn(words, found[check])
                self.assertTrue(self.is_closed(baton))

    def test_live_port(self):
        baton = self.start_closed()
        self.assertEqual(set(self.failures(baton, port=net.free_port())), {"port"})
        dropping = self.start_server(answers={"connect": Drop()})
        self.assertEqual(set(self.failures(baton, port=dropping.port)), {"port"})
        self.cli(baton, "live", "--try", "nobody.test:25", status=UNHEALTHY)
        self.assertTrue(self.is_closed(baton))
        self.assertFalse(any("MAIL" in line for each in (dropping, self.mx) for session in each.sessions
                             for line in session.commands))

    def test_live_opens_closes_survives(self):
        baton = self.start_closed()
        self.assertTrue(self.is_closed(baton))
        done = self.live(baton)
        self.assertIn("the gate is open", done.stderr)
        for check in ("hostname", "address", "ptr", "spf", "port"):
            self.assertRegex(done.stdout, rf"(?m)^{check} +true ")
        self.assertIn(f"actor={OPERATOR}", baton.wait_for_log("event=gate-opened"))
        net.wait_until(lambda: not self.is_closed(baton), 10, "the gate to open")
        self.assertEqual(self.mx.wait_for(1)[0].addresses(), ["bob@dest.test"])
        baton.stop()
        baton.start()
        self.assertFalse(self.is_closed(baton))
        self.cli(baton, "live", "--close")
        net.wait_until(lambda: self.is_closed(baton), 10, "the gate to close")
        baton.stop()
        baton.start()
        self.assertTrue(self.is_closed(baton))

    def test_live_forced(self):
        baton = self.start_closed("nowhere.test")
        self.live(baton, "--force", status=USAGE)
        self.live(baton, status=UNHEALTHY)
        self.assertTrue(self.is_closed(baton))
        self.live(baton, "--force", "--reason", "a private network")
        net.wait_until(lambda: not self.is_closed(baton), 10, "the gate to open")
        self.assertIn('reason="a private network"', baton.wait_for_log("path=/v1/live"))

    def test_live_of_an_open_configuration(self):
        baton = self.start_baton()
        self.cli(baton, "live", "--close", status=CONFLICT)
        baton.stop()
        self.ended(run("live", "--config", baton.config_path), FAILED)
