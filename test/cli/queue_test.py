# SPDX-License-Identifier: Apache-2.0
"""baton queue: what waits is shown, and is retried, held, released or dropped, by id or by filter."""

import re

from cli.case import CONFLICT, NOT_FOUND, OK, OPERATOR, PARTIAL, USAGE, CliCase
from lib import net

GOOD = "250 2.1.0 ok"
NO_ID = "1M80HQSFQ0000"


class Looking(CliCase):
    def test_queue_ls_filters(self):
        baton, _ = self.start_away()
        first = self.send(baton, "1", sender="ann@sender.test", to=["bob@dest.test", "eve@dest.test"])
        second = self.send(baton, "2", sender="carl@sender.test", to=["dan@other.test"])
        self.wait_for_state(baton, "deferred", 3)
        for words, found in (((), [first, first, second]), (("--to", "bob"), [first]), (("--from", "CARL@"), [second]),
                             (("--state", "held"), []), (("--from", "ann@", "--to", "dan"), []),
                             (("--site", "smtp:"), [first, first, second]), (("--site", "nowhere"), [])):
            with self.subTest(words=words):
                self.assertEqual([row["id"] for row in self.rows(baton, "queue", "ls", *words)], found)
        table = self.cli(baton, "queue", "ls").stdout.splitlines()
        self.assertEqual(table[0].split()[:4], ["ID", "STATE", "FROM", "TO"])
        self.assertEqual(len(table), 4)

    def test_queue_ls_limit(self):
        baton, _ = self.start_away()
        self.send(baton, to=[f"user{i}@dest.test" for i in range(20)])
        self.send(baton)
        self.assertEqual(len(self.rows(baton, "queue", "ls", "--limit", "5")), 5)
        self.assertEqual(len(self.rows(baton, "queue", "ls", "-n", "21")), 21)
        for bad in ("0", "-1", "many", "99999999999999999999"):
            self.cli(baton, "queue", "ls", "--limit", bad, status=USAGE)

    def test_queue_summary_show_why(self):
        baton, server = self.start_away()
        ident = self.send(baton, to=["bob@dest.test", "eve@dest.test"])
        self.wait_for_state(baton, "deferred", 2)
        (site,) = self.rows(baton, "queue", "summary")
        self.assertEqual((site["site"], site["queued"]), (f"smtp:127.0.0.1:{server.port}", 2))
        message, *recipients = self.rows(baton, "queue", "show", ident)
        self.assertEqual((message["id"], message["recipients"], message["client"]), (ident, 2, "127.0.0.1"))
        self.assertEqual([row["to"] for row in recipients], ["bob@dest.test", "eve@dest.test"])
        for row in self.rows(baton, "queue", "why", ident):
            self.assertRegex(row["why"], r"^attempt 1 did not succeed.* the next one is in \d+ s$")
            self.assertTrue(row["next"])
        self.cli(baton, "queue", "show", NO_ID, status=NOT_FOUND)
        self.cli(baton, "queue", "why", "no-id", status=NOT_FOUND)
        self.cli(baton, "queue", "show", "../status", status=NOT_FOUND)

    def test_queue_empty(self):
        baton, _ = self.start_away()
        done = self.cli(baton, "queue", "ls")
        self.assertEqual((done.stdout, done.stderr), ("", "baton: nothing\n"))
        self.assertEqual(self.rows(baton, "queue", "ls"), [])


class Acting(CliCase):
    def test_queue_retry(self):
        baton, server = self.start_away()
        ident = self.send(baton)
        self.wait_for_state(baton, "deferred")
        server.answers["mail"] = GOOD
        self.assertEqual(self.rows(baton, "queue", "retry", ident, "--dry-run"), [{"id": ident, "to": "bob@dest.test"}])
        self.wait_for_state(baton, "deferred")
        self.cli(baton, "queue", "retry", ident)
        server.wait_for(1)
        baton.wait_for_empty_queue()
        self.cli(baton, "queue", "retry", ident, status=NOT_FOUND)

    def test_queue_hold_release(self):
        baton, server = self.start_away()
        idents = [self.send(baton, "1"), self.send(baton, "2", to=["eve@dest.test"])]
        self.wait_for_state(baton, "deferred", 2)
        self.cli(baton, "queue", "release", idents[0], status=CONFLICT)
        self.cli(baton, "queue", "hold", "--to", "eve@", "--reason", "looked at")
        (held,) = self.wait_for_state(baton, "held")
        self.assertEqual(held["id"], idents[1])
        self.assertIn("looked at", baton.wait_for_log("event=email.held"))
        server.answers["mail"] = GOOD
        self.cli(baton, "queue", "retry", "--all")
        server.wait_for(1)
        self.assertIn("held", self.rows(baton, "queue", "why", idents[1])[0]["why"])
        self.cli(baton, "queue", "release", "--all")
        self.assertEqual(server.wait_for(2)[1].addresses(), ["eve@dest.test"])

    def test_queue_act_usage(self):
        baton, _ = self.start_away()
        ident = self.send(baton)
        for words in (("retry",), ("hold",), ("release",), ("drop",), ("retry", ident, "--all"),
                      ("drop", ident, "--to", "x"), ("drop", ident, "--silent"), ("retry", ident, "--silent"),
                      ("hold", "--state", "asleep"), ("drop", "--all", "--reason"), ("show",), ("show", ident, ident),
                      ("eat", ident)):
            with self.subTest(words=words):
                self.cli(baton, "queue", *words, status=USAGE)
        self.assertEqual(len(baton.api.queue()), 1)

    def test_queue_act_partial(self):
        baton, _ = self.start_away()
        ident = self.send(baton)
        self.wait_for_state(baton, "deferred")
        done = self.cli(baton, "queue", "hold", ident, NO_ID, status=PARTIAL)
        self.assertIn(NO_ID, done.stderr)
        self.wait_for_state(baton, "held")
        self.cli(baton, "queue", "hold", NO_ID, NO_ID, status=NOT_FOUND)


