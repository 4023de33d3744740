# SPDX-License-Identifier: Apache-2.0
"""The secret under which vault keeps passwords and signing keys is exchanged (Y12)."""

from lib.api import ApiError
from lib.baton import merge
from lib.client import Client
from lib.own_domain import Zone
from lib.relay_case import QUICK, RelayCase, to_server


class Exchange(RelayCase):
    def test_Y12_passwords_and_keys_outlive_the_secret(self):
        zone = Zone()
        self.addCleanup(zone.stop)
        server = self.start_server()
        baton = self.start_baton(merge(merge(QUICK, zone.settings), {"routes": [to_server(server, "dest.test")]}))
        zone.prove(baton, "sender.test")
        before = (baton.state / "vault.key").read_bytes()
        baton.cli("secret", "exchange")
        with self.assertRaises(ApiError) as refused:
            baton.api.post("/v1/secret")
        self.assertEqual(refused.exception.status, 409, "not twice without a start between")
        self.sends_signed(baton, server, "1")
        baton.reload()
        self.sends_signed(baton, server, "2")
        for tag in "34":
            baton.stop()
            baton.start()
            self.sends_signed(baton, server, tag)
        self.assertEqual(baton.log().count("event=secret-exchanged"), 1)
        self.assertNotEqual((baton.state / "vault.key").read_bytes()[:32], before)
        baton.stop()
        (baton.state / "vault.key").write_bytes(before)
        with self.assertRaises(AssertionError, msg="the old secret opens nothing any more"):
            baton.start(10)

    def sends_signed(self, baton, server, tag):
        with Client(baton.submissions_port, implicit_tls=True, user=(baton.user, baton.password)):
            pass
        self.send(baton, tag)
        baton.wait_for_empty_queue()
        self.assertEqual(server.messages[-1].content.count(b"DKIM-Signature:"), 2)
