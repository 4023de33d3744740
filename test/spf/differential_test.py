# SPDX-License-Identifier: Apache-2.0
"""mail/spf and pyspf over records put together at random from a seed: they say the same, but for one thing.

pyspf refuses a record that includes itself when it reads it. RFC 7208 knows no such error: such a term fails by the
limits when it is reached (4.6.4), and may stand behind one that matches."""

import random
import unittest

from judge import Judge, pyspf, pyspf_result

SEED = 7208
ROUNDS = 1500
NAMES = ["a.test", "b.test", "c.test", "mail.a.test", "x.b.test", "none.test"]
IPS = ["192.0.2.1", "192.0.2.77", "198.51.100.9", "2001:db8::1", "2001:db8:1::2"]
NETS = ["192.0.2.1", "192.0.2.0/24", "192.0.2.64/27", "198.51.0.0/16", "0.0.0.0/0"]
NETS6 = ["2001:db8::1", "2001:db8::/32", "2001:db8:1::/48", "::/0"]
MACROS = ["%{d}", "%{o}", "%{l}.a.test", "%{ir}.%{v}.b.test", "%{d1}.b.test", "%{lr-}.c.test", "%{h}", "%{i}.a.test"]
WRONG = ["ip4:192.0.2", "a:test", "all:a.test", "mx/99", "a:%{x}.test", "include", "ip6:192.0.2.1", "foo", "exp="]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, among):
        return self.random.choice(among)

    def target(self):
        return self.pick(NAMES + MACROS)

    def bits(self):
        return self.pick(["", "", "", "/24", "//64", "/28//48", "/0"])

    def mechanism(self):
        kind = self.random.randrange(100)
        if kind < 20:
            return self.pick(["a", "mx"]) + self.pick(["", ":" + self.target()]) + self.bits()
        if kind < 40:
            return "include:" + self.target()
        if kind < 60:
            return "ip4:" + self.pick(NETS)
        if kind < 70:
            return "ip6:" + self.pick(NETS6)
        if kind < 82:
            return "exists:" + self.target()
        if kind < 86:
            return self.pick(["ptr", "ptr:" + self.pick(NAMES)])
        if kind < 98:
            return "all"
        return self.pick(WRONG)

    def record(self):
        terms = [self.pick(["", "", "", "+", "-", "~", "?"]) + self.mechanism()
                 for _ in range(self.random.randrange(1, 6))]
        if self.random.randrange(4) == 0:
            terms.insert(self.random.randrange(len(terms) + 1), "redirect=" + self.target())
        if self.random.randrange(8) == 0:
            terms.append("unknown=%{l}/x")
        return "v=spf1 " + " ".join(terms)

    def zone(self):
        records = []
        for name in NAMES[:-1]:
            if self.random.randrange(8):
                records.append((name, "TXT", self.record()))
            if self.random.randrange(12) == 0:
                records.append((name, "TXT", self.record()))
            for ip in self.random.sample(IPS, self.random.randrange(4)):
                records.append((name, "AAAA" if ":" in ip else "A", ip))
            for host in self.random.sample(NAMES, self.random.randrange(3)):
                records.append((name, "MX", host))
        records.append(("1.2.0.192.in-addr.arpa", "PTR", self.pick(NAMES)))
        return records


class Differential(unittest.TestCase):
    def test_S07_the_same_as_pyspf(self):
        pyspf()
        judge = Judge()
        maker = Maker(SEED)
        seen = {}
        for number in range(ROUNDS):
            records = maker.zone()
            ip, helo, sender = maker.pick(IPS), maker.pick(NAMES), "joe-x@" + maker.pick(NAMES)
            judge.zone(records)
            ours = judge.ask(ip, helo, sender)
            theirs, words = pyspf_result(records, ip, helo, sender)
            if "trivial recursion" in words:
                continue
            seen[theirs] = seen.get(theirs, 0) + 1
            self.assertEqual(ours.result, theirs, f"round {number}: {ours}\n{ip} {helo} {sender}\n" +
                             "\n".join(" ".join(record) for record in records))
        judge.close()
        for result in ("pass", "fail", "softfail", "neutral", "none", "permerror"):
            self.assertGreater(seen.get(result, 0), ROUNDS // 200, seen)
