# SPDX-License-Identifier: Apache-2.0
"""Bodies arrive octet for octet, however they come in and go out, and large ones in bounded memory (R04, R20, R37)."""

import quopri
import smtplib

from lib import content
from lib.baton import Memory
from lib.client import Client
from lib.relay_case import RelayCase
from lib.runner import seconds
from lib.server import EXTENSIONS

MIB = 1024 * 1024
WITHOUT_BDAT = tuple(each for each in EXTENSIONS if each != "CHUNKING")
SEVEN_BIT = ("PIPELINING", "SIZE 100000000")


class Bodies(RelayCase):
    def bdat(self, client, octets, piece=1000):
        """Sends content in chunks; the last reply."""
        for at in range(0, max(len(octets), 1), piece):
            part = octets[at:at + piece]
            last = at + piece >= len(octets)
            client.send(f"BDAT {len(part)}{' LAST' if last else ''}\r\n".encode() + part)
            answer = client.reply()
            if not answer.startswith("250"):
                return answer
        return answer

    def all_arrive(self, extensions, by_bdat):
        baton, server = self.start_relay(extensions=extensions)
        bodies = content.hard_bodies()
        with Client(baton.relay_port) as client:
            for name, body in bodies.items():
                octets = content.message(name.replace(" ", "_"), body, header=content.MIME_8BIT)
                if by_bdat:
                    client.ask("MAIL FROM:<ann@sender.test> BODY=8BITMIME")
                    client.ask("RCPT TO:<bob@dest.test>")
                    answer = self.bdat(client, octets)
                else:
                    answer = client.mail("ann@sender.test", ["bob@dest.test"], octets, " BODY=8BITMIME")[1]
                self.assertTrue(answer.startswith("250 2.0.0 queued"), answer)
        arrived = {content.tag_of(message.content): message for message in server.wait_for(len(bodies))}
        for name, body in bodies.items():
            message = arrived[name.replace(" ", "_")]
            self.assertEqual(content.body_of(message.content), body, name)
            self.assertEqual(message.by_bdat, "CHUNKING" in extensions)
            self.assertEqual("BODY=8BITMIME" in message.sender_parameters, not body.isascii(), name)

    def test_R04_by_DATA_in_and_DATA_out(self):
        self.all_arrive(WITHOUT_BDAT, by_bdat=False)

    def test_R04_by_DATA_in_and_BDAT_out(self):
        self.all_arrive(EXTENSIONS, by_bdat=False)

    def test_R04_by_BDAT_in_and_DATA_out(self):
        self.all_arrive(WITHOUT_BDAT, by_bdat=True)

    def test_R04_by_BDAT_in_and_BDAT_out(self):
        self.all_arrive(EXTENSIONS, by_bdat=True)

    def test_R20_an_8bit_body_reaches_a_7bit_server_in_an_encoding(self):
        baton, server = self.start_relay(extensions=SEVEN_BIT)
        body = content.hard_bodies()["UTF-8"]
        self.send(baton, "1", body, header=content.MIME_8BIT, mail_parameters=" BODY=8BITMIME")
        arrived = server.wait_for(1)[0].content
        self.assertTrue(arrived.isascii())
        self.assertIn(b"Content-Transfer-Encoding: quoted-printable", arrived)
        self.assertEqual(quopri.decodestring(content.body_of(arrived)).replace(b"\r\n", b"\n"),
                         body.replace(b"\r\n", b"\n"))

    def test_R20_SMTPUTF8_reaches_a_server_that_knows_it(self):
        baton, server = self.start_relay()
        with smtplib.SMTP("127.0.0.1", baton.relay_port) as client:
            client.ehlo("client.test")
            client.sendmail("änn@sender.test", ["bøb@dest.test"], content.message("utf8"),
                            mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        message = server.wait_for(1)[0]
        self.assertEqual((message.sender, message.addresses()), ("änn@sender.test", ["bøb@dest.test"]))
        self.assertIn("SMTPUTF8", message.sender_parameters)

    def test_R20_SMTPUTF8_to_a_server_without_it_is_567(self):
        baton, server = self.start_relay(extensions=WITHOUT_BDAT[:3])
        with smtplib.SMTP("127.0.0.1", baton.relay_port) as client:
            client.ehlo("client.test")
            client.sendmail("ann@sender.test", ["bøb@dest.test"], content.message("utf8"), mail_options=["SMTPUTF8"])
        bounce = server.wait_for(1)[0]
        self.assertEqual(bounce.sender, "")
        self.assertRegex(bounce.content.decode(), r"Status: 5\.6\.7")


class Large(RelayCase):
    """50 MB, with the memory of every role watched."""

    SIZE = 50 * MIB
    CONTENT_MIB = 64  # what core may hold of fresh messages
    OTHERS_MIB = 24   # what any role may need besides: rings, buffers, the job in hand

    def pass_one(self, extensions, single=False):
        baton, server = self.start_relay({
            "spool": {"segment_bytes": "64M", "content_memory_bytes": f"{self.CONTENT_MIB}M"},
            "limits": {"message_bytes": "64M"}}, extensions=extensions, single=single)
        body = content.lines_of(self.SIZE, 50)
        self.send(baton, "warm-up")  # what is mapped once is no matter of size
        server.wait_for(1)
        with Memory(baton) as memory:
            self.send(baton, "large", body)
            message = server.wait_for(2, 60)[1]
            baton.wait_for_empty_queue()
        self.assertEqual(len(content.body_of(message.content)), len(body))
        self.assertTrue(content.body_of(message.content) == body, "50 MB, octet for octet")
        for role, most in memory.most.items():
            bound = self.OTHERS_MIB + (self.CONTENT_MIB if role in ("core", "single") else 0)
            grown = (most - memory.before.get(role, 0)) / MIB
            self.assertLess(grown, bound, f"{role} grew by {grown:.0f} MiB for a message of 50")

    @seconds(90)
    def test_R37_50_MB_by_BDAT_out_in_bounded_memory(self):
        self.pass_one(EXTENSIONS)

    @seconds(90)
    def test_R37_50_MB_by_DATA_out_in_bounded_memory(self):
        self.pass_one(WITHOUT_BDAT)

    @seconds(90)
    def test_R37_50_MB_in_one_process(self):
        self.pass_one(EXTENSIONS, single=True)

    def test_R36_too_large_is_refused_by_name(self):
        baton, _ = self.start_relay({"limits": {"message_bytes": "1M"}})
        with Client(baton.relay_port) as client:
            self.assertIn("SIZE 1048576", client.extensions)
            self.assertTrue(client.ask("MAIL FROM:<ann@sender.test> SIZE=2000000").startswith("552 5.3.4"))
            _, answer = client.mail("ann@sender.test", ["bob@dest.test"], content.lines_of(2 * MIB, 1))
            self.assertTrue(answer.startswith("552 5.3.4"), answer)
            _, answer = client.mail("ann@sender.test", ["bob@dest.test"], content.message("small"))
            self.assertTrue(answer.startswith("250"), "the session is usable")
