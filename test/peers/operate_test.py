# SPDX-License-Identifier: Apache-2.0
"""What an operator does, by the command line, and what the relay bears: the sandbox end to end, queue commands, reload,
a graceful stop, a full disk, a restart (R22, R24, R39, D02, U01, U02)."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from lib import baton as relay
from lib import content, net
from lib.client import Client, Gone, queue_id
from lib.relay_case import RelayCase, to_server
from lib.runner import seconds


class Sandbox(RelayCase):
    """A relay as a newcomer has it: the gate is closed."""

    def setUp(self):
        self.baton = self.start_baton({"sandbox": {"gate": "closed"}})

    def test_R06_mail_to_the_sandbox_can_be_looked_at(self):
        body = content.hard_bodies()["dots"]
        self.send(self.baton, "s1", body, to=["you@sandbox.test"])
        rows = net.wait_until(lambda: json.loads(self.baton.cli("sandbox", "ls", "-o", "json")), 10, "the message")
        self.assertEqual((rows[0]["from"], rows[0]["to"]), ("ann@sender.test", "you@sandbox.test"))
        self.assertEqual(content.body_of(self.baton.api.sandbox_message(rows[0]["n"]).encode()), body)
        self.assertIn("X-Tag: s1", self.baton.cli("sandbox", "show", str(rows[0]["n"])))
        self.baton.wait_for_empty_queue()

    def test_R51_mail_to_elsewhere_is_refused_and_told_how(self):
        with Client(self.baton.relay_port) as client:
            to_each, _ = client.mail("ann@sender.test", ["bob@elsewhere.test"], b"\r\n")
        self.assertTrue(to_each[0].startswith("550 5.7.1 [SANDBOX]"), to_each)
        self.assertIn("baton live", to_each[0])

    def test_R15_the_gate_opens_and_closes(self):
        self.baton.api.post("/v1/live", reason="a test")
        with Client(self.baton.relay_port) as client:
            client.ask("MAIL FROM:<ann@sender.test>")
            self.assertTrue(client.ask("RCPT TO:<bob@elsewhere.test>").startswith("250"))
        self.baton.api.call("DELETE", "/v1/live")
        with Client(self.baton.relay_port) as client:
            client.ask("MAIL FROM:<ann@sender.test>")
            self.assertTrue(client.ask("RCPT TO:<bob@elsewhere.test>").startswith("550 5.7.1 [SANDBOX]"))

    def test_R05_baton_send_hands_a_message_over(self):
        with tempfile.TemporaryDirectory() as folder:
            password = pathlib.Path(folder) / "password"
            password.write_text(self.baton.password + "\n")
            password.chmod(0o600)
            done = subprocess.run(
                [relay.binary(), "send", "--server", f"localhost:{self.baton.submission_port}", "--user", "client",
                 "--password-file", password, "--ca", self.baton.folder / "cert.pem", "--from", "ann@sender.test",
                 "--to", "you@sandbox.test", "--subject", "by hand"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = net.wait_until(self.baton.api.sandbox, 10, "the message")
        self.assertEqual(rows[0]["subject"], "by hand")


class Queue(RelayCase):
    """The next hop refuses with 4yz until it is told otherwise; the sender's mailbox is another server."""

    def setUp(self):
        self.remote = self.start_server(answers={"rcpt": "451 4.3.2 busy, come back"})
        self.mailbox = self.start_server()
        self.baton = self.start_baton({"routes": [to_server(self.remote, "dest.test"),
                                                  to_server(self.mailbox, "sender.test")],
                                       "retry": {"steps": ["1h"]}})

    def queued(self, tag="q1"):
        """A message that was tried once and waits."""
        identity = self.send(self.baton, tag)
        net.wait_until(lambda: self.state(identity) == "deferred", 10, "a first try")
        return identity

    def state(self, identity):
        return next((row["state"] for row in self.baton.api.queue() if row["id"] == identity), None)

    def test_R24_ls_show_why_and_summary_tell_what_waits(self):
        identity = self.queued()
        self.assertIn(identity, self.baton.cli("queue", "ls"))
        self.assertEqual(json.loads(self.baton.cli("queue", "ls", "-o", "json"))[0]["to"], "bob@dest.test")
        self.assertIn("ann@sender.test", self.baton.cli("queue", "show", identity))
        why = json.loads(self.baton.cli("queue", "why", identity, "-o", "json"))[0]
        self.assertEqual(why["to"], "bob@dest.test")
        self.assertTrue(why["why"] and why["next"])
        self.assertIn("127.0.0.1", self.baton.cli("queue", "summary"))

    def test_R24_retry_tries_now(self):
        identity = self.queued()
        self.remote.answers.clear()
        self.baton.cli("queue", "retry", identity)
        self.remote.wait_for(1, 10)
        self.baton.wait_for_empty_queue()

    def test_R24_hold_keeps_and_release_lets_go(self):
        identity = self.queued()
        self.baton.cli("queue", "hold", identity)
        self.assertEqual(self.state(identity), "held")
        self.remote.answers.clear()
        self.baton.cli("queue", "release", identity)
        self.remote.wait_for(1, 10)

    def test_R22_a_hold_outlives_a_restart(self):
        identity = self.queued()
        self.baton.cli("queue", "hold", identity)
        self.baton.stop()
        self.baton.start()
        self.assertEqual(self.state(identity), "held")

    def test_R23_drop_tells_the_sender(self):
        identity = self.queued()
        self.baton.cli("queue", "drop", identity, "--reason", "sent by mistake")
        told = self.mailbox.wait_for(1)[0]
        self.assertEqual((told.sender, told.addresses()), ("", ["ann@sender.test"]))
        self.assertIn(b"rfc822; bob@dest.test", told.content)
        self.assertIn(b"sent by mistake", told.content)
        self.baton.wait_for_empty_queue()
        self.assertEqual(self.baton.events("cancelled")[0]["actor"], "root" if os.getuid() == 0 else os.getlogin())

    def test_R23_drop_silently_needs_a_reason_and_leaves_a_log_line(self):
        identity = self.queued()
        self.assertEqual(self.baton.cli("queue", "drop", identity, "--silent", check=False).returncode, 2)
        self.baton.cli("queue", "drop", identity, "--silent", "--reason", "a test")
        self.baton.wait_for_empty_queue()
        event = net.wait_until(lambda: self.baton.events("cancelled"), 5, "the log line")[0]
        self.assertEqual(event["reason"], "a test")
        self.assertEqual(self.mailbox.messages, [])

    def test_R23_more_than_one_needs_yes(self):
        self.queued("q1"), self.queued("q2")
        self.assertNotEqual(self.baton.cli("queue", "drop", "--all", check=False).returncode, 0)
        self.assertEqual(len(self.baton.api.queue()), 2)
        self.baton.cli("queue", "drop", "--all", "--yes")
        self.mailbox.wait_for(2)
        self.baton.wait_for_empty_queue()

    def test_R24_exit_codes_are_stable(self):
        for words, code in ((("queue", "show", "0000000000000"), 3), (("queue", "nothing"), 2), (("status",), 0)):
            done = self.baton.cli(*words, check=False)
            self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")


