# SPDX-License-Identifier: Apache-2.0
"""Streams: kinds of mail of one account, each with names, keys and a return path of its own; and leases (R47, R48)."""

import re

from lib import net
from tenants.case import TenantCase, message_of

SHOP = "shop.test"


def signatures(message):
    """[(d=, s=)] of its DKIM signatures, from the top."""
    header = message.content.partition(b"\r\n\r\n")[0].decode()
    fields = [field for field in re.split(r"\r\n(?![ \t])", header) if field.lower().startswith("dkim-signature:")]
    tags = [dict(re.findall(r"(\w+)=([^;]*)", re.sub(r"\s", "", field))) for field in fields]
    return [(tag["d"], tag["s"]) for tag in tags]


class Streams(TenantCase):
    def setUp(self):
        self.start()
        self.add_account("shop")
        self.zone.prove(self.baton, SHOP, "shop", subdomains=True)

    def stream(self, name, **settings):
        self.api.post("/v1/accounts/shop/streams", name=name, settings=settings)

    def message(self, author=f"ann@{SHOP}", *more):
        return message_of(("From", author), *more)

    def test_R47_the_header_chooses_and_is_not_passed_on(self):
        self.stream("news", **{"limit.day.messages": 9})
        self.stream("bills", **{"limit.day.messages": 9})
        self.add_credential("news", "shop", stream="news")
        message, _ = self.taken("news", f"x@{SHOP}", self.message())
        message, _ = self.taken("news", f"x@{SHOP}", self.message(f"ann@{SHOP}", ("X-Baton-Stream", "bills")))
        self.assertNotIn(b"X-Baton-Stream", message.content)
        message, _ = self.taken("news", f"x@{SHOP}", self.message(f"ann@{SHOP}", ("x-baton-STREAM", " \r\n bills ")))
        self.assertNotIn(b"x-baton-STREAM", message.content)
        rows = self.api.items("/v1/usage", account="shop")
        used = {row["stream"]: row["used"] for row in rows if (row["window"], row["measure"]) == ("day", "messages")}
        self.assertEqual((used["news"], used["bills"]), (1, 2))

    def test_R47_the_accounts_default(self):
        self.stream("bills", **{"limit.day.messages": 1})
        self.set("accounts/shop", default_stream="bills")
        self.taken("shop", f"x@{SHOP}", self.message())
        self.assertIn("stream bills", self.offer("shop", f"x@{SHOP}", self.message()))

    def test_R47_unknown_streams_are_refused(self):
        self.stream("news")
        self.add_account("other", identity="observe")
        self.api.post("/v1/accounts/other/streams", name="theirs", settings={})
        for fields in ([("X-Baton-Stream", "none")], [("X-Baton-Stream", "theirs")], [("X-Baton-Stream", "")],
                       [("X-Baton-Stream", "news"), ("X-Baton-Stream", "news")]):
            answer = self.offer("shop", f"x@{SHOP}", self.message(f"ann@{SHOP}", *fields))
            self.assertRegex(answer, r"^550 5\.7\.1 \[STREAM\] ", fields)
        self.assertEqual(self.server.messages, [])

    def test_R47_a_sending_domain_is_kept_to(self):
        self.stream("news", domain=f"news.{SHOP}")
        self.add_credential("news", "shop", stream="news")
        answer = self.offer("news", f"x@{SHOP}", self.message())
        self.assertRegex(answer, rf"^550 5\.7\.1 \[STREAM-DOMAIN\] .*news\.{SHOP}")
        self.taken("news", f"x@{SHOP}", self.message(f"ann@news.{SHOP}"))
        self.taken("shop", f"x@{SHOP}", self.message())

    def test_R48_the_return_path(self):
        self.stream("news", return_domain=f"bounces.{SHOP}")
        self.add_credential("news", "shop", stream="news")
        message, _ = self.taken("news", f"ann+x@{SHOP}", self.message())
        self.assertEqual(message.sender, f"ann+x@bounces.{SHOP}")
        message, _ = self.taken("news", "", self.message())
        self.assertEqual(message.sender, "")
        message, _ = self.taken("shop", f"ann@{SHOP}", self.message())
        self.assertEqual(message.sender, f"ann@{SHOP}")

    def test_R47_selectors_of_their_own(self):
        self.stream("news")
        self.add_credential("news", "shop", stream="news")
        plain = {key["selector"] for key in self.zone.row(self.baton, SHOP, "shop")["keys"]}
        self.set(f"domains/{SHOP}", account="shop", streams="news")
        keys = net.wait_until(lambda: len(self.zone.row(self.baton, SHOP, "shop")["keys"]) == 4
                              and self.zone.row(self.baton, SHOP, "shop")["keys"], 20, "the stream's keys")
        own = {key["selector"] for key in keys} - plain
        self.zone.publish([line for line in self.zone.wanted(self.baton, SHOP, "shop")
                           if any(line.startswith(f"{selector}._domainkey") for selector in own)])
        self.zone.check(self.baton, SHOP, "shop")
        message, _ = self.taken("news", f"x@{SHOP}", self.message())
        self.assertEqual({selector for _, selector in signatures(message)}, own)
        message, _ = self.taken("shop", f"x@{SHOP}", self.message())
        self.assertEqual({selector for _, selector in signatures(message)}, plain)


class Lease(TenantCase):
    """The operator's domain, lent to a customer who has none."""

    def setUp(self):
        self.start()
        self.add_account("host")
        self.add_account("small")
        self.zone.prove(self.baton, SHOP, "host")
        self.api.post("/v1/domains", name=SHOP, account="small",
                      settings={"method": "lease", "lessor": "host", "local": "small"})

    def offered(self, path, author):
        return self.offer("small", path, message_of(("From", author)))

    def test_R48_one_local_part_and_signed(self):
        """By keys of the lease's own, which the domain's owner publishes beside his."""
        keys = [line for line in self.zone.wanted(self.baton, SHOP, "small") if "_domainkey" in line]
        self.zone.publish(keys)
        self.zone.check(self.baton, SHOP, "small")
        message, _ = self.taken("small", f"small@{SHOP}", message_of(("From", f"Small <small@{SHOP}>")))
        selectors = {key["selector"] for key in self.zone.row(self.baton, SHOP, "small")["keys"]}
        self.assertEqual(set(signatures(message)), {(SHOP, selector) for selector in selectors})
        self.taken("small", f"small+bounce=1@{SHOP}", message_of(("From", f"SMALL@{SHOP}")))
        for path, author in ((f"small@{SHOP}", f"ann@{SHOP}"), (f"ann@{SHOP}", f"small@{SHOP}"),
                             (f"small@{SHOP}", f"small+x@{SHOP}"), (f"small@{SHOP}", f"smal@{SHOP}")):
            self.assertRegex(self.offered(path, author), r"^550 5\.7\.1 \[LEASE\] .*small@", (path, author))

    def test_R48_it_ends_with_the_lessors(self):
        self.assertRegex(self.offered(f"small@{SHOP}", f"small@{SHOP}"), "^250 ")
        self.api.call("DELETE", f"/v1/domains/{SHOP}", {"account": "host"})
        net.wait_until(lambda: self.offered(f"small@{SHOP}", f"small@{SHOP}").startswith("550"), 10, "the lease's end")
