# SPDX-License-Identifier: Apache-2.0
"""Mail of others on its way through an account, notifications, contact forms; and upstreams that speak for several
accounts (R101, R115, A11, T10). What arrives is looked at."""

import re
import ssl
import subprocess

from lib import certificate
from lib.baton import merge
from lib.client import Client
from tenants.case import TenantCase, message_of

SHOP = "shop.test"
CAME_A_WAY = ("Received", "from a.far.test (a.far.test [192.0.2.1]) by mx.shop.test; Sun, 22 Nov 2026 01:28:43 +0000")
FAR = (CAME_A_WAY, ("From", "Eve <eve@far.test>"))


class Forwarding(TenantCase):
    def setUp(self):
        self.start()
        self.add_account("shop")
        self.zone.prove(self.baton, SHOP, "shop")

    def forwarded(self):
        """The return path that a stranger's message leaves with."""
        self.set("accounts/shop", forward=True)
        message, _ = self.taken("shop", "eve@far.test", message_of(*FAR))
        self.assertIn(b"From: Eve <eve@far.test>", message.content)
        return message.sender

    def bounce(self, to, sender=""):
        with Client(self.baton.relay_port) as client:
            to_each, answer = client.mail(sender, [to], message_of(("From", "mailer-daemon@dest.test")))
        return to_each[0] if not to_each[0].startswith("250") else answer

    def test_R101_only_where_it_is_allowed(self):
        self.assertRegex(self.offer("shop", "eve@far.test", message_of(*FAR)), r"^550 5\.7\.1 \[FORWARD\] .*far\.test")
        self.assertRegex(self.forwarded(), rf"^SRS0=[^=@]+=[^=@]+=far\.test=eve@{SHOP}$")

    def test_R101_not_signed_in_anothers_name(self):
        self.set("accounts/shop", forward=True)
        message, _ = self.taken("shop", "eve@far.test", message_of(*FAR))
        self.assertNotIn(b"d=far.test", message.content)
        # Nor in its own, when a stranger's return path says that the From may be forged.
        message, _ = self.taken("shop", "eve@far.test", message_of(CAME_A_WAY, ("From", f"boss@{SHOP}")))
        self.assertTrue(message.sender.startswith("SRS0="))

    def test_R101_the_bounce_finds_home(self):
        self.server.answers["rcpt"] = lambda session, argument: None
        self.zone.publish(["far MX 10 mx.far", "mx.far A 127.0.0.1"])
        path = self.forwarded()
        answer = self.bounce(path)
        self.assertRegex(answer, "^250 ")
        self.baton.cli("queue", "ls")
        rows = self.api.queue()
        self.assertEqual([row["to"] for row in rows], ["eve@far.test"])

    def test_A11_forged_and_misused_return_paths(self):
        path = self.forwarded()
        other = re.sub("=eve@", "=victim@", path)
        tag = path.split("=")[1]
        wrong = path.replace(tag, ("A" if tag[0] != "A" else "B") + tag[1:], 1)
        for bad in (other, wrong, path.replace("far.test", "victim.test"), f"SRS0=x@{SHOP}",
                    f"SRS0=a=b=victim.test=eve@{SHOP}", f"SRS1=aaaa=shop.test==b=cc=victim.test=eve@{SHOP}"):
            self.assertRegex(self.bounce(bad), r"^5\d\d ", bad)
        self.assertRegex(self.bounce(path, sender="ann@far.test"), r"^5\d\d ", "only for notifications")

    def test_R101_a_path_that_is_rewritten_twice_stays_short(self):
        self.set("accounts/shop", forward=True)
        first = "SRS0=abcd=AB=far.test=eve@first.test"
        message, _ = self.taken("shop", first, message_of(*FAR))
        self.assertRegex(message.sender, rf"^SRS1=[^=]+=first\.test==abcd=AB=far\.test=eve@{SHOP}$")

    def test_T01_null_senders(self):
        self.taken("shop", "", message_of(("From", f"ann@{SHOP}")))
        self.set("accounts/shop", null_sender=False)
        answer = self.offer("shop", "", message_of(("From", f"ann@{SHOP}")))
        self.assertRegex(answer, r"^550 5\.7\.1 \[NULL-SENDER\]")
        self.set("accounts/shop", null_sender=True)
        answer = self.offer("shop", "", message_of(("From", "ann@far.test")))
        self.assertRegex(answer, r"^550 5\.7\.1 \[FROM\]", "no way around the rule for From")


class ContactForm(TenantCase):
    def test_R115_the_visitor_goes_to_reply_to(self):
        self.start()
        self.add_account("shop", rewrite_from=f"form@{SHOP}")
        self.zone.prove(self.baton, SHOP, "shop")
        message, _ = self.taken("shop", f"form@{SHOP}", message_of(("From", "Eve Visitor <eve@far.test>")))
        header = message.content.partition(b"\r\n\r\n")[0].decode()
        (author,) = re.findall(r"(?mi)^From: .*$", header)
        self.assertIn(f"<form@{SHOP}>", author)
        self.assertIn("eve at far.test", author)
        self.assertNotIn("eve@far.test", author, "what looks like an address there is taken for one")
        self.assertRegex(header, r"(?mi)^Reply-To: .*eve@far\.test")
        self.assertEqual(header.count(f"d={SHOP};"), 2, "and it is signed")
        # A Reply-To of the form's own is kept; a From of its own is left alone.
        message, _ = self.taken("shop", f"form@{SHOP}", message_of(("From", "eve@far.test"), ("Reply-To", "x@y.test")))
        self.assertEqual(re.findall(rb"(?mi)^Reply-To: (.*)\r$", message.content), [b"x@y.test"])
        message, _ = self.taken("shop", f"form@{SHOP}", message_of(("From", f"ann@{SHOP}")))
        self.assertIn(f"From: ann@{SHOP}\r\n".encode(), message.content)


