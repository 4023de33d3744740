# SPDX-License-Identifier: Apache-2.0
"""Who may hand mail over and how: open-relay attempts, AUTH, STARTTLS, smuggling (R09, R11, R12, A01 to A03, B01)."""

import base64
import socket
import ssl

from lib import certificate, content
from lib.baton import Baton
from lib.client import Client, Gone
from lib.relay_case import RelayCase
from lib.server import EXTENSIONS

TRICKS = (
    "victim@other.test", "victim%other.test@dest.test@other.test", "victim@dest.test@other.test",
    '"victim@dest.test"@other.test', "victim%dest.test@other.test", "dest.test!victim@other.test",
    "@dest.test:victim@other.test", "@other.test,@dest.test:victim@other.test", "victim@[127.0.0.1]",
    "victim@[203.0.113.5]", "victim@[IPv6:::1]", "victim@localhost", "victim@127.0.0.1", "victim@relay.test.other.test",
    "victim@DEST.TEST.OTHER.TEST", "victim@dest.test.", "victim@.dest.test", "victim@dest.test\\@other.test",
    '"victim"@other.test', "<victim@other.test>", "victim@other.test>,<victim@dest.test", "victim@sub.dest.test",
    "victim@other.test dest.test", "postmaster@other.test", "victim@xn--dest.test", "other.test!victim@other2.test",
    "victim", "relay.test!victim", "victim%other.test", "victim@dest.test@",
)


class OpenRelay(RelayCase):
    """A stranger: nothing trusts 127.0.0.1; dest.test is the one domain that baton receives for."""

    def start_stranger(self):
        server = self.start_server()
        baton = self.start_baton({
            "trusted_networks": [], "local_domains": ["dest.test"], "routes": [
                {"domain": "*", "via": "smarthost", "host": server.address, "port": server.port}]})
        return baton, server

    def test_A01_a_stranger_reaches_only_our_own_domains(self):
        baton, server = self.start_stranger()
        for sender in ("ann@sender.test", "", "ann@dest.test", "ann@relay.test", "ann@localhost"):
            for start in range(0, len(TRICKS), 10):
                with Client(baton.relay_port) as client:
                    self.assertTrue(client.ask(f"MAIL FROM:<{sender}>").startswith("250"))
                    for trick in TRICKS[start:start + 10]:
                        answer = client.ask(f"RCPT TO:<{trick}>")
                        self.assertRegex(answer, r"^(550 5\.7\.1|5[05][0-9] 5\.[015]\.)", trick)
        with Client(baton.relay_port) as client:
            client.ask("MAIL FROM:<ann@sender.test>")
            self.assertTrue(client.ask("RCPT TO:<bob@dest.test>").startswith("250"), "what is ours is taken")
            self.assertTrue(client.ask("RCPT TO:<postmaster>").startswith("250"), "RFC 5321 4.5.1")
        self.assertEqual(server.messages, [])

    def test_R09_without_AUTH_submission_takes_nothing(self):
        baton, _ = self.start_stranger()
        for port, implicit in ((baton.submission_port, False), (baton.submissions_port, True)):
            with Client(port, implicit_tls=implicit) as client:
                self.assertRegex(client.ask("MAIL FROM:<ann@sender.test>"), r"^530 5\.7\.0")
                self.assertRegex(client.ask("RCPT TO:<bob@dest.test>"), r"^5(03|30) 5\.")
                self.assertRegex(client.ask("DATA"), r"^5(03|30) 5\.")

    def test_A02_AUTH_only_over_TLS(self):
        baton, _ = self.start_stranger()
        plain = base64.b64encode(f"\0client\0{baton.password}".encode()).decode()
        with Client(baton.submission_port) as client:
            self.assertNotIn("AUTH", client.extensions)
            self.assertRegex(client.ask(f"AUTH PLAIN {plain}"), r"^5(30|38|03) 5\.")
        with Client(baton.submission_port, starttls=True) as client:
            self.assertIn("AUTH PLAIN LOGIN", client.extensions)
            self.assertTrue(client.ask(f"AUTH PLAIN {plain}").startswith("235 2.7.0"))

    def test_A03_wrong_passwords_end_the_session(self):
        baton, _ = self.start_stranger()
        wrong = base64.b64encode(b"\0client\0wrong").decode()
        with Client(baton.submissions_port, implicit_tls=True) as client:
            answers = []
            with self.assertRaises((Gone, ssl.SSLError, OSError)):
                for _ in range(20):
                    answers.append(client.ask(f"AUTH PLAIN {wrong}"))
        self.assertTrue(answers[0].startswith("535 5.7.8"), answers)
        self.assertLessEqual(len(answers), 6)

    def test_R11_a_configuration_that_is_an_open_relay_does_not_start(self):
        baton = Baton({"trusted_networks": [{"network": "0.0.0.0/0", "account": "all"}]})
        self.addCleanup(baton.remove)
        with self.assertRaisesRegex(AssertionError, "baton ended with [1-9]"):
            baton.start()
        self.assertIn("trusted_networks", baton.log())


