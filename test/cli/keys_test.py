# SPDX-License-Identifier: Apache-2.0
"""The members of what every command prints with -o json: scripts depend on them, so one that goes or changes its
type fails here. A new one is added here with what makes it."""

import json
import os
import signal
import subprocess

from cli.case import CliCase
from lib import net
from lib.baton import binary

ROW = {"id": str, "from": str, "to": str, "state": str, "site": str, "tries": int, "size": int, "accepted": str,
       "next": str}
ACTED = {"id": str, "to": str}
SENT = {"type": str, "timestamp": str, "id": str, "account": int, "from": str, "size": int}
ACCOUNT = {"id": str, "name": str, "state": str, "settings": dict, "credentials": int, "users": int, "streams": int,
           "domains": int, "accounts": int, "created": str}
CREDENTIAL = {"account": str, "kind": str, "normalize": bool, "expired": bool, "scram": bool, "settings": dict,
              "created": str, "last_used": (str, type(None))}
KEYS = {
    "status": {"role": str, "instance": int, "confinement": str, "facts": dict},
    "queue ls": ROW,
    "queue summary": {"site": str, "queued": int, "ready": int, "delivering": int, "connections": int,
                      "closed_until": (str, type(None)), "why": str},
    "queue show ID": ROW,
    "queue why ID": {"id": str, "to": str, "state": str, "why": str, "next": str},
    "queue hold ID": ACTED,
    "queue release ID": ACTED,
    "queue retry ID": ACTED,
    "queue drop ID": ACTED,
    "account add NEW": ACCOUNT,
    "account ls": ACCOUNT,
    "cred add NEW --account tests": {"user": str, "secret": str, **CREDENTIAL},
    "cred ls": {"user": str, **CREDENTIAL},
    "cred rotate client": {"user": str, "secret": str, **CREDENTIAL},
    "user add NEW --account tests role=developer": {
        "name": str, "password": str, "account": str, "role": str, "state": str, "settings": dict, "created": str,
        "last_used": (str, type(None))},
    "sandbox ls": {"n": int, "id": str, "from": str, "to": str, "subject": str, "size": int, "received": str,
                   "whole": bool},
}
MESSAGE = {"id": str, "from": str, "recipients": int, "size": int, "accepted": str, "account": int, "login": str,
           "client": str, "helo": str, "notification": bool}
SHOWN = {**KEYS["sandbox ls"], "part": int, "text": str}
PART = {"n": int, "part": int, "text": str}
ACCEPTED = {**SENT, "client": str, "helo": str, "recipients": int}
DEFERRED = {**SENT, "to": str, "destination": str, "source": str, "try": int, "host": str, "ip": str, "code": int,
            "status": str, "text": str, "scope": str, "tls": bool, "waited_ms": int, "dialogue_ms": int, "next": str}


class Keys(CliCase):
    def same(self, found, keys):
        self.assertEqual(list(found), list(keys))  # in this order too
        for key, kind in keys.items():
            self.assertIsInstance(found[key], kind, key)

    def tried_again(self, baton):
        return any(row["tries"] > 1 for row in self.rows(baton, "queue", "ls", "--state", "deferred"))

    def test_json_keys(self):
        baton, _ = self.start_away()
        ident = self.send(baton)
        self.send(baton, "2", to=["eve@sandbox.test"])
        self.wait_for_state(baton, "deferred")
        net.wait_until(lambda: baton.api.sandbox(), 10, "the sandbox message")
        for command, keys in KEYS.items():
            with self.subTest(command):
                words = command.replace("ID", ident).replace("NEW", "new").split()
                found = self.rows(baton, *words)
                if command == "queue retry ID":  # over, not only asked for
                    net.wait_until(lambda: self.tried_again(baton), 10, "the second attempt")
                if command == "queue show ID":
                    self.same(found.pop(0), MESSAGE)
                self.same(found if isinstance(found, dict) else found[0], keys)

    def test_json_keys_of_sandbox_show(self):
        baton = self.start_baton()
        self.send(baton, to=["eve@sandbox.test"], body=b"x" * 900 + b"\r\n" * 2000)
        (row,) = net.wait_until(lambda: baton.api.sandbox(), 10, "the sandbox message")
        first, *parts = self.rows(baton, "sandbox", "show", str(row["n"]))
        self.same(first, SHOWN)
        for i, part in enumerate(parts, 1):
            self.same(part, PART)
            self.assertEqual((part["part"], part["n"]), (i, row["n"]))

    def test_json_keys_of_tail(self):
        baton, _ = self.start_away()
        tail = subprocess.Popen([binary(), "tail", "-o", "json", "--config", baton.config_path], stdout=subprocess.PIPE,
                                text=True)
        try:
            net.wait_until(lambda: any(row["facts"].get("requests", 0) > 1 for row in self.rows(baton, "status")), 10,
                           "tail to be connected")
            self.send(baton)
            self.same(json.loads(tail.stdout.readline()), ACCEPTED)
            self.same(json.loads(tail.stdout.readline()), DEFERRED)
        finally:
            os.kill(tail.pid, signal.SIGINT)
            tail.wait(10)
            tail.stdout.close()


class Sandbox(CliCase):
    def test_sandbox_ls_show(self):
        baton = self.start_baton({"sandbox": {"keep": 5}})
        hard = "Grüße 🙂\r\n\x1b[31mred\u202e\r\n".encode() + b"\xff\xfe\r\n"
        for i in range(7):
            self.send(baton, str(i), to=["eve@sandbox.test"], body=hard)
        net.wait_until(lambda: [row["n"] for row in baton.api.sandbox()] == [7, 6, 5, 4, 3], 10,
                       lambda: f"the last five: {baton.api.sandbox()}")
        self.assertEqual(len(self.rows(baton, "sandbox", "ls", "--limit", "3")), 3)
        shown = self.cli(baton, "sandbox", "show", "7").stdout
        self.assertIn("X-Tag: 6\n", shown)
        self.assertIn("Grüße 🙂\n", shown)
        for wild in ("\x1b", "\u202e"):
            self.assertNotIn(wild, shown)
        for gone in ("1", "99", "x", "-1", "99999999999999999999"):
            self.assertIn(baton.cli("sandbox", "show", gone, check=False).returncode, (2, 3), gone)
