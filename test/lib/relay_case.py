# SPDX-License-Identifier: Apache-2.0
"""What most tests begin with: a baton whose next hop is a scripted server."""

import unittest

from lib import content
from lib.baton import Baton, merge
from lib.client import Client
from lib.server import Server


def to_server(server, domain="*", **more):
    """A route to a scripted server."""
    return {"domain": domain, "via": "lmtp" if server.lmtp else "smarthost", "host": server.address,
            "port": server.port, "tls": "may", **more}


QUICK = {"retry": {"steps": ["200ms"], "jitter_percent": 0, "delay_warning": "0"}}


class RelayCase(unittest.TestCase):
    """`self.start_relay()` gives a Baton and a Server that end with the test."""

    def start_server(self, **settings):
        server = Server(**settings)
        self.addCleanup(server.stop)
        return server

    def start_baton(self, settings=None, **more):
        baton = Baton(merge(QUICK, settings or {}), **more)
        self.enterContext(baton)
        return baton

    def start_relay(self, settings=None, single=False, **server_settings):
        server = self.start_server(**server_settings)
        routes = {"routes": [to_server(server)]}
        return self.start_baton(merge(routes, settings or {}), single=single), server

    def send(self, baton, tag="1", body=b"Hello.\r\n", sender="ann@sender.test", to=("bob@dest.test",), header="",
             mail_parameters="", rcpt_parameters=""):
        """Hands one message over from the trusted network; returns its queue id."""
        with Client(baton.relay_port) as client:
            to_each, answer = client.mail(sender, to, content.message(tag, body, to[0], header=header),
                                          mail_parameters, rcpt_parameters)
        for reply in to_each:
            self.assertTrue(reply.startswith("250"), reply)
        self.assertTrue(answer.startswith("250 2.0.0 queued as "), answer)
        return answer.split()[-1]
