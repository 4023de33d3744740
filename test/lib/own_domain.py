# SPDX-License-Identifier: Apache-2.0
"""Domains that accounts prove: a knot server that is authoritative for the zone test., and answers baton's look-ups too.

    zone = Zone()
    with Baton(zone.settings) as baton:
        zone.prove(baton, "shop.test")              adds it to baton's account, publishes what baton asks for, checks
"""

from lib import net
from lib.baton import ACCOUNT
from lib.knot import Knot


class Zone(Knot):
    def __init__(self, records=(), more_zones=None):
        super().__init__(records, more_zones)

    @property
    def settings(self):
        """Of a baton that asks here, both as resolver and at every authoritative server."""
        return {"dns": {"servers": [self.server], "authoritative_port": self.port}}

    def wanted(self, baton, domain, account=ACCOUNT):
        """What baton wants published for the domain, as lines of a zone file."""
        rows = baton.api.items(f"/v1/domains/{domain}/records", account=account)
        return [f'{row["name"]}. {row["type"]} {zone_value(row)}' for row in rows if row["need"] == "must"]

    def prove(self, baton, domain, account=ACCOUNT, **settings):
        """Returns the domain's row once it is proved and its keys sign."""
        baton.api.post("/v1/domains", name=domain, account=account, settings=settings)
        zone = f"{domain}." if f"{domain}." in self.zones else "test."
        self.publish(self.wanted(baton, domain, account), zone)
        return self.check(baton, domain, account)

    def row(self, baton, domain, account=ACCOUNT):
        return baton.api.items(f"/v1/domains/{domain}", account=account)[0]

    def check(self, baton, domain, account=ACCOUNT, keys=True):
        """Until it is proved, and with `keys` all of its keys sign."""
        def signs():
            baton.api.post(f"/v1/domains/{domain}/check", account=account)
            row = self.row(baton, domain, account)
            signing = all(key["state"] == "active" for key in row["keys"]) or not keys
            return row if row["state"] == "proved" and signing else None
        return net.wait_until(signs, 30, lambda: f"proof of {domain}\n{baton.log_tail()}")


def zone_value(row):
    """A TXT record's strings have at most 255 octets each."""
    if row["type"] != "TXT":
        return row["value"]
    text = row["value"]
    return " ".join(f'"{text[at:at + 255]}"' for at in range(0, len(text), 255))