class Tls(RelayCase):
    def test_B03_what_was_pipelined_behind_STARTTLS_is_not_done(self):
        baton, server = self.start_relay()
        with Client(baton.submission_port) as client:
            client.send(b"STARTTLS\r\nEHLO evil.test\r\nMAIL FROM:<evil@evil.test>\r\n")
            try:
                answer = client.reply()
            except Gone:
                return
            if not answer.startswith("220"):
                return
            secure = certificate.client_context().wrap_socket(client.socket, server_hostname="localhost")
            secure.settimeout(1)
            with self.assertRaises((TimeoutError, ssl.SSLError)):
                secure.recv(100)  # nobody answers what came in the clear
        self.assertEqual(server.messages, [])

    def test_R12_TLS_versions_below_1_2_are_refused(self):
        baton, _ = self.start_relay()
        context = certificate.client_context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", baton.submissions_port), 5) as raw:
            with self.assertRaises((ssl.SSLError, OSError)):
                context.wrap_socket(raw, server_hostname="localhost")


SMUGGLED = b"MAIL FROM:<evil@evil.test>\r\nRCPT TO:<bob@dest.test>\r\nDATA\r\nX-Tag: smuggled\r\n\r\nevil\r\n"
FALSE_ENDS = {
    "LF.LF": b"\n.\n", "LF.CRLF": b"\n.\r\n", "CRLF.LF": b"\r\n.\n", "CR.CR": b"\r.\r", "CRLF.CR": b"\r\n.\r",
    "CR.CRLF": b"\r.\r\n", "CRCRLF.CRLF": b"\r\r\n.\r\n", "CRLF.CRCRLF": b"\r\n.\r\r\n", "NUL": b"\r\n.\0\r\n",
    "CRLF NUL.CRLF": b"\r\n\0.\r\n",
}


class Smuggling(RelayCase):
    """What some servers take for the end of data is none: one message, or a 5yz, never two (B01)."""

    def try_one(self, baton, octets, pieces):
        """Sends it after DATA, in pieces of so many octets; returns all that came back."""
        with Client(baton.relay_port, seconds=5) as client:
            client.ask("MAIL FROM:<ann@sender.test>")
            client.ask("RCPT TO:<bob@dest.test>")
            self.assertTrue(client.ask("DATA").startswith("354"))
            answers = []
            try:
                for at in range(0, len(octets), pieces):
                    client.send(octets[at:at + pieces])
                client.send(b"\r\n.\r\nQUIT\r\n")
                while True:
                    answers.append(client.reply())
            except (Gone, OSError):
                return answers

    def test_B01_no_false_end_of_data_makes_two_messages(self):
        baton, server = self.start_relay()
        for number, (name, end) in enumerate(FALSE_ENDS.items()):
            for pieces in (1, 7, 100_000):
                with self.subTest(end=name, pieces=pieces):
                    octets = content.message(f"smuggler-{number}-{pieces}", b"good") + end + SMUGGLED
                    answers = self.try_one(baton, octets, pieces)
                    taken = [answer for answer in answers if answer.startswith("250 2.0.0 queued")]
                    self.assertLessEqual(len(taken), 1, answers)
        baton.wait_for_empty_queue()
        self.assertEqual({message.sender for message in server.messages} - {"ann@sender.test", ""}, set())

    def test_B02_what_goes_out_is_one_message_to_a_server_that_is_lax(self):
        baton, server = self.start_relay(extensions=tuple(e for e in EXTENSIONS if e != "CHUNKING"))
        for number, body in enumerate((b".\r\n" + SMUGGLED, b"a\r\n.\r\n" + SMUGGLED, b"..\r\n.\r\n")):
            self.send(baton, str(number), body)
            arrived = server.wait_for(number + 1)[number]
            self.assertEqual(content.body_of(arrived.content), body)
        self.assertEqual({message.sender for message in server.messages}, {"ann@sender.test"})

    def test_B21_binary_content_by_BDAT_with_BODY_BINARYMIME(self):
        baton, server = self.start_relay(extensions=EXTENSIONS + ("BINARYMIME",))
        header = "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
        body = bytes(range(256)) * 40 + b"\n.\n\r.\r\n.\r\n"
        octets = content.message("binary", body, header=header)
        with Client(baton.relay_port) as client:
            client.ask("MAIL FROM:<ann@sender.test> BODY=BINARYMIME")
            client.ask("RCPT TO:<bob@dest.test>")
            client.send(f"BDAT {len(octets)} LAST\r\n".encode() + octets)
            self.assertTrue(client.reply().startswith("250 2.0.0 queued"))
        self.assertEqual(content.body_of(server.wait_for(1)[0].content), body)
