# SPDX-License-Identifier: Apache-2.0
"""What leaves is signed, whatever happens to the roles meanwhile; and by whom (R43, R107, Y01, Y04)."""

import os
import signal
import subprocess
import threading

import dkim
from lib import net
from lib.client import Gone
from lib.dkim_oracles import Dkimpy
from lib.runner import seconds
from tenants.case import TenantCase, message_of, published

SHOP = "shop.test"


class Signed(TenantCase):
    def begin(self, settings=None):
        self.start(settings)
        self.add_account("shop")
        self.zone.prove(self.baton, SHOP, "shop", subdomains=True)

    def verdicts(self, message, more=None):
        judge = Dkimpy({**published(self.zone.zones["test."]), **(more or {})}, None)
        return [(verdict.domain, verdict.algorithm, verdict.good) for verdict in judge.verify(message.content)]

    def message(self, number=1, domain=SHOP):
        return message_of(("From", f"Ann <ann@{domain}>"), ("To", "bob@dest.test"),
                          ("Message-ID", f"<{number}@x.test>"), ("Date", "Sun, 22 Nov 2026 01:28:43 +0000"))

    @seconds(120)
    def test_Y04_roles_that_are_killed_leave_nothing_unsigned(self):
        """vault, core and deliver die again and again under load; what was taken arrives, and all of it signed."""
        self.begin()
        taken, done = set(), threading.Event()

        def send(sender):
            number = 0
            while not done.is_set():
                try:
                    with self.client("shop") as client:
                        while not done.is_set():
                            number += 1
                            path = f"s{sender}.{number}@{SHOP}"
                            answer = client.mail(path, ["bob@dest.test"], self.message(number))[1]
                            if answer.startswith("250"):
                                taken.add(path)
                except (Gone, OSError, AssertionError):
                    continue
        senders = [threading.Thread(target=send, args=(number,)) for number in range(3)]
        for sender in senders:
            sender.start()
        try:
            for role in ("vault", "core", "deliver") * 3:
                before = len(self.server.messages)
                for pid in self.baton.role_pids().get(role, []):
                    os.kill(pid, signal.SIGKILL)
                net.wait_until(lambda: len(self.server.messages) > before + 10, 30, f"mail after the end of {role}")
        finally:
            done.set()
            for sender in senders:
                sender.join()
        self.baton.wait_for_empty_queue()
        self.assertFalse(taken - {message.sender for message in self.server.messages})
        for message in self.server.messages:
            self.assertEqual([good for _, _, good in self.verdicts(message)], [True, True], message.content)

    def test_R43_the_relays_own_name_besides(self):
        self.begin({"dkim": {"also_sign": "relay-name.test"}})
        self.add_account("operator")
        self.zone.prove(self.baton, "relay-name.test", "operator")
        message, _ = self.taken("shop", f"ann@{SHOP}", self.message())
        self.assertEqual(sorted(self.verdicts(message)), sorted(
            (domain, algorithm, True) for domain in (SHOP, "relay-name.test")
            for algorithm in ("ed25519-sha256", "rsa-sha256")))

    def test_R43_a_name_below_is_signed_by_the_domain_that_was_proved(self):
        self.begin()
        message, _ = self.taken("shop", f"ann@news.{SHOP}", self.message(domain=f"news.{SHOP}"))
        self.assertEqual({(domain, good) for domain, _, good in self.verdicts(message)}, {(SHOP, True)})

    def test_R43_one_algorithm_alone(self):
        self.start()
        self.add_account("shop")
        for algorithm in ("rsa", "ed25519"):
            self.zone.prove(self.baton, f"{algorithm}.test", "shop", algorithms=algorithm)
            message, _ = self.taken("shop", f"ann@{algorithm}.test", self.message(domain=f"{algorithm}.test"))
            self.assertEqual(self.verdicts(message), [(f"{algorithm}.test", f"{algorithm}-sha256", True)])

    def test_R107_the_customers_signature_stays_good(self):
        self.begin()
        secret = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], check=True, capture_output=True).stdout
        public = subprocess.run(["openssl", "rsa", "-pubout"], input=secret, check=True,
                                capture_output=True).stdout.decode()
        record = "v=DKIM1; k=rsa; p=" + "".join(line for line in public.splitlines() if "KEY" not in line)
        plain = self.message()
        content = dkim.sign(plain, b"own", SHOP.encode(), secret, canonicalize=(b"simple", b"simple")) + plain
        message, answer = self.taken("shop", f"ann@{SHOP}", content)
        self.assertNotIn("PREFLIGHT-BROKEN", answer)
        verdicts = self.verdicts(message, {f"own._domainkey.{SHOP}": record})
        self.assertEqual([good for _, _, good in verdicts], [True, True, True])

    def test_Y01_what_is_passed_on_byte_by_byte(self):
        """Hard bodies leave with signatures that hold, by DATA and by BDAT."""
        self.begin()
        bodies = {"empty": "", "blank lines": "\r\n" * 20, "dots": ".\r\n..\r\n", "blanks": " \t\r\nx \t y \r\n \r\n",
                  "no end": "x" * 900 + "\r\n", "controls": "".join(map(chr, range(1, 10))) + "\x7f\r\n"}
        for name, body in bodies.items():
            with self.subTest(name):
                message, _ = self.taken("shop", f"ann@{SHOP}", self.message()[:-len("Hello.\r\n")] + body.encode())
                self.assertEqual([good for _, _, good in self.verdicts(message)], [True, True])

    def test_Y01_notifications_are_signed_by_the_relays_name(self):
        self.begin()
        self.zone.prove(self.baton, "dest.test", "shop")
        self.add_account("operator")
        self.zone.prove(self.baton, "relay.test", "operator")
        self.server.answers["rcpt"] = lambda _, to: "550 5.1.1 nobody" if to.startswith("nobody") else None
        self.assertRegex(self.offer("shop", "ann@dest.test", self.message(domain="dest.test"), "nobody@dest.test"), "^250")
        (message,) = self.server.wait_for(1)
        self.assertEqual((message.sender, message.addresses()), ("", ["ann@dest.test"]))
        self.assertEqual({(domain, good) for domain, _, good in self.verdicts(message)}, {("relay.test", True)})
