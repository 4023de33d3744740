# SPDX-License-Identifier: Apache-2.0
"""Two accounts on one relay: neither may use the other's domains, anywhere in envelope or header (T01…T04, Y03)."""

import itertools

from lib.api import ApiError
from tenants.case import TenantCase, header_of, message_of

OURS, THEIRS, NOBODYS = "ours.test", "theirs.test", "nobodys.test"


class Tenants(TenantCase):
    """`a` has proved ours.test, `b` theirs.test, both by DNS; both are enforced."""

    def setUp(self):
        self.start(network=True)
        for account, domain in (("a", OURS), ("b", THEIRS)):
            self.add_account(account)
            self.zone.prove(self.baton, domain, account)

    def offer_header(self, account, reverse_path, header, to="bob@dest.test"):
        """The last reply to one message with this header and no other From."""
        return self.offer(account, reverse_path, header.encode() + b"\r\n\r\nHello.\r\n", to)


class InWhoseName(Tenants):
    def test_R45_T01_own_domains_pass(self):
        for reverse_path in (f"x@{OURS}", f"x@{OURS.upper()}", ""):
            answer = self.offer_header("a", reverse_path, header_of([("From", f"Ann <ann@{OURS}>")]))
            self.assertTrue(answer.startswith("250"), answer)

    def test_T01_anothers_domain_in_every_position_is_refused(self):
        """All combinations of own and foreign names in MAIL FROM, From and Sender; one foreign name is enough."""
        tried = 0
        for foreign in (THEIRS, NOBODYS):
            for path, author, sender in itertools.product((OURS, foreign), (OURS, foreign), (None, OURS, foreign)):
                if foreign not in (path, author, sender):
                    continue
                fields = [("From", f"Ann <ann@{author}>")] + ([("Sender", f"s@{sender}")] if sender else [])
                answer = self.offer_header("a", f"x@{path}", header_of(fields))
                self.assertRegex(answer, r"^550 5\.7\.\d+ \[[A-Z-]+\] ", f"{path} {author} {sender}")
                self.assertIn(foreign, answer)
                tried += 1
        self.assertEqual(tried, 20)
        self.assertEqual(self.server.messages, [])

    def test_T01_the_name_is_found_however_it_is_written(self):
        tricks = (
            f"ann@{THEIRS}", f"<ann@{THEIRS}>", f'"ann@{OURS}" <ann@{THEIRS}>', f"ann@{OURS} <ann@{THEIRS}>",
            f"Ann <ann@{OURS}>, Bob <bob@{THEIRS}>", f"ann@{THEIRS} (ann@{OURS})", f"(ann@{OURS}) <ann@{THEIRS}>",
            f"Team: ann@{OURS}, bob@{THEIRS};", f"ann@{THEIRS.upper()}", f"ann@{THEIRS}.", f'"a@{OURS}"@{THEIRS}',
            f"<@{OURS}:ann@{THEIRS}>", f"Ann\r\n <ann@{THEIRS}>", f"ann@\r\n {THEIRS}", f"ann @ {THEIRS}",
            f"<ann@{OURS}> <ann@{THEIRS}>", f"<ann@{THEIRS}>\t,\t<ann@{OURS}>",
            f"=?utf-8?q?ann=40{OURS}?= <ann@{THEIRS}>",
            f"ann@sub.{THEIRS}", f"ann%{OURS}@{THEIRS}", f"ann@{OURS}@{THEIRS}", f"ann@{THEIRS}\0@{OURS}",
            f"<ann@{OURS}", f"ann@{OURS}, ", "", "undisclosed:;", f"ann@[127.0.0.1]", "ann",
        )
        for trick in tricks:
            answer = self.offer_header("a", f"x@{OURS}", header_of([("Sender", f"s@{OURS}"), ("From", trick)]))
            self.assertRegex(answer, r"^5[05]\d ", trick)
        self.assertEqual(self.server.messages, [])

    def test_Y03_fields_that_may_stand_once(self):
        good = ("From", f"ann@{OURS}")
        for twice in (("From", f"bob@{OURS}"), ("fRoM", f"ann@{OURS}"), ("From ", f"ann@{OURS}")):
            answer = self.offer_header("a", f"x@{OURS}", header_of([good, twice]))
            self.assertRegex(answer, r"^55\d ", twice)
        for name in ("Subject", "Date", "To", "Message-ID", "Sender", "Reply-To"):
            value = {"Date": "Sun, 22 Nov 2026 01:28:43 +0000", "Message-ID": "<1@x>"}.get(name, f"s@{OURS}")
            answer = self.offer_header("a", f"x@{OURS}", header_of([good, (name, value), (name, value)]))
            self.assertRegex(answer, r"^550 5\.\d\.\d+ \[DUPLICATE\] ", name)

    def test_T01_a_signature_in_anothers_name(self):
        signature = ("DKIM-Signature", f"v=1; a=rsa-sha256; d={THEIRS}; s=x; h=from; bh=AAAA; b=AAAA")
        answer = self.offer_header("a", f"x@{OURS}", header_of([signature, ("From", f"ann@{OURS}")]))
        self.assertRegex(answer, r"^550 5\.7\.\d+ \[SIGNATURE\] ")

    def test_R45_a_refusal_names_the_page_about_it(self):
        self.baton.write_config({"why_url": "https://relay.test/why/"})
        self.baton.api.post("/v1/reload")
        answer = self.offer_header("a", f"x@{THEIRS}", header_of([("From", f"ann@{OURS}")]))
        self.assertTrue(answer.endswith(" (https://relay.test/why/MAIL-FROM)"), answer)

    def test_T01_what_comes_through_leaves_signed_by_its_own(self):
        answer = self.offer_header("a", f"x@{OURS}", header_of([("From", f"ann@{OURS}")]))
        self.assertTrue(answer.startswith("250"), answer)
        self.baton.wait_for_empty_queue()
        message = self.server.messages[0].content.decode()
        self.assertEqual(message.count("DKIM-Signature:"), 2)
        self.assertEqual(message.count(f"d={OURS};"), 2)
        self.assertNotIn(THEIRS, message)


