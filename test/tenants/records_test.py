# SPDX-License-Identifier: Apache-2.0
"""What is kept of what was changed, and all of it as one file: audit, secrets, export and apply (R11, R16, A06)."""

import base64
import json

from lib import net
from lib.baton import Baton, merge
from lib.relay_case import QUICK
from tenants.case import TenantCase, message_of

SHOP = "shop.test"
PASSWORD = "a long enough password of a person 1"


class Records(TenantCase):
    def begin(self):
        self.start()
        self.add_account("shop")
        self.zone.prove(self.baton, SHOP, "shop")

    def make_much(self):
        self.add_account("branch", parent="shop", identity="observe", note="a note: with \"quotes\" = and more")
        self.api.post("/v1/accounts/shop/streams", name="news", settings={
            "kind": "marketing", "domain": SHOP, "limit.day.messages": 1000, "limit.hour.bytes": "5M"})
        self.add_credential("news", "shop", stream="news", networks="127.0.0.0/8,::1/128")
        self.api.post("/v1/credentials", name="key", account="shop", settings={"kind": "api", "scopes": "sends.send"})
        self.api.post("/v1/users", name="ann", account="shop",
                      settings={"role": "developer", "submits": True, "password": PASSWORD})
        self.api.post("/v1/domains", name="attested.test", account="branch",
                      settings={"method": "attested", "subdomains": True})
        self.api.post("/v1/domains", name=SHOP, account="branch",
                      settings={"method": "lease", "lessor": "shop", "local": "branch"})

    def test_R16_every_change_leaves_its_row(self):
        self.begin()
        self.make_much()
        api = self.api
        self.set("accounts/branch", note="other")
        self.set("accounts/shop/streams/news", kind="internal")
        self.set("users/ann", role="analyst")
        self.set("credentials/user-news", note="x")
        self.set("domains/attested.test", account="branch", note="x")
        api.post("/v1/credentials/user-news/rotate")
        api.post(f"/v1/domains/{SHOP}/rotate", account="shop")
        api.post("/v1/domains/attested.test/transfer", account="branch", to="shop")
        for target, body in (("credentials/user-news", None), ("users/ann", None), ("accounts/shop/streams/news", None),
                             ("domains/attested.test", {"account": "shop"}), (f"domains/{SHOP}", {"account": "branch"}),
                             ("credentials/user-branch", None), ("accounts/branch", None)):
            api.call("DELETE", f"/v1/{target}", body)
        rows = api.items("/v1/audit", limit=1000)
        verbs = {row["verb"] for row in rows}
        for noun in ("account", "credential", "user", "stream", "domain"):
            for verb in ("added", "changed", "removed"):
                self.assertIn(f"{noun}-{verb}", verbs)
        for verb in ("credential-rotated", "domain-proved", "domain-transferred", "key-published"):
            self.assertIn(verb, verbs)
        self.assertEqual([row["id"] for row in rows], sorted((row["id"] for row in rows), reverse=True))
        for row in rows:
            self.assertNotIn("\n", row["detail"])
            self.assertIn(row["actor"], ("root", "baton", "configuration", "uid:0"), row)
        (changed,) = [row for row in rows if (row["verb"], row["name"]) == ("user-changed", "ann")]
        self.assertIn("developer -> analyst", changed["detail"])
        self.baton.stop()
        self.baton.start()
        self.assertEqual(api.items("/v1/audit", limit=1000)[-len(rows):], rows, "nothing of it goes")
        shown = self.baton.cli("audit", "--limit", "1000")
        self.assertIn("domain-transferred", shown)

    def test_A06_no_secret_lies_about(self):
        self.begin()
        self.make_much()
        secrets = [secret for _, secret in self.secrets.values()]
        secrets.append(self.api.post("/v1/credentials", name="other", account="shop",
                                     settings={"kind": "api", "scopes": "sends.send"})["secret"])
        secrets.append(self.api.post("/v1/credentials/user-news/rotate")["secret"])
        secrets.append(PASSWORD)
        self.api.call("PATCH", "/v1/users/ann", {"settings": {"password": PASSWORD + "2"}})
        self.taken("shop", f"x@{SHOP}", message_of(("From", f"x@{SHOP}")))
        for key in ("shop", "branch"):
            with self.client(key) as client:
                client.ask(f"AUTH PLAIN {base64.b64encode(self.secrets[key][1].encode()).decode()}")
        answers = [json.dumps(self.api.items(f"/v1/{path}")) for path in
                   ("accounts", "credentials", "users", "domains", "audit", "status", "observed", "usage", "queue")]
        answers += [self.baton.cli("export"), self.baton.cli("audit"),
                    json.dumps(self.api.items("/v1/audit", limit=1000))]
        answers.append(json.dumps(self.api.items(f"/v1/domains/{SHOP}/records", account="shop")))
        self.baton.stop()
        places = [self.baton.log()] + answers
        places += [path.read_bytes().decode("latin-1") for path in self.baton.state.rglob("*") if path.is_file()]
        self.assertGreater(len(places), 15)
        for secret in secrets:
            spellings = [secret, secret.removeprefix("bt_"), base64.b64encode(secret.encode()).decode()]
            for spelling in spellings:
                self.assertFalse([place[:100] for place in places if spelling in place])
        for place in places:
            self.assertNotIn("PRIVATE KEY", place)

    def test_R11_export_and_apply_on_a_fresh_relay(self):
        self.begin()
        self.make_much()
        exported = self.baton.cli("export")
        document = json.loads(exported)
        self.assertEqual({key: len(rows) for key, rows in document.items()},
                         {"accounts": 3, "streams": 1, "users": 1, "domains": 3, "credentials": 5})
        path = self.baton.folder / "objects.json"
        path.write_text(exported)
        settings = merge(merge(QUICK, self.zone.settings), {"trusted_networks": []})
        with Baton(settings) as fresh:
            before = fresh.cli("export")
            planned = fresh.cli("apply", "-f", str(path), "--dry-run")
            self.assertIn(f"+ domain {SHOP} of shop", planned)
            self.assertEqual(fresh.cli("export"), before, "--dry-run changes nothing")
            printed = []

            def apply():
                done = fresh.cli("apply", "-f", str(path), check=False)
                printed.append(done.stdout)
                return done.returncode == 0
            # A lease wants its lessor's proof, which is looked for once the domain is there.
            net.wait_until(apply, 20, lambda: printed)
            self.assertIn("secret of cred user-shop: bt_", "".join(printed))
            self.assertEqual(self.as_sets(fresh.cli("export")), self.as_sets(exported))
            self.assertEqual(fresh.cli("apply", "-f", str(path)), "", "nothing is left to do")
            attested = fresh.api.items("/v1/domains/attested.test", account="branch")[0]
            self.assertEqual(attested["state"], "proved")

    @staticmethod
    def as_sets(exported):
        """The order of rows says nothing."""
        return {key: sorted(json.dumps(row, sort_keys=True) for row in rows)
                for key, rows in json.loads(exported).items()}

    def test_R44_records_are_published_as_they_are_printed(self):
        """In zone form by knot; the forms of two providers are JSON that says the same."""
        self.start()
        self.add_account("shop")
        self.baton.cli("domain", "add", SHOP, "--account", "shop")
        forms = {form: self.baton.cli("domain", "records", SHOP, "--format", form)
                 for form in ("zone", "cloudflare", "route53")}
        self.zone.publish(forms["zone"].splitlines())
        self.zone.check(self.baton, SHOP, "shop")
        names = [row.split()[0].rstrip(".") for row in forms["zone"].splitlines() if not row.startswith(";")]
        self.assertEqual([row["name"] for row in json.loads(forms["cloudflare"])["posts"]], names)
        changes = [change["ResourceRecordSet"] for change in json.loads(forms["route53"])["Changes"]]
        self.assertEqual([row["Name"].rstrip(".") for row in changes], names)
        for row in changes:
            self.assertIn(row["ResourceRecords"][0]["Value"], forms["zone"])
        self.assertIn("_baton.shop.test", self.baton.cli("domain", "lock", SHOP, "--account", "shop"))
        self.assertNotIn("pending", self.baton.cli("domain", "records", SHOP))

    def test_R11_every_dry_run_changes_nothing(self):
        self.begin()
        self.make_much()
        before = self.baton.cli("export"), self.changes()
        for words in (["account", "add", "new"], ["account", "set", "branch", "note=y"],
                      ["cred", "rm", "user-news"],
                      ["cred", "add", "new", "--account", "shop"], ["domain", "add", "new.test", "--account", "shop"],
                      ["domain", "rm", "attested.test"], ["user", "rm", "ann"], ["cred", "rotate", "user-news"],
                      ["domain", "rotate-dkim", SHOP, "--account", "shop"],
                      ["stream", "set", "news", "--account", "shop", "note=y"],
                      ["domain", "transfer", "attested.test", "--account", "branch", "--to", "shop"]):
            done = self.baton.cli(*words, "--dry-run", check=False)
            self.assertEqual(done.returncode, 0, f"{words} {done.stderr}")
        self.assertEqual((self.baton.cli("export"), self.changes()), before)

    def changes(self):
        """By people; what is found in DNS meanwhile is another matter."""
        return [row for row in self.api.items("/v1/audit", limit=1000) if row["actor"] != "baton"]
