# SPDX-License-Identifier: Apache-2.0
"""What vault concludes when the authoritative servers of a domain do not say the same."""

import json
import subprocess
import unittest

from authority.servers import NameServers
from lib import net
from lib.baton import Baton, binary, merge

PROOF = '_baton TXT "v=baton1; relay=relay.test; account=a1"'  # the account that every Baton makes is its first
LOCK = '_baton TXT "v=baton1; relay=relay.test; account=a999"'
BOTH = ["first", "second"]
# Nothing is looked at but when a test asks; what is missing is lost soon.
RARELY = {"proof": {"pending_every": "1h", "check_every": "1h", "lost_after": "100ms"}}


def texts(value):
    """A TXT record's value as a zone file has it: strings of at most 255 octets."""
    return " ".join(f'"{value[at:at + 200]}"' for at in range(0, len(value), 200))


class Authorities(unittest.TestCase):
    """`self.servers` and `self.baton`, made for the zones of each test."""

    def serve(self, zones):
        self.servers = self.enterContext(NameServers(zones))
        self.baton = self.enterContext(Baton(merge(self.servers.settings(), RARELY)))
        for name in zones:
            if not name.startswith("keys."):
                self.cli("domain", "add", name, "--account", "tests")

    def cli(self, *words):
        done = subprocess.run([binary(), *words, "-o", "json", "--config", self.baton.config_path],
                              capture_output=True, text=True, timeout=50, check=False)
        self.assertIn(done.returncode, (0, 6), f"{words}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def check(self, domain):
        """Looks now. {server: what it was found to say of the proof}, and the domain as it stands then."""
        rows = self.cli("domain", "check", domain)
        found = {row["server"]: row["found"] for row in rows if row["name"] == f"_baton.{domain}"}
        return found, self.cli("domain", "show", domain)[0]

    def state(self, domain):
        return self.check(domain)[1]["state"]

    def until_state(self, domain, state):
        net.wait_until(lambda: self.state(domain) == state, 20,
                       lambda: f"{domain} {state}: {self.cli('domain', 'show', domain)}")


class Proof(Authorities):
    def test_T02_F27_servers_that_agree_differ_and_fail(self):
        self.serve({"agree.test": (BOTH, [PROOF], [PROOF]), "behind.test": (BOTH, [PROOF], ["other A 192.0.2.1"]),
                    "fails.test": (BOTH, [PROOF], None), "locked.test": (BOTH, [LOCK], [LOCK]),
                    "nothing.test": (BOTH, [], [])})
        found, domain = self.check("agree.test")
        self.assertEqual(found, {"first.ns.test": "yes", "second.ns.test": "yes"})
        self.assertEqual(domain["state"], "proved", domain)
        found, domain = self.check("behind.test")
        self.assertEqual(found, {"first.ns.test": "yes", "second.ns.test": "no"})
        self.assertEqual(domain["state"], "pending", domain)
        self.assertIn("second.ns.test", domain["why"])
        found, domain = self.check("fails.test")
        self.assertEqual(found["first.ns.test"], "yes")
        self.assertNotIn(found["second.ns.test"], ("yes", "no"))
        self.assertEqual(self.state("locked.test"), "pending")
        self.assertEqual(self.state("nothing.test"), "pending")

    def test_T02_F27_a_server_that_says_nothing(self):
        self.serve({"quiet.test": (["first", "mute"], [PROOF], None)})
        found, domain = self.check("quiet.test")
        self.assertEqual(found["first.ns.test"], "yes")
        self.assertNotIn(found["mute.ns.test"], ("yes", "no"))
        self.assertEqual(domain["state"], "proved", domain)

    def test_T02_proof_is_lost_only_when_all_say_so(self):
        self.serve({"going.test": (BOTH, [PROOF], [PROOF])})
        self.assertEqual(self.state("going.test"), "proved")
        self.servers.first.change("going.test", [])
        for _ in range(3):
            self.assertEqual(self.state("going.test"), "proved")  # the second one still has it
        self.servers.second.change("going.test", [])
        self.until_state("going.test", "lost")
        self.servers.first.change("going.test", [PROOF])
        self.servers.second.change("going.test", [PROOF])
        self.assertEqual(self.state("going.test"), "proved")

    def test_T02_a_server_that_fails_keeps_the_proof(self):
        self.serve({"half.test": (BOTH, [PROOF], None)})
        self.assertEqual(self.state("half.test"), "proved")
        self.servers.first.change("half.test", [])
        for _ in range(5):
            found, domain = self.check("half.test")
            self.assertEqual(found["first.ns.test"], "no")
            self.assertEqual(domain["state"], "proved", domain)


class Keys(Authorities):
    def keys(self, domain):
        return {key["selector"]: key["state"] for key in self.check(domain)[1]["keys"]}

    def records(self, domain):
        """{selector: value}"""
        rows = self.cli("domain", "records", domain)
        return {row["name"].split(".")[0]: row["value"] for row in rows if "._domainkey." in row["name"]}

    def test_F27_a_selector_that_is_an_alias_of_the_operators_record(self):
        self.serve({"customer.test": (BOTH, [PROOF], [PROOF]), "keys.test": (BOTH, [], [])})
        records = self.records("customer.test")
        self.assertEqual(len(records), 2, records)
        self.assertEqual(set(self.keys("customer.test").values()), {"pending"})
        aliases = [PROOF] + [f"{name}._domainkey CNAME {name}.keys.test." for name in records]
        published = [f"{name} TXT {texts(value)}" for name, value in records.items()]
        self.servers.first.change("customer.test", aliases)
        self.servers.second.change("customer.test", aliases)
        self.assertEqual(set(self.keys("customer.test").values()), {"pending"})
        self.servers.first.change("keys.test", published)
        self.assertEqual(set(self.keys("customer.test").values()), {"pending"})  # the second one has none
        self.servers.second.change("keys.test", published[:1])
        one = next(iter(records))
        self.assertEqual(self.keys("customer.test"), {name: "active" if name == one else "pending" for name in records})
        self.servers.second.change("keys.test", published)
        self.assertEqual(set(self.keys("customer.test").values()), {"active"})
