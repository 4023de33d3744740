# SPDX-License-Identifier: Apache-2.0
"""Signing keys in the life of a domain: rotated, unreadable, replaced in DNS, moved (R43, Y04, F27, T02)."""

import contextlib
import re
import sqlite3
import threading

from lib import net
from lib.dkim_oracles import Dkimpy
from tenants.case import TenantCase, message_of, published

SHOP = "shop.test"
OFTEN = {"proof": {"pending_every": "200ms", "check_every": "400ms"}}
RARELY = {"proof": {"pending_every": "1h", "check_every": "1h", "lost_after": "100ms"}}


class KeyCase(TenantCase):
    def begin(self, settings=None):
        self.start(settings)
        self.add_account("shop")
        self.row = self.zone.prove(self.baton, SHOP, "shop")
        self.message = message_of(("From", f"ann@{SHOP}"), ("Date", "Sun, 22 Nov 2026 01:28:43 +0000"),
                                  ("Message-ID", f"<1@{SHOP}>"))

    def keys(self):
        return {key["selector"]: key["state"] for key in self.zone.row(self.baton, SHOP, "shop")["keys"]}

    def verdicts(self, message, lines=None):
        """[(selector, good)] by dkimpy, with the keys that the zone shows."""
        judge = Dkimpy(published(self.zone.zones["test."] if lines is None else lines), None)
        return [(verdict.selector, verdict.good) for verdict in judge.verify(message.content)]

    def assert_signed(self, message, selectors, lines=None):
        self.assertEqual(sorted(self.verdicts(message, lines)), sorted((selector, True) for selector in selectors))


class Rotation(KeyCase):
    def test_R43_rotated_without_a_gap(self):
        """Mail flows all the while; each message verifies by what the zone shows when it arrives."""
        self.begin(OFTEN)
        old = set(self.keys())
        arrived = []
        self.server.answers["content"] = lambda _, message: arrived.append((message, list(self.zone.zones["test."])))
        done = threading.Event()

        def send():
            with self.client("shop") as client:
                while not done.is_set():
                    answer = client.mail(f"ann@{SHOP}", ["bob@dest.test"], self.message)[1]
                    assert answer.startswith("250"), answer
        sender = threading.Thread(target=send)
        sender.start()
        try:
            net.wait_until(lambda: len(arrived) > 3, 20, "mail")
            self.api.post(f"/v1/domains/{SHOP}/rotate", account="shop")
            new = net.wait_until(lambda: set(self.keys()) - old if len(self.keys()) == 4 else None, 20, "new keys")
            self.assertEqual({self.keys()[selector] for selector in new}, {"pending"})
            seen = len(arrived)
            net.wait_until(lambda: len(arrived) > seen + 3, 20, "mail signed by the old keys")
            self.zone.publish([line for line in self.zone.wanted(self.baton, SHOP, "shop")
                               if line.split(".")[0] in new])
            net.wait_until(lambda: {self.keys()[selector] for selector in new} == {"active"}, 20, self.keys)
            seen = len(arrived)
            net.wait_until(lambda: len(arrived) > seen + 10, 20, "mail signed by the new keys")
        finally:
            done.set()
            sender.join()
        self.baton.wait_for_empty_queue()
        self.assertEqual({self.keys()[selector] for selector in old}, {"retiring"})
        used = []
        for message, lines in arrived:
            selectors = {selector for selector, _ in self.verdicts(message, lines)}
            self.assert_signed(message, selectors, lines)
            self.assertEqual(len(selectors), 2)
            used.append(frozenset(selectors))
        self.assertEqual(used[0], old)
        self.assertEqual(used[-1], new)

    def test_R43_a_record_that_changes_stops_its_key(self):
        """What DNS shows is not the key's: receivers would refuse, so the other key signs alone."""
        self.begin(RARELY)
        lines = [line for line in self.zone.zones["test."] if "_domainkey" in line]
        rsa = next(line for line in lines if "k=rsa" in line)
        selector = rsa.split(".")[0]
        self.zone.publish([re.sub(r"p=....", "p=AAAA", rsa)], instead_of=[rsa])

        def stopped():
            self.api.post(f"/v1/domains/{SHOP}/check", account="shop")
            return self.keys()[selector] != "active"
        net.wait_until(stopped, 20, lambda: f"{self.keys()}")
        message, _ = self.taken("shop", f"ann@{SHOP}", self.message)
        self.assert_signed(message, set(self.keys()) - {selector})
        self.zone.publish([rsa], instead_of=[re.sub(r"p=....", "p=AAAA", rsa)])
        self.zone.check(self.baton, SHOP, "shop")
        message, _ = self.taken("shop", f"ann@{SHOP}", self.message)
        self.assert_signed(message, set(self.keys()))


