# SPDX-License-Identifier: Apache-2.0
"""A remote server that stalls, drops, splits, refuses and lies at every stage (N01, N06, N07, N11, N12): no message is
lost, none is called delivered that was not, and the right recipient gets the right end."""

import pathlib
import tempfile
import time

from lib import certificate, content, net
from lib.relay_case import RelayCase, to_server
from lib.server import EXTENSIONS, Drop, Raw, Reset, Split, Stall, ThenDrop

SHORT = {"timeouts": {name: "700ms" for name in ("greeting", "helo", "mail", "rcpt", "data", "data_block", "data_end",
                                                 "tls")}}
BEFORE_CONTENT = ("connect", "ehlo", "mail", "rcpt", "data")
STAGES = BEFORE_CONTENT + ("content",)
WITHOUT_BDAT = tuple(each for each in EXTENSIONS if each != "CHUNKING")
PROPER = {"connect": "220 sink.test", "ehlo": "250-sink.test\r\n250 SIZE 1000000", "mail": "250 2.1.0 ok",
          "rcpt": "250 2.1.5 ok", "data": "354 go", "content": "250 2.0.0 taken"}


class FirstTimeBad(RelayCase):
    """The server misbehaves once at one stage; the retry finds it well."""

    def deliver_after(self, stage, bad, extensions=None):
        """Sends one message to a server that answers `bad` the first time; returns the server."""
        if extensions is None:
            extensions = WITHOUT_BDAT if stage == "data" else EXTENSIONS
        baton, server = self.start_relay(SHORT, answers={stage: [bad, None]}, extensions=extensions)
        self.send(baton, stage, content.lines_of(3000, stage))
        message = server.wait_for(1, 15)[0]
        self.assertEqual(content.body_of(message.content), content.lines_of(3000, stage))
        baton.wait_for_empty_queue()
        self.assertEqual(len(server.messages), 1)
        net.wait_until(lambda: baton.events("relayed"), 5, "its log line")
        self.assertEqual(len(baton.events("relayed")), 1)
        return server

    def at_each_stage(self, bad, stages=STAGES):
        for stage in stages:
            with self.subTest(stage=stage):
                self.deliver_after(stage, bad(stage) if callable(bad) else bad)

    def test_N01_the_connection_ends_at_each_stage(self):
        self.at_each_stage(Drop())

    def test_N01_the_connection_is_reset_at_each_stage(self):
        self.at_each_stage(Reset())

    def test_N01_the_server_says_nothing_at_each_stage(self):
        self.at_each_stage(Stall(), BEFORE_CONTENT)

    def test_N06_421_at_each_stage(self):
        self.at_each_stage(lambda stage: ThenDrop("421 4.3.2 shutting down"))

    def test_N06_a_4yz_at_each_stage(self):
        self.at_each_stage("451 4.3.0 not now")

    def test_N11_rubbish_at_each_stage(self):
        self.at_each_stage(Raw(b"hello there, I am no mail server\r\n"))

    def test_N05_a_reply_of_only_a_beginning_at_each_stage(self):
        self.at_each_stage(Raw(b"250"), BEFORE_CONTENT)

    def test_N05_a_reply_octet_by_octet_at_each_stage(self):
        for stage in STAGES:
            with self.subTest(stage=stage):
                server = self.deliver_after(stage, Split(PROPER[stage], 0.001))
                self.assertEqual(server.times["connect"], 1, "one session was enough")

    def test_N05_an_endless_reply(self):
        self.deliver_after("ehlo", Raw(b"250-more\r\n" * 100_000))

    def test_N05_a_line_without_an_end(self):
        self.deliver_after("ehlo", Raw(b"250-" + b"x" * 1_000_000))

    def test_N01_a_server_without_any_extension(self):
        server = self.deliver_after("mail", None, extensions=())
        self.assertFalse(server.messages[0].by_bdat)

    def test_N06_EHLO_refused_then_HELO(self):
        baton, server = self.start_relay(answers={"ehlo": "502 5.5.1 only HELO here"})
        self.send(baton)
        server.wait_for(1, 5)
        self.assertEqual(server.times["helo"], 1)


