# SPDX-License-Identifier: Apache-2.0
"""baton send: a message by every kind of listener, certificates always verified, refusals told by exit status."""

import pathlib
import subprocess
import tempfile

from cli.case import DENIED, FAILED, OK, PARTIAL, USAGE, CliCase, run
from lib import certificate, content, net
from lib.server import Drop, Server

ENVELOPE = ("--from", "ann@sender.test", "--to", "bob@dest.test")


class Send(CliCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="baton-send-"))
        cls.folder = pathlib.Path(folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-keyout", cls.folder / "key", "-out", cls.folder / "other.pem", "-days", "3",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text.encode())
        return path

    def login(self, baton, password=None):
        path = self.write("password", (password or baton.password) + "\n")
        return "--user", "client", "--password-file", path, "--ca", certificate.cert_file()

    def sends(self, *words, status=OK, **more):
        return self.ended(run("send", *words, **more), status)

    def test_send_in_every_tls_mode(self):
        baton, server = self.start_relay()
        ca = ("--ca", certificate.cert_file())
        for name, words, tls in (
                ("plain", ("--server", f"127.0.0.1:{baton.relay_port}"), False),
                ("none", ("--server", f"localhost:{baton.relay_port}", "--tls", "none", *ca), False),
                ("starttls", ("--server", f"localhost:{baton.relay_port}", "--tls", "starttls", *ca), True),
                ("starttls by --ca", ("--server", f"127.0.0.1:{baton.relay_port}", *ca), True),
                ("starttls with AUTH", ("--server", f"localhost:{baton.submission_port}", *self.login(baton)), True),
                ("implicit", ("--server", f"localhost:{baton.submissions_port}", "--tls", "implicit",
                              *self.login(baton)), True)):
            with self.subTest(name):
                done = self.sends(*words, *ENVELOPE, "--subject", name, "--trace")
                self.assertIn("250 2.0.0 queued as ", done.stdout)
                self.assertEqual("-> STARTTLS" in done.stdout, "starttls" in name)
                received = server.wait_for(len(server.messages) or 1)
                net.wait_until(lambda: any(f"Subject: {name}\r\n".encode() in each.content for each in server.messages),
                               10, "the message")
        self.assertGreaterEqual(len(received), 5)

    def test_send_verifies_the_certificate(self):
        baton, server = self.start_relay()
        other = ("--ca", self.folder / "other.pem")
        for words in (("--server", f"localhost:{baton.relay_port}", *other),
                      ("--server", f"localhost:{baton.submissions_port}", "--tls", "implicit", *other),
                      ("--server", f"localhost:{baton.submissions_port}", "--tls", "implicit"),  # the system's
                      ("--server", f"127.0.0.2:{baton.relay_port}", "--ca", certificate.cert_file())):
            with self.subTest(words=words):
                self.sends(*words, *ENVELOPE, status=FAILED)
        named_otherwise = Server(tls=True, address="127.0.0.2")
        self.addCleanup(named_otherwise.stop)
        done = self.sends("--server", f"127.0.0.2:{named_otherwise.port}", "--ca", certificate.cert_file(), *ENVELOPE,
                          status=FAILED)
        self.assertRegex(done.stderr.lower(), "certificate|ssl")
        self.assertEqual((server.messages, named_otherwise.messages), ([], []))

    def test_send_never_falls_back_to_plain_text(self):
        with Server(tls=False) as server:
            self.sends("--server", f"127.0.0.1:{server.port}", "--tls", "starttls", *ENVELOPE, status=FAILED)
            self.assertEqual(server.messages, [])

    def test_send_password(self):
        baton, _ = self.start_relay()
        to = ("--server", f"localhost:{baton.submission_port}")
        done = self.sends(*to, *self.login(baton, "wrong"), *ENVELOPE, "--trace", status=DENIED)
        self.assertIn("535", done.stderr)
        done = self.sends(*to, *self.login(baton), *ENVELOPE, "--trace")
        self.assertNotIn(baton.password, done.stdout + done.stderr)
        self.assertNotRegex(done.stdout, r"-> AUTH PLAIN \S")
        self.sends(*to, "--tls", "none", *self.login(baton), *ENVELOPE, status=USAGE)
        self.sends(*to, "--user", "client", *ENVELOPE, status=USAGE)
        self.sends(*to, "--user", "client", "--password-file", "/nonexistent", *ENVELOPE, status=USAGE)

    def test_send_a_file(self):
        baton, server = self.start_relay()
        to = ("--server", f"127.0.0.1:{baton.relay_port}")
        text = "Subject: Grüße\nFrom: ann@sender.test\n\n.\n..\n.x\n\nQUIT\n.\nMAIL FROM:<>\nend"
        self.sends(self.write("message", text), *to, *ENVELOPE)
        self.sends("-", *to, *ENVELOPE, user_input=text)
        for message in server.wait_for(2):
            self.assertEqual(content.body_of(message.content),
                             b".\r\n..\r\n.x\r\n\r\nQUIT\r\n.\r\nMAIL FROM:<>\r\nend\r\n")
            self.assertEqual((message.sender, message.addresses()), ("ann@sender.test", ["bob@dest.test"]))
        self.sends("/nonexistent", *to, *ENVELOPE, status=USAGE)

    def test_send_refusals(self):
        baton, server = self.start_relay({"trusted_networks": []})
        to = ("--server", f"127.0.0.1:{baton.relay_port}")
        done = self.sends(*to, *ENVELOPE, status=FAILED)
        self.assertIn("550 5.7.1 [RELAY]", done.stderr)
        done = self.sends(*to, "--from", "ann@sender.test", "--to", "bob@dest.test", "--to", "postmaster",
                          status=PARTIAL)
        self.assertIn("1 of 2 recipients were refused", done.stderr)
        with Server(answers={"content": "554 5.6.0 no such content here"}) as refusing:
            done = self.sends("--server", f"127.0.0.1:{refusing.port}", *ENVELOPE, status=FAILED)
            self.assertEqual(done.stderr, "baton: 554 5.6.0 no such content here\n")
        with Server(answers={"connect": Drop()}) as silent:
            self.sends("--server", f"127.0.0.1:{silent.port}", *ENVELOPE, status=FAILED)
        self.sends("--server", f"127.0.0.1:{net.free_port()}", *ENVELOPE, status=FAILED)

    def test_B10_send_injection(self):
        with Server() as server:
            to = ("--server", f"127.0.0.1:{server.port}")
            for words in (("--from", "a@b.test>\r\nRCPT TO:<x@y.test", "--to", "bob@dest.test"),
                          ("--from", "a@b.test", "--to", "bob@dest.test>\nDATA")):
                self.sends(*to, *words, status=USAGE)
            self.sends(*to, *ENVELOPE, "--subject", "a\r\nBcc: x@y.test\r\n\r\nbody")
            (message,) = server.wait_for(1)
            self.assertNotIn(b"\r\nBcc:", message.content)

    def test_send_usage(self):
        for words in ((), ("--to", "a@b.test"), ("--from", "a@b.test"), (*ENVELOPE, "--tls", "maybe"),
                      (*ENVELOPE, "--server"), (*ENVELOPE, "--password-file", "x"), (*ENVELOPE, "a", "b")):
            self.sends(*words, status=USAGE)