class Unreadable(KeyCase):
    @contextlib.contextmanager
    def database(self):
        """The relay's, while it is stopped."""
        self.baton.stop()
        (path,) = self.baton.state.rglob("control.db")
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            yield database
        self.baton.start()

    def damage(self, sealed):
        return sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:]

    def test_Y04_mail_waits_for_a_key_that_cannot_be_read(self):
        self.begin()
        with self.database() as database:
            kept = database.execute("SELECT id, sealed FROM dkim_key").fetchall()
            self.assertEqual(len(kept), 2)
            database.execute("UPDATE dkim_key SET sealed = ? WHERE id = ?", (self.damage(kept[0][1]), kept[0][0]))
        answer = self.offer("shop", f"ann@{SHOP}", self.message)
        self.assertRegex(answer, "^250 ")
        net.wait_until(lambda: any(row["tries"] > 1 for row in self.api.queue()), 20, "two tries")
        ident = self.api.queue()[0]["id"]
        net.wait_until(lambda: "signing key" in self.api.items(f"/v1/queue/{ident}/why")[0]["why"], 20, "the reason")
        self.assertEqual(self.server.messages, [], "it never leaves unsigned, nor half signed")
        with self.database() as database:
            database.execute("UPDATE dkim_key SET sealed = ? WHERE id = ?", (kept[0][1], kept[0][0]))
        (message,) = self.server.wait_for(1)
        self.assert_signed(message, set(self.keys()))

    def test_Y04_a_sealed_key_of_another_domain_is_not_taken(self):
        """Whoever can write the database alone cannot have one domain's mail signed by another's key."""
        self.begin()
        self.add_account("other")
        self.zone.prove(self.baton, "other.test", "other")
        with self.database() as database:
            rows = database.execute("SELECT id, sealed FROM dkim_key ORDER BY id").fetchall()
            self.assertEqual(len(rows), 4)
            database.execute("UPDATE dkim_key SET sealed = ? WHERE id = ?", (rows[2][1], rows[0][0]))
        self.assertRegex(self.offer("shop", f"ann@{SHOP}", self.message), "^250 ")
        net.wait_until(lambda: any(row["tries"] > 1 for row in self.api.queue()), 20, "two tries")
        self.assertEqual(self.server.messages, [])


class Names(KeyCase):
    """Wildcards, international names, and a domain that moves."""

    def test_T02_a_wildcard_record_proves_no_name_below(self):
        self.begin()
        self.add_account("eve")
        self.zone.publish(['*.wild.test. TXT "v=baton1; relay=relay.test; account=a1"',
                           '*.shop.test. TXT "anything"'])
        self.api.post("/v1/domains", name="a.wild.test", account="eve")
        self.api.post("/v1/domains/a.wild.test/check", account="eve")
        self.assertEqual(self.zone.row(self.baton, "a.wild.test", "eve")["state"], "pending")
        self.assertRegex(self.offer("eve", "x@a.wild.test", message_of(("From", "x@a.wild.test"))), "^550 ")

    def test_T02_international_names_in_both_forms(self):
        self.begin()
        ascii_name = "bücher.test".encode("idna").decode()
        made = self.api.post("/v1/domains", name="Bücher.test", account="shop")
        self.assertEqual(made["items"][0]["domain"], ascii_name)
        self.zone.publish(self.zone.wanted(self.baton, ascii_name, "shop"))
        self.zone.check(self.baton, ascii_name, "shop")
        message, _ = self.taken("shop", f"x@{ascii_name}", message_of(("From", f"x@{ascii_name}")))
        self.assertIn(f"d={ascii_name};".encode(), message.content)
        with self.client("shop") as client:
            _, answer = client.mail("x@bücher.test", ["bob@dest.test"], message_of(("From", "x@bücher.test")),
                                    mail_parameters=" SMTPUTF8")
        self.assertRegex(answer, "^250 ")
        self.assertEqual(self.server.wait_for(2)[1].content.count(f"d={ascii_name};".encode()), 2)
        answer = self.offer("shop", f"x@{SHOP}", message_of(("From", "x@bucher.test")))
        self.assertRegex(answer, r"^550 .*\[FROM\]")

    def test_T02_a_domain_moves_with_its_keys(self):
        self.begin()
        self.add_account("heir")
        selectors = set(self.keys())
        self.assertRegex(self.offer("heir", f"x@{SHOP}", self.message), "^550 ")
        self.api.post(f"/v1/domains/{SHOP}/transfer", account="shop", to="heir")
        self.assertRegex(self.offer("shop", f"x@{SHOP}", self.message), "^550 ")
        proof = [line for line in self.zone.zones["test."] if line.startswith("_baton.shop")]
        self.zone.publish([line for line in self.zone.wanted(self.baton, SHOP, "heir") if "_baton" in line],
                          instead_of=proof)
        self.zone.check(self.baton, SHOP, "heir")
        message, _ = self.taken("heir", f"x@{SHOP}", self.message)
        self.assert_signed(message, selectors)
        self.assertRegex(self.offer("shop", f"x@{SHOP}", self.message), "^550 ")
