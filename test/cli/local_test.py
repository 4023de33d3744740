# SPDX-License-Identifier: Apache-2.0
"""What needs no relay: the configuration judged and printed, version, help, completions, manual pages, usage."""

import pathlib
import re
import subprocess
import tempfile

from cli.case import FAILED, OK, USAGE, CliCase, run
from lib import certificate

COMMANDS = ("serve", "live", "check-config", "check address", "check dkim", "check spf", "config print", "status",
            "doctor", "reload", "secret exchange", "drain", "send", "tail", "queue ls", "queue summary", "queue show",
            "queue why", "queue retry", "queue hold", "queue release", "queue drop", "account add", "account ls",
            "account show", "account set", "account rm", "account observed", "account usage", "account clients",
            "user add", "user ls", "user set", "user rm", "cred add", "cred ls", "cred set", "cred rotate", "cred rm",
            "key add", "key ls", "key set", "key rotate", "key rm", "stream add", "stream ls", "stream set",
            "stream rm", "domain add", "domain ls", "domain show", "domain set", "domain rm", "domain check",
            "domain records", "domain rotate-dkim", "domain lock", "domain transfer", "audit", "export", "apply",
            "sandbox ls", "sandbox show", "version", "completion", "help")
EXITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8")


class Files(CliCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="baton-local-")))

    def write(self, text, name="baton.yaml", mode=0o600):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path


class Configuration(Files):
    GOOD = "hostname: relay.test\ntls: {{cert_file: {cert}, key_file: {key}}}\nstate_folder: {state}\n"

    def good(self):
        return self.GOOD.format(cert=certificate.cert_file(), key=certificate.key_file(), state=self.folder)

    def judged(self, text, status):
        """Editors read what it says: "FILE:LINE: …"."""
        done = run("check-config", "--config", self.write(text))
        self.assertEqual((done.returncode, bool(done.stderr)), (status, status != OK), done.stdout + done.stderr)
        return done

    def test_check_config_good(self):
        self.assertEqual(self.judged(self.good(), OK).stdout, f"{self.folder}/baton.yaml: fine\n")

    def test_R94_check_config_names_file_and_line(self):
        self.write("secret\n", "open-key", 0o644)
        for more, line, words in (
                ("no_such: 1", 4, "no_such: no such option"),
                ("retry: {jitter_percent: many}", 4, 'retry.jitter_percent: "many": expected a number'),
                ("retry: {jitter_percent: 51}", 4, 'retry.jitter_percent: "51": expected a number, 0 … 50'),
                ("retry:\n  expire: 5 parsecs", 5, 'retry.expire: "5 parsecs": expected a duration'),
                ("listeners:\n- {kind: submission}", 5, "address"),
                ("listeners:\n- {kind: carrier, address: '127.0.0.1:1'}", 5, "kind"),
                ("trusted_networks:\n- {network: 192.0.2.1/24, account: a}", 5, "network"),
                ("routes:\n- {domain: a.test, via: smarthost}", 5, "host"),
                ("hostname: again.test", 4, "hostname"),
                ("a: &x 1", 4, ""), ("a: [", 5, ""), ("\ta: 1", 4, ""), ("hostname: !!str x", 4, "")):
            with self.subTest(more):
                done = self.judged(self.good() + more + "\n", FAILED)
                self.assertRegex(done.stderr, rf"baton\.yaml:{line}: ")
                self.assertIn(words, done.stderr)

    def test_check_config_judges_as_serve_would(self):
        key = self.write(certificate.key_file().read_text(), "open-key.pem", 0o644)
        self.assertIn("open-key.pem", self.judged(self.good().replace(str(certificate.key_file()), str(key)),
                                                  FAILED).stderr)
        self.judged(self.good().replace("cert.pem", "none.pem"), FAILED)
        self.judged(self.good() + "trusted_networks: [{network: 0.0.0.0/0, account: all}]\n", FAILED)
        for no_file in ("/nonexistent", self.folder):
            self.assertEqual(run("check-config", "--config", no_file).returncode, FAILED)

    def test_config_print_feeds_back(self):
        self.write(self.good() + "routes:\n- {domain: '*', via: smarthost, host: '::1', port: 26}\n"
                   "retry: {steps: [1s, 2m, 3h]}\ntrusted_networks: [{network: 198.51.100.0/24, account: 'a b'}]\n")
        printed = self.ended(run("config", "print", "--config", self.folder / "baton.yaml"), OK).stdout
        self.assertIn("198.51.100.0/24", printed)
        self.judged(printed, OK)
        again = self.ended(run("config", "print", "--config", self.folder / "baton.yaml"), OK).stdout
        self.assertEqual(printed, again)

    def test_config_print_defaults_feed_back(self):
        defaults = self.ended(run("config", "print", "--defaults"), OK).stdout
        self.judged(defaults.replace('cert_file: ""', f"cert_file: {certificate.cert_file()}")
                    .replace('key_file: ""', f"key_file: {certificate.key_file()}"), OK)
        self.ended(run("config", "print", "--config", "/nonexistent"), FAILED)
        self.ended(run("config", "print", "--defaults", "--config"), USAGE)


