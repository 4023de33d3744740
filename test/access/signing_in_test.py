# SPDX-License-Identifier: Apache-2.0
"""Who gets in and how, who is refused, and that what ends, ends in open sessions too (R07, R09, R10, R16, R69)."""

import datetime
import pathlib
import subprocess
import tempfile
import time

from lib import certificate, content, net, sasl
from lib.baton import ACCOUNT
from lib.client import Client, Gone
from lib.relay_case import RelayCase

PASSWORD = "correct horse battery"
NOBODY_TRUSTED = {"trusted_networks": []}


def sent(client):
    """Whether a message is taken over this session."""
    try:
        return client.mail("ann@sender.test", ["bob@dest.test"], b"Subject: x\r\n\r\n")[1].startswith("250")
    except (Gone, OSError):
        return False


class AccessCase(RelayCase):
    def setUp(self):
        self.baton, self.server = self.start_relay(self.settings())
        self.api = self.baton.api

    def settings(self):
        return NOBODY_TRUSTED

    def credential(self, name, account=ACCOUNT, **settings):
        """Its secret."""
        return self.api.post("/v1/credentials", name=name, account=account, settings=settings).get("secret")

    def branch(self):
        """An account below the one that the tests have."""
        self.api.post("/v1/accounts", name="branch", account=ACCOUNT,
                      settings={"state": "active", "identity": "observe"})

    def person(self, name, **settings):
        self.api.post("/v1/users", name=name, account=ACCOUNT,
                      settings={"role": "developer", "submits": True, "password": PASSWORD, **settings})

    def set(self, target, **settings):
        self.api.call("PATCH", target, {"settings": settings})

    def come(self, **more):
        client = Client(self.baton.submission_port, starttls=True, **more)
        self.addCleanup(client.close)
        return client

    def signed_in(self, how, user, secret):
        client = self.come()
        answer = how(client, user, secret)
        self.assertTrue(answer.startswith("235"), answer)
        return client

    def refused(self, how, user, secret, code="535 5.7.8"):
        answer = how(self.come(), user, secret)
        self.assertTrue(answer.startswith(code), answer)
        return answer


class Mechanisms(AccessCase):
    def test_R10_every_mechanism(self):
        secret = self.credential("shop")
        for how in (sasl.plain, sasl.login, sasl.scram):
            self.assertTrue(sent(self.signed_in(how, "shop", secret)), how)
            self.refused(how, "shop", secret[:-1] + "x")
            self.refused(how, "nobody", secret)
        self.assertEqual(len(self.server.wait_for(3)), 3)

    def test_R10_msmtp_by_SCRAM(self):
        secret = self.credential("shop")
        with tempfile.NamedTemporaryFile("w", prefix="baton-secret-") as file:
            file.write(secret)
            file.flush()
            subprocess.run(["msmtp", "--host=localhost", f"--port={self.baton.submission_port}", "--tls=on",
                            "--tls-starttls=on", f"--tls-trust-file={certificate.cert_file()}", "--auth=scram-sha-256",
                            "--user=shop", f"--passwordeval=cat {file.name}", "--from=ann@sender.test",
                            "bob@dest.test"], input=content.message("msmtp", b"Hello.\n").replace(b"\r\n", b"\n"),
                           check=True, timeout=30)
        self.assertEqual(len(self.server.wait_for(1)), 1)

    def test_A02_nothing_before_TLS(self):
        with Client(self.baton.submission_port) as client:
            self.assertNotIn("AUTH", client.extensions)
            for words in ("PLAIN", "LOGIN", "SCRAM-SHA-256", "EXTERNAL", "PLAIN AGEAYg==", "CRAM-MD5"):
                self.assertTrue(client.ask(f"AUTH {words}").startswith("538 5.7.11"), words)
            self.assertTrue(client.ask("MAIL FROM:<ann@sender.test>").startswith("530"))

    def test_R07_people_from_mail_programs(self):
        self.person("ann")
        self.person("bob", submits=False)
        self.assertTrue(sent(self.signed_in(sasl.plain, "ann", PASSWORD)))
        self.assertTrue(sent(self.signed_in(sasl.login, "ann", PASSWORD)))
        self.refused(sasl.plain, "ann", PASSWORD + "x")
        self.refused(sasl.plain, "bob", PASSWORD)
        self.assertNotIn(PASSWORD, self.baton.log())

    def test_R16_an_API_key_sends_when_it_may(self):
        may = self.credential("may", kind="api", scopes=["sends.send"])
        may_not = self.credential("may-not", kind="api", scopes=["sends.read"])
        self.assertRegex(may, "^bt_live_[0-9a-f]{64}$")
        self.assertTrue(sent(self.signed_in(sasl.plain, "may", may)))
        self.refused(sasl.plain, "may-not", may_not)

    def test_A03_the_victim_gets_in_while_others_guess(self):
        secret = self.credential("shop")
        for _ in range(5):
            self.refused(sasl.plain, "shop", "bt_guess")
        # From another address: no lock-out, and no wait, which would be four seconds by now.
        begun = time.monotonic()
        other = self.come(source="127.0.0.9")
        self.assertTrue(sasl.plain(other, "shop", secret).startswith("235"))
        self.assertLess(time.monotonic() - begun, 2)


