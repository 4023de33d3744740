# SPDX-License-Identifier: Apache-2.0
"""Listeners at every address of the machine, and mail that would come back through them (S02)."""

import contextlib
import socket
import unittest

from lib import net
from lib.client import Client
from lib.relay_case import RelayCase


def own_address():
    """An address of this machine that is not loopback, or None. Nothing is sent."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") else address


class Everywhere(RelayCase):
    def start_everywhere(self, **more):
        self.port = net.free_port(("0.0.0.0",))
        return self.start_baton({
            "listeners": [{"kind": "relay", "address": f"0.0.0.0:{self.port}"},
                          {"kind": "relay", "name": "relay6", "address": f"[::]:{self.port}"}], **more})

    def test_listens_at_every_address(self):
        self.start_everywhere()
        for address in filter(None, ("127.0.0.1", "127.0.0.2", "::1", own_address())):
            with self.subTest(address), Client(self.port, address) as client:
                self.assertTrue(client.greeting.startswith("220"), client.greeting)

    @unittest.skipUnless(own_address(), "this machine has only loopback")
    def test_S02_mail_to_an_address_of_the_machine_is_no_loop(self):
        address = own_address()
        port = net.free_port(("0.0.0.0",))
        baton = self.start_baton({
            "listeners": [{"kind": "relay", "address": f"0.0.0.0:{port}"}],
            "delivery": {"port": port, "allow_literals": True, "allow_networks": [f"{address}/32"]}})
        baton.relay_port = port
        self.send(baton, to=(f"bob@[{address}]",))
        line = baton.wait_for_log("event=bounced")
        self.assertIn("status=5.4.6", line)
        self.assertEqual(baton.log().count(" client="), 1)  # nobody came back