class Dropping(CliCase):
    def notifications(self, server, count):
        return [message for message in server.wait_for(count) if message.sender == ""]

    def test_queue_drop_one_tells_the_sender(self):
        baton, server = self.start_away()
        ident = self.send(baton)
        self.wait_for_state(baton, "deferred")
        server.answers["mail"] = GOOD
        self.assertEqual(self.rows(baton, "queue", "drop", ident, "--dry-run"), [{"id": ident, "to": "bob@dest.test"}])
        self.assertEqual([row["id"] for row in baton.api.queue()], [ident])
        self.cli(baton, "queue", "drop", ident, "--reason", "asked for by Ann")
        (told,) = self.notifications(server, 1)
        self.assertEqual(told.addresses(), ["ann@sender.test"])
        self.assertIn(b"bob@dest.test", told.content)
        self.assertIn(b"asked for by Ann", told.content)
        line = baton.wait_for_log("event=cancelled")
        for part in (f"id={ident}", "rcpt=bob@dest.test", f"actor={OPERATOR}"):
            self.assertIn(part, line)
        self.assertIn("asked for by Ann", baton.wait_for_log("event=email.cancelled"))

    def test_queue_drop_silent(self):
        baton, server = self.start_away()
        ident = self.send(baton)
        self.wait_for_state(baton, "deferred")
        server.answers["mail"] = GOOD
        self.cli(baton, "queue", "drop", ident, "--silent", "--reason", "a spam run")
        baton.wait_for_empty_queue()
        line = baton.wait_for_log("event=email.cancelled")
        for part in (f"actor={OPERATOR}", "silent=1", 'reason="a spam run"'):
            self.assertIn(part, line)
        self.assertIn(f"actor={OPERATOR}", baton.wait_for_log("event=cancelled"))
        self.send(baton, "2")
        self.assertEqual([message.sender for message in server.wait_for(1)], ["ann@sender.test"])

    def test_queue_drop_many_needs_yes(self):
        baton, server = self.start_away()
        idents = [self.send(baton, str(i)) for i in range(3)]
        self.wait_for_state(baton, "deferred", 3)
        for words in (("--all",), ("--from", "ann@"), idents):
            done = self.cli(baton, "queue", "drop", *words, status=USAGE)
            self.assertIn("3 messages would be dropped: repeat with --yes", done.stderr)
        self.assertEqual(len(baton.api.queue()), 3)
        server.answers["mail"] = GOOD
        dropped = self.rows(baton, "queue", "drop", "--all", "--yes")
        self.assertEqual([row["id"] for row in dropped], idents)
        self.assertEqual(len(self.notifications(server, 3)), 3)  # themselves not dropped

    def test_queue_drop_by_filter_takes_only_what_it_finds(self):
        baton, server = self.start_away()
        ident = self.send(baton, to=["bob@dest.test", "eve@dest.test"])
        self.wait_for_state(baton, "deferred", 2)
        server.answers["mail"] = GOOD
        self.assertEqual(self.rows(baton, "queue", "drop", "--to", "eve@"), [{"id": ident, "to": "eve@dest.test"}])
        (told,) = self.notifications(server, 1)
        self.assertEqual(re.findall(rb"^Final-Recipient: .*; (.*)\r$", told.content, re.M), [b"eve@dest.test"])
        net.wait_until(lambda: [row["to"] for row in baton.api.queue()] == ["bob@dest.test"], 10,
                       "only the other to stay")
        self.cli(baton, "queue", "drop", "--to", "nobody", status=CONFLICT)

    def test_queue_drop_many_ids(self):
        baton, _ = self.start_away()
        idents = [self.send(baton, str(i)) for i in range(2)]
        self.wait_for_state(baton, "deferred", 2)
        self.cli(baton, "queue", "drop", *idents, "--yes", "--silent", "--reason", "x", status=OK)
        baton.wait_for_empty_queue()
