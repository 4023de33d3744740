# SPDX-License-Identifier: Apache-2.0
"""What is checked without a relay: an address, the signatures of a message, a sender by SPF; DNS is a knot of ours."""

import base64
import json

import dkim
from nacl.signing import SigningKey

from cli.case import OK, UNHEALTHY, USAGE, CliCase, run
from lib.baton import Baton
from lib.knot import Knot

SEED = bytes(range(32))
PUBLIC = base64.b64encode(bytes(SigningKey(SEED).verify_key)).decode()
RECORDS = [
    "dest MX 10 mx.dest", "dest MX 20 mx2.dest", "mx.dest A 44.0.0.1", "mx2.dest A 44.0.0.2",
    "null MX 0 .", "inside A 127.0.0.1",
    f'ed._domainkey.dest TXT "v=DKIM1; k=ed25519; p={PUBLIC}"', 'bad._domainkey.dest TXT "v=DKIM1; p=!"',
    'dest TXT "v=spf1 ip4:44.0.0.0/24 -all"', 'loop TXT "v=spf1 include:loop.test -all"',
]
MESSAGE = b"From: Ann <ann@dest.test>\r\nTo: bob@dest.test\r\nSubject: signed\r\n\r\nHello\r\n"


def signed(message=MESSAGE, selector=b"ed"):
    return dkim.sign(message, selector, b"dest.test", base64.b64encode(SEED), include_headers=[b"From", b"Subject"],
                     signature_algorithm=b"ed25519-sha256") + message


class Check(CliCase):
    @classmethod
    def setUpClass(cls):
        cls.knot = cls.enterClassContext(Knot(RECORDS))

    def checked(self, what, *words, status=OK, user_input=None):
        done = self.ended(run("check", what, *words, "--resolver", self.knot.server, user_input=user_input), status)
        return json.loads(done.stdout)

    # --- addresses --------------------------------------------------------------------------------------------

    def test_R46_address_that_mail_reaches(self):
        found = self.checked("address", "Bob@Dest.test")
        self.assertEqual((found["ok"], found["domain"], found["route"], found["local"]),
                         (True, "dest.test", "mx", "Bob"))
        self.assertEqual([(host["name"], host["preference"], host["address"]) for host in found["hosts"]],
                         [("mx.dest.test", 10, "44.0.0.1"), ("mx2.dest.test", 20, "44.0.0.2")])

    def test_R46_addresses_that_mail_does_not_reach(self):
        for address, why in (("bob", "syntax: "), ("bob@", "syntax: "), ("bob @dest.test", "syntax: "),
                             ("bob@nowhere.test", "does not exist"), ("bob@null.test", "no mail"),
                             ("bob@inside.test", "may not")):
            with self.subTest(address):
                found = self.checked("address", address, status=UNHEALTHY)
                self.assertFalse(found["ok"])
                self.assertTrue(found["why"])

    def test_address_by_the_routes_of_a_configuration(self):
        baton = self.enterContext(Baton(settings={
            "routes": [{"domain": "inner.test", "via": "lmtp", "host": "127.0.0.1", "port": 24}]}))
        done = self.ended(run("check", "address", "ann@inner.test", "--config", baton.config_path), OK)
        self.assertEqual(json.loads(done.stdout)["route"], "lmtp")

    # --- signatures -------------------------------------------------------------------------------------------

    def results(self, message, status):
        found = self.checked("dkim", status=status, user_input=message.decode("latin-1"))
        return [(one.get("domain"), one.get("selector"), one["result"]) for one in found["signatures"]]

    def test_dkim_that_holds(self):
        self.assertEqual(self.results(signed(), OK), [("dest.test", "ed", "pass")])

    def test_dkim_of_a_file_with_bare_line_feeds(self):
        self.assertEqual(self.results(signed().replace(b"\r\n", b"\n"), OK), [("dest.test", "ed", "pass")])

    def test_dkim_that_does_not_hold(self):
        for message, result in ((signed().replace(b"Hello", b"Hullo"), "fail"),
                                (signed().replace(b"Subject: signed", b"Subject: sighed"), "fail"),
                                (signed(selector=b"none"), "permerror"), (signed(selector=b"bad"), "permerror"),
                                (b"DKIM-Signature: v=1; a=rsa-sha1\r\n" + MESSAGE, "permerror")):
            with self.subTest(message):
                self.assertEqual([one[2] for one in self.results(message, UNHEALTHY)], [result])

    def test_dkim_of_what_is_not_signed(self):
        self.assertEqual(self.results(MESSAGE, UNHEALTHY), [])
        self.assertEqual(self.results(b"", UNHEALTHY), [])

    # --- SPF --------------------------------------------------------------------------------------------------

    def test_spf(self):
        for ip, sender, result in (("44.0.0.7", "ann@dest.test", "pass"), ("192.0.2.1", "ann@dest.test", "fail"),
                                   ("192.0.2.1", "ann@null.test", "none"), ("192.0.2.1", "loop.test", "permerror")):
            with self.subTest(ip=ip, sender=sender):
                found = self.checked("spf", "--ip", ip, "--helo", "client.test", "--from", sender,
                                     status=OK if result == "pass" else UNHEALTHY)
                self.assertEqual(found["result"], result)

    def test_usage(self):
        for words in (["address"], ["address", "a@b.test", "c@d.test"], ["spf", "--ip", "192.0.2.1"],
                      ["spf", "--ip", "x", "--helo", "a"], ["dkim", "--resolver", "nobody"]):
            with self.subTest(words):
                self.ended(run("check", *words, user_input=""), USAGE)