class Life(RelayCase):
    def test_U01_reload_drops_no_session(self):
        baton, server = self.start_relay()
        with Client(baton.relay_port) as client:
            client.ask("MAIL FROM:<ann@sender.test>")
            client.ask("RCPT TO:<bob@dest.test>")
            self.assertTrue(client.ask("DATA").startswith("354"))
            client.send(content.message("across")[:50])
            for _ in range(10):
                baton.reload({"limits": {"recipients": 200}})
                net.wait_until(lambda: baton.api.items("/v1/status"), 10, "status")
            client.send(content.message("across")[50:] + b".\r\n")
            self.assertTrue(client.reply().startswith("250 2.0.0 queued"))
            self.assertTrue(client.ask("NOOP").startswith("250"))
        server.wait_for(1)

    def test_U02_a_bad_configuration_changes_nothing(self):
        baton, server = self.start_relay()
        baton.config_path.write_text("listeners: 7\n")
        baton.process.send_signal(signal.SIGHUP)
        self.assertIn("baton.yaml:1", baton.wait_for_log("reload-refused"))
        self.send(baton)
        server.wait_for(1)

    def test_R39_a_graceful_stop_finishes_what_is_in_hand(self):
        baton, server = self.start_relay(answers={"content": lambda *_: time.sleep(1.5)})
        self.send(baton)
        net.wait_until(lambda: server.times.get("content"), 10, "the content to be underway")
        baton.stop()
        self.assertEqual(len(server.messages), 1)
        server.answers.clear()
        baton.start()
        self.assertEqual(baton.api.queue(), [], "it is not sent again")

    def test_R39_open_sessions_get_421_at_a_stop(self):
        baton, _ = self.start_relay()
        with Client(baton.relay_port) as client:
            baton.stop()
            self.assertTrue(client.reply().startswith("421 4.3.2"))

    def test_R22_what_is_queued_outlives_a_restart(self):
        baton, server = self.start_relay({"retry": {"steps": ["300ms"]}}, answers={"connect": "421 4.3.2 closed"})
        for number in range(50):
            self.send(baton, str(number))
        baton.stop()
        baton.start()
        server.answers.clear()
        tags = [content.tag_of(message.content) for message in server.wait_for(50, 20)]
        self.assertEqual(sorted(tags, key=int), [str(number) for number in range(50)])

    def test_R22_in_one_process_too(self):
        baton, server = self.start_relay({"retry": {"steps": ["300ms"]}}, single=True,
                                         answers={"connect": ["421 4.3.2 closed", None]})
        self.send(baton)
        baton.stop()
        baton.start()
        server.wait_for(1, 10)
        baton.wait_for_empty_queue()


