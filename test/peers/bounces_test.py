# SPDX-License-Identifier: Apache-2.0
"""What a sender is told: notifications by RFC 3464 and 3461, read by Python's own parser (R50, R51, R23)."""

import email
import email.policy

from lib import content, net
from lib.relay_case import RelayCase, to_server

REFUSAL = "550-5.1.1 No such user here.\r\n550 5.1.1 Really, nobody"


def refuse_bad(_session, address):
    return REFUSAL if address.startswith("bad") else None


def unfolded(field):
    return " ".join(field.split())


class Notification:
    """A DSN, taken apart."""

    def __init__(self, message):
        self.message = message
        self.parsed = email.message_from_bytes(message.content, policy=email.policy.default)
        self.parts = self.parsed.get_payload()
        plain = email.message_from_bytes(message.content)  # the older policy reads delivery-status as blocks
        blocks = plain.get_payload()[1].get_payload()
        self.of_message, self.of_recipients = blocks[0], blocks[1:]
        self.original = self.parts[2]

    def plain_words(self):
        return self.parts[0].get_content()


class Bounces(RelayCase):
    """Mail to dest.test meets a server that refuses bad…; sender.test is the sender's mailbox."""

    def setUp(self):
        self.remote = self.start_server(answers={"rcpt": refuse_bad})
        self.mailbox = self.start_server()
        self.baton = self.start_baton({"routes": [to_server(self.remote, "dest.test"),
                                                  to_server(self.mailbox, "sender.test")]})

    def notification(self, **sent):
        """Sends one message; the one notification that came of it."""
        self.send(self.baton, "orig", content.lines_of(600, 1), **sent)
        message = self.mailbox.wait_for(1)[0]
        self.baton.wait_for_empty_queue()
        self.assertEqual(len(self.mailbox.messages), 1)
        return Notification(message)

    def no_notification(self, **sent):
        self.send(self.baton, "orig", **sent)
        self.baton.wait_for_empty_queue()
        self.assertEqual(self.mailbox.messages, [])

    def test_R50_a_refused_recipient_is_told_to_the_sender(self):
        told = self.notification(to=["bad@dest.test", "good@dest.test"])
        self.assertEqual((told.message.sender, told.message.addresses()), ("", ["ann@sender.test"]))
        self.assertEqual(told.parsed.get_content_type(), "multipart/report")
        self.assertEqual(told.parsed.get_param("report-type"), "delivery-status")
        self.assertEqual(len(told.of_recipients), 1)
        self.assertEqual(told.of_recipients[0]["Action"], "failed")
        self.assertEqual(told.of_recipients[0]["Status"], "5.1.1")
        self.assertIn("bad@dest.test", told.of_recipients[0]["Final-Recipient"])
        self.assertIn("No such user here", unfolded(told.of_recipients[0]["Diagnostic-Code"]))
        self.assertIn("relay.test", told.of_message["Reporting-MTA"])
        self.assertIn("No such user here", told.plain_words())
        self.assertIn("bad@dest.test", told.plain_words())
        self.assertNotIn("good@dest.test", told.plain_words())
        self.assertEqual(len(self.remote.messages), 1, "the good recipient got it")
        for field in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted"):
            self.assertTrue(told.parsed[field], field)

    def test_R50_RET_HDRS_returns_the_header_alone(self):
        told = self.notification(to=["bad@dest.test"], mail_parameters=" RET=HDRS")
        self.assertEqual(told.original.get_content_type(), "text/rfc822-headers")
        self.assertIn("X-Tag: orig", told.message.content.decode())
        self.assertNotIn(content.lines_of(600, 1)[:60], told.message.content)

    def test_R50_RET_FULL_returns_all_of_it(self):
        told = self.notification(to=["bad@dest.test"], mail_parameters=" RET=FULL")
        self.assertEqual(told.original.get_content_type(), "message/rfc822")
        self.assertIn(content.lines_of(600, 1), told.message.content)

    def test_R50_ENVID_and_ORCPT_come_back(self):
        told = self.notification(to=["bad@dest.test"], mail_parameters=" ENVID=QQ+2B314",
                                 rcpt_parameters=" ORCPT=rfc822;first+2Bname@elsewhere.test NOTIFY=FAILURE")
        self.assertEqual(told.of_message["Original-Envelope-Id"], "QQ+314")
        self.assertEqual(told.of_recipients[0]["Original-Recipient"].replace(" ", ""),
                         "rfc822;first+name@elsewhere.test")

    def test_R50_NOTIFY_NEVER_is_obeyed(self):
        self.no_notification(to=["bad@dest.test"], rcpt_parameters=" NOTIFY=NEVER")

    def test_R50_NOTIFY_DELAY_alone_tells_no_failure(self):
        self.no_notification(to=["bad@dest.test"], rcpt_parameters=" NOTIFY=DELAY")

    def test_R50_NOTIFY_SUCCESS_is_passed_on_to_a_server_with_DSN(self):
        self.no_notification(to=["good@dest.test"], rcpt_parameters=" NOTIFY=SUCCESS",
                             mail_parameters=" RET=HDRS ENVID=x1")
        message = self.remote.messages[0]
        self.assertIn("NOTIFY=SUCCESS", message.recipients[0][1])
        self.assertIn("RET=HDRS", message.sender_parameters)
        self.assertIn("ENVID=x1", message.sender_parameters)

    def test_R50_NOTIFY_SUCCESS_is_told_here_when_the_server_lacks_DSN(self):
        self.remote.extensions = ("PIPELINING", "8BITMIME")
        told = self.notification(to=["good@dest.test"], rcpt_parameters=" NOTIFY=SUCCESS")
        self.assertEqual(told.of_recipients[0]["Action"], "relayed")

    def test_R50_no_bounce_for_a_bounce(self):
        self.no_notification(sender="", to=["bad@dest.test"])

    def expired(self, stage, answer):
        self.remote.answers[stage] = answer
        self.baton.reload({"retry": {"expire": "1s"}})
        self.baton.wait_for_log("reload", 10)
        told = self.notification(to=["bob@dest.test"])
        self.assertEqual(told.of_recipients[0]["Action"], "failed")
        self.assertRegex(told.of_recipients[0]["Status"], r"^[45]\.4\.7$")
        self.assertIn("not delivered in time", unfolded(told.of_recipients[0]["Diagnostic-Code"]))
        return told

    def test_R23_expired_mail_is_told(self):
        self.expired("rcpt", "451 4.7.1 come back later")

    def test_R23_expired_mail_of_a_closed_site_is_told_with_its_last_words(self):
        told = self.expired("connect", "421 4.3.2 closed for repair")
        self.assertIn("closed for repair", unfolded(told.of_recipients[0]["Diagnostic-Code"]))

    def test_R23_a_delay_is_told_once(self):
        self.remote.answers["rcpt"] = "451 4.7.1 come back later"
        self.baton.reload({"retry": {"delay_warning": "500ms"}})
        self.baton.wait_for_log("reload", 10)
        self.send(self.baton)
        told = Notification(self.mailbox.wait_for(1)[0])
        self.assertEqual(told.of_recipients[0]["Action"], "delayed")
        self.assertTrue(told.of_recipients[0]["Will-Retry-Until"])
        tries = self.baton.api.queue()[0]["tries"]
        net.wait_until(lambda: self.baton.api.queue()[0]["tries"] > tries + 2, 10, "three more tries")
        self.assertEqual(len(self.mailbox.messages), 1)

    def test_R50_an_8bit_original_survives_in_its_notification(self):
        body = content.hard_bodies()["8-bit"]
        self.send(self.baton, "orig", body, to=["bad@dest.test"], header=content.MIME_8BIT,
                  mail_parameters=" BODY=8BITMIME RET=FULL")
        told = self.mailbox.wait_for(1)[0]
        self.assertIn("BODY=8BITMIME", told.sender_parameters)
        self.assertIn(body, told.content)
