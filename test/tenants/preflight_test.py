# SPDX-License-Identifier: Apache-2.0
"""What large receivers would say, said at once: warned of, or refused where a stream says so (R44, F14)."""

from tenants.case import TenantCase, message_of

SHOP = "shop.test"
GOOD = {"SPF": '{0}. TXT "v=spf1 ip4:127.0.0.1 -all"', "DMARC": '_dmarc.{0}. TXT "v=DMARC1; p=none"',
        "MX": "{0}. MX 10 mx.{0}."}
UNSUBSCRIBE = (("List-Unsubscribe", "<https://shop.test/u/1>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))


class Preflight(TenantCase):
    def setUp(self):
        self.start(records=["relay A 127.0.0.1"])  # from where it sends, as SPF is asked about
        self.add_account("shop")
        self.api.post("/v1/accounts/shop/streams", name="strict", settings={"preflight": "enforce"})
        self.api.post("/v1/accounts/shop/streams", name="lax", settings={"preflight": "off"})

    def add_domain(self, domain=SHOP, without=(), **other):
        """Its records are there before it is first looked for, so that no cache remembers that they were not."""
        lines = [other.get(name, line).format(domain) for name, line in GOOD.items() if name not in without]
        self.zone.publish(lines)
        if "DKIM" not in without:
            self.zone.prove(self.baton, domain, "shop")
            return
        self.api.post("/v1/domains", name=domain, account="shop")
        self.zone.publish([line for line in self.zone.wanted(self.baton, domain, "shop") if "_baton" in line])
        self.look(domain)

    def look(self, domain=SHOP):
        self.api.post(f"/v1/domains/{domain}/check", account="shop")

    def say(self, stream=None, *more, domain=SHOP):
        fields = [("From", f"ann@{domain}"), ("Date", "Sun, 22 Nov 2026 01:28:43 +0000"), *more]
        return self.offer("shop", f"x@{domain}", message_of(*fields, *([("X-Baton-Stream", stream)] if stream else [])))

    def test_R44_each_missing_record_is_named(self):
        expected = (("DMARC", "PREFLIGHT-DMARC-MISSING", "5.7.26", "publish _dmarc.{0} TXT"),
                    ("SPF", "PREFLIGHT-SPF", "5.7.23", "{0} has no SPF record that names this server"),
                    ("MX", "PREFLIGHT-MX", "5.7.27", "publish an MX"),
                    ("DKIM", "PREFLIGHT-DKIM-PENDING", "5.7.20", "baton domain records {0}"))
        for name, code, status, words in expected:
            with self.subTest(code):
                domain = f"no-{name.lower()}.test"
                self.add_domain(domain, without=(name,))
                words = words.format(domain)
                self.assertRegex(self.say(domain=domain), rf"^250 2\.0\.0 queued as \w+; \[{code}\] .*{words}")
                self.assertRegex(self.say("strict", domain=domain), rf"^550 {status} \[{code}\] .*{words}")
                self.assertRegex(self.say("lax", domain=domain), r"^250 2\.0\.0 queued as \w+$")
        self.add_domain("good.test")
        for stream in (None, "strict", "lax"):
            self.assertRegex(self.say(stream, domain="good.test"), r"^250 2\.0\.0 queued as \w+$")
        rows = {row["code"]: row["count"] for row in self.api.items("/v1/observed", account="shop")}
        self.assertEqual(rows, {code: 1 for _, code, _, _ in expected})

    def test_R44_a_record_that_leaves_us_out(self):
        self.add_domain(SPF='{0}. TXT "v=spf1 ip4:192.0.2.1 -all"')
        self.assertRegex(self.say(), r"\[PREFLIGHT-SPF\] shop\.test has no SPF record that names this server")
        self.assertRegex(self.say("strict"), r"^550 5\.7\.23 \[PREFLIGHT-SPF\]")

    def test_R44_marketing_wants_one_click(self):
        self.add_domain()
        self.api.post("/v1/accounts/shop/streams", name="news", settings={"kind": "marketing", "preflight": "enforce"})
        self.assertRegex(self.say("news"), r"^550 5\.7\.\d+ \[PREFLIGHT-UNSUBSCRIBE\]")
        self.assertRegex(self.say("news", UNSUBSCRIBE[0]), r"^550 5\.7\.\d+ \[PREFLIGHT-UNSUBSCRIBE\]")
        self.assertRegex(self.say("news", *UNSUBSCRIBE), "^250 ")

    def test_R44_never_on_a_failure_of_DNS(self):
        self.add_domain()
        self.zone.stop()
        self.look()
        self.assertRegex(self.say("strict"), r"^250 2\.0\.0 queued as \w+$")

    def test_R44_nothing_is_concluded_where_nothing_is_known(self):
        """Its name server refuses to say anything, of its keys too."""
        self.api.post("/v1/domains", name="shop.example", account="shop", settings={"method": "attested"})
        self.zone.wanted(self.baton, "shop.example", "shop")  # its keys are made
        self.look("shop.example")
        for stream in (None, "strict"):
            self.assertRegex(self.say(stream, domain="shop.example"), r"^250 2\.0\.0 queued as \w+$")

    def test_R44_what_was_published_is_seen_by_the_next_check(self):
        self.add_domain(without=("DMARC", "MX"))
        self.assertRegex(self.say(), r"\[PREFLIGHT-DMARC-MISSING\].*\[PREFLIGHT-MX\]")
        self.zone.publish([GOOD[name].format(SHOP) for name in ("DMARC", "MX")])
        self.look()
        self.assertRegex(self.say("strict"), r"^250 2\.0\.0 queued as \w+$")