class Refusals(AccessCase):
    def test_A08_source_networks(self):
        here = self.credential("here", networks=["127.0.0.0/8"])
        elsewhere = self.credential("elsewhere", networks=["10.0.0.0/8", "::1/128"])
        for how in (sasl.plain, sasl.scram):
            self.signed_in(how, "here", here)
            self.refused(how, "elsewhere", elsewhere)
        self.baton.wait_for_log("in none of the credential's networks")

    def test_R16_expired(self):
        secret = self.credential("old", expires="2020-01-01T00:00:00Z")
        self.refused(sasl.plain, "old", secret)
        self.refused(sasl.scram, "old", secret)
        self.baton.wait_for_log("has expired")

    def test_R113_an_account_above_is_suspended(self):
        self.branch()
        secret = self.credential("shop", account="branch")
        self.set(f"/v1/accounts/{ACCOUNT}", state="suspended")
        for how in (sasl.plain, sasl.scram):
            self.refused(how, "shop", secret, "525 5.7.13")
            self.refused(how, "shop", "bt_guess")
        self.set(f"/v1/accounts/{ACCOUNT}", state="active")
        self.signed_in(sasl.plain, "shop", secret)


class OpenSessions(AccessCase):
    def ends(self, client, change):
        """Before the change mail is taken, after it none is."""
        self.assertTrue(sent(client))
        change()
        self.assertFalse(sent(client))

    def test_A07_what_ends_ends_at_once(self):
        changes = {
            "removed": lambda: self.api.call("DELETE", "/v1/credentials/removed"),
            "rotated": lambda: self.api.call("POST", "/v1/credentials/rotated/rotate"),
            "moved": lambda: self.set("/v1/credentials/moved", networks=["10.0.0.0/8"]),
            "expired": lambda: self.set("/v1/credentials/expired", expires="2020-01-01T00:00:00Z"),
        }
        for name, change in changes.items():
            with self.subTest(name):
                self.ends(self.signed_in(sasl.scram, name, self.credential(name)), change)

    def test_A07_people(self):
        for name, settings in (("ann", {"state": "suspended"}), ("bob", {"password": "another good one"})):
            with self.subTest(name):
                self.person(name)
                self.ends(self.signed_in(sasl.plain, name, PASSWORD),
                          lambda n=name, s=settings: self.set(f"/v1/users/{n}", **s))

    def test_A07_an_account_above(self):
        self.branch()
        client = self.signed_in(sasl.plain, "shop", self.credential("shop", account="branch"))
        self.ends(client, lambda: self.set(f"/v1/accounts/{ACCOUNT}", state="suspended"))

    def test_A07_the_time_runs_out(self):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        secret = self.credential("shop", expires=soon.strftime("%Y-%m-%dT%H:%M:%SZ"))
        client = self.signed_in(sasl.plain, "shop", secret)
        self.assertTrue(sent(client))
        self.baton.wait_for_log("event=session-unbound")
        self.assertFalse(sent(client))


