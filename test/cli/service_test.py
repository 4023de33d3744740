# SPDX-License-Identifier: Apache-2.0
"""The relay as a whole: started in both forms, looked at, watched, reloaded and ended by command."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading

from cli.case import CONFLICT, DENIED, FAILED, NOT_FOUND, OK, TIMEOUT, UNHEALTHY, USAGE, CliCase, run
from lib import net
from lib.baton import ROLES, binary
from lib.client import Client


SMALL = {"limits": {"message_bytes": "64K", "header_bytes": "32K"}}


class Serve(CliCase):
    def test_serve_in_both_forms(self):
        for single in (False, True):
            with self.subTest(single=single):
                baton, server = self.start_relay(single=single)
                self.send(baton)
                server.wait_for(1)
                roles = self.rows(baton, "status")
                self.assertEqual([row["role"] for row in roles], list(ROLES))
                self.assertEqual(bool(baton.role_pids()), not single)
                self.assertTrue(all(row["facts"] for row in roles))

    def test_serve_refuses_a_bad_configuration(self):
        baton = self.start_baton()
        baton.stop()
        baton.config_path.write_text("hostname: relay.test\nno_such: 1\n")
        done = self.ended(run("serve", "--config", baton.config_path), FAILED)
        self.assertIn("baton.yaml:2: no_such: ", done.stderr)
        self.ended(run("serve", "--config", "/nonexistent"), FAILED)

    def test_serve_twice_is_refused(self):
        baton = self.start_baton()
        self.ended(run("serve", "--config", baton.config_path), FAILED)
        self.cli(baton, "status")  # the first one is not disturbed

    def test_status_is_unhealthy_without_a_role(self):
        baton = self.start_baton()
        (resolve,) = baton.role_pids()["resolve"]
        os.kill(resolve, signal.SIGSTOP)
        try:
            self.cli(baton, "status", status=UNHEALTHY)
        finally:
            os.kill(resolve, signal.SIGCONT)
        net.wait_until(lambda: run("status", "--config", baton.config_path).returncode == OK, 10, "health")

    def test_drain_ends_it(self):
        baton, server = self.start_relay()
        with Client(baton.relay_port) as client:
            self.send(baton)
            self.cli(baton, "drain")
            self.assertEqual(baton.process.wait(30), 0)
        self.assertEqual(len(server.wait_for(1)), 1)
        done = self.cli(baton, "status", status=FAILED)
        self.assertIn("no relay answers at", done.stderr)


class Reload(CliCase):
    def test_reload_takes_new_limits_and_keeps_sessions(self):
        baton, server = self.start_relay()
        with Client(baton.relay_port) as session:
            baton.write_config(SMALL)
            self.cli(baton, "reload")
            self.assertTrue(session.ask("NOOP").startswith("250"))
            net.wait_until(lambda: "SIZE 65536" in session.ask("EHLO client.test"), 10, "the new limit")
            answer = session.ask("MAIL FROM:<ann@sender.test> SIZE=65537")
            self.assertTrue(answer.startswith("552"), answer)
            self.assertTrue(session.mail("ann@sender.test", ["bob@dest.test"], b"Subject: x\r\n\r\n")[1]
                            .startswith("250"))
        with Client(baton.relay_port) as fresh:
            self.assertIn("SIZE 65536", fresh.extensions)
        server.wait_for(1)

    def test_reload_of_a_bad_file_keeps_the_old(self):
        baton = self.start_baton(SMALL)
        good = baton.config_path.read_text()
        line = next(i for i, text in enumerate(good.splitlines(), 1) if "message_bytes" in text)
        with Client(baton.relay_port) as session:
            for bad, where in ((good.replace('"64K"', '"many"'), f"baton.yaml:{line}: limits.message_bytes: "),
                               (good.replace("message_bytes", "message_byte"),
                                f"baton.yaml:{line}: limits.message_byte: "),
                               (good[:-3], "baton.yaml:")):
                baton.config_path.write_text(bad)
                done = self.ended(run("reload", "--socket", baton.api.path), USAGE)
                self.assertIn(where, done.stderr)
                self.assertIn("SIZE 65536", session.ask("EHLO client.test"))
        baton.config_path.write_text(good)
        self.cli(baton, "reload")

    def test_reload_by_signal(self):
        baton = self.start_baton()
        baton.reload(SMALL)
        baton.wait_for_log("event=reloaded")
        with Client(baton.relay_port) as client:
            net.wait_until(lambda: "SIZE 65536" in client.ask("EHLO x.test"), 10, "the new limit")


class Tail(CliCase):
    def start_tail(self, baton, *words):
        """A `baton tail` that is connected, its lines as they come."""
        process = subprocess.Popen([binary(), "tail", "--config", baton.config_path, *words], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        lines = []
        threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True).start()

        def reads():
            """Counts the readers that web serves; its own request is one."""
            return next(row["facts"]["requests"] for row in self.rows(baton, "status") if row["role"] == "web")
        self.readers = getattr(self, "readers", 1) + 1
        net.wait_until(lambda: reads() >= self.readers, 10, "tail to be connected")
        return process, lines

    def test_tail_shows_events_as_they_happen(self):
        baton, server = self.start_relay(answers={"rcpt": ["451 4.3.0 later", "250 2.1.5 ok"]})
        _, as_json = self.start_tail(baton, "-o", "json")
        _, plain = self.start_tail(baton)
        _, other = self.start_tail(baton, "--to", "@other.test")
        ident = self.send(baton)
        server.wait_for(1)
        net.wait_until(lambda: len(as_json) >= 3, 10, lambda: f"three events: {as_json}")
        events = [json.loads(line) for line in as_json]
        self.assertEqual([event["type"] for event in events], ["email.accepted", "email.deferred", "email.relayed"])
        self.assertEqual({event["id"] for event in events}, {ident})
        net.wait_until(lambda: len(plain) >= 3, 10, "three lines")
        self.assertIn(" code=451 status=4.3.0 text=later ", plain[1])
        self.assertEqual(other, [])

    def test_tail_ends_with_the_relay(self):
        baton = self.start_baton()
        process, _ = self.start_tail(baton)
        baton.stop()
        self.assertIn(process.wait(10), (OK, FAILED))

    def test_tail_tells_that_report_died(self):
        baton = self.start_baton()
        process, lines = self.start_tail(baton, "-o", "json")
        os.kill(baton.role_pids()["report"][0], signal.SIGKILL)
        self.assertEqual(process.wait(10), FAILED)
        self.assertIn("report was restarted", process.stderr.read())
        self.assertEqual(lines, [])


class NoRelay(CliCase):
    """What the client says when the relay answers badly or not at all."""

    def answer(self, status, body):
        """The path of a socket where one request gets this answer."""
        folder = tempfile.TemporaryDirectory(prefix="baton-cli-")
        self.addCleanup(folder.cleanup)
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(folder.name + "/s")
        listener.listen()

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        threading.Thread(target=serve, daemon=True).start()
        return folder.name + "/s"

    def test_exit_status_of_each_answer(self):
        for status, body, want in ((504, b'{"detail": "no answer in 120 s"}', TIMEOUT),
                                   (403, b'{"detail": "not you"}', DENIED), (404, b'{"detail": "x"}', NOT_FOUND),
                                   (409, b'{"detail": "x"}', CONFLICT), (422, b'{"detail": "x"}', USAGE),
                                   (400, b'{"detail": "x"}', USAGE), (503, b'{"detail": "x"}', FAILED),
                                   (500, b"no JSON", FAILED), (200, b"no JSON", FAILED), (500, b"", FAILED),
                                   (403, b'{"detail": 7}', DENIED), (403, b"[]", DENIED), (403, b"7", DENIED)):
            with self.subTest(status=status, body=body):
                self.ended(run("account", "ls", "--socket", self.answer(status, body)), want)
        done = self.ended(run("tail", "--socket", self.answer(503, b'{"detail": "report is away"}')), FAILED)
        self.assertEqual((done.stdout, done.stderr), ("", "baton: report is away\n"))

    def test_strange_lists(self):
        for body in (b"{}", b"[]", b'{"items": 7}', b'{"items": [], "next": "x"}', b'{"items": [7]}',
                     b'{"items": [{"name": [1, {"a": 2}]}]}', b'{"items": [{"name": "\\u001b[31m\\u202e"}]}'):
            with self.subTest(body=body):
                done = self.ended(run("account", "ls", "--socket", self.answer(200, body)), OK)
                self.assertNotIn("\x1b", done.stdout)
                self.assertNotIn("\u202e", done.stdout)

    def test_nobody_there(self):
        self.ended(run("status", "--socket", "/nonexistent/api.sock"), FAILED)
        self.ended(run("status", "--socket", "/" + "x" * 200), FAILED)
        self.ended(run("status", "--config", "/nonexistent"), USAGE)
