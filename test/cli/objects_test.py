# SPDX-License-Identifier: Apache-2.0
"""Accounts, streams, people, keys and domains by command; all of them as one file, and back (R94, R113)."""

import json
import pathlib
import re
import tempfile

from cli.case import CONFLICT, NOT_FOUND, OK, PARTIAL, USAGE, CliCase, run
from lib.baton import Baton

SECRET = re.compile(r"bt_[a-z]*_?[0-9a-f]{64}")


class Objects(CliCase):
    def setUp(self):
        self.baton = self.enterContext(Baton())

    def do(self, *words, status=OK):
        return self.cli(self.baton, *words, status=status)

    def row(self, *words):
        return self.rows(self.baton, *words)

    # --- one by one -------------------------------------------------------------------------------------------

    def test_R15_account_is_made_changed_and_taken_away(self):
        made = self.row("account", "add", "shop", "state=active", "limit.day.messages=1000", "note=the shop's")
        self.assertEqual((made["name"], made["state"]), ("shop", "active"))
        self.assertEqual(made["settings"]["limit.day.messages"], 1000)
        self.do("account", "set", "shop", "state=suspended", "note=")
        shown = self.row("account", "show", "shop")
        self.assertEqual(shown["state"], "suspended")
        self.assertNotIn("note", shown["settings"])
        self.do("account", "rm", "shop")
        self.do("account", "show", "shop", status=NOT_FOUND)

    def test_R113_suspension_cascades(self):
        self.do("account", "add", "reseller", "state=active")
        self.do("account", "add", "customer", "--account", "reseller", "state=active")
        self.do("account", "set", "reseller", "state=suspended")
        customer = self.row("account", "show", "customer")
        self.assertEqual((customer["state"], customer["held_by"], customer["parent"]),
                         ("suspended", "reseller", "reseller"))
        self.do("account", "rm", "reseller", status=CONFLICT)

    def test_dry_run_changes_nothing(self):
        self.do("account", "add", "shop")
        for words in (("account", "add", "other"), ("account", "set", "shop", "state=active"), ("account", "rm", "shop"),
                      ("cred", "add", "u", "--account", "shop"), ("user", "add", "ann"),
                      ("stream", "add", "s", "--account", "shop")):
            with self.subTest(words):
                before = self.do("export").stdout
                self.do(*words, "--dry-run")
                self.assertEqual(self.do("export").stdout, before)

    def test_mistakes_are_named(self):
        self.do("account", "add", "shop")
        for words, status, what in (
                (("account", "set", "shop", "state=asleep"), USAGE, "state"),
                (("account", "set", "shop", "sate=active"), USAGE, "sate"),
                (("account", "set", "shop", "active"), USAGE, "KEY=VALUE"),
                (("account", "set", "nobody", "state=active"), NOT_FOUND, "nobody"),
                (("account", "add", "shop"), CONFLICT, "shop"),
                (("stream", "add", "s"), USAGE, "--account"),
                (("cred", "add", "u"), USAGE, "--account"),
                (("cred", "add", "u", "--account", "shop", "networks=192.0.2.1/24"), USAGE, "networks"),
                (("domain", "add", "--account", "shop"), USAGE, "DOMAIN"),
                (("domain", "add", "a b", "--account", "shop"), USAGE, "a b"),
                (("account", "add", "x", "note=" + "n" * 5000), USAGE, "at most 3000")):
            with self.subTest(words):
                self.assertIn(what, self.do(*words, status=status).stderr)

    def test_keys_are_credentials_of_a_kind(self):
        self.do("account", "add", "shop")
        key = self.row("key", "add", "deploy", "--account", "shop", "scopes=sends.send")
        self.assertRegex(key["secret"], SECRET)
        self.do("cred", "add", "printer", "--account", "shop")
        self.assertEqual([row["user"] for row in self.row("key", "ls")], ["deploy"])
        again = self.row("key", "rotate", "deploy")
        self.assertNotEqual(again["secret"], key["secret"])
        self.do("key", "rm", "deploy")
        self.assertEqual(self.row("key", "ls"), [])

    def test_R69_people(self):
        self.do("account", "add", "shop")
        made = self.row("user", "add", "ann", "--account", "shop", "role=developer")
        self.assertGreaterEqual(len(made["password"]), 12)
        with tempfile.NamedTemporaryFile("w", suffix=".password") as file:
            file.write("correct horse battery staple\n")
            file.flush()
            self.assertNotIn("horse", self.do("user", "set", "ann", "--password-file", file.name).stdout)
        self.do("user", "set", "ann", "state=suspended")
        self.assertEqual([(row["name"], row["state"]) for row in self.row("user", "ls")], [("ann", "suspended")])
        self.do("user", "rm", "ann")

    def test_domains_in_bulk_R102(self):
        self.do("account", "add", "host")
        with tempfile.NamedTemporaryFile("w", suffix=".list") as file:
            file.write("# ours\n\n" + "".join(f"d{n}.example\r\n" for n in range(50)) + "not a domain\n")
            file.flush()
            done = self.do("domain", "add", "--account", "host", "--method", "attested", "--file", file.name,
                           status=PARTIAL)
        self.assertIn("50 domains were added, 1 were not", done.stderr)
        rows = self.row("domain", "ls", "--account", "host", "--limit", "1000")
        self.assertEqual(len(rows), 50)
        self.assertEqual({row["method"] for row in rows}, {"attested"})

    def test_R46_domain_says_what_to_publish(self):
        self.do("account", "add", "shop")
        self.do("domain", "add", "shop.example", "--account", "shop")
        ident = self.row("account", "show", "shop")["id"]
        proof = f"v=baton1; relay=relay.test; account={ident}"
        self.assertIn(proof, [row["value"] for row in self.row("domain", "records", "shop.example")])
        self.assertIn(f'_baton.shop.example. 3600 IN TXT "{proof}"',
                      self.do("domain", "records", "shop.example", "--format", "zone").stdout)
        self.assertEqual([row["value"] for row in self.row("domain", "lock", "shop.example")], [proof])
        for form in ("text", "cloudflare", "route53"):
            self.assertIn("_baton.shop.example", self.do("domain", "records", "shop.example", "--format", form).stdout)
        (shown,) = self.row("domain", "show", "shop.example")
        self.assertEqual((shown["state"], shown["account"]), ("pending", "shop"))

    def test_every_change_is_in_the_audit_log(self):
        self.do("account", "add", "shop")
        self.do("stream", "add", "news", "--account", "shop")
        self.do("cred", "add", "printer", "--account", "shop")
        self.do("account", "set", "shop", "state=active")
        rows = self.row("audit", "--account", "shop")
        self.assertEqual([row["verb"] for row in rows],
                         ["account-changed", "credential-added", "stream-added", "account-added"])
        self.assertIn("sandbox -> active", rows[0]["detail"])
        self.assertNotRegex(json.dumps(self.row("audit", "--limit", "1000")), SECRET)

    # --- all of them ------------------------------------------------------------------------------------------

    def file(self, document):
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="baton-apply-"))) / "objects.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def test_R94_export_and_apply_are_each_others_opposite(self):
        self.do("account", "add", "reseller", "state=active", "identity=observe")
        self.do("account", "add", "shop", "--account", "reseller", "limit.hour.bytes=64M")
        self.do("stream", "add", "news", "--account", "shop", "kind=marketing", "preflight=enforce")
        self.do("account", "set", "shop", "default_stream=news")
        self.do("user", "add", "ann", "--account", "shop", "role=developer")
        self.do("domain", "add", "shop.example", "--account", "shop", "subdomains=true")
        self.do("key", "add", "deploy", "--account", "shop", "scopes=sends.send", "stream=news")
        exported = self.do("export").stdout
        self.assertNotRegex(exported, SECRET)
        done = self.do("apply", "-f", self.file(exported))
        self.assertIn("nothing to do", done.stderr)
        other = self.enterContext(Baton())
        made = self.cli(other, "apply", "-f", self.file(exported)).stdout
        self.assertEqual(len(SECRET.findall(made)), 1, made)  # the key's, shown this once; "client" is there already
        self.assertRegex(made, r"(?m)^  password of user ann: \S{12,}$")
        self.assertEqual(json.loads(self.cli(other, "export").stdout), json.loads(exported))

    def test_R94_apply_tells_and_does(self):
        self.do("account", "add", "old")
        wanted = json.loads(self.do("export").stdout)
        wanted["accounts"] = [account for account in wanted["accounts"] if account["name"] != "old"]
        wanted["accounts"].append({"name": "below", "parent": "shop"})  # before the one above it
        wanted["accounts"].append({"name": "shop", "settings": {"state": "active", "default_stream": "news"}})
        wanted["streams"].append({"account": "shop", "name": "news", "settings": {"kind": "marketing"}})
        path = self.file(wanted)
        before = self.do("export").stdout
        tried = self.do("apply", "-f", path, "--dry-run").stdout
        self.assertEqual(self.do("export").stdout, before)
        self.assertEqual([line[:12] for line in tried.splitlines()], ["+ account sh", "+ account be", "+ stream new"])
        done = self.do("apply", "-f", path)
        self.assertEqual(done.stdout, tried)
        self.assertIn("1 objects that the file does not name stay", done.stderr)
        self.assertEqual(self.row("account", "show", "shop")["settings"]["default_stream"], "news")
        self.do("apply", "-f", path, "--prune", status=USAGE)
        self.assertEqual(self.do("apply", "-f", path, "--prune", "--yes").stdout, "- account old\n")
        self.do("account", "show", "old", status=NOT_FOUND)

    def test_R94_apply_changes_nothing_for_a_file_with_a_mistake(self):
        before = self.do("export").stdout
        for document, what in (("{", "JSON without an end"), ("{} x", "octet 3"), ("[]", "expected an object"),
                               ({"accounts": [{"name": "a"}, {"name": "b", "settings": {"state": "asleep"}}]},
                                "account b: state")):
            with self.subTest(document):
                self.assertIn(what, self.do("apply", "-f", self.file(document), status=USAGE).stderr)
                self.assertEqual(self.do("export").stdout, before)
        self.do("apply", "-f", "/nonexistent", status=USAGE)
        self.do("apply", status=USAGE)
        self.ended(run("apply", "-f", "-", "--config", self.baton.config_path, user_input="{}"), OK)
