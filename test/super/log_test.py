# SPDX-License-Identifier: Apache-2.0
"""The log's file: pruned, reopened, full (R92, D11)."""

import os
import pathlib
import shutil
import signal
import socket
import tempfile
import unittest

from lib import net
from lib.baton import Baton
from lib.client import Client
from lib.relay_case import RelayCase

KILO = 1024


class LogCase(RelayCase):
    def start(self, **log):
        """A baton that logs into a file; its `path`."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="baton-log-"))
        self.addCleanup(shutil.rmtree, folder)
        self.path = folder / "mail.log"
        return self.start_baton_at(self.path, **log)

    def start_baton_at(self, path, **log):
        # "serving" is looked for in the file.
        baton = Baton({"log": {"file": str(path), **log}})
        baton.log = lambda: "".join(each.read_text(errors="replace") for each in self.files())
        self.enterContext(baton)
        return baton

    def files(self):
        """Oldest first."""
        numbered = sorted(self.path.parent.glob(self.path.name + ".*"), key=lambda path: -int(path.suffix[1:]))
        return numbered + ([self.path] if self.path.exists() else [])

    def writers(self, baton):
        """{role: what its standard error is}"""
        return {role: os.readlink(f"/proc/{pid}/fd/2") for role, pids in baton.role_pids().items() for pid in pids}

    def talk(self, baton):
        """Something that accept, vault and others may log."""
        with Client(baton.relay_port) as client:
            client.mail("ann@sender.test", ["bob@sandbox.test"], b"Subject: 1\r\n\r\nHi.\r\n")


class Pruning(LogCase):
    def test_R92_the_log_is_put_aside_when_it_has_grown(self):
        baton = self.start(file_max=str(4 * KILO), file_keep=2)
        for _ in range(3):
            before = self.path.stat().st_ino
            while self.path.stat().st_size < 4 * KILO and self.path.stat().st_ino == before:
                self.talk(baton)
            net.wait_until(lambda: self.path.exists() and self.path.stat().st_ino != before, 10, "a new log")
            net.wait_until(lambda: set(self.writers(baton).values()) == {str(self.path)}, 5, "all roles write there")
        self.assertEqual([path.name for path in self.files()], ["mail.log.2", "mail.log.1", "mail.log"])
        for path in self.files()[:-1]:
            text = path.read_text()
            self.assertTrue(text.startswith("time=") and text.endswith("\n"), "only whole lines")
        # And what is started later writes there too.
        os.kill(baton.role_pids()["deliver"][0], signal.SIGKILL)
        net.wait_until(lambda: self.writers(baton).get("deliver") == str(self.path), 10, "deliver in the new log")

    def test_R92_every_message_is_told_once_through_all_files(self):
        baton = self.start(file_max=str(8 * KILO), file_keep=1000)
        for _ in range(60):
            self.talk(baton)
        net.wait_until(lambda: len(self.files()) > 1, 10, "a log put aside")
        for _ in range(20):
            self.talk(baton)
        net.wait_until(lambda: baton.log().count("event=accepted") >= 80, 10, "80 lines")
        self.assertEqual(baton.log().count("event=accepted"), 80)

    def test_R92_SIGUSR1_opens_the_file_again(self):
        baton = self.start(file_max="0")
        aside = self.path.with_name("mail.log.1")
        self.path.rename(aside)
        baton.process.send_signal(signal.SIGUSR1)
        net.wait_until(lambda: set(self.writers(baton).values()) == {str(self.path)}, 5, "all roles write there")
        self.talk(baton)
        net.wait_until(lambda: "event=accepted" in self.path.read_text(), 10, "a line in the new log")
        self.assertNotIn("event=accepted", aside.read_text())
        self.assertIsNone(baton.process.poll())

    def test_R92_a_file_that_was_moved_away_in_silence_is_missed(self):
        baton = self.start()
        self.path.unlink()
        net.wait_until(lambda: set(self.writers(baton).values()) == {str(self.path)}, 10, "a new log")

    def test_R92_reload_takes_another_file(self):
        baton = self.start()
        self.path = self.path.with_name("other.log")
        baton.write_config({"log": {"file": str(self.path)}})
        baton.api.post("/v1/reload")
        net.wait_until(lambda: set(self.writers(baton).values()) == {str(self.path)}, 10, "all roles write there")

    def test_U02_reload_keeps_the_log_when_the_other_cannot_be_opened(self):
        baton = self.start()
        good = baton.config_path.read_text()
        baton.write_config({"log": {"file": "/proc/nowhere/mail.log"}})
        baton.process.send_signal(signal.SIGHUP)
        net.wait_until(lambda: "event=reload-refused" in baton.log(), 10, "a refusal")
        self.assertIn("/proc/nowhere/mail.log", baton.log())
        baton.config_path.write_text(good)
        baton.api.post("/v1/reload")
        self.talk(baton)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_D11_mail_goes_on_while_the_log_is_full_and_lost_lines_are_counted(self):
        baton = self.start(file_max="0")
        self.path.unlink()
        self.path.symlink_to("/dev/full")
        baton.process.send_signal(signal.SIGUSR1)
        net.wait_until(lambda: set(self.writers(baton).values()) == {"/dev/full"}, 5, "a full log")

        def lost():
            return sum(row["facts"]["log_lines_lost"] for row in baton.api.items("/v1/status"))
        self.assertEqual({"log_lines_lost"} & set(baton.api.items("/v1/status")[0]["facts"]), {"log_lines_lost"})
        for _ in range(5):
            self.talk(baton)
        net.wait_until(lambda: lost() >= 5, 10, "lost lines in the status")
        self.path.unlink()
        baton.process.send_signal(signal.SIGUSR1)
        net.wait_until(lambda: set(self.writers(baton).values()) == {str(self.path)}, 5, "a log again")
        self.talk(baton)
        net.wait_until(lambda: "event=accepted" in self.path.read_text(), 10, "a line in the log")


class Systemd(unittest.TestCase):
    """What systemd hears when it starts baton as Type=notify."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="baton-notify-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(str(self.folder / "notify"))
        self.socket.settimeout(10)

    def hear(self, *but):
        """The next state that it is told, except those in `but`."""
        while True:
            said = self.socket.recv(4096).decode()
            if said not in but:
                return said

    def test_R39_ready_reloading_stopping_and_the_watchdog(self):
        environment = {"NOTIFY_SOCKET": str(self.folder / "notify"), "WATCHDOG_USEC": "200000"}
        os.environ.update(environment)
        self.addCleanup(lambda: [os.environ.pop(name) for name in environment])
        with Baton() as baton:
            self.assertEqual(self.hear(), "READY=1")
            for _ in range(3):
                self.assertEqual(self.hear(), "WATCHDOG=1")
            baton.reload()
            said = self.hear("WATCHDOG=1")
            self.assertTrue(said.startswith("RELOADING=1\nMONOTONIC_USEC="), said)
            self.assertEqual(self.hear("WATCHDOG=1"), "READY=1")
            baton.process.send_signal(signal.SIGTERM)
            self.assertEqual(self.hear("WATCHDOG=1"), "STOPPING=1")