class Texts(Files):
    def test_version_and_help(self):
        self.assertRegex(self.ended(run("version"), OK).stdout, r"^baton \d+\.\d+\.\d+\n$")
        self.assertEqual(run("--version").stdout, run("version").stdout)
        overview = self.ended(run("help"), OK).stdout
        self.assertEqual(run("--help").stdout, overview)
        for command in COMMANDS:
            with self.subTest(command):
                self.assertIn(f"\n  {command}", overview)
                about = self.ended(run(*command.split(), "--help"), OK).stdout
                self.assertTrue(about.startswith(f"Usage: baton {command}"), about)
                self.assertLessEqual(max(map(len, about.splitlines())), 80)
                self.assertEqual(self.ended(run("help", *command.split()), OK).stdout, about)
        self.assertIn("queue drop", self.ended(run("help", "queue"), OK).stdout)
        self.ended(run("help", "nothing"), USAGE)

    def test_usage(self):
        for words in ((), ("nothing",), ("queue",), ("queue", "nothing"), ("status", "x"), ("status", "--nothing"),
                      ("status", "-o", "xml"), ("status", "-o"), ("status", "--single"), ("version", "--yes=1"),
                      ("serve", "--single=yes"), ("account", "add"), ("cred", "add", "x"), ("live", "--force"),
                      ("completion",), ("completion", "csh"), ("sandbox", "show"), ("queue", "ls", "-n"),
                      ("queue", "ls", "--to", "a", "--from", "b", "--from", "c"), ("",)):
            with self.subTest(words):
                done = self.ended(run(*words), USAGE)
                self.assertEqual(done.stdout, "")

    def test_completion(self):
        for shell, judge in (("bash", ["bash", "-n"]), ("zsh", None), ("fish", None)):
            script = self.ended(run("completion", shell), OK).stdout
            self.assertIn("check-config", script)
            if judge:
                subprocess.run([*judge, self.write(script, shell)], check=True)

    def completed(self, *words):
        """What bash offers for the last word."""
        script = self.write(run("completion", "bash").stdout, "bash")
        line = '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _baton; printf "%s\\n" "${COMPREPLY[@]}"'
        return subprocess.run(["bash", "-c", line, script, "baton", *words], capture_output=True, text=True,
                              check=True).stdout.split()

    def test_completion_offers_what_there_is(self):
        self.assertEqual(set(self.completed("")), {command.split()[0] for command in COMMANDS})
        self.assertEqual(self.completed("che"), ["check-config", "check"])
        self.assertEqual(set(self.completed("queue", "r")), {"retry", "release"})
        self.assertEqual(self.completed("queue", "drop", "--si"), ["--silent", "--site"][::-1])
        self.assertEqual(self.completed("status", "--output", ""), ["table", "json"])
        self.assertEqual(self.completed("send", "--tls", "i"), ["implicit"])
        self.assertEqual(self.completed("queue", "ls", "--yes"), [])

    def test_man(self):
        self.ended(run("man", self.folder), OK)
        pages = sorted(path.name for path in self.folder.iterdir())
        self.assertEqual(pages, sorted({f"baton-{command.split()[0]}.1" for command in COMMANDS}
                                       | {"baton.1", "baton.conf.5", "baton-codes.7"}))
        for page in pages:
            with self.subTest(page):
                done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", self.folder / page],
                                      capture_output=True, text=True, check=True)
                self.assertEqual(done.stderr, "")
        text = (self.folder / "baton.1").read_text()
        self.assertEqual(tuple(re.findall(r"^\.TP\n(\d)\n", text, re.M)), EXITS)
        for command in COMMANDS:
            self.assertIn(f"\\fBbaton {command}\\fR", text)
        self.ended(run("man", self.folder), OK)  # over those that are there
        self.ended(run("man", "/dev/null/x"), FAILED)