class FullDisk(RelayCase):
    """The state folder is a small file system of its own."""

    MIB = 48

    def mount(self):
        if os.getuid() != 0:
            self.skipTest("a small file system needs root's rights to be mounted")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="baton-disk-"))
        self.addCleanup(shutil.rmtree, folder, True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.MIB}M,mode=755", "tmpfs", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        return folder

    @seconds(90)
    def test_D02_a_full_disk_refuses_with_452_and_recovers(self):
        folder = self.mount()
        server = self.start_server(answers={"connect": "421 4.3.2 closed for now"})
        baton = self.start_baton({"routes": [to_server(server)], "spool": {"segment_bytes": "4M",
                                                                         "reserve_bytes": "4M"},
                                  "retry": {"steps": ["1s"]}}, state_folder=folder)
        taken, refusal = self.fill(baton)
        self.assertTrue(refusal.startswith("452 4.3.1"), refusal)
        self.assertGreater(len(taken), 20)
        server.answers.clear()
        tags = sorted(content.tag_of(message.content) for message in server.wait_for(len(taken), 40))
        self.assertEqual(tags, sorted(taken), "the reserve lets what was taken leave, once each")
        baton.wait_for_empty_queue()
        net.wait_until(lambda: self.try_one(baton), 20, "room again")

    def fill(self, baton):
        """Sends until it is refused: the tags that were taken, and the refusal."""
        taken = []
        with Client(baton.relay_port) as client:
            for number in range(1000):
                _, answer = client.mail("ann@sender.test", ["bob@dest.test"],
                                        content.message(f"fill{number:04}", content.lines_of(200_000, number)))
                if not answer.startswith("250"):
                    return taken, answer
                queue_id(answer)
                taken.append(f"fill{number:04}")
        self.fail("the disk never filled")

    def try_one(self, baton):
        try:
            with Client(baton.relay_port) as client:
                return client.mail("ann@sender.test", ["bob@dest.test"], content.message("after"))[1].startswith("250")
        except (Gone, OSError):
            return False