class Upstreams(TenantCase):
    """A panel at 127.0.0.1 and another at 127.0.0.2, each with customers called by numbers."""

    NETWORKS = {"trusted_networks": [
        {"network": "127.0.0.1/32", "upstream": "panel", "tenant_header": "X-Customer"},
        {"network": "127.0.0.2/32", "upstream": "other", "tenant_header": "X-Customer"}]}

    def begin(self, settings=None):
        self.start(merge(self.NETWORKS, settings or {}))
        for account, domain, upstream, value in (("a", "ours.test", "panel", "17"),
                                                 ("b", "theirs.test", "other", "99")):
            self.add_account(account)
            self.zone.prove(self.baton, domain, account)
            self.api.post("/v1/credentials", name=f"tenant-{account}", account=account,
                          settings={"kind": "tenant", "upstream": upstream, "value": value})

    def hand_over(self, domain, *fields, source="127.0.0.1", **more):
        port = more.pop("port", self.baton.relay_port)
        with Client(port, source=source, **more) as client:
            return client.mail(f"x@{domain}", ["bob@dest.test"], message_of(("From", f"x@{domain}"), *fields))[1]

    def test_T10_by_header_from_a_trusted_network(self):
        self.begin()
        self.assertRegex(self.hand_over("ours.test", ("X-Customer", "17")), "^250 ")
        self.assertRegex(self.hand_over("theirs.test", ("x-customer ", " 99 "), source="127.0.0.2"), "^250 ")
        first, second = (message.content for message in sorted(self.server.wait_for(2), key=lambda each: each.sender))
        for content in (first, second):
            self.assertNotIn(b"customer", content.lower())
        self.assertEqual(first.count(b"d=ours.test;"), 2)
        self.assertEqual(second.count(b"d=theirs.test;"), 2)

    def test_T10_forged_missing_and_doubled_headers(self):
        self.begin()
        for fields in ((), (("X-Customer", ""),), (("X-Customer", "18"),), (("X-Customer", "99"),),
                       (("X-Customer", "17"), ("X-Customer", "17")), (("X-Customer", "17"), ("x-cUSTOMER", "99")),
                       (("X-Customer", "17, 99"),), (("X-Customer", "1\r\n 7"),)):
            for domain in ("ours.test", "theirs.test"):
                answer = self.hand_over(domain, *fields)
                self.assertRegex(answer, r"^5(50 5\.7\.1 \[TENANT\]|5[04] )", (domain, fields))
        # 17 is panel's; of `other` it is nobody's.
        self.assertRegex(self.hand_over("ours.test", ("X-Customer", "17"), source="127.0.0.2"), r"\[TENANT\]")
        # The right tenant, in another's name.
        self.assertRegex(self.hand_over("theirs.test", ("X-Customer", "17")), r"^550 5\.7\.1 \[MAIL-FROM\]")
        # A stranger's header makes nobody of him.
        with Client(self.baton.relay_port, source="127.0.0.3") as client:
            client.ask("MAIL FROM:<x@ours.test>")
            self.assertRegex(client.ask("RCPT TO:<bob@dest.test>"), r"^550 .*\[RELAY\]")
        self.assertEqual(self.server.messages, [])

    def test_T10_a_suspended_tenant(self):
        self.begin()
        self.set("accounts/a", state="suspended")
        self.assertRegex(self.hand_over("ours.test", ("X-Customer", "17")), r"^550 .*\[ACCOUNT\]")

    def client_certificate(self, name):
        """(context, SHA-256 of the certificate in hexadecimal digits)"""
        key, cert = (self.baton.folder / f"{name}.{kind}" for kind in ("key", "pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-keyout", key, "-out", cert, "-days", "30", "-subj", f"/CN={name}"], check=True,
                       capture_output=True)
        context = ssl.create_default_context(cafile=certificate.cert_file())
        context.load_cert_chain(cert, key)
        text = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"], check=True,
                              capture_output=True, text=True).stdout
        return context, text.partition("=")[2].strip().replace(":", "").lower()

    def test_T10_by_header_from_a_certificate(self):
        self.begin({"trusted_networks": [], "tls": {"client_certificates": True}})
        context, fingerprint = self.client_certificate("panel")
        self.api.post("/v1/credentials", name="panel", account="a",
                      settings={"kind": "cert", "upstream": "panel", "fingerprint": fingerprint})
        by = {"context": context, "implicit_tls": True, "port": self.baton.submissions_port}
        header = "X-Baton-Tenant"
        self.assertRegex(self.hand_over("ours.test", (header, "17"), **by), "^250 ")
        self.assertNotIn(header.encode(), self.server.wait_for(1)[0].content)
        for fields in ((), ((header, "99"),), ((header, "17"), (header, "17"))):
            self.assertRegex(self.hand_over("ours.test", *fields, **by), r"^550 5\.7\.1 \[TENANT\]", fields)
        self.api.call("DELETE", "/v1/credentials/panel")
        with Client(by["port"], context=context, implicit_tls=True) as client:
            client.ask("MAIL FROM:<x@ours.test>")
            self.assertRegex(client.ask("RCPT TO:<bob@dest.test>"), "^5")
