# SPDX-License-Identifier: Apache-2.0
"""Roles as processes: started, watched, started again, reloaded, ended."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

from lib import content, net
from lib.api import ApiError
from lib.baton import Baton, ROLES, binary
from lib.client import Client, Gone
from lib.relay_case import RelayCase
from lib.runner import seconds

MANY_SESSIONS = {
    "limits": {"sessions": 2000, "sessions_per_client": 2000, "connections_per_minute_per_client": 100000,
               "sessions_per_account": 2000, "messages_per_session": 1000000}
}
END_SECONDS = 30  # U07


def refusal(baton):
    """What `baton serve` says when it does not start; its exit status must be 1."""
    done = subprocess.run([binary(), "serve", "--config", baton.config_path], capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 1, f"ended with {done.returncode}\n{done.stderr}"
    return done.stderr


def restarts(baton, role):
    """For each end of a role that the log tells of, how long super waited before it started another."""
    return [int(number) for number in re.findall(rf"event=role-ended .*ended={role} .*restart_in_ms=(\d+)", baton.log())]


class Restarts(RelayCase):
    def kill(self, baton, role):
        """Ends a role and returns the process id of its successor."""
        before = baton.role_pids()[role][0]
        os.kill(before, signal.SIGKILL)
        return net.wait_until(lambda: [pid for pid in baton.role_pids().get(role, []) if pid != before], 15, role)[0]

    def test_R39_a_role_that_dies_again_and_again_waits_longer_each_time(self):
        baton = self.start_baton()
        for _ in range(4):
            self.kill(baton, "deliver")
        net.wait_until(lambda: len(restarts(baton, "deliver")) == 4, 10, "four ends in the log")
        self.assertEqual(restarts(baton, "deliver"), [100, 200, 400, 800])
        self.assertEqual(set(baton.role_pids()), set(ROLES))

    def test_R39_each_role_comes_back_and_mail_flows(self):
        baton, server = self.start_relay()
        for role in ("accept", "web", "vault", "resolve", "deliver", "report"):
            with self.subTest(role=role):
                self.kill(baton, role)

        def sent():
            with contextlib.suppress(OSError, Gone, AssertionError):
                return self.send(baton)
        net.wait_until(sent, 20, "an accepted message")
        baton.wait_for_empty_queue()
        self.assertGreaterEqual(len(server.messages), 1)

    def test_R39_with_core_all_begin_again(self):
        baton, _ = self.start_relay()
        before = baton.role_pids()
        self.kill(baton, "core")

        def all_new():
            now = baton.role_pids()
            return set(now) == set(ROLES) and not any(set(now[role]) & set(before[role]) for role in ROLES)
        net.wait_until(all_new, 20, "new roles")

        def sent():
            with contextlib.suppress(OSError, Gone, AssertionError):
                return self.send(baton)
        net.wait_until(sent, 20, "an accepted message")
        # Those that super has ended itself did nothing wrong.
        self.assertEqual(restarts(baton, "vault"), [100])


class Starts(unittest.TestCase):
    def make(self, **more):
        baton = Baton(**more)
        self.addCleanup(baton.remove)
        return baton

    def test_a_role_that_cannot_start_ends_serve_with_its_reason(self):
        baton = self.make()
        (baton.state / "spool").write_text("no folder")
        said = refusal(baton)
        self.assertRegex(said.splitlines()[-1], r"^baton: core: .*spool")

    def test_a_certificate_that_is_none_ends_serve_with_its_reason(self):
        baton = self.make()
        (baton.folder / "cert.pem").write_text("no certificate\n")
        self.assertRegex(refusal(baton).splitlines()[-1], r"^baton: .*(tls|cert|PEM)")

    def test_a_port_that_is_taken_is_named(self):
        baton = self.make()
        with socket.create_server(("127.0.0.1", baton.relay_port)):
            self.assertRegex(refusal(baton), rf"listener relay at 127.0.0.1:{baton.relay_port}: .*in use")

    def test_C17_a_second_instance_is_refused(self):
        with Baton() as first:
            second = self.make(state_folder=first.state)
            self.assertIn("api.sock: another process listens there", refusal(second))
            (first.state / "api.sock").unlink()  # the folder's lock stands behind it
            said = refusal(second)
            self.assertRegex(said.splitlines()[-1], r"^baton: (core|vault|report): ")
            self.assertIn("another", said)
            with Client(first.relay_port) as client:
                self.assertTrue(client.ask("NOOP").startswith("250"))

    def test_C17_a_lock_left_by_a_crash_is_no_obstacle(self):
        with Baton() as baton:
            baton.kill()
            baton.start()


class Load:
    """Sessions that hand over message after message, each in one session, until told to stop."""

    def __init__(self, baton, sessions=4):
        self.baton, self.done, self.sent, self.failures = baton, threading.Event(), 0, []
        self.threads = [threading.Thread(target=self._session, args=(n,)) for n in range(sessions)]

    def _session(self, number):
        try:
            with Client(self.baton.relay_port) as client:
                count = 0
                while not self.done.is_set():
                    tag = f"{number}-{count}"
                    answer = client.mail("ann@sender.test", ["bob@dest.test"], content.message(tag, b"Hi.\r\n"))[1]
                    if not answer.startswith("250"):
                        self.failures.append(answer)
                        return
                    count += 1
                    self.sent += 1
                client.quit()
        except Exception as error:  # a thread's failure is the test's
            self.failures.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()


class Reloads(RelayCase):
    def test_U01_a_hundred_reloads_under_load_drop_no_session(self):
        baton, server = self.start_relay(MANY_SESSIONS)
        pids = baton.role_pids()
        with Load(baton) as load:
            net.wait_until(lambda: load.sent > 0 or load.failures, 10, "load")
            for _ in range(100):
                baton.api.post("/v1/reload")
            after = load.sent
            net.wait_until(lambda: load.sent > after or load.failures, 10, "load")
        self.assertEqual(load.failures, [])
        self.assertEqual(baton.role_pids(), pids)
        baton.wait_for_empty_queue(60)
        self.assertEqual(len(server.messages), load.sent)

    def test_U02_a_broken_file_keeps_the_old_configuration(self):
        baton, _ = self.start_relay()
        good = baton.config_path.read_text()
        pids = baton.role_pids()
        for name, broken, said in (
            ("unknown key", good.replace('"hostname"', '"hostnam"'), "hostnam"),
            ("wrong type", good.replace('"sandbox": {', '"sandbox": 7, "x": {'), "sandbox"),
            ("no YAML", "{", "baton.yaml:"),
            ("listeners", good.replace(str(baton.relay_port), str(net.free_port())), "listeners changed"),
            ("resolvers", good.replace(baton.settings["dns"]["servers"][0], f"127.0.0.1:{net.free_port()}"),
             "dns.servers, dns.recursive or dns.trust_anchor_file changed"),
        ):
            with self.subTest(name):
                seen = len(baton.log())
                baton.config_path.write_text(broken)
                baton.process.send_signal(signal.SIGHUP)
                line = net.wait_until(lambda: next((line for line in baton.log()[seen:].splitlines()
                                                    if "event=reload-refused" in line), None), 10, "a refusal")
                self.assertIn(said, line)
                with self.assertRaises(ApiError) as refused:
                    baton.api.post("/v1/reload")
                self.assertEqual(refused.exception.status, 422)
                self.send(baton)
        baton.config_path.unlink()
        with self.assertRaises(ApiError):
            baton.api.post("/v1/reload")
        baton.config_path.write_text(good)
        baton.api.post("/v1/reload")
        self.assertEqual(baton.role_pids(), pids)
        self.send(baton)


class Ends(RelayCase):
    def test_U07_five_hundred_sessions_end_with_421(self):
        baton = self.start_baton(MANY_SESSIONS)
        clients = [Client(baton.relay_port) for _ in range(500)]
        self.addCleanup(lambda: [client.close() for client in clients])
        begun = time.monotonic()
        baton.process.send_signal(signal.SIGTERM)
        lasts = []
        for client in clients:
            try:
                lasts.append(client.reply()[:3])
            except (Gone, OSError) as error:
                lasts.append(repr(error))
        self.assertEqual(baton.process.wait(END_SECONDS), 0)
        self.assertLess(time.monotonic() - begun, END_SECONDS)
        self.assertEqual(lasts, ["421"] * len(clients))

    def test_U07_a_transaction_in_hand_is_finished_or_told(self):
        baton = self.start_baton(MANY_SESSIONS)
        with Client(baton.relay_port) as client:
            for command in ("MAIL FROM:<ann@sender.test>", "RCPT TO:<bob@dest.test>", "DATA"):
                answer = client.ask(command)
            self.assertTrue(answer.startswith("354"), answer)
            baton.process.send_signal(signal.SIGTERM)
            baton.wait_for_log("event=stopping")
            client.send(content.message("1", b"Hi.\r\n") + b".\r\n")
            self.assertIn(client.reply()[:3], ("250", "421", "451"))
        self.assertEqual(baton.process.wait(END_SECONDS), 0)

    @seconds(80)
    def test_U07_neither_a_silent_client_nor_a_silent_server_holds_up_the_end(self):
        mute = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(mute.close)
        baton = self.start_baton({"routes": [{"domain": "dest.test", "via": "smarthost", "host": "127.0.0.1",
                                              "port": mute.getsockname()[1], "tls": "never"}]})
        queued = self.send(baton)
        with Client(baton.relay_port) as client:
            for command in ("MAIL FROM:<ann@sender.test>", "RCPT TO:<bob@dest.test>", "DATA"):
                client.ask(command)
            client.send(b"Subject: never ended\r\n")
            begun = time.monotonic()
            baton.process.send_signal(signal.SIGTERM)
            self.assertEqual(client.reply()[:3], "421")
            self.assertEqual(baton.process.wait(END_SECONDS + 15), 0)
            self.assertLess(time.monotonic() - begun, END_SECONDS)
        baton.start()
        self.assertEqual([message["id"] for message in baton.api.queue()], [queued])
