# SPDX-License-Identifier: Apache-2.0
"""Accounts, credentials, and who may do anything at all: what is taken away is gone at once, and no secret stays."""

import base64
import json
import os
import pathlib
import subprocess
import unittest

from cli.case import CONFLICT, DENIED, NOT_FOUND, OK, OPERATOR, USAGE, CliCase
from lib.baton import binary
from lib.client import Client, Gone

SECRET = r"^bt_[0-9a-f]{64}$"


def sent(client):
    """Whether a message is taken over this session."""
    try:
        return client.mail("ann@sender.test", ["bob@dest.test"], b"Subject: x\r\n\r\n")[1].startswith("250")
    except (Gone, OSError):
        return False


class Accounts(CliCase):
    def test_account_add_ls(self):
        baton = self.start_baton()
        made = self.rows(baton, "account", "add", "shop")
        self.assertEqual((made["name"], made["state"], made["credentials"]), ("shop", "sandbox", 0))
        self.assertEqual(made["settings"]["identity"], "enforce")
        done = self.cli(baton, "account", "add", "shop", status=CONFLICT)
        self.assertIn("there already", done.stderr)
        for bad in ("", "two words", "a\nb", "a\u2028b", "a" * 200, "é"):
            self.cli(baton, "account", "add", bad, status=USAGE)
        self.assertEqual([row["name"] for row in self.rows(baton, "account", "ls")], ["tests", "shop"])
        baton.wait_for_log(f"event=account-added actor={OPERATOR} account=shop")

    def test_account_ls_pages(self):
        baton = self.start_baton()
        for i in range(12):
            baton.api.post("/v1/accounts", name=f"a{i}")
        self.assertEqual(len(self.rows(baton, "account", "ls")), 13)
        self.assertEqual(len(self.rows(baton, "account", "ls", "--limit", "7")), 7)
        self.assertEqual(len(baton.api.items("/v1/accounts", limit=5)), 13)