class Refusals(RelayCase):
    """4yz and 5yz of the right recipient, and of it alone."""

    def test_N06_each_recipient_has_its_own_end(self):
        replies = {"good": None, "bad": "550 5.1.1 no", "late": ["450 4.2.1 later", None], "full": "552 5.2.2 full"}

        def answer(_session, address):
            reply = replies[address.split("@")[0]]
            return reply.pop(0) if isinstance(reply, list) else reply

        server, mailbox = self.start_server(answers={"rcpt": answer}), self.start_server()
        baton = self.start_baton({"routes": [to_server(server, "dest.test"), to_server(mailbox, "sender.test")]})
        self.send(baton, to=[f"{name}@dest.test" for name in replies])
        baton.wait_for_empty_queue()
        arrived = sorted(address for message in server.messages for address in message.addresses())
        self.assertEqual(arrived, ["good@dest.test", "late@dest.test"])
        told = b"".join(message.content for message in mailbox.wait_for(1))
        for name in ("bad", "full"):
            self.assertIn(b"Final-Recipient: rfc822; " + name.encode() + b"@dest.test", told)
        for name in ("good", "late"):
            self.assertNotIn(b"rfc822; " + name.encode() + b"@dest.test", told)

    def test_N06_a_5yz_after_content_bounces_all(self):
        server, mailbox = self.start_server(answers={"content": "554 5.7.1 spam"}), self.start_server()
        baton = self.start_baton({"routes": [to_server(server, "dest.test"), to_server(mailbox, "sender.test")]})
        self.send(baton, to=["a@dest.test", "b@dest.test"])
        baton.wait_for_empty_queue()
        told = b"".join(message.content for message in mailbox.wait_for(1))
        self.assertIn(b"rfc822; a@dest.test", told)
        self.assertIn(b"rfc822; b@dest.test", told)
        self.assertEqual(server.times["content"], 1)

    def test_R30_LMTP_answers_for_each_recipient(self):
        answers = {"content": lambda _, to: "550 5.2.1 no" if to.startswith("bad") else None}
        server = self.start_server(lmtp=True, answers=answers)
        mailbox = self.start_server()
        baton = self.start_baton({"routes": [to_server(server, "dest.test"), to_server(mailbox, "sender.test")]})
        self.send(baton, to=["good@dest.test", "bad@dest.test"])
        baton.wait_for_empty_queue()
        self.assertEqual([message.addresses() for message in server.messages], [["good@dest.test"]])
        self.assertIn(b"rfc822; bad@dest.test", mailbox.wait_for(1)[0].content)

    def test_R24_greylisting_then_delivered_by_the_schedule(self):
        first_seen = {}

        def greylist(_session, address):
            now = time.monotonic()
            waited = now - first_seen.setdefault(address, now)
            return None if waited > 1.5 else "450 4.7.1 greylisted, come back in 2 seconds"

        baton, server = self.start_relay({"retry": {"steps": ["500ms", "1s", "2s"]}}, answers={"rcpt": greylist})
        self.send(baton, to=["a@dest.test", "b@dest.test"])
        server.wait_for(1, 15)
        baton.wait_for_empty_queue()
        arrived = sorted(address for message in server.messages for address in message.addresses())
        self.assertEqual(arrived, ["a@dest.test", "b@dest.test"])
        self.assertTrue(all("greylisted" in event["text"] for event in baton.events("deferred")))

    def test_R36_SIZE_is_honoured_before_DATA(self):
        mailbox = self.start_server()
        server = self.start_server(extensions=("SIZE 5000",))
        baton = self.start_baton({"routes": [to_server(server, "dest.test"), to_server(mailbox, "sender.test")]})
        self.send(baton, body=content.lines_of(50_000, 1))
        told = mailbox.wait_for(1)[0].content
        self.assertIn(b"Status: 5.3.4", told)
        self.assertNotIn("data", server.times)

    def test_N12_a_kept_connection_that_the_server_closed(self):
        baton, server = self.start_relay({"timeouts": {"idle_kept": "30s"}})
        self.send(baton, "1")
        server.wait_for(1)
        server.sessions[0].connection.shutdown(2)
        self.send(baton, "2")
        server.wait_for(2, 5)
        self.assertEqual(baton.events("deferred"), [])

    def test_R29_a_connection_is_used_again(self):
        baton, server = self.start_relay({"timeouts": {"idle_kept": "10s"}})
        for number in range(20):
            self.send(baton, str(number))
            server.wait_for(number + 1)
        self.assertEqual(len(server.sessions), 1)

    def test_O04_a_dead_destination_delays_nobody(self):
        dead, alive = net.free_port(), self.start_server()
        baton = self.start_baton({"routes": [
            {"domain": "dead.test", "via": "smarthost", "host": "127.0.0.1", "port": dead}, to_server(alive)]})
        for number in range(100):
            self.send(baton, f"dead{number}", to=[f"bob{number}@dead.test"])
        self.send(baton, "alive", to=["bob@alive.test"])
        alive.wait_for(1, 5)


