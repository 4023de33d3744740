# SPDX-License-Identifier: Apache-2.0
"""Open-relay tricks that lie in the session, not in the recipient's address (A01, R11; those: peers/doors_test.py).

Each is tried by a stranger at a relay listener; the recipient must be refused, or the mail must never leave."""

import base64
import socket

from lib import content
from lib.client import Client, Gone
from lib.relay_case import RelayCase

VICTIM = "victim@other.test"
REFUSED = r"^(5[0-9][0-9]|4[0-9][0-9]) "


def plain(user, secret):
    return base64.b64encode(f"\0{user}\0{secret}".encode()).decode()


# Said one after the other; the reply to the last must be a refusal. {user}, {secret}: a right credential, in the clear.
DIALOGUES = (
    ("HELO as ourselves", ("HELO relay.test", "MAIL FROM:<ann@relay.test>", f"RCPT TO:<{VICTIM}>")),
    ("HELO as localhost", ("HELO localhost", "MAIL FROM:<root@localhost>", f"RCPT TO:<{VICTIM}>")),
    ("HELO as our address", ("HELO [127.0.0.1]", "MAIL FROM:<root@[127.0.0.1]>", f"RCPT TO:<{VICTIM}>")),
    ("no HELO", ("MAIL FROM:<ann@sender.test>", f"RCPT TO:<{VICTIM}>")),
    ("from our own domain", ("EHLO x", "MAIL FROM:<bob@dest.test>", f"RCPT TO:<{VICTIM}>")),
    ("from our postmaster", ("EHLO x", "MAIL FROM:<postmaster@relay.test>", f"RCPT TO:<{VICTIM}>")),
    ("from the victim's domain", ("EHLO x", "MAIL FROM:<ann@other.test>", f"RCPT TO:<{VICTIM}>")),
    ("null sender", ("EHLO x", "MAIL FROM:<>", f"RCPT TO:<{VICTIM}>")),
    ("sender without domain", ("EHLO x", "MAIL FROM:<root>", f"RCPT TO:<{VICTIM}>")),
    ("AUTH= of a trusted name", ("EHLO x", "MAIL FROM:<ann@sender.test> AUTH=client@relay.test",
                                 f"RCPT TO:<{VICTIM}>")),
    ("behind a recipient of ours", ("EHLO x", "MAIL FROM:<ann@sender.test>", "RCPT TO:<bob@dest.test>",
                                    f"RCPT TO:<{VICTIM}>")),
    ("again, after a refusal", ("EHLO x", "MAIL FROM:<ann@sender.test>", f"RCPT TO:<{VICTIM}>",
                                f"RCPT TO:<{VICTIM}>")),
    ("after RSET", ("EHLO x", "MAIL FROM:<ann@dest.test>", "RCPT TO:<bob@dest.test>", "RSET",
                    "MAIL FROM:<ann@dest.test>", f"RCPT TO:<{VICTIM}>")),
    ("blanks", ("EHLO x", "MAIL FROM: <ann@sender.test>", f"RCPT TO: <{VICTIM}>")),
    ("without brackets", ("EHLO x", "MAIL FROM:<ann@sender.test>", f"RCPT TO:{VICTIM}")),
    ("source route", ("EHLO x", "MAIL FROM:<ann@sender.test>", f"RCPT TO:<@dest.test:{VICTIM}>")),
    ("ORCPT", ("EHLO x", "MAIL FROM:<ann@sender.test>", f"RCPT TO:<{VICTIM}> ORCPT=rfc822;bob@dest.test")),
    ("AUTH on the relay port", ("EHLO x", "AUTH PLAIN {plain}")),
    ("after a refused AUTH", ("EHLO x", "AUTH PLAIN {plain}", "MAIL FROM:<ann@sender.test>", f"RCPT TO:<{VICTIM}>")),
    ("XCLIENT", ("EHLO x", "XCLIENT ADDR=127.0.0.1 LOGIN=client")),
    ("after XCLIENT", ("EHLO x", "XCLIENT ADDR=127.0.0.1", "MAIL FROM:<ann@sender.test>", f"RCPT TO:<{VICTIM}>")),
    ("XFORWARD", ("EHLO x", "XFORWARD ADDR=127.0.0.1 SOURCE=LOCAL", "MAIL FROM:<ann@sender.test>",
                  f"RCPT TO:<{VICTIM}>")),
    ("ETRN", ("EHLO x", "ETRN other.test")),
    ("TURN", ("EHLO x", "TURN")),
    ("SEND", ("EHLO x", "SEND FROM:<ann@sender.test>")),
    ("an SRS address that we never wrote", ("EHLO x", "MAIL FROM:<>",
                                            "RCPT TO:<SRS0=aaaa=bb=other.test=victim@dest2.test>")),
    ("fullwidth at sign", ("EHLO x", "MAIL FROM:<ann@sender.test> SMTPUTF8", "RCPT TO:<victim＠other.test>")),
    ("ideographic full stop", ("EHLO x", "MAIL FROM:<ann@sender.test> SMTPUTF8", "RCPT TO:<victim@other。test>")),
    ("percent before our domain's literal", ("EHLO x", "MAIL FROM:<ann@sender.test>",
                                             "RCPT TO:<victim%other.test@[127.0.0.1]>")),
    ("a recipient with a NUL", ("EHLO x", "MAIL FROM:<ann@sender.test>", "RCPT TO:<victim@other.test\0@dest.test>")),
)