class Proof(Tenants):
    def test_T02_a_subdomain_is_not_proved_by_its_parent_unless_so_set(self):
        answer = self.offer_header("a", f"x@{OURS}", header_of([("From", f"ann@sub.{OURS}")]))
        self.assertRegex(answer, r"^550 .*\[FROM\]")
        self.set(f"domains/{OURS}", account="a", subdomains=True)
        answer = self.offer_header("a", f"x@{OURS}", header_of([("From", f"ann@sub.{OURS}")]))
        self.assertTrue(answer.startswith("250"), answer)

    def test_T03_the_owner_locks_a_domain_against_an_attested_claim(self):
        """b says by an operator's word that it holds locked.test, whose owner names a alone."""
        api = self.baton.api
        api.post("/v1/domains", name="locked.test", account="b", settings={"method": "attested"})
        answer = self.offer_header("b", "x@locked.test", header_of([("From", "x@locked.test")]))
        self.assertTrue(answer.startswith("250"), answer)
        api.post("/v1/domains", name="locked.test", account="a")
        self.zone.publish([line for line in self.zone.wanted(self.baton, "locked.test", "a") if "_baton" in line])
        api.post("/v1/domains/locked.test/check", account="b")
        self.assertEqual(self.zone.row(self.baton, "locked.test", "b")["state"], "locked")
        answer = self.offer_header("b", "x@locked.test", header_of([("From", "x@locked.test")]))
        self.assertRegex(answer, r"^550 ")

    def test_T04_of_two_that_claim_at_once_the_one_that_DNS_names_has_it(self):
        api = self.baton.api
        for account in "ab":
            api.post("/v1/domains", name="both.test", account=account)
        self.zone.publish([line for line in self.zone.wanted(self.baton, "both.test", "b") if "_baton" in line])
        for account in "ab":
            api.post("/v1/domains/both.test/check", account=account)
        states = {account: self.zone.row(self.baton, "both.test", account)["state"] for account in "ab"}
        self.assertEqual(states["b"], "proved")
        self.assertNotEqual(states["a"], "proved")

    def test_T04_of_two_attested_claims_the_first_holds(self):
        self.baton.api.post("/v1/domains", name="claimed.test", account="a", settings={"method": "attested"})
        with self.assertRaises(ApiError) as refused:
            self.baton.api.post("/v1/domains", name="claimed.test", account="b", settings={"method": "attested"})
        self.assertEqual(refused.exception.status, 409)
        self.assertNotIn('"a"', str(refused.exception.problem))


class Observed(Tenants):
    def test_R103_observe_counts_and_lets_pass(self):
        self.set("accounts/a", identity="observe")
        answer = self.offer_header("a", f"x@{OURS}", header_of([("From", f"ann@{THEIRS}")]))
        self.assertTrue(answer.startswith("250"), answer)
        self.baton.wait_for_empty_queue()
        rows = self.baton.api.items("/v1/observed", account="a")
        self.assertEqual([(row["code"], row["count"]) for row in rows if row["code"] == "FROM"], [("FROM", 1)])
        self.assertNotIn("DKIM-Signature", self.server.messages[0].content.decode(), "not in another's name")

    def test_R15_an_account_that_is_not_approved_writes_to_the_sandbox_alone(self):
        self.add_account("new", state="sandbox", identity="observe")
        header = header_of([("From", "ann@anything.test")])
        self.assertRegex(self.offer_header("new", "x@anything.test", header), r"^(550|503|554)")
        self.assertTrue(self.offer_header("new", "x@anything.test", header, "me@sandbox.test").startswith("250"))

    def test_R15_suspension_cascades(self):
        self.add_account("child", parent="a", identity="observe")
        message = message_of(("From", f"x@{NOBODYS}"))
        with self.client("child") as client:
            self.assertRegex(client.mail(f"x@{NOBODYS}", ["bob@dest.test"], message)[1], "^250")
            self.set("accounts/a", state="suspended")
            # Nor does it become a session of the network's account, which is trusted.
            self.assertRegex(client.mail(f"x@{NOBODYS}", ["bob@dest.test"], message)[1], "^5")
        with self.assertRaisesRegex(AssertionError, "525 5.7.13"):
            self.client("child")