class NextHop(RelayCase):
    """TLS and AUTH towards a next hop (R12, R30)."""

    def start_hop(self, route, **server_settings):
        server = self.start_server(**server_settings)
        baton = self.start_baton({"routes": [to_server(server, **{"host": "localhost", **route})],
                                  "delivery": {"tls_ca_file": str(certificate.cert_file())}})
        return baton, server

    def password_file(self, text="secret"):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "password").write_text(text + "\n")
        (folder / "password").chmod(0o600)
        return str(folder / "password")

    def test_R12_STARTTLS_is_used_when_offered(self):
        baton, server = self.start_hop({}, tls=True)
        self.send(baton)
        self.assertTrue(server.wait_for(1)[0].tls)

    def test_R12_STARTTLS_that_fails_is_done_without_when_it_may(self):
        baton, server = self.start_hop({}, tls=True, answers={"starttls": "454 4.7.0 not now"})
        self.send(baton)
        self.assertFalse(server.wait_for(1)[0].tls)

    def test_R12_nothing_goes_in_the_clear_when_TLS_is_a_must(self):
        baton, server = self.start_hop({"tls": "must"})
        self.send(baton)
        net.wait_until(lambda: baton.events("deferred"), 10, "a deferral")
        self.assertNotIn("mail", server.times)

    def test_R30_AUTH_to_a_smarthost_by_STARTTLS_and_by_implicit_TLS(self):
        for mode, settings in (("must", {"tls": True}), ("implicit", {"implicit_tls": True})):
            baton, server = self.start_hop({"tls": mode, "user": "us", "password_file": self.password_file(),
                                            "tls_verify": True}, users={"us": "secret"}, **settings)
            self.send(baton)
            message = server.wait_for(1)[0]
            self.assertEqual((message.tls, message.user), (True, "us"))

    def test_R30_a_wrong_password_defers(self):
        baton, server = self.start_hop({"tls": "must", "user": "us", "password_file": self.password_file("wrong")},
                                       users={"us": "secret"}, tls=True)
        self.send(baton)
        net.wait_until(lambda: baton.events("deferred"), 10, "a deferral")
        self.assertEqual(server.messages, [])

    def test_R12_a_certificate_that_does_not_verify(self):
        server = self.start_server(tls=True)
        baton = self.start_baton({"routes": [to_server(server, host="localhost", tls="must", tls_verify=True)]})
        self.send(baton)
        net.wait_until(lambda: baton.events("deferred"), 10, "a deferral")
        self.assertNotIn("mail", server.times)
