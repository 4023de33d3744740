# SPDX-License-Identifier: Apache-2.0
"""The test suite of RFC 7208 that comes with python3-spf's documentation, put to mail/spf."""

import gzip
import pathlib
import unittest

from judge import Judge

SUITE = pathlib.Path("/usr/share/doc/python3-spf/rfc7208-tests.yml.gz")


def texts_of(value):
    """A record of several strings is their join; NONE is no record."""
    joined = "".join(value) if isinstance(value, list) else str(value)
    return [] if joined == "NONE" else [joined]


def records_of(name, rows):
    """Records of type SPF stand for TXT ones, unless TXT ones are there: type 99 is gone (RFC 7208 §3.1)."""
    has_txt = any(isinstance(row, dict) and "TXT" in row for row in rows)
    for row in rows:
        if not isinstance(row, dict):
            yield name, "DEAD", ""
            continue
        for kind, value in row.items():
            if value == "TIMEOUT":
                yield name, "DEAD", "TXT" if kind == "SPF" else kind
            elif kind == "MX":
                yield name, kind, str(value[1])
            elif kind == "TXT" or (kind == "SPF" and not has_txt):
                for text in texts_of(value):
                    yield name, "TXT", text
            elif kind != "SPF":
                yield name, kind, str(value)


class Suite(unittest.TestCase):
    """One test a scenario."""

    @classmethod
    def setUpClass(cls):
        if not SUITE.is_file():
            raise unittest.SkipTest(f"{SUITE} is not installed")
        cls.judge = Judge()

    @classmethod
    def tearDownClass(cls):
        cls.judge.close()

    def scenario(self, scenario):
        records = [record for name, rows in scenario["zonedata"].items() for record in records_of(str(name), rows)]
        self.judge.zone(records)
        for name, test in scenario["tests"].items():
            answer = self.judge.ask(str(test["host"]), str(test["helo"]), str(test["mailfrom"]))
            wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
            with self.subTest(vector=name):
                self.assertIn(answer.result, wanted, answer)
                if test.get("explanation") not in (None, "DEFAULT"):
                    # RFC 7208 §7.4 writes the digits of IPv6 small, the suite in capitals.
                    self.assertEqual(answer.explanation.lower(), test["explanation"].lower(), answer)
                if test.get("explanation") == "DEFAULT":
                    self.assertEqual(answer.explanation, "", answer)


def load():
    import yaml
    with gzip.open(SUITE, "rb") as file:
        return list(yaml.safe_load_all(file))


def add(number, scenario):
    name = "".join(c if c.isalnum() else "_" for c in scenario["description"])
    setattr(Suite, f"test_S07_suite_{number:02}_{name}", lambda self: self.scenario(scenario))


for at, one in enumerate(load() if SUITE.is_file() else [{"description": "is not there"}]):
    add(at, one)
