# SPDX-License-Identifier: Apache-2.0
"""Accounts with domains of their own on one relay, whose next hop is a scripted server."""

import re

from lib.baton import merge
from lib.client import Client
from lib.own_domain import Zone
from lib.relay_case import QUICK, RelayCase, to_server


def header_of(fields):
    return "\r\n".join(["Subject: x", *(f"{name}: {value}" for name, value in fields)])


def message_of(*fields, body="Hello.\r\n"):
    return (header_of(fields) + "\r\n\r\n" + body).encode()


def published(lines):
    """{name: record} of the DKIM records among lines of a zone file."""
    found = {}
    for line in lines:
        name, _, value = line.partition(" TXT ")
        if "._domainkey." in name:
            found[name.rstrip(".")] = "".join(re.findall(r'"([^"]*)"', value))
    return found


class TenantCase(RelayCase):
    """`self.start()` gives self.zone, self.server and self.baton; what is sent to dest.test gets to the server."""

    def start(self, settings=None, records=(), network=False, **server_settings):
        """`network`: whether loopback belongs to the account `tests`, as most other tests have it."""
        self.zone = Zone(records)
        self.addCleanup(self.zone.stop)
        self.server = self.start_server(**server_settings)
        own = merge(merge(QUICK, self.zone.settings), {"routes": [to_server(self.server, "dest.test")]})
        if not network:
            own["trusted_networks"] = []
        self.baton = self.start_baton(merge(own, settings or {}))
        self.api = self.baton.api
        self.secrets = {}

    def add_account(self, name, parent=None, **settings):
        """Active and enforced unless told otherwise, with a credential of its own."""
        body = {"name": name, "settings": {"state": "active", "identity": "enforce", **settings}}
        self.api.post("/v1/accounts", **body, **({"account": parent} if parent else {}))
        self.add_credential(name, name)

    def add_credential(self, key, account, **settings):
        """self.client(key) signs in with it."""
        made = self.api.post("/v1/credentials", name=f"user-{key}", account=account, settings=settings)
        self.secrets[key] = (f"user-{key}", made["secret"])

    def set(self, target, account=None, **settings):
        """Settings of /v1/`target`; dots in their names are written "__"."""
        body = {"settings": {key.replace("__", "."): value for key, value in settings.items()}}
        self.api.call("PATCH", f"/v1/{target}", {**body, **({"account": account} if account else {})})

    def client(self, key):
        return Client(self.baton.submissions_port, implicit_tls=True, user=self.secrets[key])

    def offer(self, key, reverse_path, content, to="bob@dest.test"):
        """The last reply to one message; `to`: one address or several."""
        with self.client(key) as client:
            return client.mail(reverse_path, [to] if isinstance(to, str) else to, content)[1]

    def taken(self, key, reverse_path, content, to="bob@dest.test"):
        """The message as it arrives, and the text of the 250."""
        before = len(self.server.messages)
        answer = self.offer(key, reverse_path, content, to)
        self.assertTrue(answer.startswith("250"), answer)
        return self.server.wait_for(before + 1)[-1], answer