class Tricks(RelayCase):
    def setUp(self):
        self.server = self.start_server()
        self.baton = self.start_baton({
            "trusted_networks": [], "local_domains": ["dest.test"],
            "routes": [{"domain": "*", "via": "smarthost", "host": self.server.address, "port": self.server.port}]})

    def test_A01_R11_thirty_dialogues_are_refused(self):
        self.assertGreaterEqual(len(DIALOGUES), 30)
        fields = {"plain": plain(self.baton.user, self.baton.password)}
        for name, lines in DIALOGUES:
            with self.subTest(name), Client(self.baton.relay_port, hello=None) as client:
                for line in lines:
                    answer = client.ask(line.format(**fields) if "{" in line else line)
                self.assertRegex(answer.split("\n")[-1], REFUSED, name)
        self.assertEqual(self.server.messages, [])
        self.assertEqual(self.baton.api.queue(), [])

    def test_A01_recipients_in_the_header_are_not_the_envelope(self):
        with Client(self.baton.relay_port) as client:
            header = f"Bcc: {VICTIM}\r\nCc: {VICTIM}\r\nResent-To: {VICTIM}\r\nApparently-To: {VICTIM}"
            _, answer = client.mail("ann@sender.test", ["bob@dest.test"],
                                    content.message("1", b"Hello.\r\n", "bob@dest.test", header=header))
            self.assertTrue(answer.startswith("250"), answer)
        self.baton.wait_for_empty_queue()
        self.assertEqual([message.recipients[0][0] for message in self.server.messages], ["bob@dest.test"])

    def test_A01_B01_a_second_transaction_in_the_content_is_content(self):
        for end in (b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n\0.\r\n"):
            with self.subTest(end), Client(self.baton.relay_port) as client:
                for line in ("MAIL FROM:<ann@sender.test>", "RCPT TO:<bob@dest.test>", "DATA"):
                    client.ask(line)
                client.send(b"Subject: x\r\n\r\nHello" + end + b"MAIL FROM:<ann@dest.test>\r\n"
                            + f"RCPT TO:<{VICTIM}>\r\nDATA\r\nSubject: y\r\n\r\nBoo\r\n.\r\n".encode())
                client.reply()
        self.baton.wait_for_empty_queue()
        self.assertNotIn(VICTIM, [address for message in self.server.messages for address, _ in message.recipients])

    def test_A01_a_proxy_header_from_a_stranger_ends_nothing_but_his_session(self):
        for header in (b"PROXY TCP4 127.0.0.1 127.0.0.1 1 25\r\n",
                       b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x19"):
            with self.subTest(header), socket.create_connection(("127.0.0.1", self.baton.relay_port), 10) as line:
                said = line.makefile("rb")
                said.readline()
                line.sendall(header + b"EHLO x\r\nMAIL FROM:<ann@sender.test>\r\nRCPT TO:<victim@other.test>\r\n")
                line.shutdown(socket.SHUT_WR)
                self.assertNotRegex(said.read().decode("utf-8", "replace"), r"(?m)^250 2\.1\.5")
        self.assertEqual(self.server.messages, [])

    def test_A01_STARTTLS_forgets_what_was_said_before(self):
        """And what was sent behind it in the clear is not carried over (fault B02)."""
        with Client(self.baton.submission_port) as client:
            client.send(b"STARTTLS\r\nMAIL FROM:<ann@sender.test>\r\n" + f"RCPT TO:<{VICTIM}>\r\n".encode())
            client.reply()
            try:
                client._encrypt()
                client.input = client.socket.makefile("rb")
                answer = client.ask("DATA")
            except (OSError, Gone):
                answer = "the session has ended, as it may"
            self.assertNotRegex(answer, "^354")
        self.assertEqual(self.server.messages, [])
