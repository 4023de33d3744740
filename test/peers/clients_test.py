# SPDX-License-Identifier: Apache-2.0
"""Software that people have hands its mail to baton: mail servers that use it as smarthost, and programs (R01, R12)."""

import collections
import os
import shutil
import smtplib
import subprocess
import threading
import unittest
from email.message import EmailMessage

from lib import certificate, content, net, packages, relay_case
from lib.client import Client
from lib.exim import Exim
from lib.postfix import Postfix
from lib.relay_case import RelayCase
from lib.runner import seconds

MESSAGES = 1000


def pour_in(port, tags, bodies):
    """Hands a message per tag to a server on this machine, over four connections."""
    failures = []

    def one_connection(part):
        try:
            with Client(port, seconds=60) as client:
                for tag in part:
                    answer = client.mail("ann@sender.test", ["bob@dest.test"], content.message(tag, bodies(tag)))[1]
                    if not answer.startswith("250"):
                        failures.append(answer)
        except Exception as error:  # a thread's failure is the test's
            failures.append(repr(error))

    threads = [threading.Thread(target=one_connection, args=(tags[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]


class Smarthost(RelayCase):
    """Real mail servers as clients, with AUTH over TLS: every message arrives, once, unchanged."""

    def check_arrivals(self, baton, server, tags, bodies):
        server.wait_for(len(tags), 100)
        baton.wait_for_empty_queue()
        counts = collections.Counter(content.tag_of(message.content) for message in server.messages)
        self.assertEqual(counts, collections.Counter(tags))
        for message in server.messages:
            self.assertEqual(content.body_of(message.content), bodies(content.tag_of(message.content)))
        net.wait_until(lambda: len(baton.events("accepted")) >= len(tags), 5, "the log lines")
        logins = [event.get("login") for event in baton.events("accepted")]
        self.assertEqual(logins, ["client"] * len(tags))

    @staticmethod
    def body(tag):
        return content.lines_of(2000, tag)

    @seconds(120)
    def test_R01_Postfix_hands_over_1000_messages_by_STARTTLS_and_AUTH(self):
        baton, server = self.start_relay()
        tags = [f"postfix-{i}" for i in range(MESSAGES)]
        with Postfix(smarthost=baton) as postfix:
            pour_in(postfix.port, tags, self.body)
            self.check_arrivals(baton, server, tags, self.body)

    def test_R01_Postfix_hands_over_by_implicit_TLS(self):
        baton, server = self.start_relay()
        tags = [f"postfix-{i}" for i in range(20)]
        with Postfix(smarthost=baton, wrapped=True) as postfix:
            pour_in(postfix.port, tags, self.body)
            self.check_arrivals(baton, server, tags, self.body)

    @seconds(120)
    def test_R01_Exim_hands_over_1000_messages_by_STARTTLS_and_AUTH(self):
        baton, server = self.start_relay()
        tags = [f"exim-{i}" for i in range(MESSAGES)]
        with Exim(smarthost=baton) as exim:
            pour_in(exim.port, tags, self.body)
            self.check_arrivals(baton, server, tags, self.body)

    def test_R01_Exim_hands_over_by_implicit_TLS(self):
        baton, server = self.start_relay()
        tags = [f"exim-{i}" for i in range(20)]
        with Exim(smarthost=baton, implicit_tls=True) as exim:
            pour_in(exim.port, tags, self.body)
            self.check_arrivals(baton, server, tags, self.body)


class Programs(unittest.TestCase):
    """Clients that people use, each by STARTTLS and by implicit TLS, with the certificate verified."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(relay_case.Server())
        cls.baton = cls.enterClassContext(relay_case.Baton({"routes": [relay_case.to_server(cls.server)]}))

    def arrived(self, tag):
        """The one message with this tag."""
        found = net.wait_until(
            lambda: [message for message in self.server.messages if content.tag_of(message.content) == tag], 10,
            f"{tag} at the server")
        self.assertEqual(len(found), 1)
        self.assertIn(b" with ESMTPSA id ", found[0].content)
        return found[0]

    def on_machine(self, *words, user_input=None):
        """Runs a client that is unpacked from its package."""
        with packages.Machine() as machine:
            shutil.copy(certificate.cert_file(), machine.folder / "cert.pem")
            (machine.folder / "password").write_text(self.baton.password + "\n")
            words = [str(word).replace("{folder}", str(machine.folder)) for word in words]
            return machine.run(*words, user_input=user_input)

    def test_R01_swaks_by_STARTTLS(self):
        body = content.lines_of(500, 1).decode()
        self.on_machine("swaks", "--server", f"127.0.0.1:{self.baton.submission_port}", "--tls", "--tls-verify",
                        "--tls-ca-path", "{folder}/cert.pem", "--auth", "PLAIN", "--auth-user", "client",
                        "--auth-password", self.baton.password, "--from", "ann@sender.test", "--to", "bob@dest.test",
                        "--header", "X-Tag: swaks-1", "--body", body.replace("\r\n", "\n"))
        self.assertEqual(self.arrived("swaks-1").addresses(), ["bob@dest.test"])

    def test_R01_swaks_by_implicit_TLS_and_LOGIN(self):
        self.on_machine("swaks", "--server", f"127.0.0.1:{self.baton.submissions_port}", "--tls-on-connect",
                        "--auth", "LOGIN", "--auth-user", "client", "--auth-password", self.baton.password,
                        "--from", "ann@sender.test", "--to", "bob@dest.test", "--header", "X-Tag: swaks-2")
        self.arrived("swaks-2")

    def test_R01_msmtp(self):
        for number, (port, starttls) in enumerate(((self.baton.submission_port, "on"),
                                                   (self.baton.submissions_port, "off"))):
            sent = content.message(f"msmtp-{number}", content.hard_bodies()["dots"])
            self.on_machine("msmtp", "--host=localhost", f"--port={port}", "--tls=on", f"--tls-starttls={starttls}",
                            "--tls-trust-file={folder}/cert.pem", "--auth=plain", "--user=client",
                            "--passwordeval=cat {folder}/password", "--from=ann@sender.test", "bob@dest.test",
                            user_input=sent.replace(b"\r\n", b"\n"))
            self.assertEqual(content.body_of(self.arrived(f"msmtp-{number}").content), content.body_of(sent))

    def test_R01_curl(self):
        for number, url in enumerate((f"smtp://localhost:{self.baton.submission_port}",
                                      f"smtps://localhost:{self.baton.submissions_port}")):
            sent = content.message(f"curl-{number}", content.hard_bodies()["dots"])
            subprocess.run(["curl", "-sS", "--url", url, "--ssl-reqd", "--cacert", certificate.cert_file(), "--user",
                            f"client:{self.baton.password}", "--mail-from", "ann@sender.test", "--mail-rcpt",
                            "bob@dest.test", "-T", "-"], input=sent, check=True, timeout=30)
            self.assertEqual(content.body_of(self.arrived(f"curl-{number}").content), content.body_of(sent))

    def test_R01_smtplib(self):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["X-Tag"] = "ann@sender.test", "bob@dest.test", "smtplib-1"
        mail["Bcc"] = "hidden@dest.test"
        mail.set_content("Grüße\n")
        with smtplib.SMTP("localhost", self.baton.submission_port) as session:
            session.starttls(context=certificate.client_context())
            session.login("client", self.baton.password)
            session.send_message(mail)
        arrived = self.arrived("smtplib-1")
        self.assertEqual(sorted(arrived.addresses()), ["bob@dest.test", "hidden@dest.test"])
        self.assertNotIn(b"Bcc:", arrived.content)
        for completed in (b"\r\nDate: ", b"\r\nMessage-ID: "):
            self.assertIn(completed, arrived.content, "R08")

    def test_R01_Nodemailer(self):
        modules = nodemailer()
        for number, (port, secure) in enumerate(((self.baton.submission_port, "false"),
                                                 (self.baton.submissions_port, "true"))):
            subprocess.run(["node", "-e", NODEMAILER], check=True, timeout=60, capture_output=True, env={
                **os.environ, "NODE_PATH": str(modules), "PORT": str(port), "SECURE": secure,
                "PASSWORD": self.baton.password, "CA": str(certificate.cert_file()), "TAG": f"node-{number}"})
            self.assertIn(b"Gr=C3=BC=C3=9Fe", self.arrived(f"node-{number}").content)


NODEMAILER = """
const nodemailer = require('nodemailer'), fs = require('fs'), e = process.env;
nodemailer.createTransport({
    host: 'localhost', port: +e.PORT, secure: e.SECURE === 'true', requireTLS: true,
    auth: { user: 'client', pass: e.PASSWORD }, tls: { ca: fs.readFileSync(e.CA) },
}).sendMail({
    from: 'ann@sender.test', to: 'bob@dest.test', subject: 'Grüße', text: 'Grüße\\n', headers: { 'X-Tag': e.TAG },
}).catch(error => { console.error(error); process.exit(1); });
"""


def nodemailer():
    """The folder of modules that holds Nodemailer; fetched once."""
    modules = packages.cache_folder() / "node" / "node_modules"
    if not shutil.which("node"):
        raise unittest.SkipTest("Nodemailer needs node, which is not installed")
    if not (modules / "nodemailer").exists():
        if not shutil.which("npm"):
            raise unittest.SkipTest("Nodemailer is fetched by npm, which is not installed")
        modules.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", modules.parent, "nodemailer"],
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest("Nodemailer cannot be fetched: " + done.stderr.strip()[-200:])
    return modules