class Certificates(AccessCase):
    def settings(self):
        return {**NOBODY_TRUSTED, "tls": {"client_certificates": True}}

    def setUp(self):
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="baton-client-"))
        self.cert, self.key = pathlib.Path(folder, "cert.pem"), pathlib.Path(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-keyout", self.key, "-out", self.cert, "-days", "2", "-subj", "/CN=client"],
                       check=True, capture_output=True)
        done = subprocess.run(["openssl", "x509", "-in", self.cert, "-noout", "-fingerprint", "-sha256"], check=True,
                              capture_output=True, text=True)
        self.fingerprint = done.stdout.strip().partition("=")[2]

    def with_certificate(self, port):
        context = certificate.client_context()
        context.load_cert_chain(self.cert, self.key)
        implicit = port == self.baton.submissions_port
        client = Client(port, implicit_tls=implicit, starttls=not implicit, context=context)
        self.addCleanup(client.close)
        return client

    def test_R09_every_door(self):
        doors = (self.baton.submission_port, self.baton.submissions_port, self.baton.relay_port)
        for port in doors:
            self.assertFalse(sent(self.with_certificate(port)))  # it is nobody's yet
        self.credential("host", kind="cert", fingerprint=self.fingerprint)
        for port in doors:
            self.assertTrue(sent(self.with_certificate(port)), port)
        self.assertEqual(len(self.server.wait_for(3)), 3)
        self.assertIn(b"with ESMTPSA", self.server.messages[0].content)

    def test_A07_its_end_reaches_open_sessions(self):
        self.credential("host", kind="cert", fingerprint=self.fingerprint)
        client = self.with_certificate(self.baton.relay_port)
        self.assertTrue(sent(client))
        self.api.call("DELETE", "/v1/credentials/host")
        self.assertFalse(sent(client))

    def test_R10_without_one_all_is_as_before(self):
        secret = self.credential("shop")
        self.assertTrue(sent(self.signed_in(sasl.scram, "shop", secret)))

    def test_R10_EXTERNAL(self):
        self.credential("host", kind="cert", fingerprint=self.fingerprint)
        client = self.with_certificate(self.baton.submission_port)
        self.assertIn("EXTERNAL", client.extensions)
        self.assertTrue(client.ask("AUTH EXTERNAL =").startswith("235"))
        self.assertNotIn("EXTERNAL", self.come().extensions)


class Upstreams(AccessCase):
    def settings(self):
        return {"trusted_networks": [{"network": "127.0.0.1/32", "upstream": "panel", "tenant_header": "X-Customer"}]}

    def offer(self, header):
        with Client(self.baton.relay_port) as client:
            return client.mail("ann@sender.test", ["bob@dest.test"],
                               (header + "From: ann@sender.test\r\nSubject: x\r\n\r\nHello.\r\n").encode())[1]

    def test_T10_each_message_names_its_account(self):
        self.credential("seven", kind="tenant", upstream="panel", value="7")
        answer = self.offer("X-Customer: 7\r\n")
        self.assertTrue(answer.startswith("250"), answer)
        self.assertNotIn(b"X-Customer", self.server.wait_for(1)[0].content)
        for header in ("", "X-Customer: 8\r\n", "X-Customer: 7\r\nX-Customer: 7\r\n", f"X-Customer: {ACCOUNT}\r\n"):
            self.assertRegex(self.offer(header), r"^5\d\d 5\.\d\.\d+ \[TENANT\]", header)

    def test_T10_the_header_means_nothing_from_others(self):
        self.credential("seven", kind="tenant", upstream="panel", value="7")
        client = Client(self.baton.submission_port, starttls=True, user=("client", self.baton.password))
        with client:
            answer = client.mail("ann@sender.test", ["bob@dest.test"], b"X-Customer: 8\r\nSubject: x\r\n\r\n")[1]
        self.assertTrue(answer.startswith("250"), answer)
        self.assertIn(b"X-Customer: 8", self.server.wait_for(1)[0].content)

    def test_T10_a_tenant_that_is_taken_away(self):
        self.credential("seven", kind="tenant", upstream="panel", value="7")
        self.assertTrue(self.offer("X-Customer: 7\r\n").startswith("250"))
        self.api.call("DELETE", "/v1/credentials/seven")
        net.wait_until(lambda: "[TENANT]" in self.offer("X-Customer: 7\r\n"), 1, "its end")
