# SPDX-License-Identifier: Apache-2.0
"""baton doctor: what it finds at a relay that is well, at one that is not, and at an open relay (R94)."""

import html.parser
import json
import pathlib
import tempfile

from cli.case import OK, UNHEALTHY, USAGE, CliCase, run
from lib import net
from lib.baton import Baton
from lib.server import Server

STRANGER = {"trusted_networks": []}  # nobody hands over mail without AUTH, not even this machine


class Doctor(CliCase):
    def found(self, baton, *words, status=OK):
        done = self.cli(baton, "doctor", *words, "-o", "json", status=status)
        return json.loads(done.stdout)

    def levels(self, rows):
        return {(row["check"], row["about"]): row["level"] for row in rows}

    def test_no_open_relay_at_any_listener(self):
        baton = self.enterContext(Baton(settings=STRANGER))
        rows = self.found(baton, "open-relay")
        self.assertEqual(self.levels(rows), {("open-relay", kind): "ok"
                                             for kind in ("relay", "submission", "submissions")})
        self.assertTrue(all("tricks were refused" in row["found"] for row in rows), rows)
        self.assertEqual(baton.api.queue(), [])

    def test_own_hostname_as_a_local_domain_is_no_open_relay(self):
        baton = self.enterContext(Baton(settings={
            **STRANGER, "local_domains": ["relay.test"], "routes": [{"domain": "relay.test", "via": "sandbox"}]}))
        self.assertEqual({row["level"] for row in self.found(baton, "open-relay")}, {"ok"})

    def test_an_open_relay_is_found(self):
        server = self.enterContext(Server())
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="baton-doctor-")))
        config = folder / "baton.yaml"
        config.write_text(json.dumps({"hostname": "relay.test", "state_folder": str(folder),
                                      "listeners": [{"kind": "relay", "address": f"127.0.0.1:{server.port}"}]}))
        done = self.ended(run("doctor", "open-relay", "--config", config, "-o", "json"), UNHEALTHY)
        rows = json.loads(done.stdout)
        self.assertGreaterEqual(len(rows), 12)
        self.assertEqual({row["level"] for row in rows}, {"fail"})
        self.assertEqual(server.messages, [])  # it never says DATA

    def test_a_trusted_machine_cannot_judge(self):
        baton = self.start_baton()
        self.assertEqual({row["level"] for row in self.found(baton, "open-relay")}, {"warn"})

    def test_nobody_listens(self):
        baton = self.start_baton(STRANGER)
        baton.stop()
        rows = self.found(baton, "open-relay", "roles", status=UNHEALTHY)
        self.assertEqual({row["level"] for row in rows}, {"fail"})

    def test_the_machine_and_the_configuration(self):
        baton = self.start_baton()
        rows = self.levels(self.found(baton, "config", "roles", "disk", "clock", "tls", "domains"))
        self.assertEqual(rows[("config", str(baton.config_path))], "ok")
        self.assertIn(rows[("roles", "core")], ("ok", "warn"))  # warn: a sanitizer build confines less
        self.assertEqual(rows[("tls", "expiry")], "ok")
        self.assertEqual(rows[("tls", "issuer")], "warn")
        self.assertEqual({rows[("tls", kind)] for kind in ("relay", "submission", "submissions")}, {"warn"})
        self.assertIn(("disk", "inodes"), rows)
        self.assertIn(rows[("clock", "")], ("ok", "warn"))
        self.assertEqual(rows[("domains", "")], "ok")

    def test_a_bad_configuration_is_a_finding(self):
        baton = self.start_baton()
        baton.config_path.write_text(baton.config_path.read_text().replace("{", '{"no_such": 1,', 1))
        done = run("doctor", "config", "--config", baton.config_path, "-o", "json")
        (row,) = json.loads(self.ended(done, UNHEALTHY).stdout)
        self.assertIn("no_such", row["found"])

    def test_port25(self):
        baton = self.start_baton()
        server = self.enterContext(Server())
        rows = self.found(baton, "port25", "--try", f"127.0.0.1:{server.port}")
        self.assertEqual([row["level"] for row in rows], ["ok"])
        rows = self.found(baton, "port25", "--try", f"127.0.0.1:{net.free_port()}", status=UNHEALTHY)
        self.assertEqual([row["level"] for row in rows], ["fail"])

    def test_report_is_one_page_and_what_was_found_is_text(self):
        baton = self.start_baton()
        page = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="baton-page-"))) / "report.html"
        page.write_text("the page of yesterday")
        self.cli(baton, "doctor", "disk", "port25", "--try", "<script>alert(1)</script>", "--report", page,
                 status=UNHEALTHY)
        text = page.read_text()
        self.assertIn("&lt;script&gt;", text)
        self.assertNotIn("yesterday", text)
        tags = []
        parser = html.parser.HTMLParser()
        parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
        parser.feed(text)
        self.assertNotIn("script", {tag for tag, _ in tags})
        self.assertFalse([tag for tag, attributes in tags if {"src", "href"} & set(attributes)], "it fetches something")

    def test_nightly_tells_what_got_worse_and_what_is_well_again(self):
        baton = self.start_baton()
        port = net.free_port()
        words = ("doctor", "port25", "--nightly", "--try", f"127.0.0.1:{port}")
        worse = self.cli(baton, *words, status=UNHEALTHY).stderr
        self.assertRegex(worse, r"event=doctor-worse check=port25 about=\S+ before=ok now=fail ")
        known = self.cli(baton, *words, status=UNHEALTHY).stderr
        self.assertNotIn("event=doctor-", known)
        self.enterContext(Server(port))
        well = self.cli(baton, *words).stderr
        self.assertRegex(well, r"event=doctor-better check=port25 about=\S+ before=fail now=ok ")
        self.assertNotIn("event=doctor-", self.cli(baton, *words).stderr)

    def test_usage(self):
        self.ended(run("doctor", "everything"), USAGE)
        self.ended(run("doctor", "--report"), USAGE)