class Credentials(CliCase):
    def add(self, baton, user, *more):
        made = self.rows(baton, "cred", "add", user, "--account", "tests", *more)
        self.assertRegex(made["secret"], SECRET)
        return made["secret"]

    def login(self, baton, user, secret):
        return Client(baton.submission_port, starttls=True, user=(user, secret))

    def test_cred_add_ls_rm(self):
        baton = self.start_baton()
        secret = self.add(baton, "printer", "--normalize")
        self.login(baton, "printer", secret).close()
        self.cli(baton, "cred", "add", "printer", "--account", "tests", status=CONFLICT)
        self.cli(baton, "cred", "add", "scanner", "--account", "nobody", status=NOT_FOUND)
        self.cli(baton, "cred", "add", "scanner", status=USAGE)
        found = {row["user"]: row for row in self.rows(baton, "cred", "ls")}
        self.assertEqual((set(found), found["printer"]["normalize"]), ({"client", "printer"}, True))
        self.assertEqual(len(self.rows(baton, "cred", "ls", "--account", "tests")), 2)
        self.cli(baton, "cred", "ls", "--account", "nobody", status=NOT_FOUND)
        self.cli(baton, "cred", "rm", "printer")
        self.cli(baton, "cred", "rm", "printer", status=NOT_FOUND)
        self.assertEqual([row["user"] for row in self.rows(baton, "cred", "ls")], ["client"])

    def test_A07_revoked_credential_ends_open_sessions(self):
        baton, server = self.start_relay({"trusted_networks": []})
        secret, other_secret = self.add(baton, "printer"), self.add(baton, "other")
        with self.login(baton, "printer", secret) as idle, self.login(baton, "printer", secret) as busy, \
                self.login(baton, "other", other_secret) as other:
            self.assertTrue(busy.ask("MAIL FROM:<ann@sender.test>").startswith("250"))
            self.assertTrue(busy.ask("RCPT TO:<bob@dest.test>").startswith("250"))
            self.cli(baton, "cred", "rm", "printer")
            self.assertTrue(busy.ask("DATA").startswith("354"))
            busy.send(b"Subject: late\r\n\r\nlate\r\n.\r\n")
            self.assertRegex(busy.reply(), "^[45]")
            self.assertFalse(sent(idle))
            self.assertTrue(sent(other))
        with Client(baton.submission_port, starttls=True) as again:
            plain = base64.b64encode(f"\0printer\0{secret}".encode()).decode()
            self.assertTrue(again.ask(f"AUTH PLAIN {plain}").startswith("535"))
        self.assertEqual(len(server.wait_for(1)), 1)

    def test_cred_survives_restart(self):
        baton = self.start_baton()
        kept, gone = self.add(baton, "kept"), self.add(baton, "gone")
        self.cli(baton, "cred", "rm", "gone")
        baton.stop()
        baton.start()
        self.login(baton, "kept", kept).close()
        with self.assertRaisesRegex(AssertionError, "535"):
            self.login(baton, "gone", gone)

    def test_A06_no_secret_anywhere(self):
        baton, server = self.start_relay()
        secret = self.add(baton, "printer")
        plain = base64.b64encode(f"\0printer\0{secret}".encode()).decode()
        spellings = [secret, secret[3:], plain, base64.b64encode(secret.encode()).decode()]
        with self.login(baton, "printer", secret) as client:
            client.mail("ann@sender.test", ["bob@dest.test"], b"Subject: x\r\n\r\nx\r\n")
        with Client(baton.submission_port, starttls=True) as client:
            client.ask("AUTH PLAIN " + plain[:-8] + "AAAAAAA=")
            client.ask(f"AUTH LOGIN {secret}")
        server.wait_for(1)
        self.cli(baton, "cred", "rm", "printer")
        answers = [json.dumps(baton.api.items(path)) for path in
                   ("/v1/credentials", "/v1/accounts", "/v1/status", "/v1/queue")]
        baton.stop()
        places = [baton.log(), *answers]
        places += [path.read_bytes().decode("latin-1") for path in baton.state.rglob("*") if path.is_file()]
        for spelling in spellings:
            self.assertFalse([place[:200] for place in places if spelling in place], "a secret lies about")


@unittest.skipUnless(os.getuid() == 0, "other users' rights are tried as root")
class Access(CliCase):
    FOREIGN = "daemon"

    def as_user(self, baton, user, *words, groups=()):
        """`baton words…` of another user, over a copy of the program that everybody may run."""
        change = ["setpriv", "--reuid", user, "--regid", user]
        change += ["--groups", ",".join(groups)] if groups else ["--clear-groups"]
        return subprocess.run([*change, self.program(baton), *words, "--socket", baton.api.path],
                              capture_output=True, text=True, timeout=30, check=False)

    def program(self, baton):
        copy = baton.folder / "baton"
        if not copy.exists():
            copy.write_bytes(pathlib.Path(binary()).read_bytes())
            copy.chmod(0o755)
        return copy

    def test_foreign_user_is_denied(self):
        baton = self.start_baton()
        baton.state.chmod(0o755)  # even where the folder is open, the socket is not
        done = self.ended(self.as_user(baton, self.FOREIGN, "queue", "ls"), DENIED)
        self.assertIn("only root and the group", done.stderr)
        self.ended(self.as_user(baton, self.FOREIGN, "cred", "add", "x", "--account", "tests"), DENIED)

    def test_group_may(self):
        baton = self.start_baton({"group": "games"})
        self.ended(self.as_user(baton, self.FOREIGN, "queue", "ls", groups=["games"]), OK)
        self.ended(self.as_user(baton, self.FOREIGN, "account", "add", "shop", groups=["games"]), OK)
        number = subprocess.run(["id", "-u", self.FOREIGN], capture_output=True, text=True, check=True).stdout.strip()
        baton.wait_for_log(f"event=account-added actor=uid:{number} account=shop")

    def test_state_is_private(self):
        baton = self.start_baton()
        for path in baton.state.iterdir():
            self.assertEqual(path.stat().st_mode & 0o007, 0, path)
