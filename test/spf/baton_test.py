# SPDX-License-Identifier: Apache-2.0
"""`baton check spf` over a real name server: what it says is what pyspf says of the same records."""

import json
import subprocess
import unittest

from judge import pyspf, pyspf_result
from lib.baton import binary
from lib.knot import Knot

RECORDS = [
    ("pass.test", "TXT", "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"),
    ("soft.test", "TXT", "v=spf1 mx ~all"),
    ("soft.test", "MX", "mx.soft.test"),
    ("mx.soft.test", "A", "192.0.2.5"),
    ("more.test", "TXT", "v=spf1 include:soft.test exists:%{ir}.list.more.test -all"),
    ("9.2.0.192.list.more.test", "A", "127.0.0.2"),
    ("other.test", "TXT", "v=spf1 redirect=more.test"),
    ("two.test", "TXT", "v=spf1 +all"),
    ("two.test", "TXT", "v=spf1 -all"),
    ("wrong.test", "TXT", "v=spf1 ip4:192.0.2 -all"),
    ("circle.test", "TXT", "v=spf1 include:round.test -all"),
    ("round.test", "TXT", "v=spf1 include:circle.test -all"),
    ("user.test", "TXT", "v=spf1 exists:%{l}._user.%{d} ?all"),
    ("joe._user.user.test", "A", "127.0.0.2"),
]
ASKED = [(ip, f"{local}@{domain}") for domain in ("pass.test", "soft.test", "more.test", "other.test", "two.test",
                                                  "wrong.test", "circle.test", "user.test", "nothing.test")
         for ip in ("192.0.2.5", "192.0.2.9", "198.51.100.1", "2001:db8::1") for local in ("joe", "jim")]


def zone_line(name, kind, value):
    behind = {"TXT": f'"{value}"', "MX": f"10 {value}."}.get(kind, value)
    return f"{name.removesuffix('.test')} {kind} {behind}"


def check(server, ip, sender):
    done = subprocess.run([binary(), "check", "spf", "--resolver", server, "--ip", ip, "--helo", "mail.pass.test",
                           "--from", sender], capture_output=True, text=True, timeout=30, check=False)
    return json.loads(done.stdout), done.returncode


class OverTheWire(unittest.TestCase):
    def test_S07_baton_check_spf(self):
        pyspf()
        with Knot([zone_line(*record) for record in RECORDS]) as knot:
            for ip, sender in ASKED:
                with self.subTest(ip=ip, sender=sender):
                    answer, status = check(knot.server, ip, sender)
                    self.assertEqual(answer["result"], pyspf_result(RECORDS, ip, "mail.pass.test", sender)[0], answer)
                    self.assertEqual(status == 0, answer["result"] == "pass")
